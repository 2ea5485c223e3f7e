"""How pictures of any size become images of one size: stretched, scaled to cover it, cropped or padded."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from keras_pix2pix.data.pairs import Pair, check_pairs
from keras_pix2pix.encodings import Encoding

__all__ = ["FITS", "Fitting", "Side", "fitting_of", "open_sides"]

_REDUCTIONS = (8, 4, 2)  # Those of JPEG decoders, the largest first.
_LEFT_FOR_THE_FILTER = 2  # Times as large as needed is what a decoder makes: then nobody sees that it has reduced.
_BYTES = {"1": 1, "L": 1, "P": 1}  # Of a pixel in Pillow's modes; 4 in the others.


class Side(NamedTuple):
    """One side of a pair, opened, but not yet in its raw form.

    Args:
        encoding: Its encoding.
        opened: What the encoding's `open` returned, or a part of it; for a stack, a tuple.
        file: Its file, for messages; for a stack, a tuple.
        interpolation: Filter that resizes it.
    """

    encoding: Encoding
    opened: Any
    file: Any
    interpolation: str = "bicubic"

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        first = self._parts[0]
        return first.size[::-1] if isinstance(first, Image.Image) else first.shape[:2]

    @property
    def nbytes(self) -> float:
        """Memory for its pixels in bytes; infinite for arrays, as their files would have to stay open."""
        if not all(isinstance(part, Image.Image) for part in self._parts):
            return math.inf
        return sum(part.width * part.height * _BYTES.get(part.mode, 4) for part in self._parts)

    def raw(self, size: tuple[int, int] | None = None) -> np.ndarray:
        """The raw form, resized to (height, width) unless that is None."""
        return self.encoding.raw(self.opened, self.file, size, self.interpolation)

    def cut(self, top: int, left: int, height: int, width: int) -> "Side":
        """A window of it; of an array file, only this is read."""
        parts = tuple(_cut(part, top, left, height, width) for part in self._parts)
        return self._replace(opened=parts if isinstance(self.opened, tuple) else parts[0])

    @property
    def _parts(self):
        return self.opened if isinstance(self.opened, tuple) else (self.opened,)


class Fitting(ABC):
    """One way to make images of `image_size` of both sides of a pair.

    `prepare` does what is the same in every epoch, `window` what differs.

    Args:
        image_size: (height, width) of the images.
        jitter: Ratio by which both sides are enlarged before a crop is taken from them. Defaults to 1.
        training: Whether windows are at random places, instead of in the centre. Defaults to False.
    """

    pads = False
    enlarges = True
    reduction: Callable | None = None  # See `Encoding.open`.

    def __init__(self, image_size: tuple[int, int], jitter: float = 1.0, training: bool = False) -> None:
        height, width = self.image_size = image_size
        self.training = training
        self.enlarged_size = round(height * jitter), round(width * jitter)

    def check(self, pairs: Sequence[Pair], encodings: tuple[Encoding, Encoding]) -> None:
        """Raise one error for all pictures that can't be fitted, from their headers."""
        if not self.enlarges:
            check_pairs(pairs, lambda pair: self._fault_of(pair, encodings[0]), self.image_size, *encodings)

    def _fault_of(self, pair, encoding):
        height, width = pair.size(encoding)
        if height >= self.image_size[0] and width >= self.image_size[1]:
            return None
        file = pair.source_file[0] if isinstance(pair.source_file, tuple) else pair.source_file
        needed = "x".join(map(str, self.image_size))
        return (
            f'{file} is smaller than `image_size`. Accepted by fit "crop": sides of {needed} or more (height x width). '
            f"Received: {height}x{width}. Choose a smaller size or another fit, or take the file out of the folder."
        )

    @abstractmethod
    def prepare(self, side: Side) -> Any:
        """What windows are taken from: it has `nbytes`, and is worth keeping."""

    @abstractmethod
    def window(self, prepared: Any, *place: float) -> np.ndarray:
        """Raw values of `image_size` at a place: two shares from 0 to 1, of the ways from the top and from the left.

        Without a place, from the centre.
        """

    def weights(self, prepared: Any, *place: float) -> np.ndarray:
        """1 where a window holds the picture, 0 in padding: float32 `(height, width, 1)`."""
        return np.ones((*self.image_size, 1), np.float32)

    def fitted(self, side: Side) -> np.ndarray:
        """The raw values of a side as validation has them."""
        return self.window(self.prepare(side))


class _Stretch(Fitting):
    """Each side of the picture by a factor of its own."""

    def prepare(self, side):
        return side.raw(self.scaled_size(*side.size))

    def scaled_size(self, height, width):
        """The size to which a picture is scaled before a window is taken."""
        return self.enlarged_size

    def window(self, prepared, *place):
        (top, left), (height, width) = _start(prepared.shape, self.image_size, place), self.image_size
        return prepared[top : top + height, left : left + width]


class _Cover(_Stretch):
    """Both sides by one factor, so that the picture covers the size."""

    choose_factor = max

    def scaled_size(self, height, width):
        factor = self._factor(height, width)
        return tuple(
            max(least, round(side * factor)) for least, side in zip(self.enlarged_size, (height, width), strict=True)
        )

    def _factor(self, height, width):
        return type(self).choose_factor(self.enlarged_size[0] / height, self.enlarged_size[1] / width)

    def reduction(self, height, width):
        """How many times smaller a JPEG picture may be decoded, without a remainder and still larger than needed."""
        needed = _LEFT_FOR_THE_FILTER * self._factor(height, width)
        return next(
            (each for each in _REDUCTIONS if not (height % each or width % each) and each * needed <= 1),
            1,
        )


class _Pad(_Cover):
    """Both sides by one factor, so that the picture fits inside; reflected around it, with weight 0."""

    pads = True
    choose_factor = min

    def scaled_size(self, height, width):
        factor = self._factor(height, width)
        return tuple(
            min(max(1, round(side * factor)), most)
            for most, side in zip(self.enlarged_size, (height, width), strict=True)
        )

    def window(self, prepared, *place):
        return super().window(self._padded(prepared, mode="reflect"), *place)

    def weights(self, prepared, *place):
        inside = np.ones((*prepared.shape[:2], 1), np.float32)
        return super().window(self._padded(inside, mode="constant"), *place)

    def _padded(self, values, mode):
        missing = [whole - side for whole, side in zip(self.enlarged_size, values.shape[:2], strict=True)]
        return np.pad(values, [*((each // 2, each - each // 2) for each in missing), (0, 0)], mode)


class _Crop(Fitting):
    """As stored: a window of the file's own pixels."""

    enlarges = False

    def __init__(self, image_size, jitter=1.0, training=False):
        super().__init__(image_size, jitter, training)
        # Enlarging a window and cropping it is taking a smaller one, and enlarging that.
        self.cut_size = tuple(max(1, round(side / jitter)) for side in image_size)

    def prepare(self, side):
        return side if self.training else self._cut(side)

    def window(self, prepared, *place):
        cut = self._cut(prepared, *place)
        return cut.raw(None if cut.size == self.image_size else self.image_size)

    def _cut(self, side, *place):
        return side.cut(*_start(side.size, self.cut_size, place), *self.cut_size)


FITS: dict[str, type[Fitting]] = {"stretch": _Stretch, "cover": _Cover, "crop": _Crop, "pad": _Pad}


def fitting_of(fit: str, image_size: tuple[int, int], jitter: float = 1.0, training: bool = False) -> Fitting:
    """The fitting of this name; jitter is for training only."""
    if not isinstance(fit, str) or fit not in FITS:
        raise ValueError(f"`fit` must be one of {', '.join(FITS)}. Received: fit={fit!r}.")
    return FITS[fit](image_size, jitter if training else 1.0, training)


def open_sides(
    pair: Pair,
    encodings: tuple[Encoding, Encoding],
    interpolations: tuple[str, str] = ("bicubic", "bicubic"),
    reduction: Callable | None = None,
) -> list[Side]:
    """Source and target of a pair; where a filter follows, a JPEG decoder may reduce them."""
    reductions = [None if each == "nearest" else reduction for each in interpolations]
    opened = pair.read(*encodings, reductions)
    return [Side(*each) for each in zip(encodings, opened, pair[:2], interpolations, strict=True)]


def _cut(opened, top, left, height, width):
    if isinstance(opened, Image.Image):
        return opened.crop((left, top, left + width, top + height))
    return opened[top : top + height, left : left + width]


def _start(size, window, place):
    """Row and column where a window starts."""
    spare = [whole - part for whole, part in zip(size, window, strict=False)]
    if not place:
        return [each // 2 for each in spare]
    return [int(share * np.float32(each + 1)) for share, each in zip(place, spare, strict=True)]
