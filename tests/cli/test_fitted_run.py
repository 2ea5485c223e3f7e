"""`train --fit` and `--rotate`: pictures of other proportions, from training to evaluation."""

import json

import keras
import numpy as np
import pytest

from keras_pix2pix.data.synthetic import write_facades

pytestmark = pytest.mark.usefixtures("small_networks")


@pytest.fixture
def wide(tmp_path):
    write_facades(tmp_path / "wide", 3, image_size=(40, 64))
    return tmp_path / "wide"


@pytest.mark.parametrize("fit", ["pad", "crop"])
def test_a_fitted_run_is_resumed_evaluated_and_exported(run, wide, tmp_path, fit):
    options = ("--image-size", 32, "--validation", wide, "--fit", fit, "--rotate", "--direction", "BtoA")
    code, printed, errors = run("train", wide, "--run-dir", tmp_path / "whole", *options, "--epochs", 2)
    assert code == 0, errors
    assert f'by fit "{fit}", turned at random' in printed
    config = json.loads((tmp_path / "whole" / "config.json").read_text())
    assert (config["fit"], config["rotate"]) == (fit, True)
    run("train", wide, "--run-dir", tmp_path / "parts", *options, "--epochs", 1)
    code, _, errors = run("train", "--run-dir", tmp_path / "parts", "--resume", "--epochs", 2)
    assert code == 0, errors
    whole, parts = (keras.saving.load_model(tmp_path / name / "model.keras") for name in ("whole", "parts"))
    for ours, theirs in zip(whole.get_weights(), parts.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-3)  # Three threads' rounding, through Adam.
    code, printed, errors = run("evaluate", tmp_path / "whole")
    assert code == 0, errors
    assert "3 pictures, l1" in printed
    file = ("--format", "tflite", "--output", tmp_path / "generator.tflite")
    code, _, errors = run("export", tmp_path / "whole", *file, "--quantization", "int8", "--accept", "psnr=10")
    assert code == 0, errors
    code, _, errors = run("translate", tmp_path / "whole", wide, "--output", tmp_path / "out")
    assert code == 0, errors


def test_another_fit_is_not_the_same_run(run, wide, tmp_path):
    assert run("train", wide, "--run-dir", tmp_path / "run", "--image-size", 32, "--epochs", 1)[0] == 0
    code, _, errors = run("train", "--run-dir", tmp_path / "run", "--resume", "--epochs", 2, "--fit", "cover")
    assert code == 2
    assert "fit" in errors


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--fit", "fill"), "stretch, cover, crop, pad"),
        (("--rotate", "--image-size", "32x64"), "square"),
        (("--fit", "crop", "--image-size", 128), "smaller than"),
    ],
)
def test_what_does_not_fit_is_one_message(run, wide, tmp_path, options, words):
    code, _, errors = run("train", wide, "--run-dir", tmp_path / "run", *options)
    assert code == 2
    assert words in errors
    assert "Traceback" not in errors
