"""The fused Adam is Keras' Adam."""

import keras
import numpy as np
import pytest

from keras_pix2pix.training.optimizers import FusedAdam


@pytest.mark.parametrize(
    "arguments",
    [
        {"learning_rate": 0.1},
        {"learning_rate": 0.1, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-2},
        {"learning_rate": 0.1, "amsgrad": True},
        {"learning_rate": 0.1, "clipnorm": 0.5, "weight_decay": 0.1},
        {"learning_rate": keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)},
    ],
    ids=["plain", "every number", "amsgrad", "clipnorm and decay", "schedule"],
)
def test_it_equals_keras_adam(arguments):
    rng = np.random.default_rng(0)
    start = rng.normal(size=(3, 4)).astype("float32")
    gradients = rng.normal(size=(5, 3, 4)).astype("float32")
    ends = []
    for adam in (keras.optimizers.Adam, FusedAdam):
        variable = keras.Variable(start)
        optimizer = adam(**arguments)
        for gradient in gradients:
            optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
        ends.append(variable.numpy())
    # Rounding in float32: a 20,000th of a step.
    np.testing.assert_allclose(ends[1], ends[0], atol=5e-6)
    assert np.abs(ends[1] - start).max() > 1e-2


def test_it_is_saved_under_its_own_name():
    optimizer = FusedAdam(3e-4, beta_1=0.6)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(optimizer))
    assert type(again) is FusedAdam
    assert again.get_config() == optimizer.get_config()
