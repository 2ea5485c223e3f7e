"""`keras-pix2pix export` of a trained run: what it prints, and which pictures it takes."""

import json
import re

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

import keras_pix2pix
from keras_pix2pix.data.synthetic import write_facades
from keras_pix2pix.deploy import verdict
from keras_pix2pix.deploy.gpu_delegate import operators
from keras_pix2pix.deploy.metadata import read_metadata
from keras_pix2pix.images import write_png
from keras_pix2pix.runs import data as run_data

pytestmark = pytest.mark.usefixtures("small_networks")


def test_export_prints_the_verdict_and_nothing_else(run, trained, tmp_path):
    for form, name, options in (
        ("tflite", "x.tflite", []),
        ("tflite", "half.tflite", ["--quantization", "float16", "--image-size", "32x64"]),
        ("saved_model", "saved", []),
    ):
        code, printed, errors = run("export", trained, "--format", form, "--output", tmp_path / name, *options)
        assert code == 0, errors
        lines = [
            rf"{tmp_path / name}: [\d.]+ MB, PSNR [\d.]+ dB, largest difference \d grey.*\n",
        ]
        if form == "tflite":
            lines.append(rf"{tmp_path / name}: operators that GPUs leave to the CPU: 1 CAST .*\n")
        lines.append(rf"{tmp_path / name}: compared on 3 pictures of the training data\n")
        assert re.fullmatch("".join(lines), printed)
        assert errors == ""
    for name, has_halves in (("half.tflite", True), ("x.tflite", False)):
        tensors = Interpreter(str(tmp_path / name)).get_tensor_details()
        assert (np.float16 in {each["dtype"] for each in tensors}) == has_halves
    assert "serve_encoded" in tf.saved_model.load(tmp_path / "saved").signatures


def test_int8_takes_its_ranges_from_the_training_data_of_the_run(run, trained, tmp_path):
    path = tmp_path / "x.tflite"
    arguments = ("export", trained, "--format", "tflite", "--quantization", "int8", "--output", path)
    code, printed, errors = run(*arguments, "--license", "CC BY 4.0")
    assert (code, errors) == (0, "")
    assert printed.startswith(f"{path}: ranges of 3 pictures of the training data\n")
    assert {"QUANTIZE", "DEQUANTIZE"} <= operators(path).keys()
    metadata = read_metadata(path)
    assert metadata["license"] == "CC BY 4.0"
    assert metadata["config"]["preset"] == "paper"
    # Where the data lay is nothing that a file should tell.
    assert str(tmp_path) not in json.dumps(metadata)
    first = path.read_bytes()
    write_facades(tmp_path / "others", 2, image_size=(32, 32), seed=50)
    code, printed, _ = run(*arguments, "--images", tmp_path / "others")
    assert code == 0
    assert printed.startswith(f"{path}: ranges of 2 pictures of {tmp_path / 'others'}\n")
    assert path.read_bytes() != first


def test_pictures_of_a_folder_are_what_is_compared_on(run, tmp_path, monkeypatch):
    keras_pix2pix.unet_generator((32, 32, 3), filters=2).save(tmp_path / "generator.keras")
    (tmp_path / "pictures").mkdir()
    for number in range(3):
        write_png(tmp_path / "pictures" / f"{number}.png", np.full((50, 40, 3), 100 * number, "uint8"))
    compared, compare = [], verdict.compare
    monkeypatch.setattr(verdict, "compare", lambda *given: compared.append(given[3]) or compare(*given))
    for form in ("tflite", "saved_model"):
        arguments = ("--images", tmp_path / "pictures", "--output", tmp_path / form)
        assert run("export", tmp_path / "generator.keras", "--format", form, *arguments)[0] == 0
        pixels = compared.pop()
        assert pixels.shape == (3, 32, 32, 3)
        assert sorted(pixels[:, 0, 0, 0]) == [0, 100, 200]


def test_representative_pictures_are_spread_over_the_data(pairs):
    config = {"data": "pairs", "preset": "paper", "direction": "BtoA"}
    pixels = run_data.run_sources(config, (pairs, None), (16, 16), count=2)
    files = [sorted(pairs.iterdir())[index] for index in (0, 2)]
    halves = [Image.open(file).crop((32, 0, 64, 32)).resize((16, 16), Image.Resampling.BICUBIC) for file in files]
    np.testing.assert_array_equal(pixels, np.stack(halves))


@pytest.mark.parametrize("quantization", ["dynamic", "weights"])
def test_export_of_any_size_in_eight_bits(run, trained, tmp_path, quantization):
    path = tmp_path / "x.tflite"
    arguments = ("--format", "tflite", "--quantization", quantization, "--image-size", "any", "--output", path)
    code, printed, errors = run("export", trained, *arguments)
    assert (code, errors) == (0, "")
    assert "for CPUs: GPUs want a fixed size" in printed
    details = Interpreter(str(path)).get_input_details()[0]
    assert details["shape_signature"].tolist() == [1, -1, -1, 3]
    assert read_metadata(path)["quantization"] == quantization


def test_export_to_onnx_prints_the_verdict_and_nothing_else(run, trained, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("tf2onnx")
    path = tmp_path / "x.onnx"
    code, printed, errors = run("export", trained, "--format", "onnx", "--output", path, "--image-size", "32x64")
    assert (code, errors) == (0, "")
    first, second = printed.splitlines()
    assert re.fullmatch(rf"{path}: [\d.]+ MB, PSNR [\d.]+ dB, largest difference \d grey.*", first)
    assert second == f"{path}: compared on 3 pictures of the training data"
    assert onnxruntime.InferenceSession(str(path)).get_inputs()[0].shape == ["batch", 32, 64, 3]
