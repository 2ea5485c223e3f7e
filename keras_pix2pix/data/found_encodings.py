"""Encodings found in the data: "palette:auto", "classes:auto", and the colours of palette files."""

import itertools
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from keras_pix2pix.data.pairs import as_list, encodings_of_sides, find_pairs
from keras_pix2pix.dominant_colors import Colors
from keras_pix2pix.encodings import Classes, Encoding, Palette, Stacked
from keras_pix2pix.encodings import get as get_encoding
from keras_pix2pix.terminal import with_progress

__all__ = ["found_encodings"]

_MOST = 256  # Classes.
_BLURRED_AT_MOST = 400  # Pictures, spread evenly, in which to look for colours blurred by JPEG.
_LEAST_NEAR = 0.95  # Share of the even areas near one of the colours: 0.998 in label maps, 0.6 in photos.
_NO_CLASS = 255
# How to open a file whose encoding isn't known yet.
_READ_AS = {"palette:auto": "rgb", "classes:auto": Classes(_MOST)}


def found_encodings(
    places: Iterable[tuple[Any, str | Path | None]], direction: str, source_encoding: Any, target_encoding: Any
) -> tuple[Encoding, Encoding]:
    """The encodings of source and target, with "auto" replaced by what all pairs of the places contain."""
    places = list(places)
    sides = [_parts(source_encoding), _parts(target_encoding)]
    folders = as_list(places[0][0]) if places[0][1] is not None else []
    if len(folders) > 1 and len(sides[0]) == 1:  # One word stands for all folders.
        sides[0] *= len(folders)
    unknown = any(map(_is_unknown, itertools.chain(*sides)))
    if not unknown and not get_encoding(target_encoding).holds_indices:
        return get_encoding(source_encoding), get_encoding(target_encoding)
    read_as = [[_READ_AS[part] if _is_unknown(part) else part for part in side] for side in sides]
    pairs = [
        (pair, encodings)
        for data, target in places
        for encodings in [encodings_of_sides(data, target, *read_as)]
        for pair in find_pairs(data, target, direction, *encodings)
    ]
    source, target = (
        get_encoding([_found(part, pairs, number, place) for place, part in enumerate(side)])
        for number, side in enumerate(sides)
    )
    if isinstance(target, Classes) and target.palette is None:
        first, encodings = pairs[0]
        palette = _palette_of(first.read(*encodings)[1], target.num_classes)
        target = Classes(target.num_classes, target.ignore, palette)
    return source, target


def _parts(encoding):
    """The encoding of each file of a side."""
    if isinstance(encoding, str):
        return encoding.split("+")
    if isinstance(encoding, Stacked):
        return list(encoding.parts)
    return list(encoding) if isinstance(encoding, (list, tuple)) else [encoding]


def _is_unknown(part):
    return isinstance(part, str) and part in _READ_AS


def _found(word, pairs, side, place):
    if not _is_unknown(word):
        return word
    name = ("source", "target")[side]

    def opened(item):
        pair, encodings = item
        parts = pair.read(*encodings)[side]
        return parts[place] if isinstance(parts, tuple) else parts

    return (_found_palette if word == "palette:auto" else _found_classes)(opened, pairs, name)


def _found_palette(opened, pairs, side):
    """The colours of all files, or of their even areas if JPEG has blurred them."""
    counted = Counter()
    for colors in _of_all(lambda pair: _as_picture(opened(pair)).getcolors(_MOST), pairs):
        if colors is None:
            break
        counted.update({color: count for count, color in colors})
    else:
        if len(counted) <= _MOST:
            return _palette(sorted(counted), side)
    blurred = Colors()
    chosen = np.unique(np.linspace(0, len(pairs) - 1, _BLURRED_AT_MOST).astype(int))
    for pixels in _of_all(lambda pair: np.asarray(_as_picture(opened(pair))), [pairs[index] for index in chosen]):
        blurred.add(pixels)
    colors = blurred.clustered(_MOST + 1)
    near = blurred.share_near(colors)
    if len(colors) > _MOST or near < _LEAST_NEAR:
        raise ValueError(
            f"The {side} files are not label maps of a few colours: {near:.0%} of their even areas have one of "
            f"{len(colors)} colours, and in label maps nearly all do. Accepted: up to {_MOST} colours, which JPEG may "
            'have blurred. Declare another encoding than "palette:auto".'
        )
    return _palette(sorted(colors), side)


def _palette(colors, side):
    if len(colors) < 2:
        raise ValueError(f"The {side} files have only one colour, {colors}. Accepted: label maps of two or more.")
    return Palette(colors)


def _found_classes(opened, pairs, side):
    """As many classes as the highest index needs; 255 is no class if 254 is missing."""
    present, palette = set(), None
    for each in _of_all(opened, pairs):
        palette = palette or _palette_of(each, _MOST)
        present.update(np.unique(np.asarray(each)).tolist())
    if not all(0 <= index < _MOST for index in present):
        raise ValueError(
            f"The {side} files hold {min(present):g} to {max(present):g}. Accepted: class indices 0 to {_MOST - 1}."
        )
    classes = present - {_NO_CLASS} if _NO_CLASS - 1 not in present else present
    number = max(2, int(max(classes, default=0)) + 1)
    return Classes(number, _NO_CLASS if _NO_CLASS in present - classes else None, palette and palette[:number])


def _palette_of(opened, number):
    """The first colours of a palette file; None for other files."""
    if not isinstance(opened, Image.Image) or opened.mode != "P":
        return None
    levels = opened.getpalette("RGB")
    levels += [0] * (3 * number - len(levels))
    return tuple(zip(*[iter(levels[: 3 * number])] * 3, strict=True))


def _as_picture(opened):
    return opened if isinstance(opened, Image.Image) else Image.fromarray(np.ascontiguousarray(opened, np.uint8))


def _of_all(function, pairs):
    with ThreadPoolExecutor() as pool:
        yield from with_progress(pool.map(function, pairs), len(pairs), "Reading the label maps")
