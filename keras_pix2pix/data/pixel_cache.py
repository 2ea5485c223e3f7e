"""Decoded pairs, kept in memory."""

import threading
from collections.abc import Sequence

import numpy as np

from keras_pix2pix.data.fitting import Fitting, open_sides
from keras_pix2pix.data.pairs import Pair
from keras_pix2pix.encodings import Encoding

__all__ = ["PixelCache"]


class PixelCache:
    """Reads windows of pair number `index` in their raw form, and keeps what they are taken from if there is room."""

    def __init__(
        self,
        pairs: Sequence[Pair],
        encodings: tuple[Encoding, Encoding],
        fitting: Fitting,
        interpolations: tuple[str, str],
        capacity: int,
    ) -> None:
        self.pairs, self.encodings, self.fitting, self.interpolations = pairs, encodings, fitting, interpolations
        self.room = capacity
        self.lock = threading.Lock()
        self.kept: dict[int, tuple] = {}

    def __call__(self, index: int, *place: float) -> list[np.ndarray]:
        """Source and target, and the weights of their pixels if the fitting pads: the window at a place."""
        pair = self.kept.get(int(index))
        if pair is None:
            pair = self._prepared(self.pairs[index])
            self._keep(int(index), pair)
        windows = [self.fitting.window(side, *place) for side in pair]
        return [*windows, self.fitting.weights(pair[0], *place)] if self.fitting.pads else windows

    def _prepared(self, pair):
        sides = open_sides(pair, self.encodings, self.interpolations, self.fitting.reduction)
        return tuple(map(self.fitting.prepare, sides))

    def _keep(self, index, pair):
        size = sum(side.nbytes for side in pair)
        with self.lock:
            if index not in self.kept and size <= self.room:
                self.kept[index] = pair
                self.room -= size
