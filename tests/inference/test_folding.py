"""Batch norm on moving averages goes into the convolution before it, where nothing else would notice."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_pix2pix.inference.folding import followers
from keras_pix2pix.inference.lean import lean_clone

CONVOLUTIONS = {
    "convolution": lambda bias: layers.Conv2D(4, 3, strides=2, padding="same", use_bias=bias),
    "groups": lambda bias: layers.Conv2D(4, 3, groups=2, use_bias=bias),
    "transposed": lambda bias: layers.Conv2DTranspose(6, 3, padding="same", use_bias=bias),
    "subpixel": lambda bias: layers.Conv2DTranspose(6, 4, strides=2, padding="same", use_bias=bias),
    "depthwise": lambda bias: layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=bias),
    "separable": lambda bias: layers.SeparableConv2D(5, 3, padding="same", use_bias=bias),
}


def network_of(*stack, size=(6, 7)):
    source = keras.Input((*size, 4))
    x = source
    for layer in stack:
        x = layer(x)
    return keras.Model(source, x)


def assert_equal(clone, network):
    images = np.random.default_rng(0).normal(size=(2, *network.input_shape[1:])).astype("float32")
    np.testing.assert_allclose(clone(images), network(images), atol=1e-5)


def kinds(network):
    return [type(layer) for layer in network.layers[1:]]


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("size", [(6, 8), (5, 7)])
@pytest.mark.parametrize("convolution", CONVOLUTIONS)
def test_a_convolution_takes_up_the_norm_after_it(varied, convolution, size, use_bias):
    network = varied(network_of(CONVOLUTIONS[convolution](use_bias), layers.BatchNormalization(), size=size))
    clone = lean_clone(network)
    assert len(clone.layers) == len(network.layers) - 1
    assert layers.BatchNormalization not in kinds(clone)
    assert_equal(clone, network)


@pytest.mark.parametrize(("scale", "center"), [(True, False), (False, True), (False, False)])
def test_norms_without_gamma_or_beta_and_of_another_epsilon(varied, scale, center):
    norm = layers.BatchNormalization(scale=scale, center=center, epsilon=0.5)
    network = varied(network_of(layers.Conv2D(4, 3), norm))
    clone = lean_clone(network)
    assert kinds(clone) == [layers.Conv2D]
    assert_equal(clone, network)


def test_norms_in_a_row_and_over_a_dropout(varied):
    network = varied(
        network_of(layers.Conv2D(4, 3), layers.BatchNormalization(), layers.Dropout(0.5), layers.BatchNormalization())
    )
    clone = lean_clone(network)
    assert kinds(clone) == [layers.Conv2D]
    assert_equal(clone, network)


@pytest.mark.parametrize(
    "stack",
    [
        [layers.Conv2D(4, 3, activation="relu"), layers.BatchNormalization()],
        [layers.Conv2D(4, 3), layers.ReLU(), layers.BatchNormalization()],
        [layers.Conv2D(4, 3), layers.BatchNormalization(axis=1)],
        [layers.BatchNormalization(), layers.Conv2D(4, 3)],
        [layers.Conv2D(4, 3), layers.GroupNormalization(groups=2)],
        [layers.Dense(4), layers.BatchNormalization()],
        [layers.Conv2D(4, 3), layers.Cropping2D(1)],
    ],
    ids=["activation", "after an activation", "rows", "before", "group norm", "dense", "crop"],
)
def test_what_can_not_be_taken_up_stays(varied, stack):
    network = varied(network_of(*[layer.__class__.from_config(layer.get_config()) for layer in stack]))
    clone = lean_clone(network, (6, 7))
    assert kinds(clone) == kinds(network)
    assert_equal(clone, network)


def test_a_norm_on_batch_statistics_stays(varied):
    source = keras.Input((6, 7, 4))
    network = varied(keras.Model(source, layers.BatchNormalization()(layers.Conv2D(4, 3)(source), training=True)))
    clone = lean_clone(network)
    assert kinds(clone) == [layers.Conv2D, layers.BatchNormalization]
    assert_equal(clone, network)


def test_a_convolution_that_others_use_too_keeps_its_weights(varied):
    source = keras.Input((6, 7, 4))
    x = layers.Conv2D(4, 3)(source)
    network = varied(keras.Model(source, layers.Add()([x, layers.BatchNormalization()(x)])))
    clone = lean_clone(network)
    assert kinds(clone) == kinds(network)
    assert_equal(clone, network)


def test_a_convolution_that_is_a_result_too_takes_up_nothing():
    source = keras.Input((6, 7, 4))
    x = layers.Conv2D(4, 3)(source)
    assert len(followers(keras.Model(source, layers.BatchNormalization()(x)))) == 1
    assert followers(keras.Model(source, [x, layers.BatchNormalization()(x)])) == {}


def test_looking_leaves_the_network_as_it_is(varied):
    network = varied(network_of(layers.Conv2D(4, 3), layers.BatchNormalization()))
    before, source = network.get_weights(), network.layers[1].input
    followers(network)
    assert network.layers[1].input is source
    assert all(np.array_equal(*pair) for pair in zip(before, network.get_weights(), strict=True))
