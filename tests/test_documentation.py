"""README, guides and notebook: their programs run, their commands exist, and no public name is missing."""

import collections
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import typer.main
from PIL import Image

import keras_pix2pix
from keras_pix2pix import Pix2Pix, callbacks, metrics, paired_dataset
from keras_pix2pix.cli.main import _app
from keras_pix2pix.data import synthetic
from keras_pix2pix.data.synthetic import write_facades
from keras_pix2pix.training.presets import PRESETS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs/guides").glob("*.md"))]
COMMANDS = typer.main.get_command(_app)
# What a page shows and no test runs: commands are parsed, and the rest is counted here.
NOT_RUN = {"yaml": 2, "": 1}  # Kubernetes; the tree of the package.
# Other programs than ours, whose options are none of our affair.
OTHERS = ("make ", "npm ", "pip ", "python ", "tensorboard ", "unzip ")


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def languages(page):
    """The language of every fenced block, indented or not, with other characters or not."""
    fences = re.findall(r"^\s*(?:```+|~~~+)[ \t]*(\S*)", page.read_text(encoding="utf-8"), re.MULTILINE)
    return fences[::2]


def commands():
    """Every `keras-pix2pix` command of the pages' blocks, within another command or not, without its comment."""
    found = []
    for page in PAGES:
        text = "\n".join([*blocks(page, "sh"), *blocks(page, "yaml")]).replace("\\\n", " ")
        for line in re.findall(r"(?:^|\s)keras-pix2pix +([^'\n]*)", text):
            words = shlex.split(line, comments=True)
            found.append(pytest.param(words, id=f"{page.stem}: {' '.join(words)[:40]}"))
    return found


def options():
    """Every option that a page names in its text: (what stands there, option)."""
    found = []
    for page in PAGES:
        prose = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
        for code in re.findall(r"`([^`]+)`", prose):
            if not code.startswith(OTHERS):
                found += [(f"{page.name}: {code}", code, option) for option in re.findall(r"(?<!\S)--[a-z-]+", code)]
    return found


def options_of(code):
    """The options that may stand in a piece of code: those of its command, or of any where it names none."""
    words = code.removeprefix("keras-pix2pix ").split()
    named = [COMMANDS.commands[words[0]]] if words[0] in COMMANDS.commands else [COMMANDS, *COMMANDS.commands.values()]
    return {option for command in named for parameter in command.params for option in parameter.opts}


def test_there_are_commands_and_options_to_check():
    assert len(commands()) > 20
    assert len(options()) > 20


@pytest.mark.parametrize("arguments", commands())
def test_a_command_has_the_arguments_that_the_guides_give_it(arguments):
    name, *rest = arguments
    COMMANDS.commands[name].make_context(name, rest)  # Parses, and runs nothing.


def test_the_options_in_the_text_exist():
    assert [place for place, code, option in options() if option not in options_of(code)] == []


def shorten(monkeypatch):
    """Networks of two filters, and one step where a page trains for 200 epochs."""
    for network in ("generator", "discriminator"):
        monkeypatch.setitem(PRESETS["paper"][network], "filters", 2)
    fit = Pix2Pix.fit

    def one_step(self, *data, initial_epoch=0, **options):
        short = {"epochs": initial_epoch + 1, "steps_per_epoch": 1, "verbose": 0}
        return fit(self, *data, initial_epoch=initial_epoch, **{**options, **short})

    monkeypatch.setattr(Pix2Pix, "fit", one_step)


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """The folder of somebody who reads: the files that the pages name, drawn, and a run of one step."""
    folder = tmp_path_factory.mktemp("reader")
    for name in ("facades/train", "facades/test", "my_labels"):
        write_facades(folder / name, 2, image_size=(256, 256), direction="BtoA")
    Image.fromarray(np.tile(synthetic.facade(1, (300, 350))[0], (2, 2, 1))).save(folder / "map.png")
    with pytest.MonkeyPatch.context() as patch:
        shorten(patch)
        model = Pix2Pix.from_preset("paper", direction="BtoA", metrics=[metrics.PSNR(), metrics.SSIM()])
        pairs = paired_dataset(folder / "facades/train", direction="BtoA")
        model.fit(pairs, callbacks=[callbacks.Checkpoint(folder / "run/model.keras")])
    return folder


# What the programs of a page leave, by the page's name: a function of their variables.
LEFT = {
    "README.md": lambda names: Path("facades.tflite").is_file() and len(list(Path("generated").iterdir())) == 2,
    "data.md": lambda names: Path("pairs.png").is_file() and names["source"].shape == (1, 256, 256, 3),
    "devices.md": lambda names: names["model"].generator_optimizer.iterations.numpy() == 1,
    "evaluating.md": lambda names: {"g_l1", "psnr", "ssim"} <= {*names["scores"]},
    "exporting.md": lambda names: Path("facades.tflite").is_file() and Path("facades_saved_model").is_dir(),
    "large_pictures.md": lambda names: Image.open("generated/map.png").size == (700, 600),
    "training.md": lambda names: (
        (names["epoch"], names["step"]) == (1, 1)
        and int(keras.saving.load_model("run/model.keras").generator_optimizer.iterations) == 2
    ),
}


@pytest.mark.parametrize("name", LEFT)
def test_the_programs_of_a_page_run_in_their_order(name, reader, tmp_path, monkeypatch):
    shutil.copytree(reader, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    shorten(monkeypatch)
    (page,) = (page for page in PAGES if page.name == name)
    names = {}
    for program in blocks(page, "python"):
        exec(compile(program, name, "exec"), names)
    assert LEFT[name](names)


def test_every_block_is_run_parsed_or_counted():
    """A program in a block of another name would be run by nobody."""
    shown = collections.Counter(language for page in PAGES for language in languages(page))
    programs = {page.name: languages(page).count("python") for page in PAGES if "python" in languages(page)}
    assert programs == {page.name: len(blocks(page, "python")) for page in PAGES if page.name in LEFT}
    assert {language: count for language, count in shown.items() if language not in ("python", "sh")} == NOT_RUN


def test_the_quick_start_is_short():
    (program,) = blocks(ROOT / "README.md", "python")
    assert len([line for line in program.splitlines() if line.strip()]) <= 12


def test_the_api_page_has_the_public_names_and_no_others():
    """By their public names: where an object is defined may change."""
    page = (ROOT / "docs/guides/api.md").read_text(encoding="utf-8")
    shown = [line.removeprefix("::: keras_pix2pix.") for line in page.splitlines() if line.startswith("::: ")]
    modules = {"callbacks": callbacks, "data.synthetic": synthetic, "metrics": metrics}
    modules |= {name: getattr(keras_pix2pix, name) for name in ("encodings", "evaluation", "images")}
    public = {*keras_pix2pix.__all__} - {"__version__", "data", *(name.partition(".")[0] for name in modules)}
    for place, module in modules.items():
        public |= {f"{place}.{name}" for name in module.__all__ if callable(getattr(module, name))}
    assert sorted(shown) == sorted(public)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_within_the_repository_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_the_readme_is_short():
    assert (ROOT / "README.md").stat().st_size < 10_000


NOTEBOOK = ROOT / "examples/quickstart.ipynb"


def cells():
    return json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]


def test_the_notebook_has_ten_cells_and_keeps_no_output():
    assert [cell["cell_type"] for cell in cells()] == ["code"] * 10
    assert all(cell["source"][0].startswith("# ") for cell in cells())
    assert not any(cell["outputs"] or cell["execution_count"] for cell in cells())


@pytest.mark.slow
def test_the_notebook_ends_with_a_picture_by_the_tflite_file(tmp_path, monkeypatch):
    """As it stands, with its two minutes of training."""
    monkeypatch.chdir(tmp_path)
    names = {}
    for number, cell in enumerate(cells(), start=1):
        exec(compile("".join(cell["source"]), f"cell {number}", "exec"), names)
    labels, generated, drawn = (names[name].astype(float) for name in ("labels", "generated", "drawn"))
    assert Path("quickstart/facades.tflite").is_file()
    assert np.abs(generated - drawn).mean() < np.abs(labels - drawn).mean() / 2


def build(folder, output):
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", folder / "mkdocs.yml", "-d", output],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )


@pytest.fixture
def copied_docs(tmp_path):
    """The documentation and the sources that its API is read from, to be changed."""
    for name in ("mkdocs", "mkdocstrings", "material"):
        pytest.importorskip(name, reason="`make docs` installs what builds the documentation.")
    for folder in ("docs", "keras_pix2pix"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "docs"


@pytest.mark.slow
def test_the_built_pages_load_nothing_from_elsewhere(copied_docs, tmp_path):
    result = build(copied_docs, tmp_path / "site")
    assert result.returncode == 0, result.stdout
    pages = [*(tmp_path / "site").rglob("*.html")]
    assert len(pages) > 10
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert not re.findall(r"<(?:script|img|iframe|source)\b[^>]*\bsrc=[\"']?(?:https?:)?//[^>]*>", text), page
        assert not re.findall(r"<link\b[^>]*\bhref=[\"']?(?:https?:)?//[^>]*>", text), page
    api = (tmp_path / "site/api.html").read_text(encoding="utf-8")
    assert 'id="keras_pix2pix.export_tflite"' in api


@pytest.mark.slow
@pytest.mark.parametrize("line", ["[gone](gone.md)", "::: keras_pix2pix.gone"])
def test_the_build_fails_where_something_is_missing(copied_docs, tmp_path, line):
    with (copied_docs / "guides/data.md").open("a") as page:
        page.write(f"\n{line}\n")
    result = build(copied_docs, tmp_path / "site")
    assert result.returncode != 0
    assert "gone" in result.stdout


def test_make_docs_builds_as_the_tests_do():
    """With --quiet, mkdocs drops the warnings before --strict counts them."""
    (recipe,) = re.findall(r"mkdocs build .*", (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert "--strict" in recipe
    assert "--quiet" not in recipe
