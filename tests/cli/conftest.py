"""How the tests run a command."""

import json
import shutil

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
    make_networks_small(monkeypatch)


def make_networks_small(patch):
    for recipe in PRESETS.values():
        for network in ("generator", "discriminator"):
            patch.setitem(recipe[network], "filters", 2)
        if "unet" in recipe["generator"]["network"]:
            patch.setitem(recipe["generator"], "num_downsamples", 3)


@pytest.fixture
def pairs(tmp_path):
    write_facades(tmp_path / "pairs", 3, image_size=(32, 32))
    return tmp_path / "pairs"


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory):
    """A run of small networks on pairs like those of `pairs`."""
    folder = tmp_path_factory.mktemp("trained_once")
    write_facades(folder / "pairs", 3, image_size=(32, 32))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tf.config.experimental, "enable_op_determinism", lambda: None)
        make_networks_small(patch)
        with pytest.raises(SystemExit, match="0"):
            main(
                [
                    "train",
                    str(folder / "pairs"),
                    "--run-dir",
                    str(folder / "run"),
                    "--image-size",
                    "32",
                    "--epochs",
                    "1",
                ]
            )
    return folder / "run"


@pytest.fixture
def trained(trained_once, pairs, small_networks, tmp_path):
    """A copy of it, whose configuration names the pairs of the test."""
    shutil.copytree(trained_once, tmp_path / "run")
    file = tmp_path / "run" / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "data": str(pairs)}))
    return tmp_path / "run"
