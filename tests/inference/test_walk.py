"""What only training needs is passed by; what a call asks for in words is kept."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_pix2pix.inference.lean import lean_clone


@pytest.mark.parametrize(
    "idle",
    [
        layers.ActivityRegularization(1.0),
        layers.AlphaDropout(0.5),
        layers.Dropout(0.5),
        layers.GaussianDropout(0.5),
        layers.GaussianNoise(1.0),
        layers.Identity(),
        layers.SpatialDropout2D(0.5),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_layers_that_do_nothing_after_training_are_gone(idle):
    source = keras.Input((6, 6, 3))
    network = keras.Model(source, layers.ReLU()(type(idle).from_config(idle.get_config())(source)))
    images = np.random.default_rng(0).normal(size=(2, 6, 6, 3)).astype("float32")
    clone = lean_clone(network)
    assert [type(layer) for layer in clone.layers[1:]] == [layers.ReLU]
    np.testing.assert_array_equal(clone(images), network(images))


def test_noise_that_is_meant_at_inference_too_stays():
    source = keras.Input((6, 6, 3))
    network = keras.Model(source, layers.Dropout(0.5)(source, training=True))
    clone = lean_clone(network)
    assert [type(layer) for layer in clone.layers[1:]] == [layers.Dropout]
    assert (np.asarray(clone(np.ones((1, 6, 6, 3)))) == 0).any()


def test_a_users_own_dropout_stays():
    class Own(layers.Dropout):
        def call(self, x):
            return x + 1

    source = keras.Input((6, 6, 3))
    clone = lean_clone(keras.Model(source, Own(0.5)(source)))
    np.testing.assert_array_equal(clone(np.zeros((1, 6, 6, 3))), np.ones((1, 6, 6, 3)))


def test_a_sequential_block_that_is_called_in_training_stays_whole():
    source = keras.Input((6, 6, 3))
    network = keras.Model(source, keras.Sequential([layers.Dropout(0.5)])(source, training=True))
    clone = lean_clone(network)
    assert [type(layer) for layer in clone.layers[1:]] == [keras.Sequential]
    assert (np.asarray(clone(np.ones((1, 6, 6, 3)))) == 0).any()
