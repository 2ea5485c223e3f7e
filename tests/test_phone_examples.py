"""The Kotlin and the Swift in `examples/` name what an exported file has."""

import re
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from keras_pix2pix import export_tflite, unet_generator

EXAMPLES = Path(__file__).parents[1] / "examples"
PROGRAMS = {
    EXAMPLES / "android" / "Translator.kt": r'private const val (\w+) = "?(\w+)"?',
    EXAMPLES / "ios" / "Translator.swift": r'private let (\w+) = "?(\w+)"?',
}


@pytest.fixture(scope="module")
def interpreter(tmp_path_factory):
    path = tmp_path_factory.mktemp("exported") / "facades.tflite"
    export_tflite(unet_generator((32, 48, 3), filters=2, num_downsamples=3), path)
    return Interpreter(str(path))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.name)
def test_names_and_shapes_are_those_of_the_file(program, interpreter):
    text = program.read_text(encoding="utf-8")
    constants = {name.lower(): value for name, value in re.findall(PROGRAMS[program], text)}
    names = {"inputs": [constants["source"]], "outputs": [constants["generated"]]}
    assert interpreter.get_signature_list() == {constants["signature"]: names}
    for details in (*interpreter.get_input_details(), *interpreter.get_output_details()):
        # The programs take height and width from these places, and a byte for each of the channels.
        assert details["shape"].tolist() == [1, 32, 48, int(constants["channels"])]
        assert details["dtype"] == np.uint8
    assert re.search(r"height = shape\[1\]", text)
    assert re.search(r"width = shape\[2\]", text)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.name)
def test_the_readme_exports_the_file_that_the_program_loads(program):
    text = (program.parent / "README.md").read_text(encoding="utf-8")
    assert f"({program.name})" in text
    assert re.search(r"keras-pix2pix export run --format tflite --quantization (\w+) --output \S*facades\.tflite", text)
