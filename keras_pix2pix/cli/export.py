"""`keras-pix2pix export`."""

from typing import Annotated

import typer

from keras_pix2pix.cli.documentation import option, parameter_help
from keras_pix2pix.cli.models import height_and_width, load
from keras_pix2pix.cli.run_sources import run_sources

TFLITE, ONNX = "deploy.tflite:export_tflite", "deploy.onnx:export_onnx"
# And which options each has.
FORMATS = {
    "saved_model": (),
    "tflite": ("quantization", "image_size"),
    "onnx": ("image_size",),
    "web": ("quantization", "image_size"),
}
IMAGE_SIZE = f"tflite, web: {parameter_help(TFLITE, 'image_size')} onnx: {parameter_help(ONNX, 'image_size')}"


def export(
    run: Annotated[str, typer.Argument(help=parameter_help("cli.models:load", "path"))],
    output: Annotated[str, typer.Option(help="Folder (saved_model, web) or file (tflite, onnx) to write.")],
    format: Annotated[str, typer.Option(help=f"One of {', '.join(FORMATS)}.")],
    quantization: Annotated[str | None, option(TFLITE, "quantization")] = None,
    image_size: Annotated[str | None, typer.Option(help=IMAGE_SIZE, metavar="HEIGHTxWIDTH")] = None,
):
    """Write the generator for serving, for a phone or as a web page, and compare it with the Keras model."""
    if format not in FORMATS:
        raise ValueError(f"--format must be one of {', '.join(FORMATS)}. Received: {format!r}.")
    given = {"quantization": quantization, "image_size": image_size and height_and_width(image_size)}
    given = {name: value for name, value in given.items() if value is not None}
    for name in given:
        if name in FORMATS[format]:
            continue
        accepted = " or ".join(each for each, options in FORMATS.items() if name in options)
        raise ValueError(f"--{name.replace('_', '-')} is for --format {accepted}. Received: --format {format}.")
    model = load(run)
    import keras_pix2pix

    if format == "web":
        given["pixels"] = run_sources(run, model, given.get("image_size"))
    getattr(keras_pix2pix, f"export_{format}")(model, output, **given)
