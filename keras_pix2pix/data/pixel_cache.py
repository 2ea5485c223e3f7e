"""Decoded pairs, kept in memory."""

import threading


class PixelCache:
    """Reads pair number `index` in its raw form, resized, and remembers it as long as there is room.

    Args:
        pairs: List of `Pair`.
        encodings: The encodings of source and target.
        size: Height and width in pixels that both sides are resized to.
        interpolations: The filters of both sides.
        capacity: Memory in bytes.

    Example:

    ```python
    from keras_pix2pix import encodings
    from keras_pix2pix.data import synthetic
    from keras_pix2pix.data.pairs import find_side_by_side
    from keras_pix2pix.data.pixel_cache import PixelCache

    synthetic.write_facades("pairs", 2)
    rgb, bicubic = (encodings.get("rgb"),) * 2, ("bicubic",) * 2
    read = PixelCache(find_side_by_side("pairs", "AtoB"), rgb, (64, 64), bicubic, capacity=1_000_000)
    source, target = read(0)
    ```
    """

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
