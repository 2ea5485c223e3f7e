"""Decoded pairs, kept in memory."""

import threading
from collections.abc import Sequence

from keras_pix2pix.data.pairs import Pair
from keras_pix2pix.encodings import Encoding

__all__ = ["PixelCache"]


class PixelCache:
    """Reads pair number `index` in its raw form, resized, and keeps it if there is room."""

    def __init__(
        self,
        pairs: Sequence[Pair],
        encodings: tuple[Encoding, Encoding],
        size: tuple[int, int],
        interpolations: tuple[str, str],
        capacity: int,
    ) -> None:
        self.pairs, self.encodings, self.size, self.interpolations = pairs, encodings, size, interpolations
        self.room = capacity
        self.lock = threading.Lock()
        self.kept: dict[int, tuple] = {}

    def __call__(self, index):
        pair = self.kept.get(int(index))
        if pair is None:
            pair = self._read(self.pairs[index])
            self._keep(int(index), pair)
        return pair

    def _read(self, pair):
        sides = zip(self.encodings, pair.read(*self.encodings), pair[:2], self.interpolations, strict=True)
        return tuple(encoding.raw(side, file, self.size, filter_) for encoding, side, file, filter_ in sides)

    def _keep(self, index, pair):
        size = sum(side.nbytes for side in pair)
        with self.lock:
            if index not in self.kept and size <= self.room:
                self.kept[index] = pair
                self.room -= size
