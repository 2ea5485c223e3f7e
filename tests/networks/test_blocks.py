"""What the generators are built of, by hand."""

import keras
import numpy as np
import pytest

from keras_pix2pix.networks.blocks import DepthToSpace, _doubled, convolution, downsample, upsample
from keras_pix2pix.networks.normalization import normalization_layers


def network_of(block, shape, **arguments):
    source = keras.Input(shape)
    return keras.Model(source, block(source, 1, name="block", **arguments))


def with_ones(network):
    network.set_weights([np.ones_like(weight) for weight in network.get_weights()])
    return network


def test_depth_to_space_by_hand():
    channels = np.arange(8.0).reshape(1, 1, 1, 8)
    pixels = DepthToSpace()(channels)
    # Two channels: pairs (0, 1) and (2, 3) above, (4, 5) and (6, 7) below.
    np.testing.assert_array_equal(pixels[0, ..., 0], [[0, 2], [4, 6]])
    np.testing.assert_array_equal(pixels[0, ..., 1], [[1, 3], [5, 7]])


@pytest.mark.parametrize(("size", "doubled_size"), [((3, 5), (6, 10)), ((None, None), (None, None))])
def test_depth_to_space_knows_its_shape_and_is_saved(size, doubled_size):
    source = keras.Input((*size, 8))
    network = keras.Model(source, DepthToSpace(name="last")(source))
    assert network.output_shape == (None, *doubled_size, 2)
    again = keras.Model.from_config(network.get_config())
    images = np.random.default_rng(0).normal(size=(2, 3, 5, 8))
    np.testing.assert_array_equal(again(images), network(images))


@pytest.mark.parametrize(
    ("upsampling", "row"),
    [
        # 1 and 3 become 1 1 3 3, with two zeros on the left and one on the right, summed four by four.
        ("nearest", [2, 5, 8, 7]),
        # 1, 1.5, 2.5, 3: a quarter and three quarters between the middles of the pixels.
        ("bilinear", [2.5, 5, 8, 7]),
        # Every second tap: 1 * (4, 4, 4, 4) from 1 pixel left of it, 3 * (4, 4, 4, 4) from 1 pixel on.
        ("transpose", [1, 4, 4, 3]),
        # 3 taps: 0 + 1 + 3 and 1 + 3 + 0, in all four phases.
        ("depth_to_space", [4, 4, 4, 4]),
    ],
)
def test_doubling_by_hand(upsampling, row):
    network = with_ones(network_of(_doubled, (1, 2, 1), upsampling=upsampling, use_bias=False))
    result = network(np.array([1.0, 3.0]).reshape(1, 1, 2, 1))
    assert result.shape == (1, 2, 4, 1)
    side = 3 if upsampling == "depth_to_space" else 4
    assert network.get_layer("block_convolution").kernel.shape[:2] == (side, side)
    # The only row of the picture is doubled; each of the two rows of the result sees these many of its copies.
    copies = {"nearest": [2, 2], "bilinear": [2, 2], "transpose": [1, 1], "depth_to_space": [1, 1]}[upsampling]
    np.testing.assert_allclose(result[0, :, :, 0], [[rows * value for value in row] for rows in copies], atol=1e-6)


def test_the_kernel_of_a_convolution():
    assert network_of(convolution, (8, 8, 3), padding="same").get_layer("block").kernel.shape == (4, 4, 3, 1)
    assert network_of(convolution, (8, 8, 3), kernel_size=2).get_layer("block").kernel.shape == (2, 2, 3, 1)


def test_a_separable_convolution_has_one_kernel_for_each_channel():
    source = keras.Input((8, 8, 32))
    network = keras.Model(source, convolution(source, 64, separable=True, use_bias=False, name="block"))
    depthwise, pointwise = network.get_weights()
    assert (depthwise.shape, pointwise.shape) == ((4, 4, 32, 1), (1, 1, 32, 64))
    # Both drawn as in the paper: Keras' default would have them ten times as wide.
    assert depthwise.std() == pytest.approx(0.02, rel=0.15)
    assert pointwise.std() == pytest.approx(0.02, rel=0.15)


@pytest.mark.parametrize(("activate", "lowest"), [("before", -0.3 * 16), (None, -16), ("after", -0.3 * 16)])
def test_where_the_encoder_activates(activate, lowest):
    network = with_ones(network_of(downsample, (8, 8, 1), activate=activate, leaky_slope=0.3, use_bias=False))
    result = network(-np.ones((1, 8, 8, 1)))
    assert float(np.min(result)) == pytest.approx(lowest)
    assert [layer.name for layer in network.layers[1:]] == {
        "before": ["block_activation", "block_convolution"],
        None: ["block_convolution"],
        "after": ["block_convolution", "block_activation"],
    }[activate]


@pytest.mark.parametrize(("activate", "value"), [("before", 0), (None, -4), ("after", 0)])
def test_where_the_decoder_activates(activate, value):
    network = with_ones(network_of(upsample, (8, 8, 1), activate=activate, use_bias=False))
    result = network(-np.ones((1, 8, 8, 1)))
    assert float(np.min(result)) == pytest.approx(value)
    kinds = [type(layer) for layer in network.layers[1:]]
    assert kinds.index(keras.layers.ReLU) == {"before": 0, "after": 1}[activate] if activate else len(kinds) == 1


@pytest.mark.parametrize("block", [downsample, upsample])
def test_a_block_in_the_order_of_pytorch_gan(block):
    normalize = normalization_layers("instance_no_affine")
    network = network_of(block, (8, 8, 1), normalize=normalize, activate="after", dropout=0.4)
    parts = ["convolution", "normalization", "activation", "dropout"]
    assert [layer.name for layer in network.layers[1:]] == [f"block_{part}" for part in parts]
    assert network.layers[-1].rate == 0.4
