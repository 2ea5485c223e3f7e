"""How the tests run a command."""

import pytest
import tensorflow as tf

from keras_pix2pix.cli.main import main
from keras_pix2pix.data.synthetic import write_facades
from keras_pix2pix.training.presets import PRESETS


@pytest.fixture(autouse=True)
def determinism(monkeypatch):
    """How often a command has asked TensorFlow to be deterministic, which holds for the whole process: it is not."""
    asked = []
    monkeypatch.setattr(tf.config.experimental, "enable_op_determinism", lambda: asked.append(True))
    return asked


@pytest.fixture
def run(capfd):
    """A function from arguments to (exit code, what was written to stdout, to stderr)."""

    def command(*arguments):
        capfd.readouterr()
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        return stop.value.code or 0, *capfd.readouterr()

    return command


@pytest.fixture
def small_networks(monkeypatch):
    for recipe in PRESETS.values():
        for network in ("generator", "discriminator"):
            monkeypatch.setitem(recipe[network], "filters", 2)


@pytest.fixture
def pairs(tmp_path):
    write_facades(tmp_path / "pairs", 3, image_size=(32, 32))
    return tmp_path / "pairs"


@pytest.fixture
def trained(run, pairs, small_networks, tmp_path):
    code, *_ = run("train", pairs, "--run-dir", tmp_path / "run", "--image-size", 32, "--epochs", 1)
    assert code == 0
    return tmp_path / "run"
