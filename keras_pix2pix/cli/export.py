"""`keras-pix2pix export`."""

from pathlib import Path
from typing import Annotated

import typer

from keras_pix2pix.cli.documentation import option, parameter_help
from keras_pix2pix.cli.verdict import ACCEPT, accepted_by, print_verdict
from keras_pix2pix.run_folder import RunFolder
from keras_pix2pix.runs.exports import show_in_report
from keras_pix2pix.runs.model import load_model, parsed_image_size
from keras_pix2pix.runs.pictures import COMPARED, REPRESENTATIVE, configuration_of, source_pictures

__all__ = ["export"]

_TFLITE = "deploy.tflite:export_tflite"
# The options of each.
_FORMATS = {
    "saved_model": ("accept",),
    "tflite": ("quantization", "image_size", "license", "accept"),
    "onnx": ("image_size", "accept"),
    "web": ("quantization", "image_size", "license", "accept"),
}
_QUANTIZATION = (
    'tflite and web: "none" (float32), "float16" (half the size), or a quarter of the size: "weights" (computes in '
    'float32), "dynamic" (computes in int8, fastest on CPUs) or "int8" (with fixed ranges, for accelerators, from the '
    "run's training data or --images)."
)
_IMAGE_SIZE = (
    "256, or HEIGHTxWIDTH, in pixels. tflite also takes any, for a file with resizable input. onnx: fixes the size. "
    "Default: the size that the generator was built for."
)
_ANY_SIZE = "any"
_FOLDERS = {"data", "target", "extra_source", "validation", "validation_target", "extra_validation_source"}


def export(
    run: Annotated[str, typer.Argument(help=parameter_help("runs.model:load_model", "path"))],
    output: Annotated[str, typer.Option(help="Folder (saved_model, web) or file (tflite, onnx) to write.")],
    format: Annotated[
        str, typer.Option(help=f"One of {', '.join(_FORMATS)}, whose --quantization is dynamic by default.")
    ],
    quantization: Annotated[str | None, typer.Option(help=_QUANTIZATION)] = None,
    image_size: Annotated[str | None, typer.Option(help=_IMAGE_SIZE, metavar="HEIGHTxWIDTH|any")] = None,
    images: Annotated[
        str | None,
        typer.Option(
            help="Folder of typical source pictures: the export is compared on up to 16 of them, and --quantization "
            "int8 takes its ranges from up to 32. Defaults to the validation data of the run, and to its training data "
            "for the ranges; without a run, the export is compared on drawn label maps."
        ),
    ] = None,
    license: Annotated[str | None, option(_TFLITE, "license")] = None,
    accept: Annotated[list[str] | None, typer.Option(metavar="NAME=NUMBER", help=ACCEPT)] = None,
):
    """Write the generator for serving, for a phone or as a web page, and compare it with the Keras model."""
    if format not in _FORMATS:
        raise ValueError(f"--format must be one of {', '.join(_FORMATS)}. Received: {format!r}.")
    given = {
        "quantization": quantization,
        "image_size": image_size and _size(image_size, format),
        "license": license,
        "accept": accepted_by(accept) if accept else None,
    }
    given = {name: value for name, value in given.items() if value is not None}
    _check_options(given, format)
    _check_output(output)
    model = load_model(run)
    import keras_pix2pix

    config = configuration_of(run)
    sought = {"images": images, "image_size": given.get("image_size") if given.get("image_size") != _ANY_SIZE else None}
    if quantization == "int8" and given.get("image_size") != _ANY_SIZE:
        representative, origin = source_pictures(run, model, **sought, **REPRESENTATIVE)
        if representative is not None:
            given["representative"] = representative
            print(f"{output}: ranges of {origin}", flush=True)
    if config and format in ("tflite", "web"):
        given["config"] = {name: value for name, value in config.items() if name not in _FOLDERS}
    given["pixels"], origin = source_pictures(run, model, **sought, **COMPARED)
    parity = getattr(keras_pix2pix, f"export_{format}")(model, output, **given)
    print_verdict(parity)
    print(f"{output}: compared on {origin}", flush=True)
    if format == "web" and not Path(output, "node_modules").is_dir():
        print(f"Once, to put LiteRT.js beside the page: npm install --prefix {output}", flush=True)
    if config:
        show_in_report(parity, run)


def _check_options(given, format):
    for name in given:
        if name in _FORMATS[format]:
            continue
        accepted = " or ".join(each for each, options in _FORMATS.items() if name in options)
        raise ValueError(f"--{name.replace('_', '-')} is for --format {accepted}. Received: --format {format}.")


def _check_output(output):
    """Raise if the export would replace anything that training has written; it may replace an earlier export."""
    path = Path(output).expanduser().absolute()
    beside = RunFolder(path.parent)
    of_training = path in (beside.configuration, beside.history, beside.health, beside.report)
    if path.suffix == ".keras" or of_training or RunFolder(path).configuration.is_file():
        raise ValueError(f"--output {output} is, or would replace, what training has written. Choose another name.")


def _size(text, format):
    if text != _ANY_SIZE:
        return parsed_image_size(text)
    if format == "onnx":
        raise ValueError("--format onnx takes pictures of any size. Received: --image-size any. Leave it out.")
    return text
