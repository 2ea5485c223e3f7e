"""What a run has logged and said, read back from its files, and which way each log is better."""

import csv
import json
import math
from pathlib import Path

__all__ = ["best_of", "better_side", "epoch_of", "history_fault", "lines_of", "read_history", "read_messages"]

# Parts of names. What the discriminator says of its own game has no better side: both networks pull at it.
_RISING = ("psnr", "ssim", "accuracy", "iou")
_FALLING = ("loss", "l1", "gan", "reconstruction", "features", "error", "mae", "mse", "fid", "kid", "lpips")
_NEITHER = ("d_", "g_learning_rate", "images_per_second", "epoch")
_MOST_DIGITS = 9  # Of an epoch's number.


def read_history(path):
    """The table that `keras.callbacks.CSVLogger` writes."""
    lines = lines_of(path) if history_fault(path) is None else []
    header, *rows = [_cells(line) for line in lines] or [["epoch"]]
    rows = [row for row in rows if len(row) == len(header) and epoch_of(row[0]) is not None]
    columns = {name: [row[index] for row in rows] for index, name in enumerate(header)}
    columns.pop("epoch", None)
    numbers = {name: [_number(cell) for cell in cells] for name, cells in columns.items()}
    return {"epoch": [epoch_of(row[0]) for row in rows], **numbers}


def history_fault(path):
    """Why a file is not the table of `keras.callbacks.CSVLogger`, in words; None for such a table, however short."""
    first = next(iter(lines_of(path)), "epoch")
    # A crash may have cut off the line.
    if _cells(first)[:1] == ["epoch"] or "epoch".startswith(first):
        return None
    return f'{path} is damaged: its first line must name the columns, "epoch" the first. Received: {first[:60]!r}'


def lines_of(path, errors="replace"):
    """The lines of a text file that are not empty, whatever bytes are in them; none where there is no file."""
    try:
        with open(path, encoding="utf-8", errors=errors) as opened:
            return [line for line in opened if line.strip()]
    except FileNotFoundError:
        return []


def epoch_of(cell):
    """The number of an epoch, or None for something else."""
    cell = cell.strip()
    return int(cell) if cell.isascii() and cell.isdigit() and len(cell) <= _MOST_DIGITS else None


def read_messages(path):
    """What `callbacks.Health` has said."""
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


def better_side(name):
    """Which way a log is better, by its name."""
    name = name.removeprefix("val_")
    if name.startswith(_NEITHER):
        return None
    for side, words in (("max", _RISING), ("min", _FALLING)):
        if any(word in name for word in words):
            return side
    return None


def best_of(values, side):
    """The best of a column so far, and when it was.

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
