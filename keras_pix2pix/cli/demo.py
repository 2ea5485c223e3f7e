"""`keras-pix2pix demo`."""

import json
import shutil
import subprocess
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from keras_pix2pix import __version__
from keras_pix2pix.cli.documentation import option, parameter_help
from keras_pix2pix.cli.verdict import ACCEPT, accepted_by, print_verdict
from keras_pix2pix.deploy.page_server import HERE, page_server
from keras_pix2pix.runs.model import height_and_width, load_model, model_file
from keras_pix2pix.runs.pictures import COMPARED, REPRESENTATIVE, source_pictures

QUANTIZATION = '"none", "float16", "weights", "dynamic" or "int8", as in export. Default: "dynamic".'
IMAGE_SIZE = "256, or HEIGHTxWIDTH, in pixels. Default: the size that the generator was built for."
MADE_FROM = "made_from.json"
WRITTEN = ("index.html", "page.js", "settings.json", "check.png", "samples/1.png")  # By every export.
RUNTIME = "node_modules/@litertjs/core/package.json"


def demo(
    run: Annotated[str, typer.Argument(help=parameter_help("runs.model:load_model", "path"))],
    quantization: Annotated[str | None, typer.Option(help=QUANTIZATION)] = None,
    image_size: Annotated[str | None, typer.Option(metavar="HEIGHTxWIDTH", help=IMAGE_SIZE)] = None,
    images: Annotated[
        str | None,
        typer.Option(
            help="Folder of source pictures for samples, to compare on and for the ranges of --quantization int8. "
            "Defaults to the data of the run."
        ),
    ] = None,
    accept: Annotated[list[str] | None, typer.Option(metavar="NAME=NUMBER", help=ACCEPT)] = None,
    install: Annotated[bool, typer.Option("--install", help="Let npm fetch LiteRT.js first, if need be.")] = False,
    port: Annotated[int, option("deploy.page_server:page_server", "port")] = 0,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
):
    """Draw in the browser and see what the model makes of it; on this computer only, until Ctrl-C."""
    file = model_file(run)
    directory = Path(run) / "web" if Path(run).is_dir() else file.with_name(f"{file.stem}_web")
    given = {
        "quantization": quantization,
        "image_size": image_size and height_and_width(image_size),
        "images": images,
        "accept": accepted_by(accept) if accept else None,
    }
    _export(run, file, directory, {name: value for name, value in given.items() if value is not None})
    _require_runtime(directory, install)
    with page_server(directory, port) as server:
        address = f"http://{HERE}:{server.server_port}/"
        try:
            print(f"{address} shows {directory}. Ctrl-C ends.", flush=True)
            if browser:
                webbrowser.open(address)
            server.serve_forever()
        except KeyboardInterrupt:
            print("\nEnded.")


def _export(run, file, directory, given):
    """Write the page, unless it was made from this very model, by this version and with these options."""
    state = file.stat()
    made_from = {"version": __version__, "size": state.st_size, "time": state.st_mtime_ns}
    made_from = json.dumps({**made_from, **given}, indent=2) + "\n"
    note = directory / MADE_FROM
    whole = all((directory / name).is_file() for name in (*WRITTEN, f"{directory.name}.tflite"))
    if whole and note.is_file() and note.read_text(encoding="utf-8") == made_from:
        return
    model = load_model(run)
    from keras_pix2pix import export_web

    sought = {"images": given.pop("images", None), "image_size": given.get("image_size")}
    if given.get("quantization") == "int8":
        given["representative"], _ = source_pictures(run, model, **sought, **REPRESENTATIVE)
    pixels, origin = source_pictures(run, model, **sought, **COMPARED)
    print(f"{directory}: samples from {origin}", flush=True)
    print_verdict(export_web(model, directory, pixels=pixels, **given))
    note.write_text(made_from, encoding="utf-8")  # Last: a page without it is made again.


def _require_runtime(directory, install):
    if (directory / RUNTIME).is_file():
        return
    command = ["npm", "install", "--prefix", str(directory)]
    if not install:
        raise ValueError(
            f"LiteRT.js, which runs the model in the browser, is not in {directory} yet. Fetch it once with "
            f"`{' '.join(command)}`, or pass --install, which does it."
        )
    if shutil.which("npm") is None:
        raise ValueError("--install needs npm, which is not on this computer. Install Node.js, which brings it.")
    if subprocess.run(command).returncode:
        raise ValueError(f"`{' '.join(command)}` failed, for the reason above. Mend it, and run the command again.")
