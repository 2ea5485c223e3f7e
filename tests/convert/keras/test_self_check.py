"""The self-check finds a network that is not what its file says."""

import keras
import numpy as np
import pytest

from keras_pix2pix.convert.keras.self_check import _TOLERANCE, checked_conversion, largest_difference
from keras_pix2pix.convert.keras.steps import SETTINGS, Step


def steps_with(kernel):
    settings = SETTINGS["Conv2D"] | {"filters": 3, "kernel_size": (1, 1), "use_bias": False}
    source = Step("Input", "source", (), {"channels": 3}, {})
    return [source, Step("Conv2D", "mix", ("source",), settings, {"kernel": np.reshape(kernel, (1, 1, 3, 3))})]


def test_a_difference_just_below_the_tolerance_passes_and_one_above_does_not():
    network = checked_conversion(steps_with(np.eye(3)), "mix.h5").network
    # Images are in [-1, 1]: the largest difference is nearly the change of the kernel.
    difference = largest_difference(network, steps_with((1 + 0.9 * _TOLERANCE) * np.eye(3)), "mix.h5")
    assert 0.5 * _TOLERANCE < difference < _TOLERANCE
    with pytest.raises(RuntimeError, match="mix.h5: the converted network differs .* by 0.0002; at most 0.0001"):
        largest_difference(network, steps_with((1 + 2 * _TOLERANCE) * np.eye(3)), "mix.h5")


def test_a_network_that_makes_no_numbers_fails():
    source = keras.Input((8, 8, 3))
    network = keras.Model(source, keras.layers.Conv2D(3, 1, use_bias=False)(source))
    network.set_weights([np.full((1, 1, 3, 3), np.nan)])
    with pytest.raises(RuntimeError, match="by nan"):
        largest_difference(network, steps_with(np.eye(3)), "mix.h5")


def test_a_line_says_what_it_is_and_what_else_is_to_be_known():
    conversion = checked_conversion(steps_with(np.eye(3)), "mix.h5", remark="; beware")
    assert conversion.recognised == "network of 1 layers, 3 filters, 9 parameters; beware"
    assert conversion.largest_difference < 1e-6


def test_the_network_must_do_what_the_original_did_on_batch_statistics():
    source = Step("Input", "source", (), {"channels": 3}, {})
    affine = {"gamma": np.array([1.0, 2.0, 3.0]), "beta": np.array([0.1, 0.2, 0.3])}
    averages = {"moving_mean": np.full(3, 7.0), "moving_variance": np.full(3, 9.0)}
    norm = {"epsilon": 1e-3, "center": True, "scale": True}
    batch = Step("BatchNormalization", "norm", ("source",), norm, affine | averages)
    instance = Step("GroupNormalization", "norm", ("source",), {"groups": -1, **norm}, affine)
    conversion = checked_conversion([source, instance], "norm.h5", original=[source, batch])
    assert "batch norm (epsilon 0.001), 6 parameters" in conversion.recognised
    # As it is, the batch norm's averages count.
    with pytest.raises(RuntimeError, match="differs"):
        largest_difference(conversion.network, [source, batch], "norm.h5")
