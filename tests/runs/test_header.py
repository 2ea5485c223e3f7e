"""The devices in the header of a run."""

import os

import keras
import pytest

from keras_pix2pix.runs.header import _devices, _multiplications


@pytest.fixture
def put_nvidia_smi(tmp_path, monkeypatch):
    def put(script):
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    return put


def test_a_gpu_that_tensorflow_does_not_see_is_named(put_nvidia_smi):
    put_nvidia_smi("echo Quick Card 9000; echo Second Card")
    assert "Quick Card 9000" in _devices()
    assert "and-cuda" in _devices()


def test_a_gpu_that_is_hidden_on_purpose_is_not(put_nvidia_smi, monkeypatch):
    put_nvidia_smi("echo Quick Card 9000")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert "Card" not in _devices()


@pytest.mark.parametrize("script", ["exit 9", "true"])
def test_a_driver_without_a_card_is_no_gpu(put_nvidia_smi, script):
    put_nvidia_smi(script)
    assert "TensorFlow" not in _devices()


def test_multiplications_are_those_of_the_convolutions():
    image = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, strides=2, padding="same")(image)
    x = keras.layers.DepthwiseConv2D(3, padding="same")(x)
    network = keras.Model(image, keras.layers.Conv2DTranspose(2, 4, strides=2, padding="same")(x))
    assert _multiplications(network, *network.inputs) == 16 * (3 * 3 * 3 * 4) + 16 * (3 * 3 * 4) + 16 * (4 * 4 * 4 * 2)
