"""`keras-pix2pix convert`."""

import json
import zipfile
from pathlib import Path
from typing import Annotated

import typer

import keras_pix2pix
from keras_pix2pix.cli.documentation import option
from keras_pix2pix.files import refuse_to_replace, refuse_to_replace_what_is_read, remove_leftovers, whole_file
from keras_pix2pix.run_folder import RunFolder
from keras_pix2pix.runs.startup import start_tensorflow

__all__ = ["convert"]

_KERAS_2 = "convert.keras.loading:from_legacy_keras"
_PYTORCH = "convert.pytorch.loading:from_pytorch"
# By the program that wrote the file.
_READERS = {
    "pytorch": "from_pytorch",
    "keras2": "from_legacy_keras",
    "tf_tutorial": "from_tf_tutorial",
}
_READER_OF = {"norm": "pytorch", "submodel": "keras2"}
_SUFFIX = ".keras"


def convert(
    file: Annotated[str, typer.Argument(help="File of weights from another implementation of pix2pix.")],
    format: Annotated[
        str,
        typer.Option(
            "--from",
            help="The program that wrote it: pytorch (.pth, .pt or .safetensors of pytorch-CycleGAN-and-pix2pix, "
            "PyTorch-GAN or pix2pixHD), keras2 (HDF5 of Keras 2, with or without tensorflow-addons), or tf_tutorial "
            "(TensorFlow's tutorial).",
        ),
    ],
    output: Annotated[str, typer.Option(help="File to write, .keras.")],
    norm: Annotated[str | None, option(_PYTORCH, "norm")] = None,
    submodel: Annotated[str | None, option(_KERAS_2, "submodel")] = None,
):
    """Convert another implementation's weights to a .keras file, and say what was recognised."""
    if format not in _READERS:
        raise ValueError(f"--from must be one of {', '.join(_READERS)}. Received: {format!r}.")
    options = {"norm": norm, "submodel": submodel}
    given = {name: value for name, value in options.items() if value is not None}
    for name in given:
        if format != _READER_OF[name]:
            raise ValueError(f"--{name} is for --from {_READER_OF[name]}. Received: --from {format}.")
    path = Path(output).expanduser()
    if path.suffix != _SUFFIX or path.is_dir():
        raise ValueError(f"--output must be the name of a {_SUFFIX} file to write. Received: {path}.")
    _refuse_a_run(path)
    refuse_to_replace_what_is_read([path], [file])
    refuse_to_replace(path, "a converted generator", _is_generator)
    remove_leftovers(path.parent, path.name)
    start_tensorflow()
    read = getattr(keras_pix2pix, _READERS[format])
    conversion = read(file, **given)
    with whole_file(path) as temporary:
        conversion.network.save(temporary)
    print(f"Recognised: {conversion.recognised}")
    print(f"Self-check: at most {conversion.largest_difference:.1e} from the file's own layers, on random images")
    print(path)


def _refuse_a_run(output):
    if RunFolder(output.parent).configuration.is_file():
        raise ValueError(f"--output {output} is in the folder of a training run. Choose another folder.")


def _is_generator(file):
    """Whether a file holds a network only, and not the state of a training, which would be lost."""
    try:
        with zipfile.ZipFile(file) as archive:
            return json.loads(archive.read("config.json"))["class_name"] in ("Functional", "Sequential")
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, OSError):
        return False
