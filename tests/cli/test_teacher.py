"""`keras-pix2pix train --teacher`."""

import csv
import json
import shutil

import numpy as np
import pytest

from keras_pix2pix import load_model

pytestmark = pytest.mark.usefixtures("small_networks")


@pytest.fixture
def taught(run, trained, pairs, tmp_path):
    """Arguments that train a student of the run `trained` in a folder, given more of them."""

    def train(run_dir, *more, teacher=trained):
        given = (pairs, "--image-size", "32", "--direction", "AtoB", "--teacher", teacher, "--seed", 1)
        return run("train", *given, "--run-dir", tmp_path / run_dir, *more)

    return train


def test_a_run_with_a_teacher_and_its_resumption(taught, run, trained, tmp_path):
    code, printed, errors = taught("whole", "--epochs", 2, "--set", "compile.lambda_teacher=30")
    assert code == 0, errors
    assert f"{trained}, weight 30" in printed
    with (tmp_path / "whole" / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert all(float(row["g_teacher"]) > 0 for row in rows)
    config = json.loads((tmp_path / "whole" / "config.json").read_text())
    assert config["teacher"] == str(trained)
    assert taught("resumed", "--epochs", 1, "--set", "compile.lambda_teacher=30")[0] == 0
    code, _, errors = run("train", "--run-dir", tmp_path / "resumed", "--resume", "--epochs", 2)
    assert code == 0, errors
    whole, resumed = (load_model(tmp_path / name).get_weights() for name in ("whole", "resumed"))
    for ours, theirs in zip(whole, resumed, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_teacher_that_is_gone_or_another_one(taught, run, trained, tmp_path):
    assert taught("run_of_student", "--epochs", 1)[0] == 0
    shutil.move(trained / "model.keras", trained / "kept.keras")
    resume = ("train", "--run-dir", tmp_path / "run_of_student", "--resume", "--epochs", 2)
    code, _, errors = run(*resume)
    assert code == 2
    assert str(trained) in errors
    shutil.copy(tmp_path / "run_of_student" / "model.keras", trained / "model.keras")
    code, _, errors = run(*resume)
    assert code == 2
    assert "other weights" in errors


def test_a_weight_without_a_teacher(run, pairs, tmp_path):
    code, _, errors = run("train", pairs, "--run-dir", tmp_path / "run", "--set", "compile.lambda_teacher=3")
    assert code == 2
    assert "--teacher" in errors
    assert not (tmp_path / "run").exists()


def test_a_teacher_of_another_size_or_none(taught, tmp_path):
    code, _, errors = taught("a", "--epochs", 1, teacher="facades")  # 256x256.
    assert code == 2
    assert "teacher" in errors
    code, _, errors = taught("b", "--epochs", 1, teacher=tmp_path / "nowhere")
    assert code == 2
    assert "nowhere" in errors
    assert not (tmp_path / "b" / "model.keras").exists()
