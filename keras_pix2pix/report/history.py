"""Logs and health messages of a run, read from its files, and whether a log should rise or fall."""

import csv
import json
import math
from collections.abc import Sequence
from pathlib import Path

__all__ = ["best_of", "better_side", "epoch_of", "history_fault", "lines_of", "read_history", "read_messages"]

# Parts of names. The discriminator's logs have no better direction, because the two networks compete over them.
_RISING = ("psnr", "ssim", "accuracy", "iou")
_FALLING = ("loss", "l1", "gan", "reconstruction", "features", "error", "mae", "mse", "fid", "kid", "lpips")
_NEITHER = ("d_", "g_learning_rate", "images_per_second", "epoch")
_MOST_DIGITS = 9  # In an epoch's number.


def read_history(path: str | Path) -> dict[str, list]:
    """Read a table written by `keras.callbacks.CSVLogger`."""
    lines = lines_of(path) if history_fault(path) is None else []
    header, *rows = [_cells(line) for line in lines] or [["epoch"]]
    rows = [row for row in rows if len(row) == len(header) and epoch_of(row[0]) is not None]
    columns = {name: [row[index] for row in rows] for index, name in enumerate(header)}
    columns.pop("epoch", None)
    numbers = {name: [_number(cell) for cell in cells] for name, cells in columns.items()}
    return {"epoch": [epoch_of(row[0]) for row in rows], **numbers}


def history_fault(path: str | Path) -> str | None:
    """Why a file isn't a table of `keras.callbacks.CSVLogger`; None if it is one, even a truncated one."""
    first = next(iter(lines_of(path)), "epoch")
    # A crash may have truncated the line.
    if _cells(first)[:1] == ["epoch"] or "epoch".startswith(first):
        return None
    return f'{path} is damaged: its first line must name the columns, "epoch" the first. Received: {first[:60]!r}'


def lines_of(path: str | Path, errors: str = "replace") -> list[str]:
    """The non-empty lines of a text file, which may hold invalid bytes; none if there is no file."""
    try:
        with open(path, encoding="utf-8", errors=errors) as opened:
            return [line for line in opened if line.strip()]
    except FileNotFoundError:
        return []


def epoch_of(cell: str) -> int | None:
    """The number of an epoch, or None if the cell isn't one."""
    cell = cell.strip()
    return int(cell) if cell.isascii() and cell.isdigit() and len(cell) <= _MOST_DIGITS else None


def read_messages(path: str | Path) -> list[dict]:
    """Read the messages of `callbacks.Health`."""
    try:
        lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    messages = []
    for line in lines:
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(message, dict) and {"epoch", "state", "message"} <= message.keys():
            messages.append(message)
    return messages


def better_side(name: str) -> str | None:
    """Whether a log is better at its "max" or "min", judged by its name; None if neither."""
    name = name.removeprefix("val_")
    if name.startswith(_NEITHER):
        return None
    for side, words in (("max", _RISING), ("min", _FALLING)):
        if any(word in name for word in words):
            return side
    return None


def best_of(values: Sequence[float], side: str) -> tuple[int, float] | tuple[None, None]:
    """The best value of a column, and its position.

    Returns (index of the first best value, the value), or (None, None) if there is none.
    """
    finite = [(value, index) for index, value in enumerate(values) if math.isfinite(value)]
    if not finite:
        return None, None
    value, index = min(finite, key=lambda each: (each[0] if side == "min" else -each[0], each[1]))
    return index, value


def _cells(line):
    try:
        return next(csv.reader([line]), [])
    except csv.Error:  # A field of more than 128 KB.
        return []


def _number(cell):
    try:
        return float(cell)
    except ValueError:
        return math.nan
