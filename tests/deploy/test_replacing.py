"""What exports refuse to replace, and what is said when there is no room."""

import os
import resource

import numpy as np
import pytest

from keras_pix2pix import export_onnx, export_saved_model, export_tflite, export_web, unet_generator
from keras_pix2pix.images import write_png

FILES = {export_tflite: "a TFLite file", export_onnx: "an ONNX file"}
FOLDERS = {export_saved_model: "a SavedModel", export_web: "a page of this kind"}
EVERY = pytest.mark.parametrize("export", [*FILES, *FOLDERS])
# The place is checked before the model is looked at.
NO_MODEL = object()


@pytest.fixture
def generator():
    return unet_generator((32, 32, 3), filters=4)


def contents_of(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def write_picture(path):
    write_png(path, np.zeros((4, 4, 3), np.uint8))


def write_text(path):
    path.write_text("mine")


def write_tflite_cut_short(path):
    path.write_bytes(b"\0\0\0\0TFL")


@EVERY
@pytest.mark.parametrize("write", [write_picture, write_text, write_tflite_cut_short])
def test_files_of_another_kind_are_not_replaced(tmp_path, export, write):
    write(tmp_path / "x")
    before = contents_of(tmp_path)
    with pytest.raises(ValueError, match=f"{tmp_path / 'x'} exists and is not {({**FILES, **FOLDERS})[export]}"):
        export(NO_MODEL, tmp_path / "x")
    assert contents_of(tmp_path) == before


@EVERY
@pytest.mark.parametrize("special", [os.devnull, "pipe"])
def test_devices_and_pipes_are_not_replaced(tmp_path, export, special):
    if special == "pipe":
        os.mkfifo(tmp_path / "pipe")
    path = tmp_path / special  # Of an absolute path, that path.
    before = os.stat(path)
    with pytest.raises(ValueError, match=f"{path} (is a device, pipe or socket|exists and is not)"):
        export(NO_MODEL, path)
    assert (os.stat(path).st_mode, os.stat(path).st_ino) == (before.st_mode, before.st_ino)


@pytest.mark.parametrize("export", [export_tflite, export_onnx, export_saved_model])
@pytest.mark.parametrize(
    ("name", "contents", "words"),
    [
        ("x.export.json", "[1, 2]", "was not written by an export"),
        ("x.export.json", '{"file": "of mine"}', "was not written by an export"),
        ("x.export.json", "notes", "was not written by an export"),
        ("x.export.png", "notes", "was not written by an export"),
        ("x.export.png", "\x89PNG\r\n\x1a\n of another program", "was not written by an export"),
    ],
)
def test_files_that_the_verdict_would_replace_are_not_replaced(tmp_path, export, name, contents, words):
    (tmp_path / name).write_bytes(contents.encode("latin-1"))
    with pytest.raises(ValueError, match=f"{tmp_path / name} exists and {words}"):
        export(NO_MODEL, tmp_path / "x")
    assert [(path.name, path.read_bytes().decode("latin-1")) for path in tmp_path.iterdir()] == [(name, contents)]


@pytest.mark.parametrize("name", ["variables/notes.txt", "notes.txt", "more/notes.txt"])
def test_a_saved_model_with_files_of_others_is_not_replaced(tmp_path, name):
    for each in ("saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001", name):
        (tmp_path / "x" / each).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "x" / each).write_text("mine")
    with pytest.raises(ValueError, match=f"holds more than a SavedModel.* delete: {name}. Move them away"):
        export_saved_model(NO_MODEL, tmp_path / "x")
    assert (tmp_path / "x" / name).read_text() == "mine"


@pytest.mark.parametrize("name", ["samples/mine.png", "x.tflite.bak", "CNAME", ".git/HEAD"])
def test_a_page_with_files_of_others_is_not_replaced(tmp_path, name):
    contents = {"index.html": "", "page.js": "", "settings.json": '{"model": "x.tflite"}', "x.tflite": "", name: "mine"}
    for each, text in contents.items():
        (tmp_path / "x" / each).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "x" / each).write_text(text)
    with pytest.raises(ValueError, match=f"holds more than a page.* delete: {name}. Move them away"):
        export_web(NO_MODEL, tmp_path / "x")
    assert (tmp_path / "x" / name).read_text() == "mine"


@pytest.mark.parametrize(
    "contents",
    [
        {"package.json": '{"dependencies": {"left-pad": "1.0.0"}}', "node_modules/left-pad/index.js": ""},
        {"package.json": '{"dependencies": 5}'},
        {"index.html": "", "page.js": "", "settings.json": "[]"},
        {"index.html": "", "page.js": "", "settings.json": '{"theme": "dark"}'},
    ],
)
def test_projects_and_pages_of_others_are_not_replaced(tmp_path, contents):
    for name, text in contents.items():
        (tmp_path / "x" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "x" / name).write_text(text)
    before = contents_of(tmp_path)
    with pytest.raises(ValueError, match="x exists and is not a page of this kind"):
        export_web(NO_MODEL, tmp_path / "x")
    assert contents_of(tmp_path) == before


@pytest.mark.parametrize("export", FOLDERS)
@pytest.mark.parametrize("path", [".", "..", "../here"])
def test_the_working_folder_is_not_replaced(tmp_path, monkeypatch, export, path):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(ValueError, match="holds the working folder"):
        export(NO_MODEL, path)


def test_a_page_under_a_name_with_brackets_is_replaced(generator, tmp_path):
    for _ in range(2):
        export_web(generator, tmp_path / "x[1]")


@pytest.mark.parametrize("name", ["x[1]", "x*", "x?", "[a]/x"])
def test_tensorflow_would_not_find_a_saved_model_under_a_pattern(tmp_path, name):
    with pytest.raises(ValueError, match="treats as a pattern"):
        export_saved_model(NO_MODEL, tmp_path / name)


@EVERY
def test_a_limit_on_file_sizes_is_said_of_the_output_and_nothing_is_left(generator, tmp_path, export):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(OSError, match="File too large") as error:
            export(generator, tmp_path / "x", **({"quantization": "none"} if export is export_web else {}))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert error.value.filename == str(tmp_path / "x")
    assert not list(tmp_path.iterdir())
