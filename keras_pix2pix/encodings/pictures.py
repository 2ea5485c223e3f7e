"""Pictures and arrays of numbers in a known range."""

from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path

import numpy as np
from PIL import Image

from keras_pix2pix.encodings.base import SingleEncoding
from keras_pix2pix.encodings.files import is_array_file, open_array, resize_channels
from keras_pix2pix.encodings.rasters import is_tiff_file, open_raster, pillow_or_tifffile
from keras_pix2pix.files import whole_file
from keras_pix2pix.images import (
    INTERPOLATIONS,
    UnreadablePicture,
    beside,
    read_image_file,
    read_image_size,
    refuse_deep_pixels,
    to_image,
    to_pixels,
    write_png,
)

__all__ = ["WORDS", "Picture"]

_EIGHT_BITS = (0.0, 255.0)
_SIXTEEN_BITS = (0.0, 65535.0)
_NO_DATA = -1.0625  # In a target image: clipped, it is -1, and bfloat16 holds it exactly.
_LEAST_SHARE = 0.5
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}  # Pillow's, by the number of channels.
WORDS = {"rgb": (3, _EIGHT_BITS), "gray": (1, _EIGHT_BITS), "rgba": (4, _EIGHT_BITS), "gray16": (1, _SIXTEEN_BITS)}


@dataclass(frozen=True)
class Picture(SingleEncoding):
    """A picture, or an array of numbers, whose values are in a known range.

    8-bit pictures of 1 (gray), 3 and 4 (the fourth is alpha) channels are read with Pillow, which converts between
    these; a `.npy` file must have just as many channels. Other ranges are read from gray files of more than 8 bits
    (16-bit PNG, TIFF), from TIFF files of any number type and of just as many bands, or from `.npy` files
    `(height, width)` or `(height, width, channels)` of any number type.

    Args:
        channels: Channels of the image. Defaults to 3.
        value_range: (lowest, highest) value in the files, which become -1 and 1. (0, 255) and (0, 65535) stand for
            whole levels. Defaults to (0, 255).
        nodata: Value outside of the range, or NaN, that stands for no measurement. Pixels that have it, or NaN, in any
            channel are -1 as a source; as a target they have weight 0 in all losses. None is generated. Defaults to
            None: there are none.

    Raises:
        ValueError: No channels, a range that is empty or infinite, or a `nodata` inside of it.

    Example:

    ```python
    from keras_pix2pix.encodings import Picture

    depth = Picture(1, value_range=(0.0, 80.0))
    ```
    """

    channels: int = 3
    value_range: tuple = _EIGHT_BITS
    nodata: float | None = None

    def __post_init__(self):
        low_and_high = tuple(self.value_range) if isinstance(self.value_range, (tuple, list)) else ()
        real = len(low_and_high) == 2 and all(isinstance(each, Real) for each in low_and_high)
        # As float32, which images are: a narrower range would be none.
        if not real or not -np.inf < np.float32(low_and_high[0]) < np.float32(low_and_high[1]) < np.inf:
            raise ValueError(f"`value_range` must be (lowest, highest). Received: value_range={self.value_range!r}.")
        if not isinstance(self.channels, Integral) or self.channels < 1:
            raise ValueError(f"`channels` must be an integer of 1 or more. Received: channels={self.channels!r}.")
        object.__setattr__(self, "value_range", tuple(float(each) for each in low_and_high))
        if self.nodata is not None:
            object.__setattr__(self, "nodata", self._checked_nodata())

    def __eq__(self, other):
        return isinstance(other, Picture) and self.word == other.word  # NaN isn't equal to itself.

    def __hash__(self):
        return hash(self.word)

    @property
    def word(self):
        """What `encodings.get` makes this encoding of."""
        for word, arguments in WORDS.items():
            if arguments == (self.channels, self.value_range) and self.nodata is None:
                return word
        # Without the plus sign of an exponent, which would part two sources.
        low, high = (repr(each).replace("+", "") for each in self.value_range)
        ending = "" if self.nodata is None else f":nodata={self.nodata!r}".replace("+", "")
        return f"values:{self.channels}:{low}:{high}{ending}"

    @property
    def raw_channels(self):
        """Channels of the raw form."""
        return self.channels

    @property
    def raw_dtype(self):
        """Number type of the raw form: "uint8" for 8 bits, "float32" otherwise."""
        return "uint8" if self.value_range == _EIGHT_BITS and self.nodata is None else "float32"

    def size(self, path):
        """(height, width) of a file that suits, from its header; an error names a file that doesn't."""
        if is_array_file(path):
            return open_array(path, self.channels).shape[:2]
        if self._is_for_tifffile(path):
            return open_raster(path, self.channels).shape[:2]
        return pillow_or_tifffile(
            path,
            lambda: read_image_size(path, self._check_file),
            lambda: open_raster(path, self.channels).shape[:2],
        )

    def open(self, path, reduction=None):
        """A file decoded, but not checked for its values: a `PIL.Image.Image`, or an array of 3 dimensions."""
        if is_array_file(path):
            return open_array(path, self.channels)
        if self._is_for_tifffile(path):
            return open_raster(path, self.channels)
        mode = _MODES.get(self.channels) if self.raw_dtype == "uint8" else None
        return pillow_or_tifffile(
            path,
            lambda: read_image_file(path, mode, self._check_file, reduction),
            lambda: open_raster(path, self.channels),
        )

    def raw(self, opened, path, size=None, interpolation="bicubic"):
        """The raw form of what `open` returned, or of a part of it, resized to (height, width) unless that is None."""
        if self.raw_dtype == "uint8" and isinstance(opened, Image.Image):
            picture = opened.resize(size[::-1], INTERPOLATIONS[interpolation]) if size else opened
            pixels = np.asarray(picture)
            return pixels if pixels.ndim == 3 else pixels[..., np.newaxis]
        values = np.asarray(opened)
        values = self.checked(values if values.ndim == 3 else values[..., np.newaxis], path)
        if size is None and values.dtype == self.raw_dtype and self.nodata is None:
            return values  # A large array need not become one of real numbers on the way.
        if self.nodata is not None:
            return self._resized_around_nodata(values, size or values.shape[:2], interpolation)
        # Filters with negative lobes leave the range.
        values = np.clip(resize_channels(values, size or values.shape[:2], interpolation), *self.value_range)
        return (np.rint(values) if self._levels else values).astype(self.raw_dtype)

    def checked(self, values, name):
        """The values, if all of them are in the range, or no data; an error names what holds others."""
        low, high = self.value_range
        everything = values
        if self.nodata is not None:
            values = values[~self._is_missing(values)[..., 0]]
            if not values.size:
                return everything
        with np.errstate(over="ignore"):  # A range beyond the numbers of 16 bits.
            within = values.min() >= low and values.max() <= high  # Not NaN either.
        if not within:
            raise ValueError(
                f"{name} holds values out of its declared range. Accepted: numbers from {low:g} to {high:g}. "
                f"Received: from {values.min():g} to {values.max():g}. Mend the values, or declare another range."
            )
        if self._levels and values.dtype.kind == "f" and (values != np.rint(values)).any():
            raise ValueError(
                f"{name} holds fractions. Accepted: whole levels from {low:g} to {high:g}, as {self.word!r} says. "
                f"Received: {values.dtype} from {values.min():g} to {values.max():g}. Declare the range of the values, "
                'as in "values:CHANNELS:LOW:HIGH".'
            )
        return everything

    def to_image(self, raw):
        """Raw values, a tensor or array, as an image in [-1, 1]; no data is -1."""
        if self.raw_dtype == "uint8":
            return to_image(raw)
        return self._image(raw, -1.0)

    def to_target(self, raw):
        """The same; no data is -1.0625, a little below all that is measured."""
        return self.to_image(raw) if self.nodata is None else self._image(raw, _NO_DATA)

    def counted(self, target):
        """Where the target is measured, `(..., 1)`; None if it is everywhere."""
        from keras import ops

        return None if self.nodata is None else ops.max(target, axis=-1, keepdims=True) > (_NO_DATA - 1) / 2

    def _image(self, raw, missing):
        from keras import ops

        low, high = self.value_range
        raw = ops.cast(raw, "float32")
        image = (raw - low) / ((high - low) / 2) - 1.0
        return image if self.nodata is None else ops.where(self._is_missing(raw), missing, image)

    def to_raw(self, image):
        """An image as raw values: clipped, and rounded where the files hold whole levels."""
        if self.raw_dtype == "uint8":
            return to_pixels(image)
        from keras import ops

        low, high = self.value_range
        values = ops.clip((ops.cast(image, "float32") + 1.0) * ((high - low) / 2) + low, low, high)
        return ops.round(values) if self._levels else values

    def show(self, raw):
        """Raw values `(height, width, channels)` as RGB pixels for people; of more than 3 channels, the first 3."""
        low, high = self.value_range
        raw = np.asarray(raw, "float64")
        if self.nodata is not None:
            raw = np.where(self._is_missing(raw), low, raw)
        return beside(np.rint((raw - low) * (255 / (high - low))).astype(np.uint8))

    def from_pixels(self, pixels):
        """RGB pixels `(height, width, 3)` as raw values: where an example is needed and there is no file."""
        low, high = self.value_range
        repeated = np.tile(pixels, (1, 1, -(-self.channels // 3)))[..., : self.channels]
        return (low + repeated * ((high - low) / 255)).astype(self.raw_dtype)

    def write(self, path, raw):
        """Write raw values under a path without extension: a PNG file of 8 or 16 bits, or `.npy`; return its path."""
        path = Path(f"{path}{self.extension}")
        if self.extension == ".png":
            write_png(path, np.asarray(raw).astype(self.file_dtype))
        else:
            with whole_file(path) as temporary:
                np.save(temporary, raw)
        return path

    @property
    def extension(self):
        """That of the files that `write` makes."""
        return ".png" if self.word in WORDS else ".npy"

    @property
    def file_dtype(self):
        """Number type in the files: "uint8", "uint16" or "float32"."""
        return "uint16" if self.word == "gray16" else self.raw_dtype

    @property
    def _levels(self):
        return self.value_range in (_EIGHT_BITS, _SIXTEEN_BITS)

    def _checked_nodata(self):
        low, high = self.value_range
        if not isinstance(self.nodata, Real) or np.float32(low) <= _single(self.nodata) <= np.float32(high):
            raise ValueError(
                f"`nodata` must be a number outside of the range, {low:g} to {high:g}, or NaN. Received: "
                f"nodata={self.nodata!r}. Where it is the lowest or highest value, let the range end beside it."
            )
        return float(self.nodata)

    def _is_missing(self, values):
        """Where a pixel has no data in any channel, `(..., 1)`; of a tensor or array."""
        if isinstance(values, np.ndarray):
            with np.errstate(over="ignore"):
                values = values.astype(np.float32, copy=False)
            return ((values == _single(self.nodata)) | np.isnan(values)).any(axis=-1, keepdims=True)
        from keras import ops

        missing = ops.logical_or(ops.equal(values, _single(self.nodata)), ops.isnan(values))
        return ops.any(missing, axis=-1, keepdims=True)

    def _resized_around_nodata(self, values, size, interpolation):
        """Each pixel from the measured ones below it; no data where these are less than half."""
        missing = self._is_missing(values)
        measured = np.where(missing, 0, values)
        share = resize_channels(~missing, size, interpolation)
        resized = resize_channels(measured, size, interpolation) / np.maximum(share, _LEAST_SHARE)
        resized = np.clip(resized, *self.value_range)
        resized = np.rint(resized) if self._levels else resized
        return np.where(share < _LEAST_SHARE, _single(self.nodata), resized).astype(self.raw_dtype)

    def _is_for_tifffile(self, path):
        """Whether this is a TIFF file of more channels than Pillow reads in this range."""
        return not self._suits_pillow and is_tiff_file(path)

    @property
    def _suits_pillow(self):
        return self.channels in _MODES if self.raw_dtype == "uint8" else self.channels == 1

    def _check_file(self, picture, path):
        if self.word in WORDS and self.raw_dtype == "uint8":
            refuse_deep_pixels(picture, path)
        elif self.raw_dtype == "uint8" or self.channels != 1 or not picture.mode.startswith(("I", "F")):
            gray = ", or gray of more than 8 bits" if self.raw_dtype != "uint8" and self.channels == 1 else ""
            error = ValueError if self.word in WORDS else UnreadablePicture
            raise error(
                f"{path} does not suit its encoding, {self.word!r}. Accepted: .npy{gray}. Received: a {picture.format} "
                f"file of mode {picture.mode!r}. Convert the file, or declare another encoding."
            )


def _single(number):
    """As float32, which raw values are: what is beyond its numbers is infinite."""
    with np.errstate(over="ignore"):
        return np.float32(number)
