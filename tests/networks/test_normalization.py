"""The normalisations, by hand."""

import keras
import numpy as np
import pytest

from keras_pix2pix.networks.normalization import _batch_normalization, _instance_normalization, normalization_layers


def test_instance_normalization_by_hand():
    layer = _instance_normalization()
    layer.build((None, 1, 2, 1))
    layer.set_weights([np.array([3.0]), np.array([0.5])])
    # Mean 2, standard deviation 1 of the first example; 20 and 10 of the second: (x - m) / s is -1 and 1.
    normalized = layer(np.array([1.0, 3.0, 10.0, 30.0]).reshape(2, 1, 2, 1))
    np.testing.assert_allclose(np.ravel(normalized), [-2.5, 3.5, -2.5, 3.5], atol=1e-4)


def test_instance_normalization_without_affine_has_no_weights():
    layer = normalization_layers("instance_no_affine", epsilon=3.0)("plain")
    # Mean 2 and variance 1: (x - 2) / sqrt(1 + 3).
    np.testing.assert_allclose(np.ravel(layer(np.array([1.0, 3.0]).reshape(1, 1, 2, 1))), [-0.5, 0.5], rtol=1e-6)
    assert not layer.weights


@pytest.mark.parametrize("word", ["instance", "instance_no_affine", "batch"])
def test_epsilon_and_name_reach_every_layer(word):
    layer = normalization_layers(word, epsilon=0.25)("here")
    assert (layer.name, layer.epsilon) == ("here", 0.25)
    assert normalization_layers(word)("here").epsilon == 1e-5


def test_at_batch_1_instance_norm_is_batch_norm_on_batch_statistics():
    images = np.random.default_rng(0).normal(size=(1, 8, 8, 3)).astype("float32")
    instance, batch = _instance_normalization(), _batch_normalization()
    instance.build(images.shape)
    batch.build(images.shape)
    batch.set_weights([*instance.get_weights(), *batch.get_weights()[2:]])
    np.testing.assert_allclose(instance(images), batch(images, training=True), atol=1e-5)


def test_batch_normalization_keeps_moving_averages_as_the_authors_do():
    layer = _batch_normalization()
    layer(np.full((2, 4, 4, 1), 10.0, "float32"), training=True)
    np.testing.assert_allclose(layer.moving_mean, [1.0], atol=1e-5)  # A tenth of the way from 0 to 10.
    assert layer.synchronized


def test_a_word_a_function_or_none():
    assert normalization_layers(None) is None
    layer = normalization_layers("instance", epsilon=1e-3)("down2_normalization")
    assert (layer.name, layer.groups, layer.epsilon) == ("down2_normalization", -1, 1e-3)
    assert normalization_layers("instance_no_affine")("n").get_config()["scale"] is False
    assert normalization_layers(keras.layers.LayerNormalization)("n").__class__ is keras.layers.LayerNormalization
    with pytest.raises(ValueError, match="Received: normalization='layer'"):
        normalization_layers("layer")


@pytest.mark.parametrize("epsilon", [0, -1e-5, float("nan")])
def test_epsilon_is_above_0(epsilon):
    with pytest.raises(ValueError, match=r"greater than 0. Received: norm_epsilon="):
        normalization_layers("instance", epsilon)
