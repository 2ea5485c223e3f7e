"""The verdict on an exported file: run beside the Keras model, measured, drawn, and written down beside it."""

import hashlib
import json
import os
import platform
import shutil
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np
import rich.console
import rich.table
from rich.markup import escape

from keras_pix2pix import __version__
from keras_pix2pix.deploy.acceptance import require, words_of
from keras_pix2pix.deploy.comparison_picture import draw_comparison
from keras_pix2pix.deploy.latency import latencies
from keras_pix2pix.deploy.parity import Parity, compare, keras_function
from keras_pix2pix.files import regular_file, whole_file
from keras_pix2pix.images import is_own_png, write_png
from keras_pix2pix.inference.serving import encodings_of
from keras_pix2pix.terminal import printable

THREADS = (1, 2)
RECORD, PICTURE = ".export.json", ".export.png"  # Put behind the whole name of the file or folder.


class Verdict(NamedTuple):
    """What has been found out about a file before it gets its final name.

    Args:
        parity: The numbers, a `Parity`.
        drawing: Pixels: the worst picture, expected | got | difference.
        record: Dictionary: what `export.json` holds.
    """

    parity: Parity
    drawing: np.ndarray
    record: dict


def judge(
    written,
    path,
    model,
    pixels,
    runner,
    *,
    accepted,
    about,
    drawn=False,
    threads=THREADS,
    counted=None,
    packages=(),
):
    """Run what was written beside the Keras model, and refuse it if it is too far from it."""
    encoding = encodings_of(model)[1]
    run, reference = runner(max(threads, default=None)), keras_function(model, pixels.shape[1:3])
    parity = compare(written, run, reference, pixels, encoding)
    about = {"quantization": "none", **about}
    require(parity, path, accepted, about["quantization"])
    worst = pixels[parity.worst][np.newaxis]
    drawing, factor = draw_comparison(reference(worst)[0], np.asarray(run(worst))[0], encoding)
    if threads:
        runs = {f"{each} thread{'s' * (each > 1)}": runner(each) for each in threads}
        parity = parity._replace(latency=latencies({**runs, "Keras": reference}, pixels[:1]))
    parity = parity._replace(**(counted or {}))
    record = {
        "file": Path(path).name,
        **about,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "sha256": digest(written),
        **parity._asdict(),
        "accepted": accepted,
        "drawn_pictures": drawn,
        "source": f"{pixels.shape[1]}x{pixels.shape[2]} {encodings_of(model)[0].word}",
        "picture": Path(path).name + PICTURE,
        "difference_factor": factor,
        "versions": _versions(packages),
    }
    # From here on nothing speaks of an older file of this name, whenever the machine stops.
    _beside(path, RECORD).unlink(missing_ok=True)
    return Verdict(parity, drawing, record)


def publish(verdict, path):
    """Write the verdict beside the file that it is about, and print it.

    Beside `facades.tflite` come `facades.tflite.export.json` and `facades.tflite.export.png`; a folder's lie beside
    the folder. Those of an earlier export to the same name are replaced.
    """
    write_png(_beside(path, PICTURE), verdict.drawing)
    with whole_file(_beside(path, RECORD)) as temporary:
        temporary.write_text(json.dumps(verdict.record, indent=2) + "\n", encoding="utf-8")
    _print(verdict, path)
    return verdict.parity


def copy_verdict(path, directory):
    """Copy what `publish` has written about an export into a subfolder of a run's folder, unless it is in there."""
    path, directory = Path(path).resolve(), Path(directory).resolve()
    if directory in path.parents:
        return
    # Exports of one name in two folders are two exports.
    place = directory / hashlib.sha256(os.fsencode(path.parent)).hexdigest()[:8]
    for suffix in (PICTURE, RECORD):
        original = _beside(path, suffix)
        with whole_file(place / original.name) as temporary:
            shutil.copyfile(original, temporary)


def digest(path):
    """SHA-256 of a file; of a folder, that of its files' names and contents, in the order of the names."""
    path = Path(path)
    if path.is_file():
        with open(path, "rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    files = sorted(each.relative_to(path).as_posix() for each in path.rglob("*") if each.is_file())
    lines = [f"{digest(path / name)}  {name}\n" for name in files]  # As `sha256sum` lists them.
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _print(verdict, path):
    console = rich.console.Console()
    if not console.is_terminal:
        print(f"{path}: {verdict.parity}", flush=True)
        return
    # The user's names may hold square brackets, which are markup to rich.
    title = escape(printable(path))
    table = rich.table.Table(box=None, pad_edge=False, show_header=False, title=title, title_justify="left")
    for row in _rows(verdict):
        table.add_row(*(escape(printable(cell)) for cell in row))
    console.print(table)


def _rows(verdict):
    parity, record = verdict.parity, verdict.record
    bounds = {name: f"accepted: {words_of(name, value)}" for name, value in record["accepted"].items()}
    yield "compared on", f"{parity.pictures} {'drawn label maps' if record['drawn_pictures'] else 'pictures'}", ""
    yield "size", f"{parity.size / 1e6:.2f} MB", ""
    if parity.equal is not None:
        yield "same class", f"{parity.equal:.3%} of the pixels", bounds.get("least_equal", "")
    else:
        yield "PSNR", f"{parity.psnr:.1f} dB", bounds.get("least_psnr", "")
        yield "largest difference", f"{parity.largest_difference:.3g} grey level(s)", bounds.get("most_levels", "")
        yield "mean difference", f"{parity.mean_difference:.3g} grey levels", ""
    if parity.ssim is not None:
        yield "SSIM", f"{parity.ssim:.5f}", ""
    for name, milliseconds in (parity.latency or {}).items():
        yield f"a picture, {name}", f"{milliseconds:.1f} ms", ""
    if parity.operators:
        yield "operators", ", ".join(f"{name} {count}" for name, count in parity.operators.items()), ""
    yield "worst picture", record["picture"], ""


def _versions(packages):
    names = ("tensorflow", "keras", "numpy", *packages)
    return {
        "keras_pix2pix": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in names},
    }


def refuse_to_replace_records(path):
    """Raise where the record or the picture of an export would take the place of something else."""
    for suffix, is_ours in ((RECORD, _is_record), (PICTURE, is_own_png)):
        file = _beside(path, suffix)
        if file.exists() and not (regular_file(file) and is_ours(file)):
            raise ValueError(f"{file} exists and was not written by an export, so it is not replaced. Move it away.")


def _is_record(file):
    try:
        return {"file", "accepted"} <= json.loads(file.read_text(encoding="utf-8")).keys()
    except (ValueError, AttributeError):
        return False


def _beside(path, suffix):
    return Path(path).with_name(Path(path).name + suffix)
