"""Tables of class names and colours that come with data sets: CSV with name and r, g, b, or #rrggbb."""

import csv
import re
from pathlib import Path

from keras_pix2pix.files import regular_file

__all__ = ["is_color_table", "read_color_table"]

_HEX = re.compile("#[0-9a-fA-F]{6}")


def is_color_table(text):
    """Whether the text after `palette:` names a file instead of colours."""
    return text.lower().endswith(".csv")


def read_color_table(path):
    """(colours, names) of a table with one line per class; a first line without a colour is the header."""
    file = Path(path).expanduser()
    if not regular_file(file):
        raise ValueError(f"There is no table of colours {file}. Accepted: a CSV file of names and colours.")
    try:
        with file.open(newline="", encoding="utf-8-sig") as opened:
            lines = [line for line in csv.reader(opened) if any(map(str.strip, line))]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{file} is not CSV in UTF-8: {error}. Save it as UTF-8.") from error
    header = [cell.strip().lower() for cell in lines[0]] if lines and _color(lines[0], ()) is None else []
    classes = [(_color(line, header), _name(line), line) for line in lines[bool(header) :]]
    for color, _, line in classes:
        if color is None:
            raise ValueError(
                f"{file} has a line without a colour. Accepted: a name, and r, g, b from 0 to 255, or #rrggbb. "
                f"Received: {','.join(line)[:80]!r}."
            )
    return tuple(color for color, *_ in classes), tuple(name for _, name, _ in classes)


def _color(line, header):
    """The colour of a line: #rrggbb, the columns named r, g, b, or the last three whole numbers."""
    cells = [cell.strip() for cell in line]
    for cell in cells:
        if _HEX.fullmatch(cell):
            return cell.lower()
    for names in (("r", "g", "b"), ("red", "green", "blue")):
        if set(names) <= set(header) and len(cells) == len(header):
            cells = [cells[header.index(name)] for name in names]
    levels = [int(cell) for cell in cells if cell.isdecimal()][-3:]
    return tuple(levels) if len(levels) == 3 and max(levels) <= 255 else None


def _name(line):
    return next(
        (cell.strip() for cell in line if not _HEX.fullmatch(cell.strip()) and not cell.strip().isdecimal()), ""
    )
