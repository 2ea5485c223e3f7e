"""The verdict on an exported file: compare it with the Keras model, draw the worst picture, write a record."""

import hashlib
import json
import os
import platform
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_pix2pix import __version__
from keras_pix2pix.deploy.acceptance import require
from keras_pix2pix.deploy.comparison_picture import draw_comparison
from keras_pix2pix.deploy.latency import latencies
from keras_pix2pix.deploy.parity import Parity, compare, keras_function
from keras_pix2pix.files import regular_file, whole_file
from keras_pix2pix.images import is_own_png, write_png
from keras_pix2pix.inference.serving import encodings_of

__all__ = ["PICTURE", "RECORD", "THREADS", "copy_verdict", "judge", "publish", "record_of", "refuse_to_replace_records"]

THREADS = (1, 2)
RECORD, PICTURE = ".export.json", ".export.png"  # Appended to the full name of the file or folder.


def judge(
    written: Path,
    path: Path,
    model: keras.Model,
    pixels: np.ndarray,
    runner: Callable,
    *,
    about: Mapping[str, str],
    accepted: Mapping[str, float],
    drawn: bool = False,
    threads: Sequence[int] = THREADS,
    counted: dict | None = None,
) -> tuple[Parity, np.ndarray, int | None]:
    """Run an export beside the Keras model, and raise if it is too far from it.

    Returns the `Parity`; the worst picture, expected | got | difference; and the factor by which the difference is
    multiplied.
    """
    encoding = encodings_of(model)[1]
    run, reference = runner(max(threads, default=None)), keras_function(model, pixels.shape[1:3])
    parity = compare(written, run, reference, pixels, encoding)
    require(parity, path, accepted, about["quantization"])
    worst = pixels[parity.worst][np.newaxis]
    drawing, factor = draw_comparison(reference(worst)[0], np.asarray(run(worst))[0], encoding)
    if threads:
        runs = {f"{each} thread{'s' * (each > 1)}": runner(each) for each in threads}
        parity = parity._replace(latency=latencies({**runs, "Keras": reference}, pixels[:1]))
    found = {**(counted or {}), "accepted": accepted, "drawn_pictures": drawn, "path": str(path)}
    return parity._replace(**found), drawing, factor


def record_of(
    written: Path, parity: Parity, factor: int | None, about: Mapping[str, str], packages: Sequence[str] = ()
) -> dict[str, Any]:
    """The contents of `export.json`; deletes an older one first, which would describe another file."""
    _beside(parity.path, RECORD).unlink(missing_ok=True)
    figures = parity._asdict()
    name = Path(figures.pop("path")).name
    return {
        "file": name,
        **about,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "sha256": _digest(written),
        **figures,
        "picture": name + PICTURE,
        "difference_factor": factor,
        "versions": _versions(packages),
    }


def publish(path: str | Path, drawing: np.ndarray, record: Mapping[str, Any]) -> None:
    """Write the verdict beside its file or folder, and replace an earlier export's."""
    write_png(_beside(path, PICTURE), drawing)
    with whole_file(_beside(path, RECORD)) as temporary:
        temporary.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def copy_verdict(path: str | Path, directory: str | Path) -> None:
    """Copy the verdict on an export into a subfolder of a run's folder, unless the export is already in there."""
    path, directory = Path(path).resolve(), Path(directory).resolve()
    if directory in path.parents:
        return
    # The same name in two folders means two exports.
    place = directory / hashlib.sha256(os.fsencode(path.parent)).hexdigest()[:8]
    for suffix in (PICTURE, RECORD):
        original = _beside(path, suffix)
        with whole_file(place / original.name) as temporary:
            shutil.copyfile(original, temporary)


def _digest(path):
    """SHA-256 of a file; of a folder, that of its files' names and contents, in the order of the names."""
    path = Path(path)
    if path.is_file():
        with open(path, "rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    files = sorted(each.relative_to(path).as_posix() for each in path.rglob("*") if each.is_file())
    lines = [f"{_digest(path / name)}  {name}\n" for name in files]  # As `sha256sum` lists them.
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _versions(packages):
    names = ("tensorflow", "keras", "numpy", *packages)
    return {
        "keras_pix2pix": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in names},
    }


def refuse_to_replace_records(path: str | Path) -> None:
    """Raise if the record or the picture of an export would replace something else."""
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
    """Where the record or the picture of an export is."""
    return Path(path).with_name(Path(path).name + suffix)
