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
ACCEPTED = ("least_psnr", "most_levels", "least_equal")
FORMATS = {
    "saved_model": ACCEPTED,
    "tflite": ("quantization", "image_size", "license", *ACCEPTED),
    "onnx": ("image_size", *ACCEPTED),
}
IMAGE_SIZE = f"tflite: {parameter_help(TFLITE, 'image_size')} onnx: {parameter_help(ONNX, 'image_size')}"
ANY_SIZE = "any"
USUAL_SIZE = 256
# The ranges of more pictures are no better: benchmarks/quantization.py.
REPRESENTATIVE_PICTURES = 32
COMPARED_PICTURES = 16
EXPORTS = "exports"  # Where a run's report finds what came of its exports.
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
            "them, and --quantization int8 takes its ranges from up to 32. Defaults to the validation data of the run, "
            "and to its training data for the ranges; without a run, it is compared on drawn label maps."
        ),
    ] = None,
    license: Annotated[str | None, option(TFLITE, "license")] = None,
    least_psnr: Annotated[float | None, option(TFLITE, "least_psnr")] = None,
    most_levels: Annotated[float | None, option(TFLITE, "most_levels")] = None,
    least_equal: Annotated[float | None, option(TFLITE, "least_equal")] = None,
):
    """Write the generator for serving or for a phone, and compare what was written with the Keras model."""
    if format not in FORMATS:
        raise ValueError(f"--format must be one of {', '.join(FORMATS)}. Received: {format!r}.")
    given = {
        "quantization": quantization,
        "image_size": image_size and _size(image_size, format),
        "license": license,
        "least_psnr": least_psnr,
        "most_levels": most_levels,
        "least_equal": least_equal,
    }
    given = {name: value for name, value in given.items() if value is not None}
    _check_options(given, format)
    model = load(run)
    import keras_pix2pix

    config = _configuration(Path(run))
    pictures = {"images": images, "image_size": given.get("image_size"), "run": Path(run), "config": config}
    if quantization == "int8" and given.get("image_size") != ANY_SIZE:
        representative, origin = _pictures(model, **pictures, count=REPRESENTATIVE_PICTURES, kinds=("training",))
        if representative is not None:
            given["representative"] = representative
            print(f"{output}: ranges of {origin}", flush=True)
    if config and format == "tflite":
        given["config"] = {name: value for name, value in config.items() if name not in FOLDERS}
    given["pixels"], origin = _pictures(model, **pictures, count=COMPARED_PICTURES, kinds=("validation", "training"))
    getattr(keras_pix2pix, f"export_{format}")(model, output, **given)
    print(f"{output}: compared on {origin}", flush=True)
    if Path(run).is_dir():
        from keras_pix2pix.deploy.verdict import copy_verdict

        copy_verdict(output, Path(run) / EXPORTS)


def _check_options(given, format):
    for name in given:
        if name in FORMATS[format]:
            continue
        accepted = " or ".join(each for each, options in FORMATS.items() if name in options)
        raise ValueError(f"--{name.replace('_', '-')} is for --format {accepted}. Received: --format {format}.")


def _size(text, format):
    if text != ANY_SIZE:
        return height_and_width(text)
    if format == "onnx":
        raise ValueError("--format onnx takes pictures of any size. Received: --image-size any. Leave it out.")
    return text


def _configuration(run):
    """What a run was begun with; None of a bare model."""
    return resumed_configuration(run, {}) if (run / CONFIG_FILE).is_file() else None


def _pictures(model, images, image_size, run, config, count, kinds):
    """Source pixels like those that will come, and words on where they are from; None where there are none."""
    from keras_pix2pix.networks.serving import encodings_of

    generator = getattr(model, "generator", model)
    fixed = None if image_size == ANY_SIZE else image_size
    image_size = fixed or tuple(side or USUAL_SIZE for side in generator.input_shape[1:3])
    if images:
        pixels = folder_sources(images, encodings_of(model)[0], image_size, count)
        return pixels, f"{_number(pixels)} of {images}"
    data = dict(zip(("training", "validation"), run_folders(config, run, resume=True), strict=True)) if config else {}
    for kind in kinds:
        if data.get(kind) and _are_there(data[kind]):
            pixels = run_sources(config, data[kind], image_size, count)
            return pixels, f"{_number(pixels)} of the {kind} data"
    return None, "drawn label maps"


def _number(pixels):
    return f"{len(pixels)} picture{'s' if len(pixels) > 1 else ''}"


def _are_there(folders):
    sources, target = folders
    wanted = [*([sources] if isinstance(sources, (str, Path)) else sources), *([target] if target else [])]
    return all(Path(folder).is_dir() for folder in wanted)
