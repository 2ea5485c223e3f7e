"""What is accepted of an exported file."""

import json

import numpy as np
import pytest

from keras_pix2pix import encodings
from keras_pix2pix.deploy.acceptance import _ACCEPTED, _ADVICE, accepted_of, require
from keras_pix2pix.deploy.parity import Parity

RGB, LABELS = encodings.get("rgb"), encodings.get("classes:3")


def picture(psnr=40.1, levels=3):
    return Parity(size=2_500_000, psnr=psnr, largest_difference=levels)


def labels(equal):
    return Parity(size=1, psnr=None, largest_difference=None, equal=equal)


@pytest.mark.parametrize(
    ("accepted", "passes"),
    [
        ({"levels": 3}, True),
        ({"levels": 2}, False),
        ({"psnr": 40}, True),
        ({"psnr": 40.2}, False),
        ({"psnr": 40, "levels": 2}, False),
        ({"psnr": 40.2, "levels": 3}, False),
        ({}, True),
    ],
)
def test_each_threshold_decides(accepted, passes):
    if passes:
        require(picture(), "x.tflite", accepted)
    else:
        with pytest.raises(RuntimeError, match=r"not kept as x.tflite. Accepted: .*Received: 2.5 MB, PSNR 40.1 dB"):
            require(picture(), "x.tflite", accepted)


@pytest.mark.parametrize(("equal", "passes"), [(0.999, True), (0.998, False)])
def test_that_of_label_maps_decides(equal, passes):
    if passes:
        require(labels(equal), "x.tflite", {"equal": 0.999})
    else:
        with pytest.raises(RuntimeError, match=r"Accepted: at least 99.9% of the pixels of the same class. Received:"):
            require(labels(equal), "x.tflite", {"equal": 0.999})


@pytest.mark.parametrize("quantization", _ACCEPTED)
def test_the_error_says_what_to_try(quantization):
    accepted = accepted_of(quantization, RGB)
    with pytest.raises(RuntimeError) as raised:
        require(picture(psnr=3, levels=99), "x", accepted, quantization)
    assert f" {_ADVICE[quantization]}, or accept more than `accept={accepted}`." in str(raised.value)


def test_each_quantization_has_its_defaults():
    assert accepted_of("none", RGB) == {"levels": 1}
    assert accepted_of("none", LABELS) == {"equal": 0.999}
    assert accepted_of("float16", RGB) == {"psnr": 45}
    assert accepted_of("float16", LABELS) == {"equal": 0.99}
    assert _ACCEPTED.keys() == _ADVICE.keys()


def test_what_was_asked_for_takes_the_place_of_the_default():
    assert accepted_of("none", RGB, {"levels": 5}) == {"levels": 5}
    assert accepted_of("none", RGB, {"levels": 0, "psnr": 50}) == {"levels": 0, "psnr": 50}
    assert accepted_of("float16", RGB, {"psnr": 0}) == {"psnr": 0}
    assert accepted_of("int8", LABELS, {"equal": 0.5}) == {"equal": 0.5}
    assert json.dumps(accepted_of("float16", RGB, {"psnr": np.float32(40)})) == '{"psnr": 40.0}'


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("psnr", -1),
        ("psnr", 101),
        ("psnr", np.nan),
        ("levels", 256),
        ("levels", "1"),
        ("equal", 99),
        ("equal", -0.1),
    ],
)
def test_a_number_out_of_range_is_refused(name, value):
    with pytest.raises(ValueError, match=f"{name}.*number from 0 to"):
        accepted_of("none", LABELS if name == "equal" else RGB, {name: value})


@pytest.mark.parametrize(
    ("encoding", "given"), [(LABELS, {"psnr": 40}), (LABELS, {"levels": 1}), (RGB, {"equal": 0.9})]
)
def test_a_number_that_means_nothing_for_the_target_is_refused(encoding, given):
    with pytest.raises(ValueError, match=f"does not apply to this target, '{encoding.word}'. Accepted: "):
        accepted_of("none", encoding, given)


@pytest.mark.parametrize("accept", [{"dB": 40}, ["psnr"], 40])
def test_what_is_no_such_dictionary_is_refused(accept):
    with pytest.raises(ValueError, match="accept.*psnr, levels, equal"):
        accepted_of("none", RGB, accept)
