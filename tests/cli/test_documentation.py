"""The help of the flags is that of the functions behind them."""

import inspect

import pytest
import typer.main

import keras_pix2pix
from keras_pix2pix.cli.documentation import parameter_help
from keras_pix2pix.cli.main import _app
from keras_pix2pix.deploy.tflite import _QUANTIZATIONS
from keras_pix2pix.runs import configuration

pytestmark = pytest.mark.usefixtures("small_networks")


def test_the_help_of_a_flag_is_the_docstring_of_its_parameter():
    commands = typer.main.get_command(_app).commands
    flags = {
        name: {each.name: each.help for each in command.params if each.param_type_name == "option"}
        for name, command in commands.items()
    }
    assert flags["train"]["direction"] == parameter_help("data.pipeline:paired_dataset", "direction")
    assert flags["train"]["direction"] == (
        'Which half is the source: "AtoB", the left one, or "BtoA", the right one. Defaults to "AtoB".'
    )
    # Where the words of Python would not do on the command line, it has its own.
    assert "--images" in flags["export"]["quantization"]
    for word in _QUANTIZATIONS:
        assert f'"{word}"' in flags["export"]["quantization"]
    assert not [help for command in flags.values() for help in command.values() if "representative" in help]
    for command in flags.values():
        assert all(command.values()), command


def test_repeated_defaults_are_those_of_the_functions():
    homes = {
        "image_size": keras_pix2pix.paired_dataset,
        "seed": keras_pix2pix.paired_dataset,
        "direction": keras_pix2pix.paired_dataset,
    }
    defaults = {name: inspect.signature(function).parameters[name].default for name, function in homes.items()}
    assert {**defaults, "preset": "paper"} == configuration._DEFAULTS
    assert inspect.signature(keras_pix2pix.Pix2Pix.from_preset).parameters["image_shape"].default[:2] == (256, 256)
