"""Masks: one channel, 1 for what is meant and -1 for the rest."""

from dataclasses import dataclass
from numbers import Integral

import numpy as np

from keras_pix2pix.encodings.base import SingleEncoding
from keras_pix2pix.encodings.pictures import Picture
from keras_pix2pix.images import beside

__all__ = ["Mask"]

_HIGHEST = 255
_MIDDLE = 128
_GRAY = Picture(1)


@dataclass(frozen=True)
class Mask(SingleEncoding):
    """A mask of two levels, 0 and 255, in a gray file; antialiased edges are decided by a threshold.

    A mask is resized as a picture, and decided afterwards, so that thin lines stay. `.npy` files may be boolean.

    Args:
        threshold: Lowest gray level, 1 to 255, that belongs to the mask. Defaults to 128.

    Raises:
        ValueError: Another threshold.

    Example:

    ```python
    from keras_pix2pix.encodings import Mask

    lesion = Mask(threshold=64)
    ```
    """

    threshold: int = _MIDDLE

    is_label_map = True
    channels = 1
    raw_channels = 1
    raw_dtype = "uint8"
    extension = ".png"
    colors = ((0, 0, 0), (_HIGHEST, _HIGHEST, _HIGHEST))

    def __post_init__(self):
        if not isinstance(self.threshold, Integral) or not 1 <= self.threshold <= _HIGHEST:
            raise ValueError(f"`threshold` must be from 1 to {_HIGHEST}. Received: threshold={self.threshold!r}.")

    @property
    def word(self):
        """What `encodings.get` makes this encoding of."""
        return "mask" if self.threshold == _MIDDLE else f"mask:{self.threshold}"

    def size(self, path):
        """(height, width) of a file that suits, from its header; an error names a file that doesn't."""
        return _GRAY.size(path)

    def open(self, path):
        """A file decoded: a gray `PIL.Image.Image`, or an array of 3 dimensions."""
        return _GRAY.open(path)

    def raw(self, opened, path, size=None, interpolation="bicubic"):
        """0 and 255, `(height, width, 1)`, of what `open` returned, or of a part of it, resized before."""
        values = np.asarray(opened)
        values = values if values.ndim == 3 else values[..., np.newaxis]
        if values.dtype == bool:
            opened = values = values * np.uint8(_HIGHEST)
        self.checked(values, path)
        return self._decided(_GRAY.raw(opened, path, size, interpolation))

    def checked(self, raw, name):
        """The levels; an error names what has classes 0 and 1, none of which reaches the threshold."""
        if 0 < raw.max() < min(2, self.threshold):
            raise ValueError(
                f"{name} holds no level above 1, so that nothing would be in the mask. Accepted: 0 and {_HIGHEST}. "
                'Declare "classes:2" for indices 0 and 1, or "mask:1".'
            )
        return _GRAY.checked(raw, name)

    def to_image(self, raw):
        """Levels, a tensor or array, as an image of 1 from the threshold on and -1 below."""
        from keras import ops

        return ops.cast(ops.cast(raw, "int32") >= self.threshold, "float32") * 2.0 - 1.0

    def to_raw(self, image):
        """255 where the image is above 0, uint8 `(..., 1)`."""
        from keras import ops

        return ops.cast(ops.cast(image > 0, "float32") * _HIGHEST, "uint8")  # TFLite multiplies no uint8.

    def classes_of(self, raw):
        """1 in the mask, 0 outside, of each pixel of `(height, width, 1)`."""
        return (np.asarray(raw)[..., 0] >= self.threshold).astype(int)

    def show(self, raw):
        """Black and white, as RGB pixels."""
        return beside(np.asarray(raw))

    def from_pixels(self, pixels):
        """RGB pixels as a mask, by their first channel: where an example is needed and there is no file."""
        return self._decided(pixels[..., :1])

    def write(self, path, raw):
        """Write a mask as a gray PNG file under a path without extension; return its path."""
        return _GRAY.write(path, raw)

    def _decided(self, levels):
        return np.where(levels >= self.threshold, _HIGHEST, 0).astype(np.uint8)
