"""`keras-pix2pix demo`."""

from typing import Annotated

import typer

from keras_pix2pix.cli.documentation import option, parameter_help
from keras_pix2pix.cli.verdict import ACCEPT, accepted_by, print_verdict
from keras_pix2pix.runs.model import parsed_image_size
from keras_pix2pix.runs.web_demo import page_of_run, require_runtime, serve

__all__ = ["demo"]

_QUANTIZATION = '"none", "float16", "weights", "dynamic" or "int8", as in export. Default: "dynamic".'
_IMAGE_SIZE = "256, or HEIGHTxWIDTH, in pixels. Default: the size that the generator was built for."


def demo(
    run: Annotated[str, typer.Argument(help=parameter_help("runs.model:load_model", "path"))],
    quantization: Annotated[str | None, typer.Option(help=_QUANTIZATION)] = None,
    image_size: Annotated[str | None, typer.Option(metavar="HEIGHTxWIDTH", help=_IMAGE_SIZE)] = None,
    images: Annotated[
        str | None,
        typer.Option(
            help="Folder of source pictures for samples, for the comparison and for the ranges of --quantization "
            "int8. Defaults to the data of the run."
        ),
    ] = None,
    accept: Annotated[list[str] | None, typer.Option(metavar="NAME=NUMBER", help=ACCEPT)] = None,
    install: Annotated[
        bool, typer.Option("--install", help="Let npm download LiteRT.js first if it is missing.")
    ] = False,
    port: Annotated[int, option("deploy.page_server:page_server", "port")] = 0,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
):
    """Draw in the browser and see what the model generates, on this computer only, until Ctrl-C."""
    given = {
        "quantization": quantization,
        "image_size": image_size and parsed_image_size(image_size),
        "images": images,
        "accept": accepted_by(accept) if accept else None,
    }
    given = {name: value for name, value in given.items() if value is not None}
    directory, parity = page_of_run(run, given)
    if parity:
        print_verdict(parity)
    require_runtime(directory, install)
    serve(directory, port, browser)
