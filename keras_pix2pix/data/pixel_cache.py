"""Decoded pairs, kept in memory."""

import threading


class PixelCache:
    """Reads pair number `index` in its raw form, resized, and remembers it as long as there is room."""

    def __init__(self, pairs, encodings, size, interpolations, capacity):
        self.pairs, self.encodings, self.size, self.interpolations = pairs, encodings, size, interpolations
        self.room = capacity
        self.lock = threading.Lock()
        self.kept = {}

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
