"""Read label maps completely, because training only finds a wrong class index once it gets there."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from keras_pix2pix.data.pairs import Pair, split_side_by_side
from keras_pix2pix.encodings import Encoding
from keras_pix2pix.terminal import with_progress

__all__ = ["check_label_maps"]


def check_label_maps(pairs: Iterable[Pair], encodings: Sequence[Encoding]) -> None:
    """Raise for the first file with an index that is no class."""
    sides = [side for side, each in enumerate(encodings) if any(part.holds_indices for part in each.parts)]
    items = [(pair, side, encodings[side]) for pair in pairs for side in sides]
    with ThreadPoolExecutor() as pool:
        for _ in with_progress(pool.map(lambda item: _read(*item), items), len(items), "Checking the label maps"):
            pass


def _read(pair, side, encoding):
    opened = encoding.open(pair[side])
    if pair.direction is not None:
        opened = split_side_by_side(opened, pair.direction)[side]
    encoding.raw(opened, pair[side])
