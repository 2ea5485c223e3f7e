"""The interface of an encoding, which pictures, label maps and stacks of these implement."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["Encoding", "SingleEncoding"]


class Encoding(ABC):
    """How one side of a pair is stored in files and converted to an image in [-1, 1].

    The raw form is what a file stores, as an array `(height, width, raw_channels)` of `raw_dtype`: uint8 for 8-bit
    pictures, class indices and colours, float32 otherwise. A side in several files (`parts`) has tuples of files
    instead of one file.

    Attributes:
        channels: Channels of the image.
        raw_channels: Channels of the raw form.
        raw_dtype: "uint8" or "float32".
        word: The name from which `encodings.get` makes this encoding.
        parts: The encodings of the single files, in order: the encoding itself, except for `Stacked`.
        is_label_map: Whether the raw form names classes, which are never interpolated, instead of measuring something.
        holds_indices: Whether it names them by index.
        names: Names of the classes, in order. None if they have no names.
        ignore: The raw value of pixels that belong to no class: as a target they have weight 0. None if there are none.

    Example:

    ```python
    from keras_pix2pix import encodings

    for word in ("rgb", "classes:12", "rgb+classes:12"):
        encoding = encodings.get(word)
        assert isinstance(encoding, encodings.Encoding) and encoding.word == word
    ```
    """

    channels: int
    raw_channels: int
    raw_dtype: str
    word: str
    parts: tuple[SingleEncoding, ...]
    is_label_map: bool = False
    holds_indices: bool = False
    names: tuple[str, ...] | None = None
    ignore: int | None = None

    @property
    def class_names(self) -> tuple[str, ...]:
        """What to call each class of a label map: its name, or else its number."""
        return self.names or tuple(map(str, range(max(2, self.channels))))  # A mask has two in one channel.

    @property
    def of_raw(self) -> Encoding:
        """The encoding of arrays in the raw form: itself, unless files hold something else, as those of `Edges` do."""
        return self

    @abstractmethod
    def size(self, path: Any) -> tuple[int, int]:
        """(height, width) of a suitable file, from its header; raises for other files."""

    @abstractmethod
    def open(self, path: Any, reduction: Callable | None = None) -> Any:
        """Decode a file without checking its values: a `PIL.Image.Image`, or an array of 3 dimensions.

        `reduction` is a function from height and width to the number, 1, 2, 4 or 8, of times that both may be smaller:
        JPEG pictures are decoded in a fraction of the time then. Label maps and other files keep their size.
        """

    @abstractmethod
    def raw(
        self, opened: Any, path: Any, size: tuple[int, int] | None = None, interpolation: str = "bicubic"
    ) -> np.ndarray:
        """The raw form of what `open` returned, or of a part of it, resized to (height, width) unless that is None."""

    def check_file(self, opened: Any, path: Any) -> None:  # noqa: B027 (Most encodings have nothing to add.)
        """Raise for a whole file, as `open` returned it, that was meant as something else; `raw` checks each part."""

    @abstractmethod
    def checked(self, raw: np.ndarray, name: Any) -> np.ndarray:
        """The raw values, if the encoding allows them; raises, with `name`, for other values."""

    @abstractmethod
    def to_image(self, raw: Any) -> Any:
        """Raw values, a tensor or array `(..., raw_channels)`, as a float32 image `(..., channels)` in [-1, 1]."""

    def to_target(self, raw: Any) -> Any:
        """As `to_image`, with a mark on what no loss counts: what `counted` is told."""
        return self.to_image(raw)

    def counted(self, target: Any) -> Any | None:
        """Where losses count an image that `to_target` made, boolean `(..., 1)`; None if they do everywhere."""
        return None

    @abstractmethod
    def to_raw(self, image: Any) -> Any:
        """An image as raw values."""

    @abstractmethod
    def show(self, raw: np.ndarray) -> np.ndarray:
        """Raw values `(height, width, raw_channels)` as RGB pixels for people."""

    @abstractmethod
    def from_pixels(self, pixels: np.ndarray) -> np.ndarray:
        """RGB pixels `(height, width, 3)` as raw values, for examples without a file."""

    @abstractmethod
    def image_parts(self, image: Any) -> list:
        """The images of the parts."""

    @abstractmethod
    def raw_parts(self, raw: Any) -> list:
        """The raw values of the parts."""


class SingleEncoding(Encoding):
    """An encoding of one file, which it can also write.

    Attributes:
        extension: Extension of the files that `write` makes.
    """

    extension: str

    @property
    def file_dtype(self) -> str:
        """Number type in the files: "uint8", "uint16" or "float32"."""
        return self.raw_dtype

    @property
    def parts(self) -> tuple[SingleEncoding, ...]:  # type: ignore[override]  # No encoding's parts can be set.
        """The encoding itself."""
        return (self,)

    def image_parts(self, image: Any) -> list:
        """The image itself."""
        return [image]

    def raw_parts(self, raw: Any) -> list:
        """The raw values themselves."""
        return [raw]

    @abstractmethod
    def write(self, path: str | Path, raw: np.ndarray) -> Path:
        """Write raw values under a path without extension; return the file's path."""
