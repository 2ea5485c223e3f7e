"""Trained generators that come with the package: a word where a run folder or a `.keras` file may stand."""

from pathlib import Path

from keras_pix2pix.run_folder import RunFolder

__all__ = ["PRETRAINED", "pretrained_file"]

_FOLDER = Path(__file__).parent / "weights"
PRETRAINED = ("facades",)


def pretrained_file(word):
    """The `.keras` file that a word names; None for anything else, and for a run folder of that name."""
    if word not in PRETRAINED or RunFolder(word).model.exists():
        return None
    return _FOLDER / f"{word}.keras"
