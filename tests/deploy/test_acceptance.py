"""What is accepted of an exported file."""

import json

import numpy as np
import pytest

from keras_pix2pix import encodings
from keras_pix2pix.deploy.acceptance import ACCEPTED, ADVICE, accepted_of, require
from keras_pix2pix.deploy.parity import Parity

RGB, LABELS = encodings.get("rgb"), encodings.get("classes:3")


def picture(psnr=40.1, levels=3):
    return Parity(size=2_500_000, psnr=psnr, largest_difference=levels)


def labels(equal):
    return Parity(size=1, psnr=None, largest_difference=None, equal=equal)


@pytest.mark.parametrize(
    ("accepted", "passes"),
    [
        ({"most_levels": 3}, True),
        ({"most_levels": 2}, False),
        ({"least_psnr": 40}, True),
        ({"least_psnr": 40.2}, False),
        ({"least_psnr": 40, "most_levels": 2}, False),
        ({"least_psnr": 40.2, "most_levels": 3}, False),
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
        require(labels(equal), "x.tflite", {"least_equal": 0.999})
    else:
        with pytest.raises(RuntimeError, match=r"Accepted: at least 99.9% of the pixels of the same class. Received:"):
            require(labels(equal), "x.tflite", {"least_equal": 0.999})


@pytest.mark.parametrize("quantization", ACCEPTED)
def test_the_error_says_what_to_try(quantization):
    accepted = accepted_of(quantization, RGB)
    with pytest.raises(RuntimeError) as raised:
        require(picture(psnr=3, levels=99), "x", accepted, quantization)
    (name,) = accepted
    assert str(raised.value).endswith(f" {ADVICE[quantization]}, or accept more by `{name}`.")


def test_each_quantization_has_its_defaults():
    assert accepted_of("none", RGB) == {"most_levels": 1}
    assert accepted_of("none", LABELS) == {"least_equal": 0.999}
    assert accepted_of("float16", RGB) == {"least_psnr": 45}
    assert accepted_of("float16", LABELS) == {"least_equal": 0.99}
    assert ACCEPTED.keys() == ADVICE.keys()


def test_what_was_asked_for_takes_the_place_of_the_default():
    assert accepted_of("none", RGB, most_levels=5) == {"most_levels": 5}
    assert accepted_of("none", RGB, most_levels=0, least_psnr=50) == {"most_levels": 0, "least_psnr": 50}
    assert accepted_of("float16", RGB, least_psnr=0) == {"least_psnr": 0}
    assert accepted_of("int8", LABELS, least_equal=0.5) == {"least_equal": 0.5}
    assert json.dumps(accepted_of("float16", RGB, least_psnr=np.float32(40))) == '{"least_psnr": 40.0}'


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("least_psnr", -1),
        ("least_psnr", 101),
        ("least_psnr", np.nan),
        ("most_levels", 256),
        ("most_levels", "1"),
        ("least_equal", 99),
        ("least_equal", -0.1),
    ],
)
def test_a_number_out_of_range_is_refused(name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be a number from 0 to .*Received: {name}="):
        accepted_of("none", LABELS if name == "least_equal" else RGB, **{name: value})


@pytest.mark.parametrize(
    ("encoding", "given"), [(LABELS, {"least_psnr": 40}), (LABELS, {"most_levels": 1}), (RGB, {"least_equal": 0.9})]
)
def test_a_number_that_means_nothing_for_the_target_is_refused(encoding, given):
    with pytest.raises(ValueError, match=f"does not apply to this target, '{encoding.word}'. Accepted: "):
        accepted_of("none", encoding, **given)
