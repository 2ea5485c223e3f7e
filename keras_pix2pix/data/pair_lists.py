"""Lists of pairs: CSV files with a header, or JSON lines, with source, target and optionally the split."""

import csv
import json
from pathlib import Path
from typing import Any, NamedTuple

from keras_pix2pix.files import regular_file

__all__ = ["Row", "is_pair_list", "read_pair_list", "subsets_in"]

_EXTENSIONS = (".csv", ".jsonl")
_DELIMITERS = ",;\t"
_SUBSET_OF_SPLIT = {
    **dict.fromkeys(("train", "training"), "training"),
    **dict.fromkeys(("val", "valid", "validation"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}


class Row(NamedTuple):
    """One pair of a list; `subset` is None where the list has no splits."""

    source: Path
    target: Path
    subset: str | None


def is_pair_list(place: Any) -> bool:
    """Whether a path names a list of pairs instead of a folder."""
    return (
        isinstance(place, (str, Path))
        and Path(place).suffix.lower() in _EXTENSIONS
        and not Path(place).expanduser().is_dir()
    )


def read_pair_list(place: str | Path) -> list[Row]:
    """The rows of a list; paths in it are relative to the list's own folder."""
    path = Path(place).expanduser()
    if not regular_file(path):
        raise ValueError(f"There is no list of pairs {path}. Accepted: a CSV file, or JSON lines. Check the path.")
    try:
        text = path.read_text(encoding="utf-8-sig")  # Spreadsheets write a byte order mark first.
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text: {error}. Save it as UTF-8.") from error
    read = _json_lines if path.suffix.lower() == ".jsonl" else _csv_lines
    rows = [_row(path, line, fields) for line, fields in read(path, text)]
    if not rows:
        raise ValueError(f"{path} lists no pairs. Accepted: one line for each, with source and target.")
    if len({row.subset is None for row in rows}) > 1:
        raise ValueError(f"{path} names a split in some lines and none in others. Name one in all, or in none.")
    return rows


def subsets_in(place: Any) -> set[str]:
    """The subsets that a list of pairs is divided into; empty for a folder, or a list without splits."""
    if not is_pair_list(place):
        return set()
    return {row.subset for row in read_pair_list(place) if row.subset}


def _csv_lines(path, text):
    header = text.partition("\n")[0]
    delimiter = next((each for each in _DELIMITERS if each in header), ",")
    lines = csv.DictReader(text.splitlines(), delimiter=delimiter, skipinitialspace=True)
    missing = {"source", "target"} - set(lines.fieldnames or ())
    if missing:
        raise ValueError(
            f"{path} lacks the column {' and '.join(sorted(missing))}. Accepted: a first line source,target or "
            f"source,target,split. Received: {header[:80]!r}."
        )
    try:
        for fields in lines:
            yield lines.line_num, fields
    except csv.Error as error:
        raise ValueError(f"Line {lines.line_num} of {path} is not CSV: {error}.") from error


def _json_lines(path, text):
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                fields = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise ValueError(f"Line {number} of {path} is not JSON: {error}.") from error
            yield number, fields


def _row(path, line, fields):
    names = [fields.get(name) for name in ("source", "target")] if isinstance(fields, dict) else [None]
    if not all(isinstance(name, str) and name for name in names):
        raise ValueError(
            f"Line {line} of {path} names no pair. Accepted: source and target, two paths. Received: {fields!r:.200}."
        )
    split = fields.get("split")
    if split and str(split).lower() not in _SUBSET_OF_SPLIT:
        raise ValueError(
            f"Line {line} of {path} names an unknown split. Accepted: {', '.join(_SUBSET_OF_SPLIT)}. "
            f"Received: {split!r}."
        )
    source, target = (path.parent / Path(name).expanduser() for name in names)
    return Row(source, target, _SUBSET_OF_SPLIT[str(split).lower()] if split else None)
