"""A run that looks after itself, from the command line: best model, early end, a breakdown, the page."""

import csv
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_pix2pix import Pix2Pix, callbacks
from keras_pix2pix.callbacks import run_callbacks
from keras_pix2pix.data.synthetic import write_facades
from keras_pix2pix.training.presets import PRESETS

RATES = {"g_learning_rate", "d_learning_rate", "images_per_second"}


@pytest.fixture(autouse=True)
def small_networks(monkeypatch):
    for network in ("generator", "discriminator"):
        monkeypatch.setitem(PRESETS["paper"][network], "filters", 2)


@pytest.fixture
def pairs(tmp_path):
    write_facades(tmp_path / "pairs", 2, image_size=(32, 32))
    return tmp_path / "pairs"


@pytest.fixture
def train(run, pairs, tmp_path):
    """A function from options to (exit code, what was written to stdout, to stderr) of a run in tmp_path/"run"."""

    def command(*options):
        return run("train", pairs, "--run-dir", tmp_path / "run", "--image-size", 32, *options)

    return command


def history_of(run_dir):
    with open(run_dir / "history.csv", encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def test_a_run_shows_and_leaves_what_one_wants_to_know(train, pairs, tmp_path, run):
    run_dir = tmp_path / "run"
    code, printed, errors = train("--validation", pairs, "--epochs", 2)
    assert (code, errors) == (0, "")
    lines = printed.splitlines()
    assert [line.split()[0] for line in lines] == ["Data", "Device", "Networks", "Run", "Epoch", "Epoch", "The", "How"]
    assert lines[1].startswith("Device   CPU, ")
    assert lines[3] == f"Run      {run_dir}, 2 epochs in all; best.keras keeps the best val_ssim"
    assert lines[4].startswith("Epoch 1/2  g_l1 0.")
    for word in ("d_real", "val_psnr", "val_ssim", "images/s", " left"):
        assert word in lines[4]
    assert str(run_dir / "report.html") in lines[-1]

    rows = history_of(run_dir)
    logs = {"g_loss", "g_gan", "g_l1", "d_loss", "d_real", "d_fake", "d_accuracy", "psnr", "ssim"}
    assert rows[0].keys() == {"epoch"} | RATES | logs | {f"val_{name}" for name in logs}
    assert [float(row["g_learning_rate"]) for row in rows] == pytest.approx([2e-4, 2e-4])
    events = list((run_dir / "logs" / "train").glob("events*"))
    tags = {value.tag for event in tf.compat.v1.train.summary_iterator(str(events[0])) for value in event.summary.value}
    assert {f"epoch_{name}" for name in RATES | logs} <= tags
    assert (run_dir / "samples" / "over_time.png").is_file()
    page = (run_dir / "report.html").read_text(encoding="utf-8")
    assert "2 of 2 epochs" in page
    assert "val_ssim" in page

    (run_dir / "report.html").unlink()
    (run_dir / "exports").mkdir()
    (run_dir / "exports" / "mine.tflite.export.json").write_text('{"psnr": 51.5}')
    code, printed, _ = run("report", run_dir)
    assert (code, printed) == (0, f"{run_dir / 'report.html'}\n")
    assert "mine.tflite" in (run_dir / "report.html").read_text(encoding="utf-8")


def test_the_best_model_is_known_after_a_resumption_and_patience_ends_the_run(train, run, tmp_path, monkeypatch):
    values = iter([0.5, 0.4, 0.45, 0.42, 0.3])
    run_dir = tmp_path / "run"

    class Forged(callbacks.Rates):
        """It comes first, and says what g_l1 was."""

        def on_epoch_end(self, epoch, logs=None):
            super().on_epoch_end(epoch, logs)
            logs["g_l1"] = next(values)

    monkeypatch.setattr(run_callbacks, "Rates", Forged)
    code, printed, errors = train("--epochs", 2, "--monitor", "g_l1", "--patience", 2)
    assert code == 0, errors
    assert "best.keras keeps the best g_l1, and training ends after 2 epochs without a better one" in printed
    config = json.loads((run_dir / "config.json").read_text())
    assert (config["monitor"], config["patience"]) == ("g_l1", 2)
    best = (run_dir / "best.keras").read_bytes()
    assert int(keras.saving.load_model(run_dir / "best.keras").generator_optimizer.iterations) == 4

    code, printed, errors = run("train", "--run-dir", run_dir, "--resume", "--epochs", 9)
    assert code == 0, errors
    assert "Training ends early: g_l1 was best, 0.4, in epoch 2, and no better in the 2 epochs since." in printed
    assert [row["g_l1"] for row in history_of(run_dir)] == ["0.5", "0.4", "0.45", "0.42"]
    assert (run_dir / "best.keras").read_bytes() == best

    code, _, errors = run("train", "--run-dir", run_dir, "--resume")
    assert code == 2
    assert "Training has ended early" in errors
    code, _, errors = run("train", "--run-dir", run_dir, "--resume", "--patience", 3, "--epochs", 5)
    assert code == 0, errors
    assert int(keras.saving.load_model(run_dir / "best.keras").generator_optimizer.iterations) == 10


def test_a_run_that_breaks_down_ends_in_one_message_and_its_page_says_why(train, tmp_path, monkeypatch):
    run_dir = tmp_path / "run"
    step = Pix2Pix.train_step

    def broken(self, data):
        source, target = data
        count = tf.cast(self.generator_optimizer.iterations, tf.float32)
        return step(self, (source, target + tf.where(count >= 3, np.float32("nan"), np.float32(0))))

    monkeypatch.setattr(Pix2Pix, "train_step", broken)
    code, _, errors = train("--epochs", 3)
    assert code == 1
    assert errors.startswith("keras-pix2pix: Training has broken down: ")
    assert f"in step 2 of epoch 2. The last good model is {run_dir / 'model.keras'}." in errors
    assert "Traceback" not in errors
    model = keras.saving.load_model(run_dir / "model.keras")
    assert int(model.generator_optimizer.iterations) == 2
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    page = (run_dir / "report.html").read_text(encoding="utf-8")
    assert "<strong>Epoch 2.</strong> Training has broken down" in page


def test_images_smaller_than_the_window_of_ssim_are_trained_on(run, tmp_path):
    write_facades(tmp_path / "tiny", 1, image_size=(16, 16))  # As small as they are drawn, and read at half the size.
    options = ("--set", "discriminator.num_layers=0", "--validation", tmp_path / "tiny", "--epochs", 1)
    code, printed, errors = run("train", tmp_path / "tiny", "--run-dir", tmp_path / "run", "--image-size", 8, *options)
    assert code == 0, errors
    assert "best.keras keeps the best val_psnr" in printed
