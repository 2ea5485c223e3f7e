"""A run as one self-contained page, without a server, a network or other files."""

import base64
import datetime
import io
import json
from pathlib import Path

import jinja2
import numpy as np
from PIL import Image

from keras_pix2pix.files import whole_file
from keras_pix2pix.images import UNREADABLE, read_image_file
from keras_pix2pix.report import charts
from keras_pix2pix.report.history import best_of, better_side, history_fault, read_history, read_messages
from keras_pix2pix.report.samples import samples_over_time
from keras_pix2pix.run_folder import RunFolder

__all__ = ["write_report"]

_TEMPLATE_FILE = "report.html.jinja"
_FIRST_LOGS = ("psnr", "ssim", "g_l1")  # First rows of the table: they say the most about the pictures.
_EPOCHS_SHOWN = 8
_MOST_EXPORTS = 20
_PICTURE_WIDTH = 1200
_MOST_CHARACTERS = 600  # Longer values from files are cut off.
# The first fields of an export's record, with their units.
_EXPORT_LABELS = {
    "format": "format",
    "quantization": "quantization",
    "size": "size, bytes",
    "psnr": "PSNR, dB",
    "ssim": "SSIM",
    "largest_difference": "largest difference, grey levels",
    "mean_difference": "mean difference, grey levels",
    "equal": "share of pixels of the same class",
    "latency": "milliseconds a picture",
    "operators": "operators",
}


def write_report(run_dir: str | Path) -> Path:
    """Write `report.html` of a run folder: curves, samples over time, figures, configuration, exports.

    It uses whichever of these files are in the folder: `config.json`, `history.csv`,
    `health.jsonl`, `samples/epoch_*.png`, and `exports/**/*.export.json`, each with its picture `*.export.png`. The old
    page is kept until the new one is complete.

    Args:
        run_dir: Folder of a run.

    Returns:
        The page's path.

    Raises:
        ValueError: There is no run in the folder.

    Example:

    ```python
    from pathlib import Path
    from keras_pix2pix import write_report

    Path("run").mkdir()
    Path("run/history.csv").write_text("epoch,g_l1\\n0,0.35\\n1,0.34\\n")
    page = write_report("run")
    ```
    """
    folder = RunFolder(run_dir)
    if not (folder.configuration.is_file() or folder.history.is_file()):
        raise ValueError(
            f"There is no run in {run_dir}. Accepted: a run folder of `keras-pix2pix train`, or a folder with a "
            "history.csv. Check the path."
        )
    history = read_history(folder.history)
    fault = history_fault(folder.history)
    config = _read_json(folder.configuration)
    versions = config.pop("versions", {})
    page = _template().render(
        name=folder.path.resolve().name,
        written=datetime.datetime.now().strftime("%Y-%m-%d %H:%M"),
        epochs=history["epoch"][-1] + 1 if history["epoch"] else 0,
        planned=config.get("epochs"),
        messages=read_messages(folder.health),
        samples=[(caption, _data_uri(pixels)) for caption, pixels in samples_over_time(folder.samples, _EPOCHS_SHOWN)],
        charts=charts.charts(history),
        geometry=charts.GEOMETRY,
        rows=_rows(history),
        config=_shown_items({**config, **({"history": fault} if fault else {})}),
        versions=_shown_items(versions),
        exports=_exports(folder.exports),
        evaluation=_evaluation(folder),
    )
    with whole_file(folder.report) as temporary:
        temporary.write_text(page, encoding="utf-8", errors="replace")  # JSON can hold half of a surrogate pair.
    return folder.report


def _template():
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["short"] = _shown
    return environment.from_string(Path(__file__).with_name(_TEMPLATE_FILE).read_text(encoding="utf-8"))


def _rows(history):
    """(log, last in training, last in validation, best in validation, its epoch), "" for a missing value."""
    names = {name.removeprefix("val_") for name in history} - {"epoch"}
    validated = sorted(name for name in names if f"val_{name}" in history)
    order = [name for name in _FIRST_LOGS if name in validated]
    rows = []
    for name in order + [name for name in validated if name not in order]:
        values, side = history[f"val_{name}"], better_side(name)
        index, best = best_of(values, side) if side else (None, None)
        epoch = "" if index is None else history["epoch"][index] + 1
        last = [history[each][-1] if history.get(each) else "" for each in (name, f"val_{name}")]
        rows.append((name, *last, "" if best is None else best, epoch))
    return rows


def _evaluation(folder):
    """(scores with their errors, picture or None) of `keras-pix2pix evaluate`; None without them."""
    if not folder.evaluation.is_file():
        return None
    record = _read_json(folder.evaluation)
    scores, of_real_photos = (_dictionary(record.pop(name, {})) for name in ("scores", "real_photos"))
    scores |= {f"{name} of real photos": score for name, score in of_real_photos.items()}
    figures = {name: _with_error(score) for name, score in scores.items()}
    return _shown_items({**record, **figures}), _picture(folder.evaluation)


def _with_error(score):
    if not isinstance(score, dict) or not isinstance(score.get("value"), float):
        return score
    error, warning = score.get("standard_error"), score.get("warning")
    words = _shown(score["value"]) + (f" ± {error:.2g}" if isinstance(error, float) else "")
    return f"{words} ({warning})" if warning else words


def _exports(directory):
    """(name, figures, picture or None) of each export, the newest first."""
    files = sorted(directory.rglob("*.export.json"), key=lambda file: file.stat().st_mtime, reverse=True)
    exports = []
    for file in files[:_MOST_EXPORTS]:
        record = _read_json(file)
        known = {label: record.pop(name) for name, label in _EXPORT_LABELS.items() if name in record}
        exports.append((file.name.removesuffix(".export.json"), _shown_items({**known, **record}), _picture(file)))
    return exports


def _picture(json_file):
    file = json_file.with_suffix(".png")
    try:
        return _data_uri(np.asarray(read_image_file(file))) if file.is_file() else None
    except UNREADABLE:
        return None


def _read_json(path):
    """Read a dictionary; if it can't be read, return one that says so."""
    if not path.is_file():
        return {}
    try:
        contents = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        contents = error
    return contents if isinstance(contents, dict) else {"damaged": f"{path.name} can't be read: {contents}"}


def _data_uri(pixels):
    picture = Image.fromarray(pixels)
    picture.thumbnail((_PICTURE_WIDTH, _PICTURE_WIDTH))
    encoded = io.BytesIO()
    picture.save(encoded, format="JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(encoded.getvalue()).decode("ascii")


def _shown_items(figures):
    shown = _dictionary(figures).items()
    return [(name.replace("_", " "), _shown(value)) for name, value in shown if value is not None]


def _dictionary(value):
    return value if isinstance(value, dict) else {"damaged": value}


def _shown(value):
    if isinstance(value, dict):
        text = ", ".join(f"{name} {_shown(each)}" for name, each in value.items())
    elif isinstance(value, list):
        text = ", ".join(_shown(each) for each in value)
    elif isinstance(value, float):
        text = f"{value:.4g}"
    else:
        text = str(value)
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]} ..."
