"""The inputs of `translate`: arrays, files, folders and lists of these, read a band of rows at a time."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from keras_pix2pix.data.folders import list_picture_files, match_files
from keras_pix2pix.data.pairs import split_side_by_side
from keras_pix2pix.encodings import EXTENSIONS, Encoding
from keras_pix2pix.encodings.files import is_array_file
from keras_pix2pix.encodings.rasters import is_tiff_file
from keras_pix2pix.images import MOST_PIXELS, pixel_limit

__all__ = ["find_pictures", "is_one_picture", "is_path"]

_TILED_AT_MOST = 2**28  # Pixels of a picture file: Pillow decodes it as a whole, into 1 GB.
_SAMPLES = 4  # A small version is shrunk from a picture this many times larger on each side.


class _Source(NamedTuple):
    """A picture that isn't open yet; `open()` returns it as a `_SourcePicture`."""

    name: str
    open: Callable
    files: tuple = ()  # Empty for an array.


@dataclass(frozen=True)
class _SourcePicture:
    """One picture to translate, which can be read row by row.

    Args:
        opened: What an encoding's `open` returns, or an array `(height, width, channels)`; for a stack, a tuple.
        origin: Its file or its name, for messages; for a stack, a tuple.
        encoding: Its encoding.
    """

    opened: object
    origin: object
    encoding: object

    @property
    def size(self):
        """(height, width)."""
        first = self._parts[0]
        return first.size[::-1] if isinstance(first, Image.Image) else first.shape[:2]

    def rows(self, top, bottom):
        """These rows in the raw form: an array `(bottom - top, width, channels)`."""
        return self._raw([_cropped(part, top, bottom) for part in self._parts])

    def small(self, longest):
        """The whole picture in the raw form, shrunk by its encoding until no side is longer than `longest`."""
        scale = min(1.0, longest / max(self.size))
        size = tuple(max(1, round(side * scale)) for side in self.size)
        step = max(1, max(self.size) // (_SAMPLES * longest))
        # Shrinking converts deep pixels and arrays to floats, which would take too much memory for all of a large
        # picture.
        return self._raw([_thinned(part, step) for part in self._parts], size)

    @property
    def _parts(self):
        return self.opened if len(self.encoding.parts) > 1 else (self.opened,)

    def _raw(self, parts, size=None):
        return self.encoding.raw(parts if len(self.encoding.parts) > 1 else parts[0], self.origin, size)


def find_pictures(
    inputs: Any, encoding: Encoding, side_by_side: str | None = None, *, tiled: bool = False
) -> list[_Source]:
    """Find all pictures in the inputs of `translate`, and check their headers."""
    return list(_pictures(inputs, encoding, side_by_side, _Limit(tiled)))


def is_path(inputs: Any) -> bool:
    """Whether this is a file or folder."""
    return isinstance(inputs, (str, Path))


def is_one_picture(inputs: Any, encoding: Encoding) -> bool:
    """Whether these inputs mean one picture, not a list of pictures."""
    if _is_place(inputs, encoding):
        return not Path(inputs[0] if len(encoding.parts) > 1 else inputs).expanduser().is_dir()
    return not isinstance(inputs, (list, tuple)) and np.ndim(inputs) == 3


@dataclass(frozen=True)
class _Limit:
    """How large a picture may be."""

    tiled: bool

    @property
    def pixels(self):
        return _TILED_AT_MOST if self.tiled else MOST_PIXELS

    def check(self, size, origin, is_array):
        height, width = size
        if height * width > self.pixels and not (self.tiled and is_array):
            raise ValueError(self._message(origin, f"{width}x{height} (width x height)"))

    def obeyed_by(self, read, file):
        """Call a function of the file; raise if the header announces too many pixels."""
        try:
            with pixel_limit(self.pixels):
                return read(file)
        except ValueError as error:
            if isinstance(error.__cause__, Image.DecompressionBombError):
                raise ValueError(self._message(file, error.__cause__)) from error
            raise

    def _message(self, origin, received):
        kind, advice = ("as a whole", "Pass `tile`, such as 512: pictures are translated in tiles then.")
        if self.tiled:
            kind, advice = ("in a picture file", "Convert it to .npy or TIFF, which are read a few rows at a time.")
        return f"{origin} is too large. Accepted: up to {self.pixels:,} pixels {kind}. Received: {received}. {advice}"


def _pictures(inputs, encoding, side_by_side, limit):
    if _is_place(inputs, encoding):
        for file in _files(inputs, encoding):
            # Raise now, before the first picture is translated.
            size = limit.obeyed_by(encoding.size, file)
            limit.check(size, _first(file), all(map(_is_read_by_windows, _parts(file))))
            yield _Source(_first(file).stem, lambda file=file: _open(file, encoding, side_by_side, limit), _parts(file))
    elif isinstance(inputs, (list, tuple)):
        for position, each in enumerate(inputs):
            for source in _pictures(each, encoding, side_by_side, limit):
                yield source if source.files else source._replace(name=f"{position:04d}")
    elif is_path(inputs):
        raise ValueError(
            f"Every picture has {len(encoding.parts)} sources. Accepted: a list with a file or folder for each. "
            f"Received: {inputs}."
        )
    else:
        for position, each in enumerate(_checked_arrays(inputs, encoding)):
            limit.check(each.shape[:2], "The array", is_array=True)
            yield _Source(f"{position:04d}", lambda each=each: _of_array(each, encoding))


def _checked_arrays(inputs, encoding):
    pixels = np.asarray(inputs)
    channels = encoding.raw_channels
    suits = pixels.dtype == np.uint8 if encoding.raw_dtype == "uint8" else pixels.dtype.kind in "uif"
    if not suits or pixels.ndim not in (3, 4) or pixels.shape[-1] != channels or not pixels.size:
        raise ValueError(
            f"Pixels must be {encoding.raw_dtype}, (height, width, {channels}) or (batch, height, width, {channels}), "
            f"as the encoding {encoding.word!r} stores them. Received: {pixels.dtype} of shape {pixels.shape}. "
            "Convert images in [-1, 1] with the encoding's `to_raw`, those of 8-bit pictures with `images.to_pixels`."
        )
    pixels = encoding.checked(pixels if pixels.ndim == 4 else pixels[np.newaxis], "The array")
    return pixels.astype(encoding.raw_dtype, copy=False)


def _of_array(array, encoding):
    encoding = encoding.of_raw
    if len(encoding.parts) > 1:
        return _SourcePicture(encoding.raw_parts(array), ("The array",) * len(encoding.parts), encoding)
    return _SourcePicture(array, "The array", encoding)


def _open(file, encoding, side_by_side, limit):
    opened = limit.obeyed_by(encoding.open, file)
    if side_by_side:
        picture = _SourcePicture(opened, file, encoding)
        _, width = picture.size
        if width % 2:
            raise ValueError(
                f"{file} has an odd width, so its halves aren't equal. Accepted: an even width. Received: {width}."
            )
        opened, _ = split_side_by_side(opened, side_by_side)
    encoding.check_file(opened, file)
    return _SourcePicture(opened, file, encoding)


def _is_read_by_windows(file):
    # Of TIFF files only those that Pillow can't read, but it reads none that are larger than the limit.
    return is_array_file(file) or is_tiff_file(file)


def _cropped(part, top, bottom):
    if not isinstance(part, Image.Image):
        return part[top:bottom]
    return part if (top, bottom) == (0, part.height) else part.crop((0, top, part.width, bottom))


def _thinned(part, step):
    """Every `step`th pixel, from the middle of its block."""
    if step == 1:
        return part
    if not isinstance(part, Image.Image):
        bottom, right = (side // step * step for side in part.shape[:2])
        return part[step // 2 : bottom : step, step // 2 : right : step]
    size = part.width // step, part.height // step
    return part.resize(size, Image.Resampling.NEAREST, box=(0, 0, size[0] * step, size[1] * step))


def _files(place, encoding):
    """The files in a file or folder; for stacked sources, tuples of files from a list of these."""
    places = [Path(each).expanduser() for each in (place if len(encoding.parts) > 1 else [place])]
    folders = [each.is_dir() for each in places]
    if len(set(folders)) > 1:
        raise ValueError(
            f"The sources of one picture must be all files or all folders. Received: {' and '.join(map(str, places))}."
        )
    if len(encoding.parts) == 1:
        return list_picture_files(place, EXTENSIONS) if folders[0] else places
    return match_files(places) if folders[0] else [tuple(places)]


def _parts(file):
    return file if isinstance(file, tuple) else (file,)


def _first(file):
    return _parts(file)[0]


def _is_place(inputs, encoding):
    """Whether this is a file or folder; for stacked sources, a list with one for each."""
    if len(encoding.parts) == 1:
        return is_path(inputs)
    is_list = isinstance(inputs, (list, tuple)) and all(map(is_path, inputs))
    return is_list and len(inputs) == len(encoding.parts)
