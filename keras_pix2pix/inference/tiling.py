"""A picture of any size through any function, tile by tile: pad, tile, blend. Plain NumPy.

A row of tiles is blended from left to right, and with the last rows of the row above. Only those rows, `overlap` of
them, are kept beyond their row of tiles: the memory needed is that of one band of the picture, whatever its height.
"""

from collections.abc import Callable, Iterator
from numbers import Integral
from typing import NamedTuple

import numpy as np

__all__ = ["blended_patches", "reflected_indices", "tile_spans"]

_MARGIN = 4  # A quarter of an overlap at either end comes from one tile alone: near its border a tile is wrong.


class _Span(NamedTuple):
    """Where a tile is along one axis, and which part of it is used.

    Args:
        start: Its first pixel.
        join: The first pixel that it adds to the tile before it.
        stop: The pixel at which it is finished, and the next tile's part begins.
        end: The pixel after its last, which may be outside the picture.
    """

    start: int
    join: int
    stop: int
    end: int


def tile_spans(length: int, tile: int, overlap: int, multiple: int = 1) -> list[_Span]:
    """The tiles along one axis, evenly spaced; the last one ends with the picture, extended to a multiple."""
    _check(tile, overlap, multiple)
    extended = -(-length // multiple) * multiple
    tile = min(tile, extended)
    starts = [0]
    while starts[-1] + tile < length:
        starts.append(min(starts[-1] + tile - overlap, extended - tile))
    ends = [start + tile for start in starts]
    joins = [0, *(end - overlap for end in ends[:-1])]
    return [_Span(*each) for each in zip(starts, joins, [*joins[1:], length], ends, strict=True)]


def blended_patches(
    read_rows: Callable[[int, int], np.ndarray],
    size: tuple[int, int],
    generate: Callable[[np.ndarray], np.ndarray],
    tile: int,
    overlap: int,
    multiple: int = 1,
) -> Iterator[tuple[slice, slice, np.ndarray]]:
    """Run a function on overlapping tiles of a picture, and yield its results piece by piece, without seams.

    In the middle half of an overlap one tile fades into the next along a raised cosine; the outer quarters, where a
    network sees the border of its tile, are taken from the other tile alone. Where two tiles agree the result is
    theirs, exactly.
    """
    row_spans, column_spans = (tile_spans(length, tile, overlap, multiple) for length in size)
    return _patches(read_rows, size, generate, row_spans, column_spans)


def reflected_indices(start: int, end: int, length: int) -> np.ndarray:
    """Indices of an axis that continues beyond its end by reflection, repeatedly if necessary."""
    period = max(2 * (length - 1), 1)
    offsets = np.arange(start, end) % period
    return np.minimum(offsets, period - offsets)


def _patches(read_rows, size, generate, row_spans, column_spans):
    above = None  # The rows, blended along the columns, into which the next row of tiles fades.
    for row in row_spans:
        source = _rows(read_rows, row, size[0])
        below, left = [], None
        for column in column_spans:
            pixels = source[:, reflected_indices(column.start, column.end, size[1])]
            generated = np.asarray(generate(pixels), np.float32)
            generated = generated[row.join - row.start :, column.join - column.start :]
            generated = generated if left is None else _faded(left, generated, axis=1)
            # Copies: views would keep whole tiles alive.
            left = generated[:, column.stop - column.join :].copy()
            generated = generated[:, : column.stop - column.join]
            if above is not None:
                generated = _faded(above[:, column.join : column.stop], generated, axis=0)
            below.append(generated[row.stop - row.join :].copy())
            yield slice(row.join, row.stop), slice(column.join, column.stop), generated[: row.stop - row.join]
        above = np.concatenate(below, axis=1)


def _rows(read_rows, row, height):
    indices = reflected_indices(row.start, row.end, height)
    top = indices.min()
    return read_rows(int(top), int(indices.max()) + 1)[indices - top]


def _faded(before, after, axis):
    """`after`, the first part of which fades in from `before`."""
    overlap = before.shape[axis]
    weights = np.expand_dims(_fade(overlap), [each for each in range(3) if each != axis])
    first, rest = np.split(after, [overlap], axis=axis)
    # Two equal numbers give the same number, bit for bit.
    return np.concatenate([before + weights * (first - before), rest], axis=axis)


def _fade(overlap):
    """Weights from 0 to 1 along an overlap; they and the other tile's weights add up to 1."""
    margin = overlap // _MARGIN
    middle = overlap - 2 * margin
    rising = 0.5 - 0.5 * np.cos(np.pi * (np.arange(middle) + 0.5) / max(middle, 1))
    return np.concatenate([np.zeros(margin), rising, np.ones(margin)]).astype(np.float32)


def _check(tile, overlap, multiple):
    if not _is_whole(tile) or tile < 1 or tile % multiple:
        accepted = "an integer of 1 or more" if multiple == 1 else f"a multiple of {multiple}, as the network takes it"
        raise ValueError(f"`tile` must be {accepted}. Received: tile={tile!r}.")
    if not _is_whole(overlap) or not 0 <= overlap < tile:
        raise ValueError(
            f"`overlap` must be an integer from 0 to less than `tile`. Received: overlap={overlap!r}, tile={tile}."
        )


def _is_whole(number):
    return isinstance(number, Integral) and not isinstance(number, bool)
