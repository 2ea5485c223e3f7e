"""What a run has logged and said, read back from its files, and which way each log is better."""

import csv
import json
import math
from pathlib import Path

# Parts of names. What the discriminator says of its own game has no better side: both networks pull at it.
RISING = ("psnr", "ssim", "accuracy", "iou")
FALLING = ("loss", "l1", "gan", "reconstruction", "features", "error", "mae", "mse", "fid", "kid", "lpips")
NEITHER = ("d_", "g_learning_rate", "images_per_second", "epoch")


def read_history(path):
    """The table that `keras.callbacks.CSVLogger` writes.

    Args:
        path: CSV file; one that isn't there is an empty history. Rows that are not whole are left out.

    Returns:
        A dictionary from the names of the columns, "epoch" the first, to lists of equal length: whole numbers for
        "epoch", counted from 0, and floats, NaN where a cell is no number.

    Example:

    ```python
    from pathlib import Path
    from keras_pix2pix.report.history import read_history

    Path("history.csv").write_text("epoch,g_l1,val_ssim\\n0,0.35,0.2\\n1,0.34,0.3\\n")
    best = max(read_history("history.csv")["val_ssim"])  # 0.3
    ```
    """
    try:
        with open(path, encoding="utf-8", errors="replace", newline="") as opened:
            header, *rows = list(csv.reader(opened)) or [[]]
    except FileNotFoundError:
        return {"epoch": []}
    rows = [row for row in rows if len(row) == len(header) and row[0].isdigit()]
    columns = dict(zip(header, zip(*rows, strict=True) if rows else [()] * len(header), strict=True))
    epochs = [int(each) for each in columns.pop("epoch", ())]
    return {"epoch": epochs, **{name: [_number(cell) for cell in cells] for name, cells in columns.items()}}


def read_messages(path):
    """What `callbacks.Health` has said.

    Args:
        path: File with a JSON object in a line; one that isn't there is empty, and other lines are left out.

    Returns:
        A list of dictionaries with the keys "epoch", counted from 1, "state" and "message".

    Example:

    ```python
    from keras_pix2pix.report.history import read_messages

    messages = read_messages("health.jsonl")
    ```
    """
    try:
        lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    messages = []
    for line in lines:
        try:
            message = json.loads(line)
        except ValueError:
            continue
        if isinstance(message, dict) and {"epoch", "state", "message"} <= message.keys():
            messages.append(message)
    return messages


def better_side(name):
    """Which way a log is better, by its name.

    Args:
        name: Key of the logs, with or without "val_".

    Returns:
        "max", "min", or None where neither is: for what the discriminator says, for rates, and for unknown names.

    Example:

    ```python
    from keras_pix2pix.report.history import better_side

    sides = better_side("val_ssim"), better_side("g_l1"), better_side("d_real")  # "max", "min", None
    ```
    """
    name = name.removeprefix("val_")
    if name.startswith(NEITHER):
        return None
    for side, words in (("max", RISING), ("min", FALLING)):
        if any(word in name for word in words):
            return side
    return None


def best_of(values, side):
    """The best of a column so far, and when it was.

    Args:
        values: List of numbers; those that are not finite are left out.
        side: "max" or "min".

    Returns:
        (index of the first best value, the value), or (None, None) if there is none.

    Example:

    ```python
    from keras_pix2pix.report.history import best_of

    index, best = best_of([0.4, 0.3, 0.35], "min")  # 1, 0.3
    ```
    """
    finite = [(value, index) for index, value in enumerate(values) if math.isfinite(value)]
    if not finite:
        return None, None
    value, index = min(finite, key=lambda each: (each[0] if side == "min" else -each[0], each[1]))
    return index, value


def _number(cell):
    try:
        return float(cell)
    except ValueError:
        return math.nan
