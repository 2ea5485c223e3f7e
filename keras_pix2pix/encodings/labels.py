"""Label maps: one channel for each class, 1 for the class of the pixel and -1 for the others. Never interpolated."""

import colorsys
import re
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from urllib.parse import quote

import numpy as np
from PIL import Image

from keras_pix2pix.encodings.base import SingleEncoding
from keras_pix2pix.encodings.files import is_array_file, open_array
from keras_pix2pix.encodings.pictures import Picture
from keras_pix2pix.encodings.rasters import open_raster, pillow_or_tifffile
from keras_pix2pix.images import read_image_file, read_image_size, write_png

__all__ = ["Classes", "Palette", "resized_nearest"]

_MOST_CLASSES = 256
_MODES_OF_INDICES = ("1", "L", "P")
_GOLDEN = 0.618034  # Steps of the golden ratio keep the hues of neighbouring classes apart.
_MIDDLE = 128.0  # Colours are compared relative to it, in whole numbers that float32 and float16 represent exactly.


@dataclass(frozen=True)
class Classes(SingleEncoding):
    """Class indices 0, 1, ... in a gray or palette file, or in a `.npy` file of integers.

    In a palette file, the indices count, not the palette's colours.

    Args:
        num_classes: Number of classes, 2 to 256: the channels of the image.
        ignore: Index, `num_classes` to 255, of pixels that belong to no class, such as 255 in Pascal VOC. As a target
            they have weight 0 in all losses, and count as correct in metrics; as a source they are -1 in all channels.
            Defaults to None: there are none.
        palette: Colour to show each class in, (red, green, blue) in 0..255 or "#rrggbb"; `write` then makes palette
            files. Defaults to None: colours far apart, and gray files.

    Raises:
        ValueError: Another number.

    Example:

    ```python
    from keras_pix2pix.encodings import Classes

    labels = Classes(12)
    ```
    """

    num_classes: int
    ignore: int | None = None
    palette: tuple | None = None

    holds_indices = True
    raw_channels = 1
    raw_dtype = "uint8"
    is_label_map = True
    extension = ".png"

    def __post_init__(self):
        if not isinstance(self.num_classes, Integral) or not 2 <= self.num_classes <= _MOST_CLASSES:
            raise ValueError(
                f"`num_classes` must be an integer from 2 to {_MOST_CLASSES}. "
                f"Received: num_classes={self.num_classes!r}."
            )
        if self.ignore is not None and (
            not isinstance(self.ignore, Integral) or not self.num_classes <= self.ignore < _MOST_CLASSES
        ):
            raise ValueError(
                f"`ignore` must be an integer from {self.num_classes}, the first that is no class, to "
                f"{_MOST_CLASSES - 1}. Received: ignore={self.ignore!r}."
            )
        if self.palette is not None:
            object.__setattr__(self, "palette", tuple(_color(each) for each in self.palette))
            if len(self.palette) != self.num_classes:
                raise ValueError(
                    f"`palette` must have a colour for each of {self.num_classes} classes. "
                    f"Received: {len(self.palette)}."
                )

    @property
    def channels(self):
        """Channels of the image."""
        return self.num_classes

    @property
    def word(self):
        """The name from which `encodings.get` makes this encoding."""
        ignore = "" if self.ignore is None else f":ignore={self.ignore}"
        colors = "" if self.palette is None else f":colors={','.join(map(_hex, self.palette))}"
        return f"classes:{self.num_classes}{ignore}{colors}"

    @property
    def colors(self):
        """The colour to show each class in, (red, green, blue); without a palette, class 0 is black."""
        if self.palette is not None:
            return self.palette
        hues = [index * _GOLDEN % 1 for index in range(1, self.num_classes)]
        return ((0, 0, 0), *(tuple(round(255 * each) for each in colorsys.hsv_to_rgb(hue, 0.75, 1.0)) for hue in hues))

    def size(self, path):
        """(height, width) of a suitable file, from its header; raises for other files."""
        if is_array_file(path):
            return open_array(path, 1, kinds="uib").shape[:2]
        return pillow_or_tifffile(
            path,
            lambda: read_image_size(path, _check_indices),
            lambda: open_raster(path, 1, kinds="uib").shape[:2],
        )

    def open(self, path, reduction=None):
        """Decode a file without checking its values: a `PIL.Image.Image`, or an array of 3 dimensions."""
        if is_array_file(path):
            return open_array(path, 1, kinds="uib")
        return pillow_or_tifffile(
            path,
            lambda: read_image_file(path, None, _check_indices),
            lambda: open_raster(path, 1, kinds="uib"),
        )

    def raw(self, opened, path, size=None, interpolation="nearest"):
        """Indices `(height, width, 1)` of the result of `open` or a part of it; always resized with "nearest"."""
        indices = np.asarray(opened)
        indices = self.checked(indices if indices.ndim == 3 else indices[..., np.newaxis], path).astype(np.uint8)
        return resized_nearest(indices[..., 0], size)[..., np.newaxis]

    def checked(self, indices, name):
        """The indices, if all of them are classes; raises, with `name`, for others."""
        classes = indices if self.ignore is None else np.where(indices == self.ignore, 0, indices)
        least, most = classes.min(), classes.max()
        if not (least >= 0 and most < self.num_classes):  # Not NaN either.
            wrong = least if least < 0 else most
            ignoring = f'"classes:{self.num_classes}:ignore={wrong}"'
            raise ValueError(
                f"{name} holds an index that is no class. Accepted: 0 to {self.num_classes - 1}. Received: {wrong}. "
                f"Declare more classes, or {ignoring} if it stands for no class."
            )
        return indices

    def to_image(self, raw):
        """Indices, a tensor or array `(..., 1)`, as an image of 1 for the class and -1 for the others."""
        from keras import ops

        return _one_hot(ops.cast(raw, "int32"), self.num_classes)

    def counted(self, target):
        """Where the target is of a class, `(..., 1)`; None if it is everywhere."""
        from keras import ops

        return None if self.ignore is None else ops.max(target, axis=-1, keepdims=True) > 0

    def to_raw(self, image):
        """The class of the largest channel, uint8 `(..., 1)`."""
        from keras import ops

        return ops.cast(ops.expand_dims(_largest(image), -1), "uint8")

    def classes_of(self, raw):
        """The class of each pixel of `(height, width, 1)`; -1 for no class."""
        indices = np.asarray(raw)[..., 0].astype(int)
        return indices if self.ignore is None else np.where(indices == self.ignore, -1, indices)

    def show(self, raw):
        """Indices `(height, width, 1)` as RGB pixels: the colour of the class, gray for none."""
        colors = np.full((_MOST_CLASSES, 3), _MIDDLE, np.uint8)
        colors[: self.num_classes] = self.colors
        return colors[np.asarray(raw)[..., 0]]

    def from_pixels(self, pixels):
        """RGB pixels as indices, by their first channel, for examples without a file."""
        return (pixels[..., :1].astype(int) * self.num_classes // _MOST_CLASSES).astype(np.uint8)

    def write(self, path, raw):
        """Write indices as a PNG file, gray or with the palette, under a path without extension; return its path."""
        path = Path(f"{path}{self.extension}")
        write_png(path, raw, self.palette)
        return path


@dataclass(frozen=True)
class Palette(SingleEncoding):
    """A label map whose colours are the classes. A pixel belongs to the nearest colour, as JPEG files have noise.

    Args:
        colors: Sequence of 2 to 256 different colours, each (red, green, blue) in 0..255 or "#rrggbb": one for each
            channel of the image.
        names: Name of each class, for display. Defaults to None: they have none.

    Raises:
        ValueError: Something else.

    Example:

    ```python
    from keras_pix2pix.encodings import Palette

    labels = Palette([(0, 0, 0), "#ffffff"])
    ```
    """

    colors: tuple
    names: tuple | None = None

    raw_channels = 3
    raw_dtype = "uint8"
    is_label_map = True
    extension = ".png"

    def __post_init__(self):
        colors = tuple(_color(each) for each in self.colors)
        if not 2 <= len(colors) <= _MOST_CLASSES or len(set(colors)) < len(colors):
            raise ValueError(f"`colors` must be 2 to {_MOST_CLASSES} different colours. Received: {self.colors!r}.")
        if self.names is not None and len(self.names) != len(colors):
            raise ValueError(f"`names` must have one for each of {len(colors)} colours. Received: {self.names!r}.")
        object.__setattr__(self, "colors", colors)
        object.__setattr__(self, "names", None if self.names is None else tuple(map(str, self.names)))

    @property
    def channels(self):
        """Channels of the image."""
        return len(self.colors)

    @property
    def word(self):
        """The name from which `encodings.get` makes this encoding."""
        colors = map(_hex, self.colors)
        if self.names is None:
            return f"palette:{','.join(colors)}"
        names = (quote(name, " ") for name in self.names)  # Names may contain the separators of the format.
        return "palette:" + ",".join(map("=".join, zip(colors, names, strict=True)))

    @property
    def class_names(self):
        """The name of each class, or else its colour."""
        return self.names or tuple(map(_hex, self.colors))

    def size(self, path):
        """(height, width) of a suitable file, from its header; raises for other files."""
        return Picture(3).size(path)

    def open(self, path, reduction=None):
        """Decode a file: a `PIL.Image.Image` in RGB, or an array of 3 dimensions."""
        return Picture(3).open(path)

    def raw(self, opened, path, size=None, interpolation="nearest"):
        """Colours `(height, width, 3)` of the result of `open` or a part of it; always resized with "nearest"."""
        return Picture(3).raw(opened, path, size, "nearest")

    def checked(self, pixels, name):
        """The pixels unchanged: any colour has a nearest one in the palette."""
        return pixels

    def to_image(self, raw):
        """Colours, a tensor or array `(..., 3)`, as an image of 1 for the nearest colour's class and -1 for others."""
        from keras import ops

        colors = np.array(self.colors, "float32").T - _MIDDLE
        # The smallest distance |p - c|^2 is the largest p.c - |c|^2 / 2: one matrix product, of 4 dimensions.
        nearness = ops.matmul(ops.cast(raw, "float32") - _MIDDLE, colors) - np.square(colors).sum(axis=0) / 2
        return _one_hot(ops.expand_dims(_largest(nearness), -1), self.channels)

    def to_raw(self, image):
        """The colour of the largest channel's class, uint8 `(..., 3)`."""
        from keras import ops

        return ops.take(np.array(self.colors, np.uint8), _largest(image), axis=0)

    def classes_of(self, raw):
        """The class whose colour is nearest, of each pixel of `(height, width, 3)`."""
        pixels = np.asarray(raw).astype(int)
        codes, places = np.unique(pixels @ (2**16, 2**8, 1), return_inverse=True)
        colors = np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=-1)
        distances = np.square(colors[:, np.newaxis] - np.array(self.colors)).sum(axis=-1)
        return distances.argmin(axis=-1)[places].reshape(pixels.shape[:-1])

    def show(self, raw):
        """Colours are pixels already."""
        return np.asarray(raw)

    def from_pixels(self, pixels):
        """RGB pixels as colours of the palette, by their first channel, for examples without a file."""
        return np.array(self.colors, np.uint8)[Classes(self.channels).from_pixels(pixels)[..., 0]]

    def write(self, path, raw):
        """Write colours as a PNG file under a path without extension; return its path."""
        return Picture(3).write(path, raw)


def _largest(channels):
    import tensorflow as tf

    # Keras' own argmax distinguishes 0 from -0 with bit operators, which TFLite lacks.
    return tf.argmax(channels, axis=-1, output_type=tf.int32)


def _one_hot(indices, num_classes):
    """1 where the channel is the index, -1 elsewhere; `indices` is `(..., 1)`."""
    from keras import ops

    # A comparison only needs 4 dimensions, and operators that every converter has.
    chosen = ops.equal(ops.cast(indices, "int32"), ops.arange(num_classes, dtype="int32"))
    return ops.cast(chosen, "float32") * 2.0 - 1.0


def resized_nearest(indices: np.ndarray, size: tuple[int, int] | None) -> np.ndarray:
    """Indices `(height, width)`, resized without new ones unless the size is None."""
    if size is None or indices.shape == tuple(size):
        return indices
    return np.asarray(Image.fromarray(np.ascontiguousarray(indices)).resize(size[::-1], Image.Resampling.NEAREST))


def _check_indices(picture, path):
    deep = picture.mode.startswith("I")
    if picture.format == "JPEG" or not (deep or picture.mode in _MODES_OF_INDICES):
        raise ValueError(
            f"{path} does not hold class indices. Accepted: a gray or palette file without loss, such as PNG, or .npy. "
            f"Received: a {picture.format} file of mode {picture.mode!r}. Convert the file; for a label map in colours "
            'declare them, as in "palette:#000000,#ffffff".'
        )


def _hex(color):
    return "#{:02x}{:02x}{:02x}".format(*color)


def _color(color):
    if isinstance(color, str) and re.fullmatch("#[0-9a-fA-F]{6}", color):
        return tuple(bytes.fromhex(color[1:]))
    levels = tuple(color) if isinstance(color, (tuple, list)) else ()
    if len(levels) == 3 and all(isinstance(level, Integral) and 0 <= level <= 255 for level in levels):
        return tuple(int(level) for level in levels)
    raise ValueError(f'A colour must be (red, green, blue) in 0..255, or "#rrggbb". Received: {color!r}.')
