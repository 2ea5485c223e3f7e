"""Where a model is: in a run folder, a `.keras` file, or the package itself, as a word."""

import zipfile
from pathlib import Path

from keras_pix2pix.run_folder import RunFolder

__all__ = ["model_file", "pretrained_file"]

_FOLDER = Path(__file__).parent / "weights"
_PRETRAINED = ("facades",)


def pretrained_file(word):
    """The `.keras` file that a word names; None for anything else, and for a run folder of that name."""
    if word not in _PRETRAINED or RunFolder(word).model.exists():
        return None
    return _FOLDER / f"{word}.keras"


def model_file(path):
    """The `.keras` file of a run folder or of a word, or the file itself, without loading it."""
    if pretrained := pretrained_file(path):
        return pretrained
    path = Path(path).expanduser()
    file = RunFolder(path).model if path.is_dir() else path
    if not file.is_file() or file.suffix != ".keras":
        raise ValueError(
            f"There is no model at {path}. Accepted: a run folder of `keras-pix2pix train`, which holds "
            f"{RunFolder(path).model.name}, a .keras file, or a word: {', '.join(_PRETRAINED)}. Check the path."
        )
    if not zipfile.is_zipfile(file):
        raise ValueError(f"{file} is not a .keras file, or is incomplete. Train again, or take another file.")
    return file
