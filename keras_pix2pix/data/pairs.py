"""Find and match the files of a paired data set. Every error names the file, and is raised before training."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from numbers import Real
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from keras_pix2pix.data.folders import NAMED_AT_MOST, list_picture_files, match_files
from keras_pix2pix.data.pair_lists import is_pair_list, read_pair_list
from keras_pix2pix.encodings import EXTENSIONS as ENCODED_EXTENSIONS
from keras_pix2pix.encodings import Encoding
from keras_pix2pix.encodings import get as get_encoding
from keras_pix2pix.terminal import with_progress

__all__ = [
    "DIRECTIONS",
    "Pair",
    "as_list",
    "check_pairs",
    "encodings_of_sides",
    "find_pairs",
    "match_folders",
    "split_side_by_side",
    "subset_of",
]

DIRECTIONS = ("AtoB", "BtoA")
_SUBSETS = ("training", "validation")
_MANY = 1000  # Fewer headers are read in about a second.

_passed: set = set()  # (state, what they were checked for) of the pairs that were checked.


class Pair(NamedTuple):
    """The files of one (source, target) pair: two, or one with both side by side.

    Args:
        source_file: Path of the source, or of the side-by-side file; a tuple of paths for stacked sources.
        target_file: Path of the target; equal to `source_file` for a side-by-side file.
        direction: "AtoB" (the source is the left half), "BtoA" (the right half), or None for two files.
        subset: "training", "validation" or "test", if a list of pairs says so.
    """

    source_file: Path | tuple
    target_file: Path
    direction: str | None = None
    subset: str | None = None

    def read(
        self, source_encoding: Any = "rgb", target_encoding: Any = "rgb", reductions: Sequence = (None, None)
    ) -> tuple[Any, Any]:
        """Open source and target with their encodings: two `PIL.Image.Image` for "rgb".

        `reductions`, one for each side, are what `Encoding.open` takes, of the size of one side.
        """
        sides = [
            (get_encoding(source_encoding), self.source_file, reductions[0]),
            (get_encoding(target_encoding), self.target_file, reductions[1]),
        ]
        if self.direction is None:
            source, target = (encoding.open(file, reduction) for encoding, file, reduction in sides)
        else:
            whole = [_open_side_by_side(*side) for side in (sides if sides[0] != sides[1] else sides[:1])]
            source, _ = split_side_by_side(whole[0], self.direction)
            _, target = split_side_by_side(whole[-1], self.direction)
        for (encoding, file, _), opened in zip(sides, (source, target), strict=True):
            encoding.check_file(opened, file)
        return source, target

    def size(self, encoding: Encoding) -> tuple[int, int]:
        """(height, width) of one side, from the header of the source."""
        height, width = encoding.size(self.source_file)
        return height, width if self.direction is None else width // 2


def encodings_of_sides(
    directory: Any, target_directory: str | Path | None, source_encoding: Any, target_encoding: Any
) -> tuple[Encoding, Encoding]:
    """The encodings of a data set's source and target; several folders of sources have a stacked one."""
    if target_directory is None:
        return get_encoding(source_encoding), get_encoding(target_encoding)
    return _encoding_of_folders(source_encoding, as_list(directory)), get_encoding(target_encoding)


def find_pairs(
    directory: Any, target_directory: str | Path | None, direction: str, source_encoding: Any, target_encoding: Any
) -> list[Pair]:
    """The pairs of a folder of side-by-side files, of two or more folders, or of a list, each checked by its header."""
    if target_directory is not None:
        return match_folders(directory, target_directory, source_encoding, target_encoding)
    if is_pair_list(directory):
        return _listed_pairs(directory, source_encoding, target_encoding)
    return _find_side_by_side(directory, direction, source_encoding, target_encoding)


def as_list(directory: Any) -> list:
    """One folder, or several, as a list."""
    return list(directory) if isinstance(directory, (list, tuple)) else [directory]


def subset_of(pairs: list[Pair], validation_split: float, subset: str | None, seed: int) -> list[Pair]:
    """The pairs of one subset: by the splits of their list, or by drawing a share for validation."""
    listed = {pair.subset for pair in pairs if pair.subset}
    if listed and validation_split:
        raise ValueError("The list of pairs already names their splits. Leave `validation_split` out.")
    if not validation_split and subset is None:
        return pairs
    if not listed:
        return _drawn_subset(pairs, validation_split, subset, seed)
    if subset not in listed:
        raise ValueError(f"The list names no pairs for {subset!r}. Accepted: {', '.join(sorted(listed))}.")
    return [pair for pair in pairs if pair.subset == subset]


def _drawn_subset(pairs, validation_split, subset, seed):
    if isinstance(validation_split, bool) or not isinstance(validation_split, Real) or not 0 < validation_split < 1:
        raise ValueError(
            f"`validation_split` must be a share above 0 and below 1, with `subset`. Received: {validation_split!r}."
        )
    if subset not in _SUBSETS:
        raise ValueError(f'`subset` must be "training" or "validation". Received: subset={subset!r}.')
    count = min(max(1, round(validation_split * len(pairs))), len(pairs) - 1)
    chosen = set(np.random.default_rng(seed).permutation(len(pairs))[:count].tolist())
    return [pair for index, pair in enumerate(pairs) if (index in chosen) == (subset == "validation")]


def split_side_by_side(picture: Any, direction: str) -> tuple[Any, Any]:
    """The two halves of a side-by-side picture: source, target."""
    if isinstance(picture, Image.Image):
        half = picture.width // 2
        left = picture.crop((0, 0, half, picture.height))
        right = picture.crop((half, 0, picture.width, picture.height))
    else:
        half = picture.shape[1] // 2
        left, right = picture[:, :half], picture[:, half:]
    return (left, right) if direction == "AtoB" else (right, left)


def _open_side_by_side(encoding, file, reduction):
    return encoding.open(file, reduction and (lambda height, width: reduction(height, width // 2)))


def _find_side_by_side(directory, direction, source_encoding="rgb", target_encoding="rgb"):
    """The pairs of a folder of side-by-side files, each checked by its header."""
    if direction not in DIRECTIONS:
        raise ValueError(
            f'`direction` must be "AtoB" (the source is the left half) or "BtoA" (the right half). '
            f"Received: direction={direction!r}."
        )
    encodings = get_encoding(source_encoding), get_encoding(target_encoding)
    if any(len(encoding.parts) > 1 for encoding in encodings):
        raise ValueError(
            "Several encodings need several source folders. Accepted for side-by-side files: one for each half. "
            f"Received: {' and '.join(repr(encoding.word) for encoding in encodings)}. Put the sources into folders."
        )
    pairs = [Pair(path, path, direction) for path in list_picture_files(directory, ENCODED_EXTENSIONS)]
    check_pairs(pairs, lambda pair: _fault_of_side_by_side(pair, set(encodings)), direction, *encodings)
    return pairs


def match_folders(
    source_directory: Any, target_directory: str | Path, source_encoding: Any = "rgb", target_encoding: Any = "rgb"
) -> list[Pair]:
    """The pairs of two or more folders, matched by file name without extension, each checked by its header."""
    folders = as_list(source_directory)
    source_encoding = _encoding_of_folders(source_encoding, folders)
    target_encoding = get_encoding(target_encoding)
    if len(target_encoding.parts) > 1:
        raise ValueError(f"A target has one encoding. Received: target_encoding={target_encoding.word!r}.")
    matched = match_files([*folders, target_directory])
    pairs = [Pair(sources[0] if len(sources) == 1 else tuple(sources), target) for *sources, target in matched]
    return _of_equal_size(pairs, source_encoding, target_encoding)


def _listed_pairs(path, source_encoding="rgb", target_encoding="rgb"):
    """The pairs that a list names, each checked by its header."""
    encodings = get_encoding(source_encoding), get_encoding(target_encoding)
    if any(len(encoding.parts) > 1 for encoding in encodings):
        raise ValueError(
            f"{path} names one source for each pair. Accepted: one encoding for each side. Received: "
            f"{' and '.join(repr(encoding.word) for encoding in encodings)}. Put the sources into folders."
        )
    pairs = [Pair(row.source, row.target, subset=row.subset) for row in read_pair_list(path)]
    return _of_equal_size(pairs, *encodings)


def _encoding_of_folders(encoding, folders):
    """The one encoding of all folders of sources."""
    encoding = get_encoding(encoding)
    if len(encoding.parts) == 1:
        return get_encoding([encoding] * len(folders))
    if len(encoding.parts) != len(folders):
        raise ValueError(
            f"Every source folder needs an encoding. Accepted: one for all, or one for each, {len(folders)}. "
            f"Received: {len(encoding.parts)}, {encoding.word!r}."
        )
    return encoding


def _of_equal_size(pairs, *encodings):
    check_pairs(pairs, lambda pair: _fault_of_two_files(pair, *encodings), *encodings)
    return pairs


def _fault_of_side_by_side(pair, encodings):
    try:
        (height, width), *_ = [encoding.size(pair.source_file) for encoding in encodings]
    except ValueError as error:
        return str(error)
    if width % 2:
        return (
            f"{pair.source_file} has an odd width, so it can't hold two equal halves. "
            f"Accepted: an even width. Received: {width}x{height} (width x height)."
        )
    return None


def _fault_of_two_files(pair, source_encoding, target_encoding):
    try:
        sizes = [source_encoding.size(pair.source_file), target_encoding.size(pair.target_file)]
    except ValueError as error:
        return str(error)
    if sizes[0] != sizes[1]:
        source = pair.source_file[0] if isinstance(pair.source_file, tuple) else pair.source_file
        received = " and ".join(f"{width}x{height}" for height, width in sizes)
        return (
            f"{source} and {pair.target_file} differ in size. Accepted: two sides of the same size, "
            f"pixel for pixel. Received: {received} (width x height)."
        )
    return None


def check_pairs(pairs: Sequence[Pair], fault_of: Callable, *checked_for: Any) -> None:
    """Read every header, and raise one error for all faults; files that have passed for the same aren't read again."""
    states = [(_state(pair), checked_for) for pair in pairs]
    pairs = [pair for pair, state in zip(pairs, states, strict=True) if state not in _passed]
    with ThreadPoolExecutor() as pool:
        results = with_progress(pool.map(fault_of, pairs), len(pairs), "Checking pictures", least=_MANY)
        faults = [fault for fault in results if fault]
    if len(faults) == 1:
        raise ValueError(faults[0])
    if faults:
        shown = "\n".join(f"- {fault}" for fault in faults[:NAMED_AT_MOST])
        raise ValueError(f"{len(faults)} of {len(states)} pairs can't be used. The first ones:\n{shown}")
    _passed.update(states)


def _state(pair):
    """Name, size, time and inode of a pair's files, to recognise them later; None if one is missing."""
    sources = pair.source_file if isinstance(pair.source_file, tuple) else (pair.source_file,)
    try:
        found = [(str(file), os.stat(file)) for file in (*sources, pair.target_file)]
    except OSError:
        return None
    return tuple((name, state.st_size, state.st_mtime_ns, state.st_ino) for name, state in found)
