"""The few colours that make up most of a picture, such as those of a label map, even after JPEG has blurred them."""

import numpy as np

__all__ = ["dominant_colors"]

# Tuned on the facades, whose 12 colours are 70 or more apart: with these numbers, 8 label maps are enough to find all
# 12.
_REACH = 2  # Pixels: how far JPEG blurs colours from an edge.
_FLAT = 16  # Levels: pixels that differ by no more than this within reach belong to an area, not to an edge.
_APART = 50  # Levels: colours closer than this count as one.
_LEAST_SHARE = 2e-4  # Of the pixels in all areas; the rarest of the 12 colours has 4e-4.
_PURE = 6  # Levels: JPEG may move 0 or 255 by this much.
_BIN = 16  # Levels.


def dominant_colors(pixels: np.ndarray, most: int = 16) -> list[tuple[int, int, int]]:
    """The colours of the pictures if there are only a few, otherwise those of their flat areas; most frequent first.

    Returns a list of (red, green, blue), integers in [0, 255].
    """
    codes, counts = np.unique(pixels.astype(np.int32) @ np.array([256**2, 256, 1]), return_counts=True)
    if len(codes) <= most:
        return [tuple(code.to_bytes(3)) for code in codes[np.argsort(-counts, kind="stable")].tolist()]
    inside = _flat(pixels)
    # If nothing is flat, as in photos of leaves, every pixel counts.
    left = pixels[inside if inside.any() else np.ones_like(inside)].astype(np.int32)
    fewest = _LEAST_SHARE * len(left)
    colors: list[tuple[int, int, int]] = []
    while len(left) > fewest and len(colors) < most:
        bins = left // _BIN @ np.array([1, 256 // _BIN, (256 // _BIN) ** 2])
        fullest = np.median(left[bins == np.bincount(bins).argmax()], axis=0)
        # A colour on the border between bins is spread over several of them.
        color = np.median(left[_distance(left, fullest) < _APART], axis=0)
        near = np.minimum(_distance(left, fullest), _distance(left, color)) < _APART
        if near.sum() >= fewest:
            colors.append(_pure(color))
        left = left[~near]
    return colors


def _flat(pixels):
    """Which pixels are similar to their neighbours on all four sides."""
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
