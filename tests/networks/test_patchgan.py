"""The paper's discriminator: counts, fields, and its layers against TensorFlow's bare operators."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_pix2pix import patchgan_discriminator, pytorch_gan_discriminator, receptive_field
from keras_pix2pix.networks.spectral import SpectralConv2D

COUNTS = {0: 9_024, 1: 139_585, 2: 666_433, 3: 2_768_705, 4: 6_964_033, 5: 11_159_361, 6: 15_354_689}
FIELDS = {0: 1, 1: 16, 2: 34, 3: 70, 4: 142, 5: 286, 6: 574}


@pytest.mark.parametrize("num_layers", COUNTS)
def test_parameters_are_those_of_the_authors_network(num_layers):
    discriminator = patchgan_discriminator(num_layers=num_layers, normalization="batch")
    trainable = sum(int(np.prod(weight.shape)) for weight in discriminator.trainable_weights)
    assert trainable == COUNTS[num_layers]
    assert patchgan_discriminator(num_layers=num_layers).count_params() == COUNTS[num_layers]


@pytest.mark.parametrize(
    ("arguments", "parameters"),
    [({}, 2_767_808), ({"normalization": "instance"}, 2_767_808 + 2 * (128 + 256 + 512))],
)
def test_parameters_are_those_of_the_article(arguments, parameters):
    discriminator = pytorch_gan_discriminator(**arguments)
    assert discriminator.count_params() == parameters
    assert discriminator.output_shape == (None, 16, 16, 1)
    assert receptive_field(discriminator) == 94


@pytest.mark.parametrize("num_layers", FIELDS)
def test_receptive_field(num_layers):
    assert receptive_field(patchgan_discriminator(filters=1, num_layers=num_layers)) == FIELDS[num_layers]


def test_the_receptive_field_of_several_scales_is_that_of_the_coarsest():
    # A pooling of 3 pixels at every second one: 3 + 2 (34 - 1), and 3 + 2 (3 - 1) + 4 (34 - 1).
    for num_scales, field in ((2, 69), (3, 139)):
        discriminator = patchgan_discriminator(filters=1, num_layers=2, num_scales=num_scales)
        assert receptive_field(discriminator) == field


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


BARE = {
    "paper": {},
    "one layer": {"num_layers": 1},
    "pixels": {"num_layers": 0},
    "pixels without norm": {"num_layers": 0, "normalization": None},
    "unconditional": {"conditional": False},
    "no bias in the first": {"first_use_bias": False},
    "biases in the middle": {"use_bias": True},
    "no biases in the middle": {"normalization": None, "use_bias": False},
    "slope": {"leaky_slope": 0.7},
    "epsilon": {"norm_epsilon": 0.5},
    "no affine": {"normalization": "instance_no_affine"},
    "two scales": {"num_scales": 2, "num_layers": 1},
    "three scales, unconditional": {"num_scales": 3, "num_layers": 1, "conditional": False},
}


@pytest.mark.parametrize("arguments", BARE.values(), ids=BARE)
def test_every_option_against_bare_operators(arguments, images):
    source, target = images(2, 32, 40)
    discriminator = patchgan_discriminator((32, 40, 3), filters=2, **arguments)
    shake(discriminator)
    pair = [source, target] if arguments.get("conditional", True) else target
    logits = discriminator(pair)
    expected = bare_patchgan(discriminator, source, target, **arguments)
    for ours, theirs in zip(logits if isinstance(logits, list) else [logits], expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-5)


def test_pytorch_gans_discriminator_against_bare_operators(images):
    source, target = images(2)
    discriminator = pytorch_gan_discriminator((32, 32, 3), filters=2, norm_epsilon=0.5, name="mine")
    assert discriminator.name == "mine"
    shake(discriminator)
    weights = {weight.path: weight for weight in discriminator.weights}
    x = tf.concat([target, source], axis=-1)
    for depth in range(1, 5):
        x = bare_convolution(weights, x, f"layer{depth}_convolution", 2, [1, 1], True)
        if depth > 1:
            mean, variance = tf.nn.moments(x, [1, 2], keepdims=True)
            x = (x - mean) / tf.sqrt(variance + 0.5)
        x = tf.nn.leaky_relu(x, 0.2)
    logits = bare_convolution(weights, x, "logits", 1, [2, 1], False)
    assert not weights
    assert logits.shape == (2, 2, 2, 1)
    np.testing.assert_allclose(discriminator([source, target]), logits, atol=2e-5)


def test_pytorch_gans_discriminator_of_any_size_and_channels():
    discriminator = pytorch_gan_discriminator((None, None, 5), 2, filters=1)
    assert discriminator([np.zeros((1, 48, 32, 5)), np.zeros((1, 48, 32, 2))]).shape == (1, 3, 2, 1)


def test_halving_by_hand():
    discriminator = patchgan_discriminator((4, 4, 1), 1, filters=1, num_layers=0, num_scales=2, conditional=False)
    halved = discriminator.get_layer("scale2_layer1_convolution").input
    picture = np.arange(16.0).reshape(1, 4, 4, 1)
    # 0 1 2 3 / 4 5 6 7 / 8 9 10 11 / 12 13 14 15: 3x3 pixels around every second one, those that there are.
    means = [[(0 + 1 + 4 + 5) / 4, (1 + 2 + 3 + 5 + 6 + 7) / 6], [(4 + 5 + 8 + 9 + 12 + 13) / 6, 10]]
    np.testing.assert_allclose(keras.Model(discriminator.input, halved)(picture)[0, ..., 0], means, rtol=1e-6)


def test_every_scale_has_weights_of_its_own():
    one, three = (patchgan_discriminator(filters=1, num_layers=2, num_scales=scales) for scales in (1, 3))
    assert three.count_params() == 3 * one.count_params()
    assert three.output_shape == [(None, side, side, 1) for side in (62, 30, 14)]


@pytest.mark.parametrize(("spectral_norm", "normalized"), [(True, 5), (False, 0)])
def test_spectral_norm_is_in_every_convolution(spectral_norm, normalized):
    discriminator = patchgan_discriminator((32, 32, 3), filters=1, spectral_norm=spectral_norm)
    assert [type(layer) for layer in discriminator.layers].count(SpectralConv2D) == normalized


SIZES = [(32, 48), (None, None)]


@pytest.mark.parametrize("arguments", [{"num_scales": 2}, {"spectral_norm": True}, {"conditional": False}])
def test_a_network_of_any_size_computes_what_one_of_one_size_does(arguments, images):
    fixed, free = [patchgan_discriminator((*size, 3), filters=2, num_layers=2, **arguments) for size in SIZES]
    free.set_weights(fixed.get_weights())
    pair = list(images(1, *SIZES[0])) if arguments.get("conditional", True) else images(1, *SIZES[0])[1]
    for ours, theirs in zip(keras.tree.flatten(free(pair)), keras.tree.flatten(fixed(pair)), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"num_layers": -1}, "from 0 to 6. Received: num_layers=-1"),
        ({"num_layers": 7}, "from 0 to 6"),
        ({"image_shape": (16, 64, 3)}, "at least 24 .* image_shape=\\(16, 64, 3\\)"),
        ({"normalization": "bach"}, "'bach'"),
        ({"num_layers": 2.5}, "Received: num_layers=2.5"),
        ({"num_scales": 0}, "1 or more. Received: num_scales=0"),
        ({"num_scales": 2.0}, "must be an integer .* num_scales=2.0"),
        ({"image_shape": (64, 32, 3), "num_scales": 2}, "at least 48 .* image_shape=\\(64, 32, 3\\)"),
        ({"image_shape": (1, 1, 3), "num_layers": 0, "num_scales": 2}, "num_layers=0 and num_scales=2, .* at least 2"),
        ({"norm_epsilon": 0}, "norm_epsilon=0"),
    ],
)
def test_errors_say_what_was_received(arguments, word):
    with pytest.raises(ValueError, match=word):
        patchgan_discriminator(**{"filters": 1, **arguments})


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"normalization": "bach"}, "'bach'"),
        ({"norm_epsilon": -1}, "norm_epsilon=-1"),
        ({"image_shape": (256, 15, 3)}, "at least 16 .* image_shape=\\(256, 15, 3\\)"),
    ],
)
def test_errors_of_pytorch_gans_say_what_was_received(arguments, word):
    with pytest.raises(ValueError, match=word):
        pytorch_gan_discriminator(**{"filters": 1, **arguments})


def bare_patchgan(discriminator, source, target, *, num_scales=1, conditional=True, **options):
    """Section 6.1.2 and its variants, from tf.nn and the weights alone, which must all be used up: logits by scale."""
    weights = {weight.path: weight for weight in discriminator.weights}
    x = tf.concat([source, target], axis=-1) if conditional else tf.constant(target)
    logits = []
    for scale in range(1, num_scales + 1):
        logits.append(bare_scale(weights, x, f"scale{scale}_" if num_scales > 1 else "", **options))
        # TensorFlow's "SAME" counts only the pixels that there are, but at even sizes pads the other side.
        mirrored = tf.nn.avg_pool2d(tf.reverse(x, [1, 2]), 3, 2, "SAME")
        x = tf.reverse(mirrored, [1, 2])
    assert not weights
    return logits


def bare_scale(
    weights,
    x,
    prefix,
    *,
    num_layers=3,
    normalization="instance",
    norm_epsilon=1e-5,
    use_bias=None,
    first_use_bias=True,
    leaky_slope=0.2,
):
    bias = normalization is None if use_bias is None else use_bias
    strides = (1, 1) if num_layers == 0 else (2,) * num_layers + (1,)
    padding = [0, 0] if num_layers == 0 else [1, 1]
    for depth, stride in enumerate(strides, start=1):
        name = f"{prefix}layer{depth}"
        x = bare_convolution(weights, x, f"{name}_convolution", stride, padding, first_use_bias if depth == 1 else bias)
        if depth > 1 and normalization:
            mean, variance = tf.nn.moments(x, [1, 2], keepdims=True)
            x = (x - mean) / tf.sqrt(variance + norm_epsilon)
            if normalization == "instance":
                gamma, beta = [weights.pop(f"{name}_normalization/{part}") for part in ("gamma", "beta")]
                x = x * gamma + beta
        x = tf.nn.leaky_relu(x, leaky_slope)
    return bare_convolution(weights, x, f"{prefix}logits", 1, padding, bias if num_layers == 0 else True)


def bare_convolution(weights, x, name, strides, padding, bias):
    x = tf.nn.conv2d(x, weights.pop(f"{name}/kernel"), strides, [[0, 0], padding, padding, [0, 0]])
    return x + weights.pop(f"{name}/bias") if bias else x


def shake(network):
    """Weights that are neither 0 nor 1, so that every bias, gamma and beta tells."""
    rng = np.random.default_rng(7)
    network.set_weights([weight + rng.normal(0, 0.15, weight.shape) for weight in network.get_weights()])
