"""Pixels and images, and the files that hold them. The only file that knows 127.5.

Pixels are uint8 in [0, 255]; an image is float32 in [-1, 1]; both are `(height, width, channels)`.
"""

import contextlib
import os
import threading
import warnings
from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from keras_pix2pix.files import PNG, regular_file, whole_file

__all__ = ["beside", "read_image_file", "to_image", "to_pixels", "write_png"]

HALF_RANGE = 127.5
SOFTWARE = "keras_pix2pix"  # The "Software" entry of our PNG files, in their first bytes.
OWN_KIND = "a PNG file that this package has written"
EXTENSIONS = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp")
# Pillow's other plugins are not used: some run other programs, such as the one for PostScript.
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
INTERPOLATIONS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
# The last bytes of a complete file of the format.
_ENDINGS = {"JPEG": b"\xff\xd9", "PNG": b"IEND\xaeB`\x82"}
# Undoes each EXIF orientation. Pillow's own function also rewrites the EXIF data, and fails on unusual ones.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
MOST_PIXELS = 2**25  # For a picture that passes a network as a whole: several GB in the paper's.
_ON_THE_SIDE = (5, 6, 7, 8)
UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)
_EXIF_ORIENTATION = 0x0112
_PILLOW_LIMIT = threading.RLock()  # Held while Pillow's own limit, which is global, is changed.


class UnreadablePicture(ValueError):
    """Pillow can't read a file."""


def to_image(pixels: Any) -> Any:
    """Pixels as a network sees them.

    Args:
        pixels: Array or tensor of any shape and number type, in [0, 255].

    Returns:
        A float32 tensor of the same shape, in [-1, 1].

    Example:

    ```python
    import numpy as np
    from keras_pix2pix.images import to_image

    image = to_image(np.zeros((256, 256, 3), "uint8"))  # All -1.
    ```
    """
    from keras import ops  # Here, so that reading files doesn't wait for TensorFlow.

    return ops.cast(pixels, "float32") / HALF_RANGE - 1.0


def to_pixels(image: Any) -> Any:
    """A network's image as pixels: clipped, rounded to the nearest level.

    Args:
        image: Array or tensor of any shape, float, nominally in [-1, 1].

    Returns:
        A uint8 tensor of the same shape, in [0, 255].

    Example:

    ```python
    import numpy as np
    from keras_pix2pix.images import to_pixels

    pixels = to_pixels(np.ones((256, 256, 3), "float32"))  # All 255.
    ```
    """
    from keras import ops

    return ops.cast(ops.round(ops.clip(image * HALF_RANGE + HALF_RANGE, 0.0, 255.0)), "uint8")


def refuse_deep_pixels(picture, path):
    """Raise for a picture that is gray with more than 8 bits."""
    # PIL's conversion of such files to RGB silently clips them to white.
    if picture.mode.startswith(("I", "F")):
        raise ValueError(
            f"{path} is gray with more than 8 bits. Accepted: 8-bit gray, palette or colour. "
            f"Received: mode {picture.mode!r}. Convert the file to 8 bits, or declare an encoding that takes it, "
            'such as "gray16".'
        )


def read_image_file(
    path: str | os.PathLike,
    mode: str | None = "RGB",
    check: Callable = refuse_deep_pixels,
    reduction: Callable | None = None,
) -> Image.Image:
    """Decode a picture upright; of an animation, the first frame.

    Args:
        path: File in a format that Pillow reads.
        mode: Pillow's mode to convert to, or None to leave the pixels as they are. Defaults to "RGB", which drops
            alpha.
        check: Function of (open picture, path) that raises for a picture of the wrong kind. Defaults to
            `refuse_deep_pixels`.
        reduction: Function from height and width to the number, 1, 2, 4 or 8, of times that both may be smaller, which
            saves time with JPEG files and is ignored for others. Defaults to None: the picture keeps its size.

    Returns:
        A `PIL.Image.Image`.

    Raises:
        ValueError: The file can't be read, or is gray with more than 8 bits. The message names it.

    Example:

    ```python
    from keras_pix2pix.data import synthetic
    from keras_pix2pix.images import read_image_file

    (path,) = synthetic.write_facades("pairs", 1)
    picture = read_image_file(path)
    ```
    """
    try:
        with _open(path) as picture:
            check(picture, path)
            orientation = _orientation(picture)
            if reduction and picture.format in ("JPEG", "MPO"):
                width, height = picture.size
                times = reduction(width, height) if orientation in _ON_THE_SIDE else reduction(height, width)
                picture.draft(None, (width // times, height // times))
            upright = picture.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else picture
            upright.load()
            return upright if mode in (None, upright.mode) else upright.convert(mode)
    except UNREADABLE as error:
        raise _unreadable(path, error) from error


def read_image_size(path, check=refuse_deep_pixels):
    """(height, width) of a picture as `read_image_file` would return it, mostly from its header alone."""
    try:
        with _open(path) as picture:
            check(picture, path)
            width, height = picture.size
            if _orientation(picture) in _ON_THE_SIDE:
                width, height = height, width
            if not _ends_whole(path, picture.format):
                picture.load()  # Raises if the file is truncated, but not if it only has trailing bytes.
            return height, width
    except UNREADABLE as error:
        raise _unreadable(path, error) from error


@contextlib.contextmanager
def pixel_limit(pixels):
    """Within this context, read files of up to this many pixels by their headers, instead of Pillow's limit.

    There is no warning below it, and an error above.
    """
    with _PILLOW_LIMIT, warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, pixels // 2  # Pillow raises at twice its limit.
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = before


def beside(*pictures: np.ndarray) -> np.ndarray:
    """Pictures of equal size in one row, as RGB pixels for display.

    Args:
        *pictures: uint8 arrays, `(height, width, channels)`; one channel is shown gray, of more than three the
            first three.

    Returns:
        A uint8 array, `(height, width * len(pictures), 3)`.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix.images import beside

    row = beside(np.zeros((64, 64, 1), "uint8"), np.ones((64, 64, 3), "uint8"))
    ```
    """
    return np.concatenate([_as_rgb(np.asarray(pixels)) for pixels in pictures], axis=1)


def write_png(path: str | os.PathLike, pixels: np.ndarray, palette: Sequence | None = None) -> None:
    """Write pixels as a PNG file, completely or not at all, with this package as its "Software".

    Args:
        path: File to write; its folder is created if missing.
        pixels: uint8 array, `(height, width, channels)` with 1, 3 or 4 channels; or uint16 with 1 channel.
        palette: (red, green, blue) of each level of 1 channel. Defaults to None: no palette.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix.images import write_png

    write_png("gray.png", np.full((64, 64, 3), 127, "uint8"))
    ```
    """
    pixels = np.asarray(pixels)
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    if palette is not None:
        picture.putpalette([level for color in palette for level in color])
    mark = PngInfo()
    mark.add_text("Software", SOFTWARE)
    with whole_file(path) as temporary:
        picture.save(temporary, format="PNG", pnginfo=mark)


def is_own_png(path):
    """Whether a file is a PNG file that this package has written, and so may replace."""
    with open(path, "rb") as opened:
        start = opened.read(1024)
    return start.startswith(PNG) and f"tEXtSoftware\0{SOFTWARE}".encode() in start


def height_and_width(image_size: Any) -> tuple[int, int]:
    """`image_size` as a pair of positive integers."""
    sides = tuple(image_size) if hasattr(image_size, "__iter__") else (image_size, image_size)
    if len(sides) != 2 or not all(isinstance(side, Integral) and int(side) > 0 for side in sides):
        raise ValueError(
            f"`image_size` must be (height, width) or one integer, in pixels. Received: image_size={image_size!r}."
        )
    if sides[0] * sides[1] > MOST_PIXELS:
        raise ValueError(
            f"`image_size` may have {MOST_PIXELS:,} pixels at most. Received: image_size={image_size!r}. Choose a "
            "smaller one; `translate` takes larger pictures in tiles."
        )
    return sides


def _open(path):
    if os.path.exists(path) and not regular_file(path):
        raise ValueError("it is not a regular file")  # Opening a pipe would block until another process writes.
    return Image.open(path, formats=_FORMATS)


def _as_rgb(pixels):
    if pixels.shape[-1] == 1:
        return np.repeat(pixels, 3, axis=-1)
    missing = max(0, 3 - pixels.shape[-1])
    return np.pad(pixels[..., :3], [(0, 0), (0, 0), (0, missing)])


def _orientation(picture):
    # Pillow would decode a whole PNG to look for EXIF data after the pixels, where no camera puts them.
    if picture.format == "PNG" and not {"exif", "Raw profile type exif"} & picture.info.keys():
        return None
    orientation = picture.getexif().get(_EXIF_ORIENTATION)
    if picture.format == "TIFF" and orientation in _UPRIGHT:
        # Pillow 13 swaps the sides of such a file before it decodes it, and the rows come out scrambled.
        raise ValueError(f"its TIFF orientation is {orientation}, and only 1 (upright) is accepted")
    return orientation


def _ends_whole(path, picture_format):
    if picture_format not in _ENDINGS:
        return picture_format == "WEBP"  # Pillow refuses a truncated one on opening; the others have no end mark.
    with open(path, "rb") as opened:
        opened.seek(max(0, os.path.getsize(path) - 64))
        return _ENDINGS[picture_format] in opened.read()


def _unreadable(path, error):
    if str(path) in str(error) and isinstance(error, ValueError):
        return error
    reason = "it is not a picture" if isinstance(error, Image.UnidentifiedImageError) else error
    return UnreadablePicture(
        f"Can't read the picture {path}: {reason}. Accepted: {', '.join(EXTENSIONS)}. "
        "Replace the file, or take it out of the folder."
    )
