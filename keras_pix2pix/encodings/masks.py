"""Masks, and edges between instances: one channel, 1 inside and -1 outside."""

from dataclasses import dataclass, field
from numbers import Integral

import numpy as np
from PIL import Image

from keras_pix2pix.encodings.base import SingleEncoding
from keras_pix2pix.encodings.labels import Classes, resized_nearest
from keras_pix2pix.encodings.pictures import Picture
from keras_pix2pix.images import beside

__all__ = ["Edges", "Mask"]

_HIGHEST = 255
_MIDDLE = 128
_GRAY = Picture(1)
_INDICES = Classes(2)  # It reads the files; how many instances there are doesn't matter.


@dataclass(frozen=True)
class Mask(SingleEncoding):
    """A mask of two levels, 0 and 255, in a gray file; a threshold decides antialiased edges.

    A mask is resized as a picture before the threshold is applied, to keep thin lines. `.npy` files may be boolean.

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
        """The name from which `encodings.get` makes this encoding."""
        return "mask" if self.threshold == _MIDDLE else f"mask:{self.threshold}"

    def size(self, path):
        """(height, width) of a suitable file, from its header; raises for other files."""
        return _GRAY.size(path)

    def open(self, path, reduction=None):
        """Decode a file: a gray `PIL.Image.Image`, or an array of 3 dimensions."""
        return _GRAY.open(path)

    def raw(self, opened, path, size=None, interpolation="bicubic"):
        """0 and 255, `(height, width, 1)`, of the result of `open` or a part of it, resized first."""
        return self._decided(_GRAY.raw(_gray_levels(opened), path, size, interpolation))

    def check_file(self, opened, path):
        """Raise for a file of indices 0 and 1; a part of a mask may hold nothing but faint noise."""
        levels = np.asarray(opened)
        # Mostly the first rows tell, so that a large file isn't read as a whole.
        if levels.dtype != bool and not any(row.max() > 1 for row in levels):
            self._refuse_indices(levels.max(), path)

    def checked(self, raw, name):
        """The levels; raises, with `name`, for indices 0 and 1, which don't reach the threshold."""
        self._refuse_indices(raw.max(), name)
        return _GRAY.checked(raw, name)

    def to_image(self, raw):
        """Levels, a tensor or array, as an image with 1 from the threshold up and -1 below."""
        from keras import ops

        return ops.cast(ops.cast(raw, "int32") >= self.threshold, "float32") * 2.0 - 1.0

    def to_raw(self, image):
        """255 where the image is above 0, uint8 `(..., 1)`."""
        from keras import ops

        return ops.cast(ops.cast(image > 0, "float32") * _HIGHEST, "uint8")  # TFLite can't multiply uint8.

    def classes_of(self, raw):
        """1 in the mask, 0 outside, of each pixel of `(height, width, 1)`."""
        return (np.asarray(raw)[..., 0] >= self.threshold).astype(int)

    def show(self, raw):
        """Black and white, as RGB pixels."""
        return beside(np.asarray(raw))

    def from_pixels(self, pixels):
        """RGB pixels as a mask, by their first channel, for examples without a file."""
        return self._decided(pixels[..., :1])

    def write(self, path, raw):
        """Write a mask as a gray PNG file under a path without extension; return its path."""
        return _GRAY.write(path, raw)

    def _refuse_indices(self, highest, name):
        if 0 < highest < min(2, self.threshold):
            raise ValueError(
                f"{name} holds no level above 1, so the mask would be empty. Accepted: 0 and {_HIGHEST}. "
                'Declare "classes:2" for indices 0 and 1, or "mask:1".'
            )

    def _decided(self, levels):
        return np.where(levels >= self.threshold, _HIGHEST, 0).astype(np.uint8)


def _gray_levels(opened):
    """What `open` returned, with 255 for True."""
    is_boolean = not isinstance(opened, Image.Image) and np.asarray(opened).dtype == bool
    return opened * np.uint8(_HIGHEST) if is_boolean else opened


@dataclass(frozen=True)
class Edges(Mask):
    """Where two instances meet: the pixels of an instance map whose index differs from a neighbour's.

    For one more source beside a label map, which doesn't tell two cars apart. The files hold indices: gray or palette
    files of 8 or 16 bits without loss, or `.npy`. Networks and exported files take the edges, as a mask.

    Example:

    ```python
    from keras_pix2pix import encodings

    labels_and_edges = encodings.get("classes:35+edges")
    ```

    Reference:
        Wang et al., "High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs", "Using Instance
        Maps".
    """

    threshold: int = field(default=_MIDDLE, init=False)

    @property
    def word(self):
        """The name from which `encodings.get` makes this encoding."""
        return "edges"

    @property
    def of_raw(self):
        """A mask: arrays hold the edges, not the indices of the files."""
        return Mask()

    def size(self, path):
        """(height, width) of a suitable file, from its header; raises for other files."""
        return _INDICES.size(path)

    def open(self, path, reduction=None):
        """Decode a file: a `PIL.Image.Image` of indices, or an array of 3 dimensions."""
        return _INDICES.open(path)

    def raw(self, opened, path, size=None, interpolation="nearest"):
        """255 on both sides of an edge and 0 elsewhere, `(height, width, 1)`; the indices are resized before."""
        indices = np.asarray(opened)
        indices = indices if indices.ndim == 2 else indices[..., 0]
        if indices.dtype.itemsize > np.dtype(np.int32).itemsize:  # Pillow resizes nothing longer: number them anew.
            indices = np.unique(indices, return_inverse=True)[1].reshape(indices.shape)
        indices = resized_nearest(indices.astype(np.int32), size)
        edges = np.zeros(indices.shape, bool)
        for marked, rows in ((edges, indices), (edges.T, indices.T)):
            differs = rows[1:] != rows[:-1]
            marked[1:] |= differs
            marked[:-1] |= differs
        return np.where(edges, _HIGHEST, 0).astype(np.uint8)[..., np.newaxis]

    def check_file(self, opened, path):
        """Nothing: indices may have any value."""

    def checked(self, raw, name):
        """The edges, 0 and 255; raises, with `name`, for an array of other values, such as the indices themselves."""
        if not np.isin(raw, (0, _HIGHEST)).all():
            raise ValueError(
                f"{name} holds other values than 0 and {_HIGHEST}. Accepted in an array: edges, {_HIGHEST} where two "
                "instances meet. Pass a file for instance indices."
            )
        return raw
