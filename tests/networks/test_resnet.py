"""The residual generator: counts, sizes, and its layers one by one against TensorFlow's bare operators."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_pix2pix import enhanced_resnet_generator, resnet_generator, serving_model
from keras_pix2pix.images import to_image, to_pixels
from keras_pix2pix.inference.lean import lean_clone, size_multiple


@pytest.mark.parametrize(
    ("num_blocks", "arguments", "parameters"),
    [
        (9, {"normalization": "batch"}, 11_383_427),
        (9, {"normalization": "instance_no_affine", "use_bias": True}, 11_378_179),
        (6, {"normalization": "instance"}, 7_841_411),
        (6, {"normalization": None}, 7_837_699),
        # pix2pixHD's global generator.
        (9, {"num_downsamples": 4, "normalization": "instance_no_affine", "use_bias": True}, 182_443_267),
    ],
)
def test_parameters_are_those_of_the_authors_network(num_blocks, arguments, parameters):
    generator = resnet_generator(num_blocks=num_blocks, **arguments)
    assert sum(int(np.prod(weight.shape)) for weight in generator.trainable_weights) == parameters


def test_nine_blocks_of_256_filters_are_the_default():
    generator = resnet_generator(filters=1)
    assert len([layer for layer in generator.layers if isinstance(layer, keras.layers.Add)]) == 9
    widths = [layer.filters for layer in generator.layers if layer.name.endswith("_convolution")]
    assert widths == [1, 2, 4, 2, 1, 3]
    assert generator.input_shape == (None, 256, 256, 3)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"num_blocks": 3},
        {"num_downsamples": 1},
        {"normalization": "instance_no_affine"},
        {"normalization": None},
        {"use_bias": True},
        {"normalization": None, "use_bias": False},
        {"norm_epsilon": 0.5},
    ],
    ids=str,
)
def test_every_option_against_bare_operators(arguments, images):
    source, _ = images(2, 16, 20)
    generator = resnet_generator((16, 20, 3), filters=2, **{"num_blocks": 2, **arguments})
    shake(generator)
    np.testing.assert_allclose(generator(source), bare_resnet(generator, source, **arguments), atol=2e-5)


def test_dropout_acts_in_training_only_and_inside_every_block(images):
    source, _ = images(1, 16, 16)
    generator = resnet_generator((16, 16, 3), filters=2, num_blocks=2, dropout=0.4)
    dropouts = [(layer.name, layer.rate) for layer in generator.layers if isinstance(layer, keras.layers.Dropout)]
    assert dropouts == [("block1_dropout", 0.4), ("block2_dropout", 0.4)]
    names = [layer.name for layer in generator.layers]
    assert names[names.index("block1_dropout") - 1] == "block1_activation1"
    assert not np.array_equal(generator(source, training=True), generator(source, training=True))
    np.testing.assert_array_equal(generator(source), generator(source))


@pytest.mark.parametrize(
    ("normalization", "kind"),
    [
        ("instance", keras.layers.GroupNormalization),
        ("batch", keras.layers.BatchNormalization),
        (keras.layers.LayerNormalization, keras.layers.LayerNormalization),
    ],
)
def test_every_convolution_but_the_last_is_normalised(normalization, kind):
    generator = resnet_generator((16, 16, 3), filters=1, num_blocks=2, normalization=normalization)
    norms = [layer for layer in generator.layers if isinstance(layer, kind)]
    assert len(norms) == 1 + 2 + 2 * 2 + 2
    assert [layer.use_bias for layer in generator.layers if isinstance(layer, keras.layers.Conv2D)][-1]


def test_channels_in_and_out_and_the_name():
    generator = resnet_generator((16, 16, 5), 2, filters=1, num_blocks=1, name="mine")
    assert generator(np.zeros((1, 16, 16, 5))).shape == (1, 16, 16, 2)
    assert generator.name == "mine"


def test_weights_are_drawn_as_in_the_paper():
    generator = resnet_generator((16, 16, 3), filters=16, num_blocks=1)
    for name in ("stem_convolution", "block1_convolution1", "up1_convolution"):
        assert np.asarray(generator.get_layer(name).kernel).std() == pytest.approx(0.02, rel=0.05)


def test_a_network_of_any_size_computes_what_a_network_of_one_size_does(images):
    fixed = resnet_generator((16, 24, 3), filters=2, num_blocks=1)
    free = resnet_generator((None, None, 3), filters=2, num_blocks=1)
    free.set_weights(fixed.get_weights())
    source, _ = images(1, 16, 24)
    np.testing.assert_allclose(free(source), fixed(source), atol=1e-6)
    assert size_multiple(free) == 4


@pytest.mark.parametrize(("height", "width"), [(16, 16), (20, 12), (21, 35), (9, 64)])
def test_it_is_served_at_any_size(height, width):
    generator = resnet_generator((16, 16, 3), filters=2, num_blocks=1)
    pixels = np.random.default_rng(0).integers(0, 256, (1, height, width, 3), dtype=np.uint8)
    generated = serving_model(generator)(pixels)
    free = resnet_generator((None, None, 3), filters=2, num_blocks=1)
    free.set_weights(generator.get_weights())
    padded = np.pad(pixels, [(0, 0), (0, -height % 4), (0, -width % 4), (0, 0)], mode="reflect")
    expected = np.asarray(to_pixels(free(to_image(padded))))[:, :height, :width]
    assert np.abs(np.asarray(generated).astype(int) - expected).max() <= 1


def test_it_is_served_at_sizes_divisible_by_4_only_where_the_size_is_fixed():
    generator = resnet_generator((16, 16, 3), filters=1, num_blocks=1)
    assert serving_model(generator, (20, 28)).output_shape == (None, 20, 28, 3)
    with pytest.raises(ValueError, match=r"divisible by 4 .* Received: image_size=\(18, 28\)"):
        serving_model(generator, (18, 28))


@pytest.mark.parametrize("size", [(17, 22), (30, 33), (18, 16)])
def test_odd_sides_are_cropped(size, images, tmp_path):
    source, _ = images(1, *size)
    generator = resnet_generator((*size, 3), filters=2, num_blocks=1)
    assert generator(source).shape == (1, *size, 3)
    generator.save(tmp_path / "generator.keras")
    again = keras.saving.load_model(tmp_path / "generator.keras")
    np.testing.assert_array_equal(again(source), generator(source))
    np.testing.assert_allclose(lean_clone(generator)(source), generator(source), atol=1e-5)


def test_it_is_saved(tmp_path, images):
    source, _ = images(1, 16, 16)
    generator = resnet_generator((16, 16, 3), filters=2, num_blocks=2)
    generator.save(tmp_path / "generator.keras")
    again = keras.saving.load_model(tmp_path / "generator.keras")
    np.testing.assert_array_equal(again(source), generator(source))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"image_shape": (16, 4, 3)}, r"8 or more .*Received: image_shape=\(16, 4, 3\)"),
        ({"image_shape": (None, 16, 3)}, r"both None. Received: image_shape=\(None, 16, 3\)"),
        ({"image_shape": (16, 16)}, r"\(height, width, channels\)"),
        ({"image_shape": (16, 16, None)}, r"Received: image_shape=\(16, 16, None\)"),
        ({"num_blocks": 0}, "1 or more. Received: num_blocks=0"),
        ({"num_blocks": 1.5}, "Received: num_blocks=1.5"),
        ({"dropout": 1.0}, "less than 1. Received: dropout=1.0"),
        ({"dropout": -0.5}, "at least 0 .* dropout=-0.5"),
        ({"normalization": "bach"}, "Received: normalization='bach'"),
        ({"norm_epsilon": 0}, "Received: norm_epsilon=0"),
    ],
)
def test_errors_say_what_was_received(arguments, words):
    with pytest.raises(ValueError, match=words):
        resnet_generator(**{"image_shape": (16, 16, 3), "filters": 1, **arguments})


class Bare:
    """The layers of Johnson et al., from tf.nn and the weights alone, which must all be used up."""

    def __init__(self, generator, normalization="instance", norm_epsilon=1e-5, use_bias=None):
        self.weights = {weight.path: weight for weight in generator.weights}
        self.normalization, self.epsilon = normalization, norm_epsilon
        self.biased = normalization is None if use_bias is None else use_bias

    def convolved(self, x, name, margin, mode="REFLECT", strides=1, bias=None):
        x = tf.pad(x, [[0, 0], [margin, margin], [margin, margin], [0, 0]], mode)
        x = tf.nn.conv2d(x, self.weights.pop(f"{name}/kernel"), strides, "VALID")
        return x + self.weights.pop(f"{name}/bias") if bias or self.biased else x

    def normalized(self, x, name):
        if self.normalization is None:
            return x
        mean, variance = tf.nn.moments(x, [1, 2], keepdims=True)
        x = (x - mean) / tf.sqrt(variance + self.epsilon)
        if self.normalization == "instance":
            x = x * self.weights.pop(f"{name}/gamma") + self.weights.pop(f"{name}/beta")
        return x

    def stem(self, x, prefix=""):
        x = self.convolved(x, f"{prefix}stem_convolution", 3)
        return tf.nn.relu(self.normalized(x, f"{prefix}stem_normalization"))

    def halving(self, x, name):
        x = self.convolved(x, f"{name}_convolution", 1, "CONSTANT", strides=2)
        return tf.nn.relu(self.normalized(x, f"{name}_normalization"))

    def block(self, x, name):
        inner = self.convolved(x, f"{name}_convolution1", 1)
        inner = tf.nn.relu(self.normalized(inner, f"{name}_normalization1"))
        return x + self.normalized(self.convolved(inner, f"{name}_convolution2", 1), f"{name}_normalization2")

    def doubling(self, x, name):
        kernel = self.weights.pop(f"{name}_convolution/kernel")
        size = (x.shape[0], 2 * x.shape[1] + 1, 2 * x.shape[2] + 1, kernel.shape[2])
        # PyTorch's padding 1 and output padding 1: of the whole, the first row and column go.
        x = tf.nn.conv2d_transpose(x, kernel, size, 2, "VALID")[:, 1:, 1:]
        x = x + self.weights.pop(f"{name}_convolution/bias") if self.biased else x
        return tf.nn.relu(self.normalized(x, f"{name}_normalization"))

    def trunk(self, x, num_downsamples, num_blocks):
        x = self.stem(x)
        for depth in range(1, num_downsamples + 1):
            x = self.halving(x, f"down{depth}")
        for number in range(1, num_blocks + 1):
            x = self.block(x, f"block{number}")
        for number in range(1, num_downsamples + 1):
            x = self.doubling(x, f"up{number}")
        return x

    def picture(self, x, prefix=""):
        x = self.convolved(x, f"{prefix}head_convolution", 3, bias=True)
        assert not self.weights
        return tf.tanh(x)


def bare_resnet(generator, x, *, num_blocks=2, num_downsamples=2, **options):
    bare = Bare(generator, **options)
    return bare.picture(bare.trunk(x, num_downsamples, num_blocks))


def bare_enhancer(generator, x, *, num_downsamples, enhancer_blocks=3):
    """Wang et al.: the source's half through the global generator, added to what the enhancer has halved."""
    bare = Bare(generator, "instance_no_affine", use_bias=True)
    padded = np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)], constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))[:, ::2, ::2]
    coarse = bare.trunk(tf.constant(np.nanmean(windows, axis=(-2, -1)), tf.float32), num_downsamples, num_blocks=1)
    x = bare.halving(bare.stem(x, "enhancer_"), "enhancer_down") + coarse
    for number in range(1, enhancer_blocks + 1):
        x = bare.block(x, f"enhancer_block{number}")
    return bare.picture(bare.doubling(x, "enhancer_up"), "enhancer_")


def shake(network):
    """Weights that are neither 0 nor 1, so that every bias, gamma and beta tells."""
    rng = np.random.default_rng(7)
    network.set_weights([weight + rng.normal(0, 0.15, weight.shape) for weight in network.get_weights()])


def test_the_enhancer_has_the_parameters_of_pix2pixhds():
    assert enhanced_resnet_generator((64, 128, 3)).count_params() == 182_701_827


def test_the_enhancer_begins_as_the_global_generator():
    small = {"num_downsamples": 2, "num_blocks": 2, "normalization": "instance_no_affine", "use_bias": True}
    whole = resnet_generator((None, None, 3), filters=4, **small)
    enhanced = enhanced_resnet_generator((None, None, 3), filters=2, enhancer_blocks=1, **small)
    shapes = {weight.path: weight.shape for weight in enhanced.weights}
    shared = [weight for weight in whole.weights if weight.path in shapes]
    assert all(shapes[weight.path] == weight.shape for weight in shared)
    assert {weight.path for weight in whole.weights} - shapes.keys() == {
        "head_convolution/kernel",
        "head_convolution/bias",
    }
    new = {path.split("/")[0] for path in shapes.keys() - {weight.path for weight in whole.weights}}
    assert new == {f"enhancer_{name}_convolution" for name in ("stem", "down", "up", "head")} | {
        "enhancer_block1_convolution1",
        "enhancer_block1_convolution2",
    }


@pytest.mark.parametrize("small", [{"num_downsamples": 2}, {"num_downsamples": 1, "enhancer_blocks": 2}])
def test_the_enhancer_against_bare_operators(small, images):
    source, _ = images(1, 32, 48)
    generator = enhanced_resnet_generator((32, 48, 3), filters=2, num_blocks=1, **small)
    shake(generator)
    np.testing.assert_allclose(generator(source), bare_enhancer(generator, source, **small), atol=2e-5)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"image_shape": (48, 64, 3)}, "multiple of 32"),
        ({"image_shape": (32, 64, 3)}, "at least 64"),
        ({"enhancer_blocks": 0}, "`enhancer_blocks`"),
        ({"num_downsamples": 7}, "`num_downsamples`"),
        ({"num_downsamples": True}, "`num_downsamples`"),
        ({"num_blocks": 0}, "`num_blocks`"),
    ],
    ids=str,
)
def test_what_the_enhancer_refuses(arguments, words):
    with pytest.raises(ValueError, match=words):
        enhanced_resnet_generator(**{"image_shape": (64, 64, 3), "filters": 1, **arguments})


@pytest.mark.parametrize(("num_downsamples", "smallest"), [(1, 4), (2, 8), (4, 32)])
def test_the_smallest_picture_depends_on_the_halvings(num_downsamples, smallest):
    options = {"filters": 1, "num_blocks": 1, "num_downsamples": num_downsamples}
    assert resnet_generator((smallest, smallest + 1, 3), **options).output_shape[1:3] == (smallest, smallest + 1)
    with pytest.raises(ValueError, match=f"{smallest} or more"):
        resnet_generator((smallest - 1, smallest, 3), **options)
