"""The browser page of a run: writes it if it is missing or out of date, and serves it on this computer."""

import json
import shutil
import subprocess
import webbrowser
from pathlib import Path

from keras_pix2pix import __version__
from keras_pix2pix.deploy.page_server import HERE, page_server
from keras_pix2pix.pretrained import model_file, pretrained_file
from keras_pix2pix.runs.model import load_model
from keras_pix2pix.runs.pictures import COMPARED, REPRESENTATIVE, source_pictures

__all__ = ["page_of_run", "require_runtime", "serve"]

_MADE_FROM = "made_from.json"
_WRITTEN = ("index.html", "page.js", "settings.json", "check.png", "samples/1.png")  # By every export.
_RUNTIME = "node_modules/@litertjs/core/package.json"


def page_of_run(run, given):
    """The folder of a run's page, and the `Parity` of its export, or None if the page already exists.

    It is written unless it was made from the same model by the same version with the options in `given`.
    """
    file = model_file(run)
    if pretrained_file(run):
        directory = Path(f"{run}_web")
    else:
        directory = Path(run) / "web" if Path(run).is_dir() else file.with_name(f"{file.stem}_web")
    state = file.stat()
    made_from = {"version": __version__, "size": state.st_size, "time": state.st_mtime_ns}
    made_from = json.dumps({**made_from, **given}, indent=2) + "\n"
    note = directory / _MADE_FROM
    whole = all((directory / name).is_file() for name in (*_WRITTEN, f"{directory.name}.tflite"))
    if whole and note.is_file() and note.read_text(encoding="utf-8") == made_from:
        return directory, None
    model = load_model(run)
    from keras_pix2pix import export_web

    sought = {"images": given.get("images"), "image_size": given.get("image_size")}
    options = {name: value for name, value in given.items() if name != "images"}
    if given.get("quantization") == "int8":
        options["representative"], _ = source_pictures(run, model, **sought, **REPRESENTATIVE)
    pixels, origin = source_pictures(run, model, **sought, **COMPARED)
    print(f"{directory}: samples from {origin}", flush=True)
    parity = export_web(model, directory, pixels=pixels, **options)
    note.write_text(made_from, encoding="utf-8")  # Last, because a page without it is written again.
    return directory, parity


def require_runtime(directory, install):
    """Raise unless LiteRT.js is beside the page; with `install`, npm downloads it."""
    if (directory / _RUNTIME).is_file():
        return
    command = ["npm", "install", "--prefix", str(directory)]
    if not install:
        raise ValueError(
            f"LiteRT.js, which runs the model in the browser, is not in {directory} yet. Download it once with "
            f"`{' '.join(command)}`, or pass --install."
        )
    if shutil.which("npm") is None:
        raise ValueError("--install needs npm, which is not on this computer. Install Node.js, which includes npm.")
    if subprocess.run(command).returncode:
        raise ValueError(f"`{' '.join(command)}` failed, for the reason above. Fix it, and run the command again.")


def serve(directory, port, browser):
    """Serve the page until Ctrl-C."""
    with page_server(directory, port) as server:
        address = f"http://{HERE}:{server.server_port}/"
        try:
            print(f"{address} shows {directory}. Stop with Ctrl-C.", flush=True)
            if browser:
                webbrowser.open(address)
            server.serve_forever()
        except KeyboardInterrupt:
            print("\nEnded.")
