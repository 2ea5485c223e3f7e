"""The paper's discriminator: counts, fields, and its layers against TensorFlow's bare operators."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_pix2pix import patchgan_discriminator, receptive_field

COUNTS = {1: 139_585, 2: 666_433, 3: 2_768_705, 4: 6_964_033, 5: 11_159_361, 6: 15_354_689}
FIELDS = {1: 16, 2: 34, 3: 70, 4: 142, 5: 286, 6: 574}


@pytest.mark.parametrize("num_layers", COUNTS)
def test_parameters_are_those_of_the_authors_network(num_layers):
    discriminator = patchgan_discriminator(num_layers=num_layers, normalization="batch")
    trainable = sum(int(np.prod(weight.shape)) for weight in discriminator.trainable_weights)
    assert trainable == COUNTS[num_layers]
    assert patchgan_discriminator(num_layers=num_layers).count_params() == COUNTS[num_layers]


@pytest.mark.parametrize("num_layers", FIELDS)
def test_receptive_field(num_layers):
    assert receptive_field(patchgan_discriminator(filters=1, num_layers=num_layers)) == FIELDS[num_layers]


def test_one_logit_depends_on_70_by_70_pixels():
    discriminator = patchgan_discriminator((128, 128, 3), filters=2, normalization=None)
    source = tf.random.uniform((1, 128, 128, 3))
    with tf.GradientTape() as tape:
        tape.watch(source)
        logit = discriminator([source, source])[0, 6, 6, 0]
    rows, columns = np.nonzero(np.any(tape.gradient(logit, source)[0] != 0, axis=-1))
    assert np.ptp(rows) + 1 == np.ptp(columns) + 1 == 70


@pytest.mark.parametrize(
    ("size", "logits"), [((256, 256), (30, 30)), ((32, 64), (2, 6)), ((50, 34), (4, 2)), ((24, 24), (1, 1))]
)
def test_map_of_logits(size, logits):
    discriminator = patchgan_discriminator((*size, 3), filters=1)
    assert discriminator.output_shape == (None, *logits, 1)
    free = patchgan_discriminator((None, None, 3), filters=1)
    assert free([np.zeros((1, *size, 3))] * 2).shape == (1, *logits, 1)


def test_channels_of_source_and_target():
    discriminator = patchgan_discriminator((32, 32, 5), 2, filters=1)
    assert discriminator([np.zeros((1, 32, 32, 5)), np.zeros((1, 32, 32, 2))]).shape == (1, 2, 2, 1)


def test_filters_double_up_to_eight_times():
    discriminator = patchgan_discriminator(filters=2, num_layers=5)
    widths = [layer.filters for layer in discriminator.layers if isinstance(layer, keras.layers.Conv2D)]
    assert widths == [2, 4, 8, 16, 16, 16, 1]


@pytest.mark.parametrize(("normalization", "norms"), [("instance", 3), ("batch", 3), (None, 0)])
def test_normalization_is_in_all_but_the_first_and_the_last_layer(normalization, norms):
    discriminator = patchgan_discriminator((32, 32, 3), filters=1, normalization=normalization)
    kinds = (keras.layers.GroupNormalization, keras.layers.BatchNormalization)
    assert len([layer for layer in discriminator.layers if isinstance(layer, kinds)]) == norms
    biased = [layer.use_bias for layer in discriminator.layers if isinstance(layer, keras.layers.Conv2D)]
    assert biased == ([True] * 5 if normalization is None else [True, False, False, False, True])


def test_output_equals_the_papers_layers_written_in_bare_operators(images):
    source, target = images(2)
    discriminator = patchgan_discriminator((32, 32, 3), filters=4)
    norms = iter([layer for layer in discriminator.layers if isinstance(layer, keras.layers.GroupNormalization)])
    x = tf.concat([source, target], axis=-1)
    for depth, stride in enumerate((2, 2, 2, 1, 1), start=1):
        layer = discriminator.get_layer("logits" if depth == 5 else f"layer{depth}_convolution")
        x = tf.nn.conv2d(x, layer.kernel, stride, [[0, 0], [1, 1], [1, 1], [0, 0]])
        x = x + layer.bias if depth in (1, 5) else x
        if 1 < depth < 5:
            mean, variance = tf.nn.moments(x, [1, 2], keepdims=True)
            norm = next(norms)
            x = tf.nn.batch_normalization(x, mean, variance, norm.beta, norm.gamma, 1e-5)
        x = tf.nn.leaky_relu(x, 0.2) if depth < 5 else x
    np.testing.assert_allclose(discriminator([source, target]), x, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"num_layers": -1}, "from 0 to 6. Received: num_layers=-1"),
        ({"num_layers": 7}, "from 0 to 6"),
        ({"image_shape": (16, 64, 3)}, "at least 24 .* image_shape=\\(16, 64, 3\\)"),
        ({"normalization": "bach"}, "'bach'"),
    ],
)
def test_errors_say_what_was_received(arguments, word):
    with pytest.raises(ValueError, match=word):
        patchgan_discriminator(**{"filters": 1, **arguments})
