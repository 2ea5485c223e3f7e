"""U-Nets are told from their weights, and everything else is refused by name."""

import keras
import numpy as np
import pytest

from keras_pix2pix.convert.keras.hdf5 import _SavedLayer
from keras_pix2pix.convert.keras.loading import from_legacy_keras
from keras_pix2pix.convert.keras.weights_only import steps_from_weights


def saved(name, *weights):
    return _SavedLayer(name, [(f"{name}/{weight}", np.ones(shape)) for weight, *shape in weights])


def kernel(name, *shape):
    return saved(name, ("kernel", *shape))


DOWN = [kernel("conv2d", 4, 4, 3, 2), saved("leaky_re_lu"), kernel("conv2d_1", 4, 4, 2, 4), saved("leaky_re_lu_1")]
UP = [
    kernel("conv2d_transpose", 4, 4, 2, 4),
    saved("re_lu"),
    saved("concatenate"),
    kernel("conv2d_transpose_1", 4, 4, 3, 4),
]


def kinds(layers):
    return [step.kind for step in steps_from_weights(layers, "w.h5")[0]][1:]


def test_activations_are_where_the_names_have_them():
    expected = ["Conv2D", "LeakyReLU", "Conv2D", "LeakyReLU", "Conv2DTranspose", "ReLU", "Concatenate"]
    assert kinds(DOWN + UP) == [*expected, "Conv2DTranspose"]
    # ReLU after the concatenation, as some have it, and a last activation that is a layer.
    moved = [UP[0], UP[2], saved("activation"), UP[3], saved("activation_1")]
    assert kinds(DOWN + moved)[4:] == ["Conv2DTranspose", "Concatenate", "Activation", "Conv2DTranspose"]


def test_the_skip_is_what_the_next_convolution_takes():
    steps, _ = steps_from_weights(DOWN + UP, "w.h5")
    (join,) = [step for step in steps if step.kind == "Concatenate"]
    assert join.inputs == ("re_lu", "leaky_re_lu")


def test_a_decoder_that_resizes(old_unet, save_keras_2, images):
    network = old_unet(resize=True)
    conversion = from_legacy_keras(save_keras_2(network, weights_only=True))
    source, _ = images(1)
    np.testing.assert_allclose(conversion.network(source), network(source), atol=1e-5)


def test_resizing_inside_of_blocks():
    up = [
        _SavedLayer("sequential", [("conv2d_2/kernel", np.ones((4, 4, 4, 2)))]),
        saved("concatenate"),
        kernel("conv2d_transpose", 4, 4, 3, 4),
    ]
    assert kinds(DOWN + up)[4:] == ["UpSampling2D", "Conv2D", "ReLU", "Concatenate", "Conv2DTranspose"]


def test_names_that_say_nothing_are_enough_where_shapes_tell():
    up = [kernel("deconv_a", 4, 4, 2, 4), saved("dropout"), saved("concatenate"), kernel("deconv_b", 4, 4, 3, 4)]
    assert kinds(DOWN + up)[4:] == ["Conv2DTranspose", "Dropout", "Concatenate", "Conv2DTranspose"]


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        (DOWN[:1], "Received: 1 convolutions"),
        (DOWN + UP[:3], "Received: 3 convolutions"),
        ([*DOWN, saved("my_attention"), *UP], r"not known: 'my_attention' \(no weights\)"),
        ([*DOWN, saved("dense", ("kernel", 4, 4)), *UP], r"not known: 'dense' \(kernel \(4, 4\)\)"),
        ([*DOWN, saved("layer_normalization", ("gamma", 4)), *UP], r"not known: 'layer_normalization'"),
        ([*DOWN, saved("odd", ("moving_mean", 4)), *UP], r"not known: 'odd' \(moving_mean \(4,\)\)"),
        ([*DOWN, saved("instance_normalization", ("gamma", 3)), *UP], r"gamma \(3,\) on 4 channels"),
        ([DOWN[0], DOWN[2], *UP], "no activation among the layers of the encoder"),
        ([*DOWN, UP[0], UP[2], saved("concatenate_1"), UP[3]], "no skip of the encoder for 'concatenate_1'"),
        ([*DOWN, *UP[:2], UP[3]], r"'conv2d_transpose_1' with a kernel \(4, 4, 3, 4\) on 2 channels"),
        ([DOWN[2], DOWN[1], DOWN[0], DOWN[3], *UP], r"'conv2d' with a kernel \(4, 4, 3, 2\) on 4 channels"),
        ([*DOWN, *UP, saved("dropout")], "after the last convolution 'dropout'"),
    ],
)
def test_what_is_no_unet_of_the_common_layout_is_refused(layers, words):
    with pytest.raises(ValueError, match=words):
        steps_from_weights(layers, "w.h5")


def test_a_square_kernel_is_transposed_unless_its_name_is_a_plain_convolutions():
    square = [kernel("up", 4, 4, 4, 4), saved("concatenate"), kernel("conv2d_transpose_1", 4, 4, 3, 6)]
    assert kinds(DOWN + square)[4] == "Conv2DTranspose"
    plain = [saved("up_sampling2d"), kernel("conv2d_2", 4, 4, 4, 4), *square[1:]]
    assert kinds(DOWN + plain)[4:6] == ["UpSampling2D", "Conv2D"]
    with pytest.raises(ValueError, match="'conv2d_2' with a kernel"):
        steps_from_weights(DOWN + plain[1:], "w.h5")


def test_batch_norm_is_told_by_its_moving_averages():
    norm = keras.layers.BatchNormalization
    averages = saved("norm", ("gamma", 4), ("beta", 4), ("moving_mean", 4), ("moving_variance", 4))
    steps, _ = steps_from_weights([*DOWN, averages, *UP], "w.h5")
    assert steps[5].kind == norm.__name__
    assert steps[5].settings["scale"]
    assert steps[5].settings["center"]
