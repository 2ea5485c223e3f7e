"""Loads a `.keras` file, and checks what it claims to hold before memory is allocated for it; and Keras' error."""

import json
import math
import re
import zipfile
from pathlib import Path
from typing import Any

__all__ = ["compare_claims", "load_checked", "reason", "refuse_false_claims"]

_CONFIG_FILE = "config.json"  # Keras' names in a `.keras` file.
_WEIGHTS = ".weights."
_MOST_CONFIGURATION = 2**26  # Bytes: a thousand times that of the paper's networks.
_BYTES_OF_A_WEIGHT = 0.5  # The fewest, quantized to four bits.
_MOST_CHARACTERS = 300


def load_checked(file: str | Path) -> Any:
    """The Keras model in a file."""
    refuse_false_claims(file)
    import keras

    try:
        return keras.saving.load_model(file)
    except Exception as error:
        raise ValueError(
            f"{file} can't be loaded as a Keras model: {reason(error)}. Train again, or take another file."
        ) from error


def refuse_false_claims(file: str | Path) -> None:
    """Raise for a file whose layers need more weights than it holds; Keras reports all other faults."""
    try:
        with zipfile.ZipFile(file) as archive:
            sizes = {member.filename: member.file_size for member in archive.infolist()}
            too_long = sizes.get(_CONFIG_FILE, 0) > _MOST_CONFIGURATION
            config = None if too_long else json.loads(archive.read(_CONFIG_FILE))
    except (OSError, KeyError, ValueError, RuntimeError, zipfile.BadZipFile):  # RecursionError is a RuntimeError.
        return
    if too_long:
        raise ValueError(f"{file} holds a configuration of {sizes[_CONFIG_FILE]:,} bytes. Use another file.")
    compare_claims(config, sum(size for name, size in sizes.items() if _WEIGHTS in name), file)


def compare_claims(config: Any, held: int, file: str | Path) -> None:
    """Raise for the configuration of a network whose weights need more than `held` bytes."""
    claimed = sum(map(_weights_of, _dictionaries(config)))
    if claimed * _BYTES_OF_A_WEIGHT > held:
        raise ValueError(
            f"{file} is damaged: its layers have {claimed:,} weights or more, but it holds {held:,} bytes of them. "
            "Use another file."
        )


def reason(error: BaseException) -> str:
    """Keras' reason for rejecting a file, without the configuration that it prints in full."""
    *_, innermost = str(error).split("Exception encountered: ")
    words = " ".join(re.split(r"Full object config:|config=\{", innermost)[0].split()) or type(error).__name__
    return words.rstrip(".") if len(words) <= _MOST_CHARACTERS else f"{words[:_MOST_CHARACTERS]} ..."


def _dictionaries(config):
    """Every dictionary in a JSON value, at any depth."""
    waiting = [config]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            yield each
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each


def _weights_of(layer):
    """The least number of weights in a layer's kernel; 0 if this isn't the configuration of a layer."""
    config, built = layer.get("config"), layer.get("build_config")
    if not isinstance(config, dict):
        return 0
    outputs = _count(config.get("filters", config.get("units")))
    kernel = config.get("kernel_size")
    kernel = kernel if isinstance(kernel, list) and "depth_multiplier" not in config else []
    shape = built.get("input_shape") if isinstance(built, dict) else None
    inputs = _count(shape[-1]) if isinstance(shape, list) and shape else 0
    return math.prod([outputs, max(1, inputs // max(1, _count(config.get("groups")))), *map(_count, kernel)])


def _count(value):
    return value if isinstance(value, int) and value > 0 else 0
