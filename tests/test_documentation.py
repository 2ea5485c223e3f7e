"""README and guides: their programs run, their commands exist, and no public name is missing."""

import re
import shlex
from pathlib import Path

import keras
import numpy as np
import pytest
import typer.main

import keras_pix2pix
from keras_pix2pix import Pix2Pix, callbacks, metrics, unet_generator
from keras_pix2pix.cli.main import app
from keras_pix2pix.data.synthetic import write_facades

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs/guides").glob("*.md"))]
COMMANDS = typer.main.get_command(app)


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def commands():
    """Every `keras-pix2pix` command of the pages' shell blocks, without its comment."""
    for page in PAGES:
        for line in "\n".join(blocks(page, "sh")).replace("\\\n", " ").splitlines():
            if line.startswith("keras-pix2pix "):
                yield pytest.param(shlex.split(line, comments=True)[1:], id=f"{page.stem}: {line[14:50].strip()}")


@pytest.mark.parametrize("arguments", commands())
def test_a_command_has_the_arguments_that_the_guides_give_it(arguments):
    name, *rest = arguments
    COMMANDS.commands[name].make_context(name, rest)  # Parses, and runs nothing.


@pytest.fixture
def facades(tmp_path, monkeypatch):
    """The folders that the guides name, with a few drawn pairs, where 200 epochs are one."""
    monkeypatch.chdir(tmp_path)
    for name in ("facades/train", "facades/test", "my_labels"):
        write_facades(name, 2, image_size=(256, 256))
    for network in ("generator", "discriminator"):
        monkeypatch.setitem(keras_pix2pix.training.presets.PRESETS["paper"][network], "filters", 2)
    fit = Pix2Pix.fit
    short = {"epochs": 1, "steps_per_epoch": 1, "verbose": 0}
    monkeypatch.setattr(Pix2Pix, "fit", lambda self, *data, **options: fit(self, *data, **{**options, **short}))


def test_the_quick_start_runs(facades):
    (program,) = blocks(ROOT / "README.md", "python")
    exec(program, {})
    assert Path("facades.tflite").is_file()
    assert len(list(Path("generated").iterdir())) == 2


def test_the_block_on_resuming_runs(facades):
    model = Pix2Pix(unet_generator((256, 256, 3), filters=2))
    model.compile(lambda_gan=0, metrics=[metrics.PSNR()])
    images = np.zeros((1, 256, 256, 3), "float32")
    model.fit(images, images, callbacks=[callbacks.Checkpoint("run/model.keras")])
    (program,) = blocks(ROOT / "docs/guides/training.md", "python")
    exec(program.replace("initial_epoch=epoch", "initial_epoch=0"), names := {})
    assert (names["epoch"], names["step"]) == (1, 1)
    assert int(keras.saving.load_model("run/model.keras").generator_optimizer.iterations) == 2


def test_every_program_of_the_guides_is_run_here():
    assert {page.name: len(blocks(page, "python")) for page in PAGES if blocks(page, "python")} == {
        "README.md": 1,
        "training.md": 1,
    }


def test_the_api_page_has_every_public_name():
    page = (ROOT / "docs/guides/api.md").read_text(encoding="utf-8")
    shown = {line.rpartition(".")[2] for line in page.splitlines() if line.startswith("::: ")}
    public = {*keras_pix2pix.__all__} - {"__version__"}
    for module in ("callbacks", "encodings", "images", "metrics"):
        public |= {*getattr(keras_pix2pix, module).__all__} - {"EXTENSIONS"}
    assert public - {"callbacks", "data", "encodings", "images", "metrics"} <= shown


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_within_the_repository_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_the_readme_is_short():
    assert (ROOT / "README.md").stat().st_size < 10_000
