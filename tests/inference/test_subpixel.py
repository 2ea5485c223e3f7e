"""Transposed convolutions of any kernel, as convolution and depth-to-space."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_pix2pix.inference.lean import lean_clone
from keras_pix2pix.inference.subpixel import SubpixelConvolution, is_croppable, subpixel_kernel

CROPS = [((0, 0), (0, 0)), ((1, 0), (1, 0)), ((0, 1), (1, 1))]


def transposed(kernel_size, padding, strides=2, crop=None, size=(5, 8), **options):
    source = keras.Input((*size, 3))
    layer = layers.Conv2DTranspose(4, kernel_size, strides=strides, padding=padding, **options)
    x = layer(source)
    return keras.Model(source, layers.Cropping2D(crop)(x) if crop else x)


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(
    ("kernel_size", "strides"), [(2, 2), (3, 2), (4, 2), (5, 2), (7, 2), ((2, 5), 2), (3, 3), (4, 3), (8, 4)]
)
def test_it_is_the_transposed_convolution(varied, kernel_size, strides, padding, use_bias):
    network = varied(transposed(kernel_size, padding, strides, use_bias=use_bias))
    images = np.random.default_rng(0).normal(size=(2, 5, 8, 3)).astype("float32")
    for size in ((5, 8), (None, None)):
        clone = lean_clone(network, size)
        assert [type(layer) for layer in clone.layers[1:]] == [SubpixelConvolution]
        generated = network(images)
        assert clone.output_shape[1:3] == (tuple(generated.shape[1:3]) if size[0] else (None, None))
        np.testing.assert_allclose(clone(images), generated, atol=1e-5)


@pytest.mark.parametrize("crop", CROPS)
@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("kernel_size", [2, 3, 4, 5])
def test_a_crop_after_it_is_taken_up(varied, kernel_size, padding, crop):
    network = varied(transposed(kernel_size, padding, crop=crop))
    images = np.random.default_rng(0).normal(size=(2, 5, 8, 3)).astype("float32")
    clone = lean_clone(network, (5, 8))
    assert [type(layer) for layer in clone.layers[1:]] == [SubpixelConvolution]
    assert clone.output_shape == network.output_shape
    np.testing.assert_allclose(clone(images), network(images), atol=1e-5)


def test_a_crop_of_whole_pixels_of_the_source_stays(varied):
    network = varied(transposed(3, "valid", crop=((0, 6), (0, 0))))
    images = np.random.default_rng(0).normal(size=(2, 5, 8, 3)).astype("float32")
    clone = lean_clone(network)
    assert [type(layer) for layer in clone.layers[1:]] == [SubpixelConvolution, layers.Cropping2D]
    np.testing.assert_allclose(clone(images), network(images), atol=1e-5)


def test_an_activation_stays(varied):
    network = varied(transposed(4, "same", activation="tanh"))
    images = np.random.default_rng(0).normal(size=(2, 5, 8, 3)).astype("float32")
    clone = lean_clone(network)
    assert np.abs(clone(images)).max() < 1
    np.testing.assert_allclose(clone(images), network(images), atol=1e-5)


def test_a_kernel_with_room_moves_so_that_nothing_is_cropped():
    # The residual generator's: out of the three taps become two by two in each of the four phases.
    kernel = np.arange(1.0, 10.0).reshape(3, 3, 1, 1)
    moved = subpixel_kernel(kernel, 2, ((1, 0), (1, 0)))
    assert moved.shape == (2, 2, 1, 4)
    # From each of four neighbours in the source, what reaches the four phases.
    np.testing.assert_array_equal(moved[:, :, 0], [[[5, 6, 8, 9], [0, 4, 0, 7]], [[0, 0, 2, 3], [0, 0, 0, 1]]])
    assert subpixel_kernel(kernel, 2, ((0, 0), (0, 0)))[1, 1, 0].tolist() == [1, 2, 4, 5]


def test_too_much_cropped_is_refused():
    cropping = ((9, 0), (0, 0))
    assert not is_croppable((3, 3), 2, cropping)
    with pytest.raises(ValueError, match=r"`cropping` must keep .*Received: cropping=\(\(9, 0\), \(0, 0\)\)"):
        SubpixelConvolution(3, (3, 3), cropping=cropping)
