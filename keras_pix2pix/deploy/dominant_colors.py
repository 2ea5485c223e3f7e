"""The few colours that pictures are mostly made of: what a label map was drawn with, though JPEG has blurred it."""

import numpy as np

__all__ = ["dominant_colors"]

# Found on the facades, whose 12 colours are 70 or more apart: with these numbers 8 of their label maps give the 12.
_REACH = 2  # Pixels: so far from an edge JPEG's blurred colours end.
_FLAT = 16  # Levels: pixels that differ by no more within that reach belong to an area, and not to an edge.
_APART = 50  # Levels: nearer colours are one.
_LEAST_SHARE = 2e-4  # Of the pixels of all areas: the rarest of the 12 has 4e-4.
_PURE = 6  # Levels from 0 or 255 that JPEG may have moved a colour by.
_BIN = 16  # Levels.


def dominant_colors(pixels, most=16):
    """The colours of pictures that have few of them, or those of their even areas, the most frequent first.

    Returns a list of (red, green, blue), integers in [0, 255].
    """
    codes, counts = np.unique(pixels.astype(np.int32) @ np.array([256**2, 256, 1]), return_counts=True)
    if len(codes) <= most:
        return [tuple(code.to_bytes(3)) for code in codes[np.argsort(-counts, kind="stable")].tolist()]
    inside = _flat(pixels)
    # In pictures without an even area, such as photos of leaves, every pixel counts.
    left = pixels[inside if inside.any() else np.ones_like(inside)].astype(np.int32)
    fewest = _LEAST_SHARE * len(left)
    colors = []
    while len(left) > fewest and len(colors) < most:
        bins = left // _BIN @ np.array([1, 256 // _BIN, (256 // _BIN) ** 2])
        fullest = np.median(left[bins == np.bincount(bins).argmax()], axis=0)
        # A colour on the border of bins is spread over several.
        color = np.median(left[_distance(left, fullest) < _APART], axis=0)
        near = np.minimum(_distance(left, fullest), _distance(left, color)) < _APART
        if near.sum() >= fewest:
            colors.append(_pure(color))
        left = left[~near]
    return colors


def _flat(pixels):
    """Which pixels are like those at their right, left, above and below."""
    flat = np.ones(pixels.shape[:3], bool)
    levels = pixels.astype(np.int16)
    for axis in (1, 2):
        lines, flat_lines = np.moveaxis(levels, axis, 0), np.moveaxis(flat, axis, 0)
        for reach in range(1, _REACH + 1):
            like = (np.abs(lines[reach:] - lines[:-reach]) <= _FLAT).all(axis=-1)
            flat_lines[reach:] &= like
            flat_lines[:-reach] &= like
    return flat


def _distance(colors, color):
    return np.sqrt(np.square(colors - color).sum(axis=-1))


def _pure(color):
    return tuple(0 if level <= _PURE else 255 if level >= 255 - _PURE else int(level) for level in color)
