"""How the tests run a command."""

import pytest
import tensorflow as tf

from keras_pix2pix.cli.main import main


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
