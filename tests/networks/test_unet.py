"""The paper's generator: counts, shapes, and its layers one by one against TensorFlow's bare operators."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_pix2pix import unet_generator
from keras_pix2pix.inference.lean import lean_clone, size_multiple


@pytest.mark.parametrize(("size", "parameters"), [(128, 41_828_995), (256, 54_413_955), (512, 66_998_915)])
def test_parameters_are_those_of_the_authors_network(size, parameters):
    num_downsamples = {128: 7, 256: 8, 512: 9}[size]
    generator = unet_generator((size, size, 3), num_downsamples=num_downsamples, normalization="batch")
    trainable = sum(int(np.prod(weight.shape)) for weight in generator.trainable_weights)
    assert trainable == parameters
    assert unet_generator((size, size, 3), num_downsamples=num_downsamples).count_params() == parameters


@pytest.mark.parametrize("arguments", [{}, {"normalization": "instance_no_affine", "use_bias": True}])
def test_without_gamma_and_beta_every_convolution_has_a_bias(arguments):
    assert unet_generator(**{"normalization": None, **arguments}).count_params() == 54_409_603


@pytest.mark.parametrize(
    ("size", "blocks"),
    [
        ((8, 8), 3),
        ((32, 48), 5),
        ((64, 64), 6),
        ((96, 64), 6),
        ((128, 173), 7),
        ((256, 304), 8),
        ((512, 512), 8),
        ((None, None), 8),
    ],
)
def test_depth_is_what_the_size_allows(size, blocks):
    generator = unet_generator((*size, 3), filters=1)
    convolutions = [layer for layer in generator.layers if isinstance(layer, keras.layers.Conv2D)]
    assert len([layer for layer in convolutions if layer.name.startswith("down")]) == blocks


@pytest.mark.parametrize("size", [(32, 32), (32, 64), (96, 32)])
def test_the_generated_image_is_as_large_as_the_source(size, images):
    generator = unet_generator((*size, 3), filters=2, num_downsamples=5)
    assert generator(images(1, *size)[0]).shape == (1, *size, 3)


def test_a_network_of_any_size_computes_what_a_network_of_one_size_does(images):
    fixed = unet_generator((32, 64, 3), filters=2, num_downsamples=3)
    free = unet_generator((None, None, 3), filters=2, num_downsamples=3)
    free.set_weights(fixed.get_weights())
    source, _ = images(1, 32, 64)
    np.testing.assert_allclose(free(source), fixed(source), atol=1e-6)


@pytest.mark.parametrize("size", [(256, 304), (360, 480), (500, 500)])
def test_sizes_that_are_no_multiples_get_the_networks_of_the_paper(size):
    assert unet_generator((*size, 3)).count_params() == unet_generator((256, 256, 3)).count_params()


@pytest.mark.parametrize("options", [{}, {"skips": False}, {"upsampling": "nearest", "skip_activation": "leaky_relu"}])
def test_an_odd_side_is_rounded_up_and_cropped(images, options):
    generator = unet_generator((13, 22, 3), filters=2, num_downsamples=3, **options)
    source, _ = images(1, 13, 22)
    sizes = {layer.name: layer.output.shape[1:3] for layer in generator.layers if "_convolution" in layer.name}
    assert [sizes[f"down{depth}_convolution"] for depth in (1, 2, 3)] == [(7, 11), (4, 6), (2, 3)]
    assert generator(source).shape == (1, 13, 22, 3)


def test_where_nothing_is_odd_an_odd_network_is_the_stock_one(images):
    odd = unet_generator((20, 36, 3), filters=2, num_downsamples=3)
    even = unet_generator((24, 32, 3), filters=2, num_downsamples=3)
    even.set_weights(odd.get_weights())
    assert not any("crop" in layer.name for layer in even.layers)
    source, _ = images(1, 24, 32)
    np.testing.assert_allclose(lean_clone(odd)(source), even(source), atol=1e-5)


def test_an_odd_network_serves_every_size_without_padding(images):
    odd = unet_generator((20, 36, 3), filters=2, num_downsamples=3)
    assert size_multiple(lean_clone(odd)) == 1
    source, _ = images(1, 20, 36)
    np.testing.assert_allclose(lean_clone(odd)(source), odd(source), atol=1e-5)


def test_channels_in_and_out():
    generator = unet_generator((32, 32, 5), 2, filters=2)
    assert generator(np.zeros((1, 32, 32, 5))).shape == (1, 32, 32, 2)


def test_filters_double_up_to_eight_times():
    generator = unet_generator((64, 64, 3), filters=3)
    widths = [layer.filters for layer in generator.layers if layer.name.endswith("_convolution")]
    assert widths == [3, 6, 12, 24, 24, 24, 24, 24, 12, 6, 3, 3]


def test_dropout_acts_in_training_only_and_in_the_first_three_decoder_blocks(images):
    source, _ = images(1, 64, 64)
    generator = unet_generator((64, 64, 3), filters=2, dropout=0.4)
    dropouts = [layer for layer in generator.layers if isinstance(layer, keras.layers.Dropout)]
    assert [(layer.name, layer.rate) for layer in dropouts] == [(f"up{n}_dropout", 0.4) for n in (1, 2, 3)]
    assert not np.array_equal(generator(source, training=True), generator(source, training=True))
    np.testing.assert_array_equal(generator(source), generator(source))
    quiet = unet_generator((64, 64, 3), filters=2, dropout=0)
    np.testing.assert_array_equal(quiet(source, training=True), quiet(source, training=True))


@pytest.mark.parametrize(
    ("normalization", "kind"),
    [
        ("instance", keras.layers.GroupNormalization),
        ("batch", keras.layers.BatchNormalization),
        (keras.layers.LayerNormalization, keras.layers.LayerNormalization),
    ],
)
def test_normalization_is_everywhere_but_in_the_first_and_the_innermost_block(normalization, kind):
    generator = unet_generator((32, 32, 3), filters=2, normalization=normalization)
    names = [layer.name for layer in generator.layers]
    before = [names[index - 1] for index, layer in enumerate(generator.layers) if isinstance(layer, kind)]
    encoder = [f"down{block}_convolution" for block in (2, 3, 4)]
    assert before == encoder + [f"up{block}_convolution" for block in (1, 2, 3, 4)]


def test_weights_are_drawn_as_in_the_paper():
    generator = unet_generator((64, 64, 3), filters=32)
    kernel = np.asarray(generator.get_layer("down4_convolution").kernel)
    other = np.asarray(generator.get_layer("down5_convolution").kernel)
    assert abs(kernel.std() - 0.02) < 2e-4
    assert abs(kernel.mean()) < 2e-4
    assert not np.array_equal(kernel, other)
    gammas = np.concatenate([w.numpy().ravel() for w in generator.weights if w.name == "gamma"])
    assert abs(gammas.mean() - 1) < 2e-3
    assert abs(gammas.std() - 0.02) < 2e-3


def test_output_equals_the_papers_layers_written_in_bare_operators(images):
    source, _ = images(2)
    generator = unet_generator((32, 32, 3), filters=4)
    np.testing.assert_allclose(generator(source), bare_unet(generator, source, blocks=5), atol=1e-5)


def test_the_file_opens_with_keras_alone(tmp_path, images):
    source, _ = images(1)
    generator = unet_generator((32, 32, 3), filters=2)
    generator.save(tmp_path / "generator.keras")
    np.save(tmp_path / "source.npy", source)
    program = (
        "import sys; sys.modules['keras_pix2pix'] = None\n"
        "import keras, numpy\n"
        f"model = keras.saving.load_model({str(tmp_path / 'generator.keras')!r})\n"
        f"source = numpy.load({str(tmp_path / 'source.npy')!r})\n"
        f"numpy.save({str(tmp_path / 'generated.npy')!r}, model(source))\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    np.testing.assert_allclose(np.load(tmp_path / "generated.npy"), generator(source), atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"image_shape": (7, 32, 3)}, ["at least 8", "\\(7, 32, 3\\)"]),
        ({"image_shape": (64, 64, 3), "num_downsamples": 7}, ["= 128", "smaller `num_downsamples`"]),
        ({"num_downsamples": 0}, ["1 or more", "num_downsamples=0"]),
        ({"image_shape": (None, 64, 3)}, ["both None", "\\(None, 64, 3\\)"]),
        ({"dropout": 1.0}, ["less than 1", "dropout=1.0"]),
        ({"dropout": -0.1}, ["at least 0", "dropout=-0.1"]),
        ({"num_downsamples": 2.0}, ["must be an integer", "num_downsamples=2.0"]),
        ({"image_shape": (64, 64)}, ["\\(height, width, channels\\)", "image_shape=\\(64, 64\\)"]),
        ({"image_shape": (64, 64, None)}, ["\\(height, width, channels\\)", "\\(64, 64, None\\)"]),
        ({"normalization": "instanse"}, ["instance", "'instanse'"]),
        ({"norm_epsilon": 0}, ["greater than 0", "norm_epsilon=0"]),
        ({"norm_epsilon": float("nan")}, ["norm_epsilon=nan"]),
        ({"skip_activation": "leaky"}, ["'relu', 'leaky_relu'", "skip_activation='leaky'"]),
        ({"upsampling": "bicubic"}, ["'transpose', 'nearest', 'bilinear'", "Received: upsampling='bicubic'"]),
        ({"last_upsampling": "area"}, ["`last_upsampling` must be", "Received: last_upsampling='area'"]),
        ({"separable": True}, ["needs an `upsampling` that is a convolution", 'upsampling="transpose"']),
    ],
)
def test_errors_say_what_was_received(arguments, words):
    for word in words:
        with pytest.raises(ValueError, match=word):
            unet_generator(**{"filters": 1, **arguments})


BARE = {
    "no skips": {"skips": False},
    "leaky skips": {"skip_activation": "leaky_relu"},
    "leaky, no skips": {"skip_activation": "leaky_relu", "skips": False},
    "nearest": {"upsampling": "nearest"},
    "bilinear": {"upsampling": "bilinear"},
    "depth to space": {"upsampling": "depth_to_space"},
    "nearest at the end": {"last_upsampling": "nearest"},
    "transposed at the end": {"upsampling": "bilinear", "last_upsampling": "transpose"},
    "separable": {"upsampling": "depth_to_space", "separable": True, "use_bias": True},
    "separable, nearest": {"upsampling": "nearest", "separable": True, "last_upsampling": "transpose"},
    "innermost": {"normalize_innermost": True},
    "biases": {"use_bias": True},
    "no biases": {"normalization": None, "use_bias": False},
    "slope": {"leaky_slope": 0.7},
    "leaky skips, slope": {"skip_activation": "leaky_relu", "leaky_slope": 0.7},
    "epsilon": {"norm_epsilon": 0.5},
    "no affine": {"normalization": "instance_no_affine"},
}


@pytest.mark.parametrize("arguments", BARE.values(), ids=BARE)
def test_every_option_against_bare_operators(arguments, images):
    source, _ = images(2)
    generator = unet_generator((32, 32, 3), filters=2, num_downsamples=4, **arguments)
    shake(generator)
    np.testing.assert_allclose(generator(source), bare_unet(generator, source, 4, **arguments), atol=2e-5)


@pytest.mark.parametrize(("blocks", "size"), [(1, (2, 6)), (2, (4, 8)), (6, (64, 64)), (9, (512, 512))])
def test_any_number_of_blocks(blocks, size, images):
    source, _ = images(1, *size)
    generator = unet_generator((*size, 3), filters=1, num_downsamples=blocks, dropout=0)
    shake(generator)
    assert [layer.name for layer in generator.layers if layer.name.startswith("up")][-1].startswith(f"up{blocks}")
    np.testing.assert_allclose(generator(source), bare_unet(generator, source, blocks), atol=2e-5)


@pytest.mark.parametrize("upsampling", ["nearest", "bilinear", "depth_to_space"])
def test_every_upsampling_takes_any_size(upsampling, images):
    fixed = unet_generator((16, 24, 3), filters=2, num_downsamples=3, upsampling=upsampling)
    free = unet_generator((None, None, 3), filters=2, num_downsamples=3, upsampling=upsampling)
    assert free.output_shape == (None, None, None, 3)
    free.set_weights(fixed.get_weights())
    source, _ = images(1, 16, 24)
    np.testing.assert_allclose(free(source), fixed(source), atol=1e-6)
    assert free(images(1, 40, 8)[0]).shape == (1, 40, 8, 3)


def test_dropout_is_where_it_is_asked_for():
    arguments = {"dropout": 0.3, "dropout_blocks": (2, 4), "encoder_dropout_blocks": (1, 3, 5)}
    generator = unet_generator((64, 64, 3), filters=1, num_downsamples=5, **arguments)
    dropouts = [(layer.name, layer.rate) for layer in generator.layers if isinstance(layer, keras.layers.Dropout)]
    places = [f"down{block}" for block in (1, 3, 5)] + [f"up{block}" for block in (2, 4)]
    assert dropouts == [(f"{place}_dropout", 0.3) for place in places]


@pytest.mark.parametrize(
    ("skip_activation", "decoder_block", "encoder_block"),
    [
        ("relu", ["activation", "convolution", "normalization", "dropout"], ["activation", "convolution"]),
        ("leaky_relu", ["convolution", "normalization", "activation", "dropout"], ["convolution"]),
    ],
)
def test_the_order_of_a_block(skip_activation, decoder_block, encoder_block):
    generator = unet_generator(
        (16, 16, 3), filters=1, skip_activation=skip_activation, encoder_dropout_blocks=(2,), name="mine"
    )
    assert generator.name == "mine"
    names = [layer.name for layer in generator.layers]
    assert [name for name in names if name.startswith("up1_") and name != "up1_skip"] == [
        f"up1_{part}" for part in decoder_block
    ]
    rest = ["normalization", "dropout"] if skip_activation == "relu" else ["normalization", "activation", "dropout"]
    assert [name for name in names if name.startswith("down2_")] == [f"down2_{part}" for part in encoder_block + rest]
    # The skip is what comes last in its block: after the dropout.
    skips = [tensor._keras_history.operation.name for tensor in generator.get_layer("up2_skip").input]
    assert "down2_dropout" in skips


def bare_unet(
    generator,
    x,
    blocks,
    *,
    skips=True,
    skip_activation="relu",
    upsampling="transpose",
    last_upsampling=None,
    separable=False,
    normalization="instance",
    normalize_innermost=False,
    norm_epsilon=1e-5,
    use_bias=None,
    leaky_slope=0.2,
):
    """Section 6.1.1 and its variants, from tf.nn and the weights alone, which must all be used up."""
    weights = {weight.path: weight for weight in generator.weights}
    bias = normalization is None if use_bias is None else use_bias
    leaky = skip_activation == "leaky_relu"

    def normalize(x, name):
        if normalization is None:
            return x
        mean, variance = tf.nn.moments(x, [1, 2], keepdims=True)
        affine = normalization == "instance"
        gamma, beta = [weights.pop(f"{name}_normalization/{part}") if affine else None for part in ("gamma", "beta")]
        return tf.nn.batch_normalization(x, mean, variance, beta, gamma, norm_epsilon)

    encoded = []
    for block in range(1, blocks + 1):
        name = f"down{block}"
        x = tf.nn.leaky_relu(x, leaky_slope) if block > 1 and not leaky else x
        x = bare_convolution(weights, x, name, 2, [1, 1], separable and block > 1, bias)
        x = normalize(x, name) if block > 1 and (block < blocks or normalize_innermost) else x
        x = tf.nn.leaky_relu(x, leaky_slope) if leaky else x
        encoded.append(x)
    for block in range(1, blocks):
        name, skip = f"up{block}", encoded[blocks - 1 - block]
        x = x if leaky else tf.nn.relu(x)
        x = normalize(bare_doubling(weights, x, name, skip.shape[-1], upsampling, separable, bias), name)
        x = tf.nn.relu(x) if leaky else x
        if skips:
            x = tf.concat([x, skip] if leaky else [skip, x], axis=-1)
    x = x if leaky else tf.nn.relu(x)
    generated = tf.tanh(bare_doubling(weights, x, f"up{blocks}", 3, last_upsampling or upsampling, False, True))
    assert not weights
    return generated


def bare_convolution(weights, x, name, strides, padding, separable, bias):
    x = tf.pad(x, [[0, 0], padding, padding, [0, 0]])
    if separable:
        depthwise = weights.pop(f"{name}_convolution/depthwise_kernel")
        x = tf.nn.depthwise_conv2d(x, depthwise, (1, strides, strides, 1), "VALID")
        x = tf.nn.conv2d(x, weights.pop(f"{name}_convolution/pointwise_kernel"), 1, "VALID")
    else:
        x = tf.nn.conv2d(x, weights.pop(f"{name}_convolution/kernel"), strides, "VALID")
    return x + weights.pop(f"{name}_convolution/bias") if bias else x


def bare_doubling(weights, x, name, filters, way, separable, bias):
    size = (2 * x.shape[1], 2 * x.shape[2])
    if way == "transpose":
        padding = [[0, 0], [1, 1], [1, 1], [0, 0]]
        kernel = weights.pop(f"{name}_convolution/kernel")
        x = tf.nn.conv2d_transpose(x, kernel, (x.shape[0], *size, filters), strides=2, padding=padding)
        return x + weights.pop(f"{name}_convolution/bias") if bias else x
    if way == "depth_to_space":
        top_left, top_right, bottom_left, bottom_right = tf.split(
            bare_convolution(weights, x, name, 1, [1, 1], separable, bias), 4, axis=-1
        )
        rows = [tf.stack([top_left, top_right], axis=3), tf.stack([bottom_left, bottom_right], axis=3)]
        return tf.reshape(tf.stack(rows, axis=2), (x.shape[0], *size, filters))
    return bare_convolution(weights, tf.image.resize(x, size, way), name, 1, [2, 1], separable, bias)


def shake(network):
    """Weights that are neither 0 nor 1, so that every bias, gamma and beta tells."""
    rng = np.random.default_rng(7)
    network.set_weights([weight + rng.normal(0, 0.15, weight.shape) for weight in network.get_weights()])
