"""The NumPy evaluation agrees with Keras, layer by layer."""

import keras
import numpy as np
import pytest

from keras_pix2pix.convert.keras.config import steps_from_network
from keras_pix2pix.convert.keras.self_check import _forward_pass as forward_pass

layers = keras.layers
LAYERS = {
    "same": lambda: layers.Conv2D(4, 4, strides=2, padding="same"),
    "valid": lambda: layers.Conv2D(4, (3, 4), strides=(1, 2), use_bias=False),
    "dilated": lambda: layers.Conv2D(4, 3, dilation_rate=(2, 1), padding="same", activation="tanh"),
    "transposed": lambda: layers.Conv2DTranspose(4, 4, strides=2, padding="same"),
    "transposed odd": lambda: layers.Conv2DTranspose(4, (3, 5), strides=(2, 3), padding="same", activation="relu"),
    "transposed valid": lambda: layers.Conv2DTranspose(4, 3, strides=2, use_bias=False),
    "transposed sparse": lambda: layers.Conv2DTranspose(4, (1, 2), strides=(2, 3)),
    "nearest": lambda: layers.UpSampling2D((2, 3)),
    "bilinear": lambda: layers.UpSampling2D((2, 3), interpolation="bilinear"),
    "padding": lambda: layers.ZeroPadding2D(((1, 2), (0, 3))),
    "cropping": lambda: layers.Cropping2D(((1, 0), (2, 1))),
    "max": lambda: layers.MaxPooling2D((2, 3)),
    "average": lambda: layers.AveragePooling2D((3, 2)),
    "relu": lambda: layers.ReLU(max_value=0.5, negative_slope=0.2, threshold=0.1),
    "leaky": lambda: layers.LeakyReLU(0.2),
    "sigmoid": lambda: layers.Activation("sigmoid"),
    "elu": lambda: layers.Activation("elu"),
    "batch": lambda: layers.BatchNormalization(epsilon=0.1),
    "batch plain": lambda: layers.BatchNormalization(center=False, scale=False),
    "instance": lambda: layers.GroupNormalization(groups=-1, epsilon=0.1),
    "group": lambda: layers.GroupNormalization(groups=2, scale=False),
    "dropout": lambda: layers.Dropout(0.5),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer(name, randomised):
    source = keras.Input((7, 9, 6))
    network = randomised(keras.Model(source, LAYERS[name]()(source)))
    images = np.random.default_rng(0).normal(size=(2, 7, 9, 6)).astype("float32")
    generated = forward_pass(steps_from_network(network, "network.keras"), images)
    np.testing.assert_allclose(generated, network(images), atol=1e-5)


def test_padding_by_reflection(images):
    source = keras.Input((8, 8, 3))
    network = keras.Model(source, keras.ops.pad(source, [[0, 0], [2, 1], [1, 3], [0, 0]], mode="reflect"))
    pictures, _ = images(1, 8, 8)
    np.testing.assert_array_equal(forward_pass(steps_from_network(network, "pad.keras"), pictures), network(pictures))


def test_batch_norm_on_batch_statistics(images, randomised):
    source = keras.Input((8, 8, 3))
    network = randomised(keras.Model(source, layers.BatchNormalization()(source)))
    pictures, _ = images(4, 8, 8)
    steps = steps_from_network(network, "batch.keras")
    generated = forward_pass(steps, pictures, batch_statistics=True)
    np.testing.assert_allclose(generated, network(pictures, training=True), atol=1e-5)
