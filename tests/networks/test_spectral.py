"""Spectral normalisation: the kernel as it is used, against NumPy's singular values and PyTorch."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_pix2pix.networks.spectral import SpectralConv2D


def built(training_passes=0, shape=(4, 9, 3), filters=5, **arguments):
    """A layer, a batch, and the layer's normalised kernel as a matrix, read off its results for unit pixels."""
    rng = np.random.default_rng(2)
    layer = SpectralConv2D(filters, 2, **arguments)
    layer.build((None, *shape))
    layer.kernel.assign(rng.normal(size=layer.kernel.shape))
    images = rng.normal(size=(2, *shape)).astype("float32")
    for _ in range(training_passes):
        layer(images, training=True)
    return layer, images


def kernel_in_use(layer):
    """One output pixel for each input value at 1, the others at 0."""
    rows, columns, channels, filters = layer.kernel.shape
    size = rows * columns * channels
    units = np.eye(size, dtype="float32").reshape(size, rows, columns, channels)
    return np.asarray(layer(units)).reshape(size, filters)


def test_the_largest_singular_value_becomes_1_after_some_passes():
    layer, _ = built(training_passes=40)
    matrix = np.asarray(layer.kernel).reshape(12, 5)
    values = np.linalg.svd(matrix, compute_uv=False)
    assert values[0] > 2
    used = kernel_in_use(layer)
    assert np.linalg.svd(used, compute_uv=False)[0] == pytest.approx(1, rel=1e-4)
    np.testing.assert_allclose(used, matrix / values[0], rtol=1e-3, atol=1e-5)


def test_one_pass_is_one_step_of_power_iteration():
    layer, images = built()
    matrix, left = np.asarray(layer.kernel).reshape(12, 5), np.asarray(layer.left)
    outputs = layer(images, training=True)
    right = matrix @ left / np.linalg.norm(matrix @ left)
    left = right @ matrix / np.linalg.norm(right @ matrix)
    np.testing.assert_allclose(layer.left, left, rtol=1e-5)
    expected = tf.nn.conv2d(images, layer.kernel, 1, "VALID") / (right @ matrix @ left)
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-5)


def test_nothing_moves_outside_training():
    layer, images = built(training_passes=1)
    left = np.asarray(layer.left)
    first = layer(images)
    np.testing.assert_array_equal(layer.left, left)
    np.testing.assert_array_equal(layer(images, training=False), first)
    assert [weight.name for weight in layer.trainable_weights] == ["kernel", "bias"]


def test_the_estimate_does_not_depend_on_the_length_of_the_start():
    layer, images = built(training_passes=2)
    before = layer(images)
    layer.left.assign(3 * layer.left)
    np.testing.assert_allclose(layer(images), before, rtol=1e-5)


def test_the_gradient_flows_through_the_division():
    layer, images = built(training_passes=40, use_bias=False)
    rng = np.random.default_rng(3)
    direction = rng.normal(size=layer.kernel.shape)
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(tf.sin(layer(images)))
    slope = np.sum(np.asarray(tape.gradient(value, layer.kernel.value)) * direction)

    def at(step):
        kernel = np.asarray(layer.kernel, "float64") + step * direction
        kernel /= np.linalg.svd(kernel.reshape(12, 5), compute_uv=False)[0]
        return float(tf.reduce_sum(tf.sin(tf.nn.conv2d(images.astype("float64"), kernel, 1, "VALID"))))

    assert slope == pytest.approx((at(1e-4) - at(-1e-4)) / 2e-4, rel=2e-3)


@pytest.mark.parametrize("use_bias", [True, False])
def test_it_is_a_convolution_in_all_else(use_bias):
    arguments = {"strides": 2, "padding": "same", "use_bias": use_bias, "activation": "relu"}
    layer, images = built(training_passes=40, **arguments)
    if use_bias:
        layer.bias.assign(np.arange(5.0) - 2)
    plain = keras.layers.Conv2D(5, 2, **arguments)
    plain.build(images.shape)
    value = np.linalg.svd(np.asarray(layer.kernel).reshape(12, 5), compute_uv=False)[0]
    plain.set_weights([layer.kernel / value, *([layer.bias] if use_bias else [])])
    np.testing.assert_allclose(layer(images), plain(images), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("use_bias", [True, False])
def test_its_state_is_saved(use_bias, tmp_path):
    source = keras.Input((4, 9, 3))
    network = keras.Model(source, SpectralConv2D(5, 2, use_bias=use_bias)(source))
    images = np.random.default_rng(0).normal(size=(2, 4, 9, 3)).astype("float32")
    network(images, training=True)
    network.save(tmp_path / "network.keras")
    again = keras.saving.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(again.layers[-1].left, network.layers[-1].left)
    np.testing.assert_array_equal(again(images), network(images))


@pytest.mark.slow
def test_two_steps_equal_pytorchs():
    torch = pytest.importorskip("torch")
    layer, images = built(use_bias=False)
    twin = torch.nn.Conv2d(3, 5, 2, bias=False)
    with torch.no_grad():
        twin.weight.copy_(torch.tensor(np.asarray(layer.kernel).transpose(3, 2, 0, 1)))
    twin = torch.nn.utils.spectral_norm(twin)
    twin.weight_u.copy_(torch.tensor(np.asarray(layer.left)))
    pictures = torch.tensor(images.transpose(0, 3, 1, 2))
    for _ in range(2):
        with tf.GradientTape() as tape:
            outputs = layer(images, training=True)
            value = tf.reduce_sum(tf.sin(outputs))
        gradient = tape.gradient(value, layer.kernel.value)
        theirs = twin(pictures)
        twin.zero_grad()
        torch.sin(theirs).sum().backward()
        np.testing.assert_allclose(np.asarray(outputs).transpose(0, 3, 1, 2), theirs.detach().numpy(), atol=1e-5)
        np.testing.assert_allclose(
            np.asarray(gradient).transpose(3, 2, 0, 1), twin.weight_orig.grad.numpy(), rtol=1e-4, atol=1e-4
        )
        layer.kernel.assign_sub(0.01 * gradient)
        with torch.no_grad():
            twin.weight_orig -= 0.01 * twin.weight_orig.grad
