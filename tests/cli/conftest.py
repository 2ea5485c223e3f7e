"""How the tests run a command."""

import pytest

from keras_pix2pix.cli.main import main


@pytest.fixture
def run(capfd):
    """A function from arguments to (exit code, what was written to stdout, to stderr)."""

    def command(*arguments):
        capfd.readouterr()
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        return stop.value.code or 0, *capfd.readouterr()

    return command
