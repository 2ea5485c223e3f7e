"""Several sources of one target, concatenated along the channels."""

from dataclasses import dataclass

import numpy as np

from keras_pix2pix.encodings.base import Encoding
from keras_pix2pix.encodings.words import get_single
from keras_pix2pix.images import beside

__all__ = ["Stacked"]


@dataclass(frozen=True)
class Stacked(Encoding):
    """Several sources, each in its own file, whose images are concatenated along the channels.

    Args:
        parts: Sequence of two or more encodings or their words, in the order of the source folders.

    Raises:
        ValueError: Fewer, or a stack in the stack.

    Example:

    ```python
    from keras_pix2pix.encodings import Classes, Picture, Stacked

    photo_and_labels = Stacked([Picture(3), Classes(12)])
    ```
    """

    parts: tuple

    def __post_init__(self):
        parts = tuple(self.parts)
        if len(parts) < 2 or any(isinstance(part, (Stacked, list, tuple)) or "+" in str(part) for part in parts):
            raise ValueError(
                f"A stack has two or more encodings, none of them a stack itself. Received: parts={self.parts!r}."
            )
        object.__setattr__(self, "parts", tuple(get_single(part) for part in parts))

    @property
    def channels(self):
        """Channels of the image."""
        return sum(part.channels for part in self.parts)

    @property
    def word(self):
        """The name from which `encodings.get` makes this encoding."""
        return "+".join(part.word for part in self.parts)

    @property
    def of_raw(self):
        """The stack of the parts' own, for arrays in the raw form."""
        return Stacked([part.of_raw for part in self.parts])

    @property
    def raw_channels(self):
        """Channels of the raw form."""
        return sum(part.raw_channels for part in self.parts)

    @property
    def raw_dtype(self):
        """Number type of the raw form: "uint8" if all parts have it, "float32" otherwise."""
        return "uint8" if {part.raw_dtype for part in self.parts} == {"uint8"} else "float32"

    def size(self, paths):
        """(height, width) of suitable files, one for each part, from their headers; raises for other files."""
        sizes = [part.size(path) for part, path in zip(self.parts, paths, strict=True)]
        for path, (height, width) in zip(paths, sizes, strict=True):
            if (height, width) != sizes[0]:
                raise ValueError(
                    f"{paths[0]} and {path} differ in size. Accepted: sources of the same size, pixel for pixel. "
                    f"Received: {sizes[0][1]}x{sizes[0][0]} and {width}x{height} (width x height)."
                )
        return sizes[0]

    def open(self, paths, reduction=None):
        """Decode the files: a tuple with the result of each part."""
        return tuple(part.open(path, reduction) for part, path in zip(self.parts, paths, strict=True))

    def raw(self, opened, paths, size=None, interpolation="bicubic"):
        """The raw forms of all parts, each resized in its own way, concatenated."""
        sides = zip(self.parts, opened, paths, strict=True)
        return self._joined([part.raw(each, path, size, interpolation) for part, each, path in sides])

    def check_file(self, opened, paths):
        """Raise for the first file that its part doesn't allow."""
        for part, each, path in zip(self.parts, opened, paths, strict=True):
            part.check_file(each, path)

    def checked(self, raw, name):
        """The raw values, if each part accepts its own; raises, with `name`, for others."""
        for part, values in zip(self.parts, self.raw_parts(raw), strict=True):
            part.checked(values, name)
        return raw

    def to_image(self, raw):
        """Raw values, a tensor or array, as one image in [-1, 1]."""
        from keras import ops

        sides = zip(self.parts, self.raw_parts(raw), strict=True)
        return ops.concatenate([part.to_image(values) for part, values in sides], axis=-1)

    def to_raw(self, image):
        """An image as raw values."""
        from keras import ops

        sides = zip(self.parts, self.image_parts(image), strict=True)
        return ops.concatenate([ops.cast(part.to_raw(each), self.raw_dtype) for part, each in sides], axis=-1)

    def image_parts(self, image):
        """The images of the parts."""
        return _split(image, [part.channels for part in self.parts])

    def show(self, raw):
        """The parts beside each other, as RGB pixels for people."""
        sides = zip(self.parts, self.raw_parts(np.asarray(raw)), strict=True)
        return beside(*[part.show(values.astype(part.raw_dtype)) for part, values in sides])

    def from_pixels(self, pixels):
        """RGB pixels as raw values of every part, for examples without a file."""
        return self._joined([part.from_pixels(pixels) for part in self.parts])

    def _joined(self, raws):
        return np.concatenate([raw.astype(self.raw_dtype) for raw in raws], axis=-1)

    def raw_parts(self, raw):
        """The raw values of the parts, in the number type of the whole."""
        return _split(raw, [part.raw_channels for part in self.parts])


def _split(values, widths):
    ends = np.cumsum(widths).tolist()
    return [values[..., end - width : end] for end, width in zip(ends, widths, strict=True)]
