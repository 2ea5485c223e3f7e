"""Matrix products beside the convolutions that they stand for, in float64."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_pix2pix import Pix2Pix, patchgan_discriminator, unet_generator
from keras_pix2pix.training import matrix_products
from keras_pix2pix.training.matrix_products import (
    _convolution,
    _convolution_to_few,
    _folded,
    _transposed_convolution,
    _unfolded,
    fastest_form,
)


@pytest.fixture(autouse=True)
def products_for_few_channels(monkeypatch):
    monkeypatch.setattr(matrix_products, "_FEWEST_CHANNELS", 1)


@pytest.fixture
def draw():
    rng = np.random.default_rng(0)
    return lambda *shape: tf.constant(rng.normal(size=shape))


def stock_convolution(large, kernel):
    return tf.nn.conv2d(large, kernel, 2, "SAME")


def stock_transposed(small, kernel):
    batch, height, width, _ = small.shape
    return tf.nn.conv2d_transpose(small, kernel, (batch, 2 * height, 2 * width, kernel.shape[2]), 2)


def stock_convolution_to_few(x, kernel):
    return tf.nn.conv2d(x, kernel, 1, "VALID")


def value_and_gradients(function, x, kernel, weights):
    with tf.GradientTape() as tape:
        tape.watch([x, kernel])
        value = function(x, kernel)
        loss = tf.reduce_sum(value * weights)
    return value, *tape.gradient(loss, [x, kernel])


def assert_equal_with_gradients(ours, stock, *arguments):
    for found, expected in zip(
        value_and_gradients(ours, *arguments), value_and_gradients(stock, *arguments), strict=True
    ):
        np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("size", [(1, 1), (1, 3), (4, 2), (16, 12)])
@pytest.mark.parametrize("batch", [1, 3])
def test_a_convolution_and_its_gradients(draw, size, batch):
    height, width = size
    arguments = draw(batch, 2 * height, 2 * width, 3), draw(4, 4, 3, 5), draw(batch, height, width, 5)
    assert_equal_with_gradients(_convolution, stock_convolution, *arguments)


@pytest.mark.parametrize("kernel_size", [(4, 4), (3, 2), (1, 1)])
@pytest.mark.parametrize("filters", [1, 2])
@pytest.mark.parametrize("batch", [1, 3])
def test_a_convolution_to_few_filters_and_its_gradients(draw, kernel_size, filters, batch):
    rows, columns = kernel_size
    arguments = (
        draw(batch, rows + 5, columns + 2, 40),
        draw(rows, columns, 40, filters),
        draw(batch, 6, 3, filters),
    )
    assert_equal_with_gradients(_convolution_to_few, stock_convolution_to_few, *arguments)


@pytest.mark.parametrize("size", [(1, 1), (1, 3), (4, 2), (16, 12)])
@pytest.mark.parametrize("batch", [1, 3])
def test_a_transposed_convolution_and_its_gradients(draw, size, batch):
    height, width = size
    arguments = draw(batch, height, width, 5), draw(4, 4, 3, 5), draw(batch, 2 * height, 2 * width, 3)
    assert_equal_with_gradients(_transposed_convolution, stock_transposed, *arguments)


def test_folding_is_the_transpose_of_unfolding(draw):
    """The inner products <unfold x, y> and <x, fold y> are equal."""
    x, y = draw(2, 8, 6, 3), draw(2 * 4 * 3, 48)
    np.testing.assert_allclose(
        tf.reduce_sum(_unfolded(x) * y), tf.reduce_sum(x * _folded(tf.transpose(y), (4, 3, 3))), rtol=1e-12
    )


@pytest.mark.parametrize(
    "options",
    [{}, {"use_bias": True, "normalization": None}, {"upsampling": "nearest"}, {"skip_activation": "leaky_relu"}],
)
def test_a_network_computes_the_same_with_the_same_variables(options, monkeypatch):
    network = unet_generator((32, 64, 3), filters=4, dropout=0, **options)
    source = np.random.default_rng(0).uniform(-1, 1, (2, 32, 64, 3)).astype("float32")

    def output_and_gradients(call):
        with tf.GradientTape() as tape:
            output = call(source, training=True)
            loss = tf.reduce_mean(tf.square(output - 0.5))
        return [output, *tape.gradient(loss, network.trainable_variables)]

    used = []
    for name in ("_convolution", "_transposed_convolution"):
        function = getattr(matrix_products, name)
        monkeypatch.setattr(
            matrix_products, name, lambda *inputs, function=function, name=name: used.append(name) or function(*inputs)
        )
    ours = output_and_gradients(fastest_form(network))
    assert "_convolution" in used
    assert ("_transposed_convolution" in used) == (options.get("upsampling") is None)
    for found, expected in zip(ours, output_and_gradients(network), strict=True):
        np.testing.assert_allclose(found, expected, atol=2e-5)


@pytest.mark.parametrize("num_scales", [1, 2])
def test_a_discriminator_computes_the_same_and_so_does_the_gradient_of_its_gradient(num_scales, monkeypatch):
    """The second derivative is the gradient penalty's."""
    network = patchgan_discriminator((32, 48, 3), filters=16, num_layers=2, num_scales=num_scales)
    rng = np.random.default_rng(0)
    source, image = (tf.constant(rng.uniform(-1, 1, (2, 32, 48, 3)), "float32") for _ in range(2))

    def output_and_gradients(call):
        with tf.GradientTape() as tape:
            with tf.GradientTape() as inner:
                inner.watch(image)
                logits = tf.nest.flatten(call([source, image], training=True))
                loss = tf.add_n([tf.reduce_sum(tf.sin(each)) for each in logits])
            slope = inner.gradient(loss, image)
            penalty = tf.reduce_sum(tf.square(slope))
        kernels = [weight for weight in network.trainable_variables if weight.name == "kernel"]
        return [*logits, slope, *tape.gradient(penalty, kernels)]

    used = []
    monkeypatch.setattr(
        matrix_products, "_convolution_to_few", lambda *inputs: used.append(inputs) or _convolution_to_few(*inputs)
    )
    ours = output_and_gradients(fastest_form(network))
    assert len(used) == num_scales
    for found, expected in zip(ours, output_and_gradients(network), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())


def no_product(*inputs):
    raise AssertionError("a matrix product stands for this layer")


def test_a_convolution_to_many_filters_stays_one(monkeypatch):
    monkeypatch.setattr(matrix_products, "_convolution_to_few", no_product)
    source = keras.Input((8, 8, 64))
    one, two = (keras.Model(source, keras.layers.Conv2D(filters, 4)(source)) for filters in (1, 2))
    image = np.ones((1, 8, 8, 64), "float32")
    np.testing.assert_array_equal(fastest_form(two)(image), two(image))
    with pytest.raises(AssertionError, match="a matrix product"):
        fastest_form(one)(image)


def test_layers_of_few_channels_stay_convolutions(monkeypatch):
    monkeypatch.setattr(matrix_products, "_FEWEST_CHANNELS", 17)
    monkeypatch.setattr(matrix_products, "_convolution", no_product)
    image = np.ones((1, 8, 8, 17), "float32")
    few, enough = (
        keras.Model(source, keras.layers.Conv2D(20, 4, 2, padding="same")(source))
        for source in (keras.Input((8, 8, 16)), keras.Input((8, 8, 17)))
    )
    np.testing.assert_array_equal(fastest_form(few)(image[..., 1:]), few(image[..., 1:]))
    with pytest.raises(AssertionError, match="a matrix product"):
        fastest_form(enough)(image)


@pytest.mark.parametrize("recipe", [{}, {"gan_loss": "wgangp"}, {"lambda_features": 10.0}], ids=str)
def test_a_step_is_the_same_with_and_without_products(recipe, monkeypatch):
    source, target = np.random.default_rng(0).uniform(-1, 1, (2, 2, 32, 32, 3)).astype("float32")
    networks = unet_generator((32, 32, 3), filters=4, dropout=0), patchgan_discriminator((32, 32, 3), filters=8)
    model = Pix2Pix(*networks)
    start, found = model.get_weights(), []
    for fewest_channels in (1, 10**6):
        monkeypatch.setattr(matrix_products, "_FEWEST_CHANNELS", fewest_channels)
        model.set_weights(start)
        model.compile(keras.optimizers.SGD(0.01), keras.optimizers.SGD(0.01), run_eagerly=True, **recipe)
        logs = model.train_on_batch(source, target, return_dict=True)
        found.append([*logs.values(), *model.get_weights()])
    assert not all(np.array_equal(*pair) for pair in zip(*found, strict=True))
    for ours, stock in zip(*found, strict=True):
        np.testing.assert_allclose(ours, stock, rtol=1e-4, atol=1e-5)


def test_large_layers_stay_convolutions(monkeypatch):
    monkeypatch.setattr(matrix_products, "_MOST_PIXELS", 0)
    monkeypatch.setattr(matrix_products, "_convolution", no_product)
    monkeypatch.setattr(matrix_products, "_transposed_convolution", no_product)
    network = unet_generator((32, 32, 3), filters=2)
    source = np.zeros((1, 32, 32, 3), "float32")
    np.testing.assert_array_equal(fastest_form(network)(source), network(source))


@pytest.mark.parametrize("odd", [(33, 48, 3), (20, 20, 3)])
def test_odd_sides_stay_convolutions(odd):
    network = unet_generator(odd, filters=2, dropout=0)
    source = np.random.default_rng(0).uniform(-1, 1, (1, *odd)).astype("float32")
    np.testing.assert_allclose(fastest_form(network)(source), network(source), atol=1e-5)


def test_networks_of_any_size_are_computed_as_they_are():
    network = unet_generator((None, None, 3), filters=2, num_downsamples=3, dropout=0)
    traced = tf.function(fastest_form(network), input_signature=[tf.TensorSpec((None, None, None, 3))])
    source = np.random.default_rng(0).uniform(-1, 1, (1, 16, 24, 3)).astype("float32")
    np.testing.assert_allclose(traced(source), network(source), atol=1e-5)


def test_dropout_and_losses_are_those_of_the_network():
    source = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 4, strides=2, padding="same", kernel_regularizer="l2")(source)
    x = keras.layers.ActivityRegularization(l1=0.1)(keras.layers.Dropout(0.5, seed=3)(x))
    network = keras.Model(source, x)
    faster = fastest_form(network)
    image = np.ones((1, 8, 8, 3), "float32")
    seed = network.layers[2].seed_generator.state
    before = seed.numpy()
    ours, losses = faster(image, training=True), [float(each) for each in network.losses]
    seed.assign(before)
    np.testing.assert_allclose(ours, network(image, training=True), atol=1e-6)
    assert losses == pytest.approx([float(each) for each in network.losses])
    assert len(losses) == 2


@pytest.mark.parametrize("kind", ["sequential", "own"])
def test_other_networks_than_plain_graphs_are_trained_as_they_are(kind):
    class Doubling(keras.Model):
        def call(self, inputs, training=None):
            return 2 * super().call(inputs, training=training)

    convolution = keras.layers.Conv2D(3, 3, padding="same")
    if kind == "sequential":
        network = keras.Sequential([keras.Input((8, 8, 3)), convolution])
    else:
        source = keras.Input((8, 8, 3))
        network = Doubling(source, convolution(source))
    model = Pix2Pix(network)
    model.compile(lambda_gan=0)
    image = np.random.default_rng(0).uniform(-1, 1, (1, 8, 8, 3)).astype("float32")
    expected = np.abs(network(image) - image).mean()
    assert model.fit(image, image, verbose=0).history["g_l1"] == pytest.approx([expected], rel=1e-5)


def test_layers_that_regularize_their_outputs_stay_convolutions():
    source = keras.Input((8, 8, 3))
    network = keras.Model(source, keras.layers.Conv2D(4, 4, 2, padding="same", activity_regularizer="l2")(source))
    fastest_form(network)(np.ones((1, 8, 8, 3), "float32"))
    assert [float(each) for each in network.losses] != []


def test_the_policy_is_that_of_the_network():
    network = unet_generator((8, 8, 3), filters=2, num_downsamples=3, dropout=0)
    image = np.random.default_rng(0).uniform(-1, 1, (1, 8, 8, 3)).astype("float32")
    expected = network(image)
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        np.testing.assert_allclose(fastest_form(network)(image), expected, atol=1e-5)
    finally:
        keras.config.set_dtype_policy(policy)
