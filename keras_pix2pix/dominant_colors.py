"""Finds the few colours that a label map was drawn with, even if JPEG has blurred it."""

from collections import Counter

import numpy as np

__all__ = ["Colors", "dominant_colors"]

# Found on the facades, whose 12 colours are 70 or more apart: with these numbers 8 of their label maps give the 12.
_REACH = 2  # Pixels: JPEG blurs colours up to this distance from an edge.
_FLAT = 16  # Levels: pixels that differ by at most this within reach belong to an area, not to an edge.
_APART = 50  # Levels: closer colours count as one.
_LEAST_SHARE = 2e-4  # Of the pixels of all areas: the rarest of the 12 has 4e-4.
_PURE = 6  # Levels from 0 or 255 that JPEG may have moved a colour by.
_BIN = 16  # Levels.


def dominant_colors(pixels, most=16):
    """The colours of pictures `(count, height, width, 3)`, or those of their even areas, the most frequent first."""
    counted = Colors()
    for picture in pixels:
        counted.add(picture)
    return counted.exact(most) or counted.clustered(most)


class Colors:
    """Counts each colour in the pictures added, and in their even areas."""

    def __init__(self):
        self.everywhere, self.inside = Counter(), Counter()

    def add(self, pixels):
        """Count the colours of one picture `(height, width, 3)`."""
        codes = pixels.astype(np.int32) @ np.array([256**2, 256, 1])
        for counter, chosen in ((self.everywhere, codes), (self.inside, codes[_flat(pixels)])):
            found, counts = np.unique(chosen, return_counts=True)
            counter.update(dict(zip(found.tolist(), counts.tolist(), strict=True)))

    def exact(self, most):
        """All colours as (red, green, blue), the most frequent first; None if there are more than `most`."""
        if len(self.everywhere) > most:
            return None
        return [_color(code) for code, _ in sorted(self.everywhere.items(), key=lambda each: (-each[1], each[0]))]

    def clustered(self, most):
        """The centres of the colours of even areas, the most frequent first, at most `most`."""
        left, weights = self._areas()
        fewest = _LEAST_SHARE * weights.sum()
        colors = []
        while weights.sum() > fewest and len(colors) < most:
            bins = left // _BIN @ np.array([1, 256 // _BIN, (256 // _BIN) ** 2])
            in_fullest = bins == np.bincount(bins, weights).argmax()
            fullest = _median(left[in_fullest], weights[in_fullest])
            # A colour on the border of bins is spread over several.
            around = _distance(left, fullest) < _APART
            color = _median(left[around], weights[around])
            near = np.minimum(_distance(left, fullest), _distance(left, color)) < _APART
            if weights[near].sum() >= fewest:
                colors.append(_pure(color))
            left, weights = left[~near], weights[~near]
        return colors

    def share_near(self, colors):
        """The share of even areas that differs from one of the colours by no more than JPEG's noise."""
        found, weights = self._areas()
        nearest = np.min([np.abs(found - color).max(axis=-1) for color in np.array(colors)], axis=0)
        return weights[nearest <= _FLAT].sum() / weights.sum()

    def _areas(self):
        """The colours of even areas, and how often each occurs."""
        # In pictures without an even area, such as photos of leaves, every pixel counts.
        counted = self.inside or self.everywhere
        return np.array([_color(code) for code in counted], np.int32), np.array(list(counted.values()))


def _color(code):
    return tuple(code.to_bytes(3))


def _flat(pixels):
    """Which pixels are similar to those right, left, above and below."""
    flat = np.ones(pixels.shape[:2], bool)
    levels = pixels.astype(np.int16)
    for axis in (0, 1):
        lines, flat_lines = np.moveaxis(levels, axis, 0), np.moveaxis(flat, axis, 0)
        for reach in range(1, _REACH + 1):
            like = (np.abs(lines[reach:] - lines[:-reach]) <= _FLAT).all(axis=-1)
            flat_lines[reach:] &= like
            flat_lines[:-reach] &= like
    return flat


def _median(colors, weights):
    """The median of each channel, with each colour counted by its weight."""
    order = np.argsort(colors, axis=0)
    reached = np.cumsum(weights[order], axis=0) >= weights.sum() / 2
    return np.take_along_axis(colors, order, axis=0)[reached.argmax(axis=0), range(colors.shape[1])]


def _distance(colors, color):
    return np.sqrt(np.square(colors - color).sum(axis=-1))


def _pure(color):
    return tuple(0 if level <= _PURE else 255 if level >= 255 - _PURE else int(level) for level in color)
