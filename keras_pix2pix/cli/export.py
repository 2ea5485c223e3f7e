"""`keras-pix2pix export`."""

from typing import Annotated

import typer

from keras_pix2pix.cli.documentation import option, parameter_help
from keras_pix2pix.cli.models import height_and_width, load

TFLITE = "deploy.tflite:export_tflite"
FORMATS = ("saved_model", "tflite")


def export(
    run: Annotated[str, typer.Argument(help=parameter_help("cli.models:load", "path"))],
    output: Annotated[str, typer.Option(help="Folder (saved_model) or file (tflite) to write.")],
    format: Annotated[str, typer.Option(help=f"One of {', '.join(FORMATS)}.")],
    quantization: Annotated[str | None, option(TFLITE, "quantization")] = None,
    image_size: Annotated[str | None, option(TFLITE, "image_size", metavar="HEIGHTxWIDTH")] = None,
):
    """Write the generator for serving or for a phone, and compare what was written with the Keras model."""
    if format not in FORMATS:
        raise ValueError(f"--format must be one of {', '.join(FORMATS)}. Received: {format!r}.")
    given = {"quantization": quantization, "image_size": image_size and height_and_width(image_size)}
    given = {name: value for name, value in given.items() if value is not None}
    if given and format != "tflite":
        raise ValueError(
            f"--{next(iter(given)).replace('_', '-')} is for --format tflite. Received: --format {format}."
        )
    model = load(run)
    from keras_pix2pix import export_saved_model, export_tflite

    if format == "tflite":
        export_tflite(model, output, **given)
    else:
        export_saved_model(model, output)
