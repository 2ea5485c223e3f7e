"""Find the picture files of a folder, or of a pattern such as `gtFine/train/**/*_color.png`, and match them."""

import itertools
import re
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

from keras_pix2pix.encodings import EXTENSIONS as ENCODED_EXTENSIONS
from keras_pix2pix.files import regular_file
from keras_pix2pix.images import EXTENSIONS

__all__ = ["NAMED_AT_MOST", "list_picture_files", "match_files", "removed_endings", "searched_folder"]

NAMED_AT_MOST = 3
_SPLITS = {"train", "training", "val", "valid", "validation", "test", "testing"}
_IS_PATTERN = re.compile(r"[*?\[]")
_SEPARATORS = "_-. "
_MOST_KINDS = 8  # Kinds of files in a folder, by their endings, that a message lists at most.
_EXPORT_PICTURE = ".export.png"  # Beside exported files.


def list_picture_files(place: str | Path, extensions: Collection[str] = EXTENSIONS) -> list[Path]:
    """The picture files of a folder or pattern, sorted by name.

    For a folder, those directly in it; if there are none, those in its subfolders, unless they are a data set's splits.
    """
    folder, pattern = _folder_and_pattern(place)
    if not folder.is_dir():
        raise ValueError(
            f"There is no folder {folder}. Accepted: a folder of pictures. Received: "
            f"{'a file' if folder.exists() else 'a path that does not exist'}. Check the path."
        )
    files = _suitable(folder.glob(pattern or "*"), folder, extensions)
    if not files and not pattern:
        files = _within(folder, extensions)
    if not files:
        sought = f"for {pattern!r} " if pattern else ""
        raise ValueError(
            f"There are no pictures {sought}in {folder}. Accepted: {', '.join(extensions)}.{_hint(folder)}"
        )
    return files


def searched_folder(place: str | Path) -> Path:
    """The folder itself, or the one in which a pattern starts."""
    return _folder_and_pattern(place)[0]


def match_files(places: Sequence[str | Path]) -> list[tuple[Path, ...]]:
    """Match the files of several folders or patterns by name, without extension and common ending."""
    sides = [_by_name(place) for place in places]
    matched = [_without(side, ending) for side, ending in zip(sides, _common_endings(sides), strict=True)]
    names = set().union(*matched)
    alone = sorted(name for name in names if not all(name in files for files in matched))
    if alone:
        files = [next(files[name] for files in matched if name in files) for name in alone]
        where, everywhere = ("in only one of", "both") if len(places) == 2 else ("not in all of", "all")
        raise ValueError(
            f"{len(alone)} of {len(names)} names are {where} {' and '.join(map(str, places))}. Accepted: the same "
            f"file names in {everywhere}, with any extension, and any ending that all files of a folder share. "
            f"Received without a partner: {_named_at_most(files)}. Rename them or take them out.{_kinds(sides, places)}"
        )
    return [tuple(files[name] for files in matched) for name in matched[0]]


def _common_endings(sides):
    """For each side (names to files), the ending to remove from all names so that all sides have the same names.

    The shortest such endings; empty ones if there are none.
    """
    candidates = [_endings_of_all(list(side)) for side in sides]
    for endings in sorted(itertools.product(*candidates), key=lambda each: sum(map(len, each))):
        first, *others = [set(_without(side, ending)) for side, ending in zip(sides, endings, strict=True)]
        if len(first) == len(sides[0]) and all(names == first for names in others):
            return endings
    return ("",) * len(sides)


def removed_endings(places: Sequence[str | Path]) -> str:
    """The endings that `match_files` removes from the names, as text; empty if there are none."""
    endings = [ending for ending in _common_endings([_by_name(place) for place in places]) if ending]
    return " and ".join(f"`{ending}`" for ending in endings)


def _named_at_most(paths):
    """The first few paths, as text."""
    named = ", ".join(str(path) for path in paths[:NAMED_AT_MOST])
    return named + (", ..." if len(paths) > NAMED_AT_MOST else "")


def _folder_and_pattern(place):
    path = Path(place).expanduser()
    if path.exists():
        return path, None
    for position, part in enumerate(path.parts):
        if _IS_PATTERN.search(part):
            return Path(*path.parts[:position]), str(Path(*path.parts[position:]))
    return path, None


def _suitable(paths, folder, extensions):
    return sorted(
        path
        for path in paths
        if path.suffix.lower() in extensions
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and not path.name.endswith(_EXPORT_PICTURE)
        and _may_be_read(path)
    )


def _within(folder, extensions):
    if any(path.name.lower() in _SPLITS for path in folder.iterdir() if path.is_dir()):
        return []
    return _suitable(folder.rglob("*"), folder, extensions)


def _may_be_read(path):
    """Whether a file is regular, or a broken link, which should be reported later instead of skipped."""
    return regular_file(path) or not path.exists()


def _hint(folder):
    folders = sorted(path.name for path in folder.iterdir() if path.is_dir())
    return f" It has folders: {', '.join(folders[:NAMED_AT_MOST])}; name one of them." if folders else ""


def _by_name(place):
    folder, files = searched_folder(place), {}
    for path in list_picture_files(place, ENCODED_EXTENSIONS):
        name = path.relative_to(folder).with_suffix("").as_posix()
        if name in files:
            raise ValueError(
                f"{files[name]} and {path} have the same name, so neither can be matched. "
                "Accepted: one file for each name. Rename one of them, or select one kind of files with a pattern: "
                f"'{folder / f'*{path.suffix}'}'."
            )
        files[name] = path
    return files


def _endings_of_all(names):
    """The endings that several names share, each starting at a separator."""
    if len(names) < 2:
        return [""]
    letters = itertools.takewhile(lambda each: len(set(each)) == 1, zip(*map(reversed, names), strict=False))
    shared = "".join(each[0] for each in letters)[::-1]
    return ["", *(shared[place:] for place, letter in enumerate(shared) if letter in _SEPARATORS)]


def _without(side, ending):
    return {name.removesuffix(ending): file for name, file in side.items()}


def _kinds(sides, places):
    """A hint on folders that hold several kinds of files, such as colours and indices of the same labels."""
    for side, place in zip(sides, places, strict=True):
        kinds = Counter(re.sub(r".*(?=[_\-. ])", "", name) + file.suffix for name, file in side.items())
        if 1 < len(kinds) <= _MOST_KINDS and min(kinds.values()) > 1:
            found = ", ".join(f"{ending} ({count})" for ending, count in kinds.most_common())
            pattern = searched_folder(place) / "**" / f"*{kinds.most_common(1)[0][0]}"
            return f" {place} holds several kinds of files: {found}. Select one with a pattern: '{pattern}'."
    return ""
