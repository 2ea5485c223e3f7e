"""Metadata of a TFLite file: JSON in a zip archive at its end, where TFLite keeps associated files.

Runtimes ignore the archive; `unzip -p facades.tflite metadata.json` shows it.
"""

import hashlib
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_pix2pix import __version__
from keras_pix2pix.encodings import Encoding

__all__ = ["metadata_of", "read_metadata", "write_metadata"]

_MEMBER = "metadata.json"
# The earliest date that zip can store: a fixed one, so that equal models give equal files.
_OLDEST_DATE = (1980, 1, 1, 0, 0, 0)


def metadata_of(
    generator: keras.Model,
    encodings: Sequence[Encoding],
    image_size: tuple[int | None, int | None],
    *,
    quantization: str,
    license: str | None = None,
    config: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The metadata of an exported generator: signature, sizes, value ranges, license, configuration, weights."""
    description = {
        "name": generator.name,
        "made_by": f"keras_pix2pix {__version__}",
        "signature": "serving_default",
        "source": _side(encodings[0], image_size),
        "generated": _side(encodings[1], image_size),
        "quantization": quantization,
        "license": license,
        "config": config,
        "weights_sha256": _weights_digest(generator),
    }
    try:
        return json.loads(json.dumps(description))
    except (TypeError, ValueError) as error:
        raise ValueError(f"`config` must be a dictionary that JSON can hold: {error}. Received: {config!r}.") from error


def _weights_digest(generator):
    """SHA-256 of a network's weights, in the order of `get_weights`: their types, shapes and bytes."""
    digest = hashlib.sha256()
    for weight in generator.get_weights():
        digest.update(f"{weight.dtype} {weight.shape}".encode())
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()


def write_metadata(path: str | Path, description: Mapping[str, Any]) -> None:
    """Append metadata to a TFLite file that has none."""
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(zipfile.ZipInfo(_MEMBER, _OLDEST_DATE), json.dumps(description, indent=1))


def read_metadata(path: str | Path) -> dict[str, Any]:
    """Read the metadata of a TFLite file that `export_tflite` wrote.

    Args:
        path: The file.

    Returns:
        A dictionary: "name", "made_by", "signature"; for "source" and "generated" the shape, type, encoding and, for
        pictures, the value range; "quantization", "license", "config" of the run, and "weights_sha256" of the network
        that was exported.

    Raises:
        ValueError: No such file, or a file without metadata.

    Example:

    ```python
    from keras_pix2pix import export_tflite, read_metadata, unet_generator

    export_tflite(unet_generator((64, 64, 3), filters=8), "facades.tflite", license="CC BY 4.0")
    assert read_metadata("facades.tflite")["source"]["shape"] == [1, 64, 64, 3]
    ```
    """
    path = Path(path).expanduser()
    try:
        with zipfile.ZipFile(path) as archive:
            return json.loads(archive.read(_MEMBER))
    except (OSError, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise ValueError(
            f"{path} has no {_MEMBER} at its end: {error}. Accepted: a file written by `export_tflite`. "
            "Check the path, or export again."
        ) from error


def _side(encoding, image_size):
    side = {
        "shape": [1, *image_size, encoding.raw_channels],
        "dtype": encoding.raw_dtype,
        "encoding": encoding.word,
    }
    value_range = getattr(encoding, "value_range", None)
    return {**side, "value_range": list(value_range)} if value_range else side
