"""The options of separable convolutions: kernels, sizes, and what is refused."""

import keras
import numpy as np
import pytest

from keras_pix2pix import export_tflite, unet_generator


def separable(**arguments):
    return unet_generator((32, 32, 3), filters=2, separable=True, **arguments)


def kernel_sizes(generator):
    return [layer.kernel_size for layer in generator.layers if isinstance(layer, keras.layers.SeparableConv2D)]


@pytest.mark.parametrize("upsampling", ["nearest", "bilinear"])
@pytest.mark.parametrize("side", [3, 4])
def test_separable_kernels_have_the_side_that_was_asked_for(upsampling, side, images):
    generator = separable(upsampling=upsampling, separable_kernel_size=side)
    assert kernel_sizes(generator) == [(side, side)] * 8
    assert generator.get_layer("down1_convolution").kernel_size == (4, 4)
    assert generator.get_layer("up5_convolution").kernel_size == (4, 4)
    assert generator(images(1)[0]).shape == (1, 32, 32, 3)


def test_depth_to_space_keeps_its_own_kernels():
    generator = separable(upsampling="depth_to_space", separable_kernel_size=4)
    assert kernel_sizes(generator) == [(4, 4)] * 4 + [(3, 3)] * 4


def test_a_3x3_kernel_after_a_resize_is_centred():
    generator = separable(upsampling="nearest", separable_kernel_size=3, last_upsampling="depth_to_space")
    padding = [layer.padding for layer in generator.layers if isinstance(layer, keras.layers.ZeroPadding2D)]
    assert padding == [((1, 1), (1, 1))] * 4


def test_a_network_of_3x3_kernels_is_exported_as_it_is(tmp_path):
    generator = separable(upsampling="nearest", last_upsampling="depth_to_space", separable_kernel_size=3)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype("uint8")
    parity = export_tflite(generator, tmp_path / "small.tflite", pixels=pixels)
    assert parity.largest_difference <= 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"separable": True, "upsampling": "nearest", "separable_kernel_size": 5}, ["3 or 4", "=5"]),
        ({"separable_kernel_size": 3}, ["separable=False", "Pass `separable=True`"]),
        ({"separable": True}, ['upsampling="transpose"']),
    ],
)
def test_errors_say_what_was_received(arguments, words):
    for word in words:
        with pytest.raises(ValueError, match=word):
            unet_generator((32, 32, 3), filters=1, **arguments)
