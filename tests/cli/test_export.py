"""`keras-pix2pix export`: the verdict that it leaves."""

import errno
import json
import os
import shutil

import numpy as np
import pytest

import keras_pix2pix
from keras_pix2pix.data.synthetic import write_facades
from keras_pix2pix.deploy import verdict
from keras_pix2pix.deploy.verdict import _digest
from keras_pix2pix.images import write_png
from keras_pix2pix.inference import lean as rewrite


@pytest.fixture
def data(tmp_path):
    """Folders of pairs, 20 to train on and 3 to validate."""
    write_facades(tmp_path / "train", 20, image_size=(32, 32))
    write_facades(tmp_path / "validation", 3, image_size=(32, 32), seed=100)
    return tmp_path


@pytest.fixture
def run_dir(data):
    """A run folder as far as an export reads it."""
    config = {
        "data": str(data / "train"),
        "validation": str(data / "validation"),
        **{"preset": "paper", "direction": "BtoA", "image_size": [32, 32], "batch_size": 1, "epochs": 1, "seed": 0},
    }
    (data / "run").mkdir()
    (data / "run" / "config.json").write_text(json.dumps(config))
    model = keras_pix2pix.Pix2Pix(keras_pix2pix.unet_generator((32, 32, 3), filters=2), direction="BtoA")
    model.save(data / "run" / "model.keras")
    return data / "run"


def record_of(path):
    return json.loads(path.with_name(f"{path.name}.export.json").read_text())


def test_a_run_is_compared_on_its_validation_data(run, run_dir, tmp_path):
    path = tmp_path / "x.tflite"
    code, printed, errors = run("export", run_dir, "--format", "tflite", "--output", path)
    assert (code, errors) == (0, "")
    verdict, *_, last = printed.splitlines()
    assert last == f"{path}: compared on 3 pictures of the validation data"
    assert verdict.startswith(f"{path}: 0.1 MB, PSNR ")
    record = record_of(path)
    assert (record["pictures"], record["drawn_pictures"], record["source"]) == (3, False, "32x32 rgb")
    assert record["sha256"] == _digest(path)


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ({"validation"}, "16 pictures of the training data"),
        ({"validation", "train"}, "drawn label maps"),
    ],
)
def test_where_there_is_none_on_what_is_there(run, run_dir, tmp_path, missing, words):
    for name in missing:
        shutil.rmtree(tmp_path / name)
    path = tmp_path / "x.tflite"
    code, printed, errors = run("export", run_dir, "--format", "tflite", "--output", path)
    assert (code, errors) == (0, "")
    assert f"{path}: compared on {words}\n" in printed
    assert record_of(path)["drawn_pictures"] == (words == "drawn label maps")


def test_a_run_without_validation_is_compared_on_its_training_data(run, run_dir, tmp_path):
    config = json.loads((run_dir / "config.json").read_text())
    del config["validation"]
    (run_dir / "config.json").write_text(json.dumps(config))
    code, printed, _ = run("export", run_dir, "--format", "saved_model", "--output", tmp_path / "saved")
    assert code == 0
    assert "compared on 16 pictures of the training data" in printed


def test_the_run_folder_keeps_what_came_of_its_exports(run, run_dir, tmp_path):
    for path in (tmp_path / "x.tflite", run_dir / "exports" / "y.tflite", tmp_path / "saved"):
        form = "tflite" if path.suffix else "saved_model"
        assert run("export", run_dir, "--format", form, "--output", path)[0] == 0
    assert {path.name for path in (run_dir / "exports").rglob("*.*")} == {
        "y.tflite",
        *(f"{name}.export.{suffix}" for name in ("x.tflite", "y.tflite", "saved") for suffix in ("json", "png")),
    }
    assert record_of(kept(run_dir, "x.tflite")) == record_of(tmp_path / "x.tflite")


def test_a_bare_model_is_compared_on_drawn_label_maps_or_on_a_folder(run, tmp_path):
    keras_pix2pix.unet_generator((32, 32, 3), filters=2).save(tmp_path / "generator.keras")
    write_png(tmp_path / "pictures" / "0.png", np.full((50, 40, 3), 100, "uint8"))
    arguments = ("export", tmp_path / "generator.keras", "--format", "tflite", "--output", tmp_path / "x.tflite")
    assert "compared on drawn label maps" in run(*arguments)[1]
    code, printed, _ = run(*arguments, "--images", tmp_path / "pictures")
    assert code == 0
    assert f"compared on 1 picture of {tmp_path / 'pictures'}" in printed
    assert record_of(tmp_path / "x.tflite")["pictures"] == 1
    assert not (tmp_path / "exports").exists()


@pytest.mark.parametrize("form", ["tflite", "saved_model"])
def test_what_is_accepted_is_said_by_flags(run, run_dir, tmp_path, form, monkeypatch):
    kernel = rewrite.subpixel_kernel
    monkeypatch.setattr(rewrite, "subpixel_kernel", lambda *original, **form: kernel(*original, **form) * 2)
    arguments = ("export", run_dir, "--format", form, "--output", tmp_path / "x")
    code, _, errors = run(*arguments, "--accept", "psnr=99", "--accept", "levels=255")
    assert code == 1
    assert "was not kept as" in errors
    assert "Accepted: at most 255 grey level(s) and at least 99 dB. Received: " in errors
    assert not list(tmp_path.glob("x*"))
    assert run(*arguments, "--accept", "levels=255")[0] == 0
    code, _, errors = run(*arguments, "--accept", "equal=0.9")
    assert code == 2
    assert "'equal' of `accept` does not apply to this target, 'rgb'" in errors
    code, _, errors = run(*arguments, "--accept", "psnr:45")
    assert code == 2
    assert "--accept" in errors


@pytest.mark.parametrize("name", ["model.keras", "best.keras", "history.csv", "report.html", ""])
def test_what_training_has_written_is_not_replaced(run, run_dir, name):
    before = {path.name: path.stat().st_mtime_ns for path in run_dir.iterdir()}
    for form in ("tflite", "saved_model"):
        code, _, errors = run("export", run_dir, "--format", form, "--output", run_dir / name)
        assert code == 2
        assert "would replace, what training has written" in errors
    assert {path.name: path.stat().st_mtime_ns for path in run_dir.iterdir()} == before


@pytest.mark.parametrize("form", ["web", "saved_model"])
def test_what_is_not_of_an_export_is_not_deleted(run, run_dir, tmp_path, form):
    arguments = ("export", run_dir, "--format", form, "--output", tmp_path / "out")
    for _ in range(2):
        code, _, errors = run(*arguments)
        assert code == 0, errors
    (tmp_path / "out" / "CNAME").write_text("example.org")
    code, _, errors = run(*arguments)
    assert code == 2
    assert "which exporting again would delete: CNAME" in errors
    assert (tmp_path / "out" / "CNAME").exists()


def test_the_folder_one_is_in_stays(run, run_dir, tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    for name in (".", ".."):
        code, _, errors = run("export", run_dir, "--format", "web", "--output", name)
        assert (code, "holds the working folder" in errors) == (2, True)
    assert (tmp_path / "empty").is_dir()


def test_a_file_of_a_run_is_compared_on_its_data(run, run_dir, tmp_path):
    shutil.copy(run_dir / "model.keras", run_dir / "best.keras")
    code, printed, errors = run(
        "export", run_dir / "best.keras", "--format", "tflite", "--output", tmp_path / "x.tflite"
    )
    assert code == 0, errors
    assert "of the validation data" in printed
    assert kept(run_dir, "x.tflite")


def kept(run_dir, name):
    """The one export of this name that a run's folder knows of."""
    (record,) = (run_dir / "exports").rglob(f"{name}.export.json")
    return record.with_name(name)


def test_the_file_is_exported_where_the_run_can_not_be_written_to(run, run_dir, tmp_path, monkeypatch):
    def refuse(*arguments):
        raise PermissionError(errno.EROFS, "Read-only file system", str(run_dir / "exports"))

    monkeypatch.setattr(verdict, "copy_verdict", refuse)
    code, _, errors = run("export", run_dir, "--format", "tflite", "--output", tmp_path / "x.tflite")
    assert code == 0
    assert (tmp_path / "x.tflite").is_file()
    assert "Read-only file system" in errors


@pytest.mark.parametrize(
    ("form", "name"),
    [("tflite", "x.png"), ("onnx", "x.txt"), ("tflite", "pipe"), ("saved_model", "pipe"), ("web", "x.png")],
)
def test_nothing_but_an_earlier_export_is_replaced(form, name, run, tmp_path):
    keras_pix2pix.unet_generator((32, 32, 3), filters=2).save(tmp_path / "generator.keras")
    write_png(tmp_path / "x.png", np.zeros((8, 8, 3), "uint8"))
    (tmp_path / "x.txt").write_text("my notes")
    os.mkfifo(tmp_path / "pipe")
    before = {path.name: path.lstat().st_mtime_ns for path in tmp_path.iterdir()}
    code, _, errors = run("export", tmp_path / "generator.keras", "--format", form, "--output", tmp_path / name)
    assert code == 2
    assert name in errors
    assert {path.name: path.lstat().st_mtime_ns for path in tmp_path.iterdir()} == before


def test_a_size_that_no_memory_holds_is_refused(run, tmp_path):
    keras_pix2pix.unet_generator((32, 32, 3), filters=2).save(tmp_path / "generator.keras")
    arguments = ("export", tmp_path / "generator.keras", "--format", "tflite", "--output", tmp_path / "x.tflite")
    code, _, errors = run(*arguments, "--image-size", "999999x999999")
    assert code == 2
    assert "999999" in errors
