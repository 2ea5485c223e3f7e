"""`keras-pix2pix train --resume`."""

import json

import keras
import numpy as np
import pytest

from keras_pix2pix.runs import train as train_module
from keras_pix2pix.runs.resuming import forget_what_comes_again

pytestmark = pytest.mark.usefixtures("small_networks")


@pytest.mark.parametrize("steps", [None, pytest.param(2, marks=pytest.mark.slow)])
def test_a_resumed_run_ends_like_an_uninterrupted_one(run, pairs, tmp_path, steps):
    options = ["--image-size", 32, *(["--steps-per-epoch", steps] if steps else [])]
    run("train", pairs, "--run-dir", tmp_path / "whole", "--epochs", 3, *options)
    run("train", pairs, "--run-dir", tmp_path / "parts", "--epochs", 1, *options)
    code, printed, _ = run("train", "--run-dir", tmp_path / "parts", "--resume", "--epochs", 3)
    assert code == 0
    assert "Epoch 2/3" in printed
    assert "Epoch 1/3" not in printed
    whole, parts = (keras.saving.load_model(tmp_path / name / "model.keras") for name in ("whole", "parts"))
    assert int(parts.generator_optimizer.iterations) == 3 * (steps or 3)
    for ours, theirs in zip(whole.get_weights(), parts.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-3)  # Three threads' rounding, through Adam.
    history = (tmp_path / "parts" / "history.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in history] == ["epoch", "0", "1", "2"]
    assert json.loads((tmp_path / "parts" / "config.json").read_text())["epochs"] == 3


def test_a_lost_model_is_not_begun_again(run, trained):
    (trained / "model.keras").unlink()
    history = (trained / "history.csv").read_text()
    code, _, errors = run("train", "--run-dir", trained, "--resume", "--epochs", 2)
    assert code == 2
    assert f"There is no {trained / 'model.keras'}" in errors
    assert (trained / "history.csv").read_text() == history


def test_how_to_go_on_can_be_pasted(tmp_path):
    assert train_module._how_to_resume("my run", 2).endswith("train --run-dir 'my run' --resume --devices 2")


def test_history_that_comes_again_is_taken_out(tmp_path):
    history = tmp_path / "history.csv"
    history.write_text("epoch,g_loss\n0,1.5\n1,1.25\nnoise\n2,1.125\n1")  # The last row was cut off in 10.
    forget_what_comes_again(history, 2)
    assert history.read_text() == "epoch,g_loss\n0,1.5\n1,1.25\n"


def test_a_model_from_elsewhere_does_not_say_how_far_the_run_has_come(run, trained):
    model = keras.saving.load_model(trained / "model.keras")
    model.training_state.progress = None
    model.save(trained / "model.keras")
    code, _, errors = run("train", "--run-dir", trained, "--resume", "--epochs", 2)
    assert code == 2
    assert "model.keras doesn't record how far the run has come" in errors


@pytest.mark.parametrize(
    "contents",
    ['{"data": "x"}', "[]", '{"data": ', '{"image_size": 5}', '{"image_size": [32, 32], "data": "x"}', "\x80"],
)
def test_a_damaged_configuration_is_named(run, trained, contents):
    (trained / "config.json").write_bytes(contents.encode("latin-1"))
    code, _, errors = run("train", "--run-dir", trained, "--resume", "--epochs", 2)
    assert code == 2
    assert str(trained / "config.json") in errors
    assert "Traceback" not in errors


def test_a_run_killed_before_its_first_checkpoint_is_resumed_from_its_beginning(run, trained):
    (trained / "model.keras").unlink()
    (trained / "history.csv").unlink()
    (trained / ".model.keras.half.keras_pix2pix_partial").mkdir()
    code, printed, _ = run("train", "--run-dir", trained, "--resume", "--epochs", 2)
    assert code == 0
    assert "Epoch 1/2" in printed
    assert not list(trained.glob(".model*"))
    history = (trained / "history.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in history] == ["epoch", "0", "1"]


def test_a_finished_run_needs_more_epochs(run, trained):
    before = (trained / "model.keras").read_bytes()
    code, _, errors = run("train", "--run-dir", trained, "--resume")
    assert code == 2
    assert "has done 1 epochs" in errors
    assert "larger --epochs" in errors
    assert (trained / "model.keras").read_bytes() == before
    assert json.loads((trained / "config.json").read_text())["epochs"] == 1


def test_a_run_is_resumed_as_it_was_begun(run, trained):
    code, _, errors = run("train", "--run-dir", trained, "--resume", "--seed", 9)
    assert code == 2
    assert "Received: seed=9" in errors
    assert "says 0" in errors
