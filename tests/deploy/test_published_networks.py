"""The generators of all published systems, as exported files."""

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from keras_pix2pix import Pix2Pix, export_onnx, export_saved_model, export_tflite, resnet_generator, unet_generator
from keras_pix2pix.data.synthetic import facade
from keras_pix2pix.deploy.parity import _drawn_sources
from keras_pix2pix.deploy.tflite import _QUANTIZATIONS
from keras_pix2pix.images import to_image, to_pixels
from keras_pix2pix.training.presets import PRESETS

UNETS = {
    "no skips": {"skips": False},
    "leaky skips": {"skip_activation": "leaky_relu", "leaky_slope": 0.3},
    "innermost": {"normalize_innermost": True, "norm_epsilon": 1e-3},
    "no affine": {"normalization": "instance_no_affine"},
    "batch": {"normalization": "batch"},
    "no norm": {"normalization": None},
    "biases": {"use_bias": True},
    "nearest": {"upsampling": "nearest"},
    "bilinear": {"upsampling": "bilinear"},
    "nearest at the end": {"last_upsampling": "nearest"},
    "depth to space": {"upsampling": "depth_to_space"},
    "separable": {"upsampling": "depth_to_space", "separable": True},
    "encoder dropout": {"encoder_dropout_blocks": (1, 2)},
}
RESNETS = {"resnet": {}, "resnet, batch": {"normalization": "batch"}, "resnet, dropout": {"dropout": 0.5}}
GENERATORS = [(unet_generator, {"num_downsamples": 4, **options}) for options in UNETS.values()]
GENERATORS += [(resnet_generator, {"num_blocks": 2, **options}) for options in RESNETS.values()]


def built(builder, options):
    """Weights three times as wide, so that the pictures have contrast to lose."""
    keras.utils.set_random_seed(3)
    network = builder((32, 64, 3), filters=4, **options)
    network.set_weights([weight * 3 for weight in network.get_weights()])
    return network


@pytest.mark.slow
@pytest.mark.parametrize(("builder", "options"), GENERATORS, ids=[*UNETS, *RESNETS])
def test_tflite(builder, options, tmp_path):
    parity = export_tflite(built(builder, options), tmp_path / "x.tflite")
    assert parity.largest_difference <= 1
    assert parity.psnr > 60


@pytest.mark.slow
@pytest.mark.parametrize("quantization", _QUANTIZATIONS)
@pytest.mark.parametrize("name", PRESETS)
def test_tflite_of_a_preset(name, quantization, tmp_path, monkeypatch):
    monkeypatch.setitem(PRESETS[name]["generator"], "filters", 8)
    model = Pix2Pix.from_preset(name, (64, 64, 3), schedule="constant")
    representative = np.stack([facade(seed, (64, 64))[0] for seed in range(100, 116)])
    options = {"representative": representative} if quantization == "int8" else {}
    # Nine blocks at a sixteenth of the size, with weights that have learnt nothing, magnify what is rounded.
    least, largest_mean = (25, 8) if name == "pix2pixhd" and quantization not in ("none", "float16") else (40, 3)
    options["accept"] = {"psnr": 60 if quantization == "none" else least}
    parity = export_tflite(model, tmp_path / "x.tflite", quantization=quantization, **options)
    assert parity.psnr > options["accept"]["psnr"]
    assert set(parity.gpu_fallbacks) == {"CAST (UINT8 to FLOAT32)", "ROUND", "CAST (FLOAT32 to UINT8)"}
    run = Interpreter(str(tmp_path / "x.tflite")).get_signature_runner()
    pixels = _drawn_sources((64, 64), 3)
    generated = np.concatenate([run(source=each[np.newaxis])["generated"] for each in pixels])
    expected = np.asarray(to_pixels(model.generator(to_image(pixels))))
    assert np.abs(generated.astype(int) - expected).mean() < largest_mean


@pytest.mark.slow
@pytest.mark.parametrize("name", ["leaky skips", "bilinear", "separable"])
def test_saved_model_of_unets(name, tmp_path):
    options = {"num_downsamples": 4, **UNETS[name]}
    assert export_saved_model(built(unet_generator, options), tmp_path / "x").largest_difference <= 1


@pytest.mark.slow
def test_saved_model_of_a_resnet(tmp_path):
    assert export_saved_model(built(resnet_generator, {"num_blocks": 2}), tmp_path / "x").largest_difference <= 1


@pytest.mark.slow
@pytest.mark.parametrize(("builder", "options"), GENERATORS, ids=[*UNETS, *RESNETS])
def test_onnx(builder, options, tmp_path):
    for package in ("onnxruntime", "tf2onnx"):
        pytest.importorskip(package)
    parity = export_onnx(built(builder, options), tmp_path / "x.onnx")
    assert parity.largest_difference <= 1
    assert parity.psnr > 60


@pytest.mark.slow
@pytest.mark.parametrize("name", PRESETS)
def test_onnx_of_a_preset(name, tmp_path, monkeypatch):
    for package in ("onnxruntime", "tf2onnx"):
        pytest.importorskip(package)
    monkeypatch.setitem(PRESETS[name]["generator"], "filters", 8)
    parity = export_onnx(Pix2Pix.from_preset(name, schedule="constant"), tmp_path / "x.onnx")
    assert parity.largest_difference <= 1
    assert parity.psnr > 60
