"""The examples run, and leave what they say."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_pix2pix import Pix2Pix, callbacks, export_tflite, serving_model
from keras_pix2pix.data.synthetic import facade, write_facades
from keras_pix2pix.training.presets import PRESETS

ROOT = Path(__file__).parents[1]
LONGEST = 60


def load(name):
    specification = importlib.util.spec_from_file_location(name, ROOT / "examples" / f"{name}.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_the_demo_says_what_it_does_first_and_ends_with_both_exports_and_a_picture(tmp_path):
    sizes = ["--size", "32", "--filters", "2", "--pairs", "2", "--epochs", "1"]
    demo = subprocess.run(
        [sys.executable, ROOT / "examples/demo.py", "--directory", tmp_path, *sizes],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,  # What comes to the screen, and in its order.
        text=True,
        env={name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"},
    )
    assert demo.returncode == 0, demo.stdout
    assert demo.stdout.startswith("Draws 2 facades")
    assert "minutes" in demo.stdout.partition("\n\n")[0]
    # The lines of native code: "E0000 00:00:1795719611.527920    2128 cuda_platform.cc:52] failed call to cuInit".
    assert not re.findall(r"(?m)^.*(?:^[IWEF]\d{4} |absl::|oneDNN|cuInit|remapper).*$", demo.stdout)
    assert (tmp_path / "saved_model" / "saved_model.pb").is_file()
    assert (tmp_path / "facades.tflite").is_file()
    grid = np.asarray(Image.open(tmp_path / "demo.png"))
    assert grid.shape == (3 * 32, 6 * 32, 3)
    labels, drawn = facade(1_000_000, (32, 32))
    np.testing.assert_array_equal(grid[:32, :32], labels)
    np.testing.assert_array_equal(grid[:32, 64:96], drawn)


def test_facades_are_trained_and_the_file_runs_on_its_own(tmp_path, monkeypatch):
    for network in ("generator", "discriminator"):
        monkeypatch.setitem(PRESETS["paper"][network], "filters", 2)
    write_facades(tmp_path / "pairs", 2, image_size=(32, 32), direction="BtoA")
    pairs = str(tmp_path / "pairs")
    load("train_facades").main(
        [pairs, "--validation", pairs, "--directory", str(tmp_path / "run"), "--size", "32", "--epochs", "1"]
    )
    assert (tmp_path / "run" / "model.keras").is_file()
    assert list((tmp_path / "run" / "logs" / "images").iterdir())


def test_training_that_was_killed_goes_on_with_the_same_program(tmp_path, monkeypatch):
    for network in ("generator", "discriminator"):
        monkeypatch.setitem(PRESETS["paper"][network], "filters", 2)
    monkeypatch.setattr(tf.config.experimental, "enable_op_determinism", lambda: None)  # It holds for the process.
    write_facades(tmp_path / "pairs", 3, image_size=(32, 32))
    arguments = [str(tmp_path / "pairs"), "--directory", str(tmp_path), "--size", "32", "--every-steps", "1"]
    step = Pix2Pix.train_step

    def fail(self, data):
        tf.debugging.assert_less(tf.cast(self.generator_optimizer.iterations, tf.int32), 4)
        return step(self, data)

    monkeypatch.setattr(Pix2Pix, "train_step", fail)
    with pytest.raises(tf.errors.InvalidArgumentError):
        load("resume").main([*arguments, "--epochs", "2"])
    monkeypatch.setattr(Pix2Pix, "train_step", step)
    assert callbacks.resume_point(keras.saving.load_model(tmp_path / "model.keras")) == (1, 4)
    load("resume").main([*arguments, "--epochs", "2"])
    model = keras.saving.load_model(tmp_path / "model.keras")
    assert callbacks.resume_point(model) == (2, 6)
    assert int(model.generator_optimizer.iterations) == 6


def test_an_own_network_reaches_the_phone(tmp_path):
    write_facades(tmp_path / "pairs", 2, image_size=(32, 32))
    model = str(tmp_path / "own.tflite")
    load("own_network").main([str(tmp_path / "pairs"), "--output", model, "--size", "32", "--epochs", "1"])
    Image.fromarray(facade(7, (50, 40))[0]).save(tmp_path / "labels.png")
    load("run_tflite").main([model, str(tmp_path / "labels.png"), str(tmp_path / "generated.png")])
    assert Image.open(tmp_path / "generated.png").size == (32, 32)


SIZE = (32, 24)


@pytest.mark.parametrize(
    ("source", "target", "mode", "image_size"),
    [
        ("rgb", "gray", "RGB", "any"),
        ("rgba", "rgba", "RGBA", None),
        ("gray16", "gray16", "I;16", None),
        ("classes:4", "classes:3", "P", None),
    ],
)
def test_a_file_of_any_encoding_or_size_runs_on_its_own(make_encoded_model, tmp_path, source, target, mode, image_size):
    model = make_encoded_model(source, target, size=(None, None) if image_size else SIZE)
    export_tflite(model, tmp_path / "x.tflite", image_size=image_size)
    shape = (*SIZE, len(mode)) if mode.startswith("RGB") else SIZE
    levels = {"I;16": 65536, "P": 4}.get(mode, 256)
    pixels = np.random.default_rng(0).integers(0, levels, shape).astype("uint16" if mode == "I;16" else "uint8")
    picture = Image.fromarray(pixels)
    if mode == "P":
        picture.putpalette([90, 80, 70, 60, 50, 40, 30, 20, 10, 0, 1, 2])
    picture.save(tmp_path / "source.png")
    load("run_tflite").main([str(tmp_path / name) for name in ("x.tflite", "source.png", "generated.png")])
    generated = np.asarray(Image.open(tmp_path / "generated.png")).reshape(*SIZE, -1)
    raw = pixels.reshape(1, *SIZE, -1).astype(model.source_encoding.raw_dtype)
    expected = np.asarray(serving_model(model, SIZE)(raw))[0]
    assert generated.shape == expected.shape
    assert np.abs(generated - expected.astype(float)).max() <= (64 if mode == "I;16" else 1)


def test_what_cannot_be_run_is_one_message(make_encoded_model, tmp_path, capsys):
    export_tflite(make_encoded_model("values:2:0:1"), tmp_path / "x.tflite")
    Image.new("RGB", (9, 9)).save(tmp_path / "source.png")
    (tmp_path / "text").write_text("text")
    for model, source, words in (
        ("gone.tflite", "source.png", "gone.tflite"),
        ("text", "source.png", "not a zip file"),
        ("x.tflite", "source.png", "Received: ['values:2:0.0:1.0', 'rgb']"),
    ):
        with pytest.raises(SystemExit, match="2"):
            load("run_tflite").main([str(tmp_path / name) for name in (model, source, "generated.png")])
        assert words in capsys.readouterr().err
    assert not (tmp_path / "generated.png").exists()


@pytest.mark.slow
def test_two_workers_train_and_go_on(tmp_path):
    write_facades(tmp_path / "pairs", 4, image_size=(32, 32))
    options = [str(tmp_path / "pairs"), "--directory", str(tmp_path / "run"), "--size", "32", "--filters", "2"]
    for epochs in (1, 2):
        load("two_workers").main([*options, "--epochs", str(epochs)])
        model = keras.saving.load_model(tmp_path / "run" / "model.keras")
        assert int(model.generator_optimizer.iterations) == 2 * epochs
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["model.keras"]


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.py")), ids=lambda path: path.name)
def test_an_example_answers_one_question_in_a_screen_or_two(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST
