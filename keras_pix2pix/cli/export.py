"""`keras-pix2pix export`."""

from pathlib import Path
from typing import Annotated

import typer

from keras_pix2pix.cli.configuration import CONFIG_FILE, resumed_configuration
from keras_pix2pix.cli.documentation import option, parameter_help
from keras_pix2pix.cli.models import height_and_width, load
from keras_pix2pix.cli.run_data import folder_sources, run_folders, run_sources

TFLITE, ONNX = "deploy.tflite:export_tflite", "deploy.onnx:export_onnx"
# And which options each has.
FORMATS = {"saved_model": (), "tflite": ("quantization", "image_size", "license"), "onnx": ("image_size",)}
IMAGE_SIZE = f"tflite: {parameter_help(TFLITE, 'image_size')} onnx: {parameter_help(ONNX, 'image_size')}"
ANY_SIZE = "any"
USUAL_SIZE = 256
# The ranges of more pictures are no better: benchmarks/quantization.py.
REPRESENTATIVE_PICTURES = 32
FOLDERS = {"data", "target", "extra_source", "validation", "validation_target", "extra_validation_source"}


def export(
    run: Annotated[str, typer.Argument(help=parameter_help("cli.models:load", "path"))],
    output: Annotated[str, typer.Option(help="Folder (saved_model) or file (tflite, onnx) to write.")],
    format: Annotated[str, typer.Option(help=f"One of {', '.join(FORMATS)}.")],
    quantization: Annotated[str | None, option(TFLITE, "quantization")] = None,
    image_size: Annotated[str | None, typer.Option(help=IMAGE_SIZE, metavar="HEIGHTxWIDTH|any")] = None,
    images: Annotated[
        str | None,
        typer.Option(
            help="Folder of source pictures like those that will come: what was written is compared on up to 16 of "
            "them, and --quantization int8 takes its ranges from up to 32. Defaults to the training data of the run "
            "for the ranges."
        ),
    ] = None,
    license: Annotated[str | None, option(TFLITE, "license")] = None,
):
    """Write the generator for serving or for a phone, and compare what was written with the Keras model."""
    if format not in FORMATS:
        raise ValueError(f"--format must be one of {', '.join(FORMATS)}. Received: {format!r}.")
    given = {"quantization": quantization, "image_size": image_size and _size(image_size, format), "license": license}
    given = {name: value for name, value in given.items() if value is not None}
    for name in given:
        if name in FORMATS[format]:
            continue
        accepted = " or ".join(each for each, options in FORMATS.items() if name in options)
        raise ValueError(f"--{name.replace('_', '-')} is for --format {accepted}. Received: --format {format}.")
    model = load(run)
    import keras_pix2pix

    pictures_of = {"images": images, "image_size": given.get("image_size")}
    config = _configuration(Path(run)) if format == "tflite" else None
    if images:
        given["pixels"] = _pictures(model, **pictures_of)[::2]
    if config:
        given["config"] = {name: value for name, value in config.items() if name not in FOLDERS}
    if quantization == "int8" and given.get("image_size") != ANY_SIZE and (images or config):
        given["representative"] = _pictures(model, **pictures_of, run=Path(run), config=config)
        print(f"{output}: ranges of {len(given['representative'])} pictures of {images or 'the training data'}")
    getattr(keras_pix2pix, f"export_{format}")(model, output, **given)


def _size(text, format):
    if text != ANY_SIZE:
        return height_and_width(text)
    if format == "onnx":
        raise ValueError("--format onnx takes pictures of any size. Received: --image-size any. Leave it out.")
    return text


def _configuration(run):
    """What a run was begun with; None of a bare model."""
    return resumed_configuration(run, {}) if (run / CONFIG_FILE).is_file() else None


def _pictures(model, images, image_size, run=None, config=None):
    """Source pixels like those that will come, from a folder, or from the training data of a run."""
    from keras_pix2pix.networks.serving import encodings_of

    generator = getattr(model, "generator", model)
    encoding, _ = encodings_of(model)
    fixed = None if image_size == ANY_SIZE else image_size
    image_size = fixed or tuple(side or USUAL_SIZE for side in generator.input_shape[1:3])
    if images:
        return folder_sources(images, encoding, image_size, REPRESENTATIVE_PICTURES)
    training, _ = run_folders(config, run, resume=True)
    return run_sources(config, training, image_size, REPRESENTATIVE_PICTURES)
