"""The accepted values of each setting of a run, on the command line and in `config.json`."""

from keras_pix2pix.data.fitting import FITS
from keras_pix2pix.data.pairs import DIRECTIONS
from keras_pix2pix.training.presets import FREEZABLE, PRESETS, SCHEDULES

__all__ = ["EXTRA_FOLDERS", "FOLDERS", "MODELS", "SETTINGS", "fault_of"]

# The settings that are folders of data.
FOLDERS = {"data", "target", "validation", "validation_target"}
EXTRA_FOLDERS = {"extra_source", "extra_validation_source"}
MODELS = {"start_from", "teacher"}
_MOST_EPOCHS = 10**6
_MOST_STEPS = 10**9
_MOST_PIXELS = 2**16  # On a side.
_PRECISIONS = ("float32", "bfloat16", "float16")


def _whole(least, most):
    words = f"a whole number from {least} to {most}"
    return words, lambda value: type(value) is int and least <= value <= most


def _number(words, fits):
    return words, lambda value: type(value) in (int, float) and fits(value)


def _one_of(words):
    return f"one of {', '.join(words)}", lambda value: isinstance(value, str) and value in words


def _is_image_size(value):
    return (
        isinstance(value, (list, tuple))
        and len(value) == 2
        and all(type(side) is int and 1 <= side <= _MOST_PIXELS for side in value)
    )


def _are_folders(value):
    return isinstance(value, list) and all(isinstance(each, str) and each for each in value)


_TEXT = "text", lambda value: isinstance(value, str) and value != ""
_FOLDER_LIST = "a list of folders", _are_folders
_OBJECT = "an object", lambda value: isinstance(value, dict)
# Name -> (the accepted values as text, a function that tells whether a value is accepted).
SETTINGS = {
    "data": _TEXT,
    "target": _TEXT,
    "validation": _TEXT,
    "validation_target": _TEXT,
    "extra_source": _FOLDER_LIST,
    "extra_validation_source": _FOLDER_LIST,
    "validation_split": _number("a number above 0 and below 1", lambda value: 0 < value < 1),
    "preset": _one_of(PRESETS),
    "changes": _OBJECT,
    "teacher": _TEXT,
    "direction": _one_of(DIRECTIONS),
    "source_encoding": _TEXT,
    "target_encoding": _TEXT,
    "color_jitter": _number("a number from 0 to 1", lambda value: 0 <= value <= 1),
    "fit": _one_of(FITS),
    "rotate": ("true or false", lambda value: isinstance(value, bool)),
    "image_size": (f"height and width, two whole numbers from 1 to {_MOST_PIXELS}", _is_image_size),
    "batch_size": _whole(1, _MOST_EPOCHS),
    "epochs": _whole(1, _MOST_EPOCHS),
    "steps_per_epoch": _whole(1, _MOST_STEPS),
    "schedule": _one_of(SCHEDULES),
    "seed": _whole(0, 2**32 - 1),
    "monitor": _TEXT,
    "patience": _whole(1, _MOST_EPOCHS),
    "checkpoint_every": _whole(1, _MOST_STEPS),
    "deterministic": ("true or false", lambda value: isinstance(value, bool)),
    "precision": _one_of(_PRECISIONS),
    "start_from": _TEXT,
    "freeze": _one_of(FREEZABLE),
    "average": _number("a number above 0 and below 1", lambda value: 0 < value < 1),
    "identity": _OBJECT,
    "versions": _OBJECT,
}


def fault_of(name, value):
    """The reason why a value isn't accepted for a setting; None if it is accepted, or the setting unknown."""
    words, fits = SETTINGS.get(name, ("", lambda value: True))
    if fits(value):
        return None
    received = repr(value)
    shown = received if len(received) <= 100 else f"{received[:100]} ..."
    return f"{name!r} must be {words}. Received: {shown}"
