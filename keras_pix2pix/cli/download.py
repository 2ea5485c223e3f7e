"""`keras-pix2pix download`."""

import shlex
import sys
from typing import Annotated

import typer

from keras_pix2pix.cli.documentation import option, parameter_help

__all__ = ["download"]

_DOWNLOAD = "data.download:download_dataset"


def download(
    name: Annotated[str, typer.Argument(help=parameter_help(_DOWNLOAD, "name"))],
    output: Annotated[str, option(_DOWNLOAD, "directory", "--output")] = ".",
):
    """Download one of the published data sets, and say how to train on it."""
    from keras_pix2pix import download_dataset

    try:
        downloaded = download_dataset(name, output)
    except KeyboardInterrupt:
        print("\nStopped. The same command resumes the download.", file=sys.stderr)
        raise
    folder = downloaded.folder
    splits = ", ".join(sorted(each.name for each in folder.iterdir()))
    print(f"{folder}: {splits}; sha256 of the archive {downloaded.sha256}")
    held_out = next((each for each in ("val", "test") if (folder / each).is_dir()), None)
    validation = ["--validation", str(folder / held_out)] if held_out else ["--validation-split", "0.1"]
    command = ["keras-pix2pix", "train", str(folder / "train"), "--direction", downloaded.direction, *validation]
    print(f"Train on it: {shlex.join([*command, '--run-dir', 'run'])}")
