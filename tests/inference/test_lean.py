"""Lean clones compute what the trained network computes."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_pix2pix import resnet_generator, unet_generator
from keras_pix2pix.inference.lean import InstanceNormalization, _Resize, lean_clone, size_multiple
from keras_pix2pix.inference.subpixel import SubpixelConvolution
from keras_pix2pix.networks.normalization import _instance_normalization


def test_a_lean_clone_of_the_papers_network_is_equal(images):
    source, _ = images(2)
    generator = unet_generator((32, 32, 3), filters=4)
    clone = lean_clone(generator)
    np.testing.assert_allclose(clone(source), generator(source), atol=1e-5)
    kinds = {type(layer) for layer in clone.layers}
    assert {SubpixelConvolution, InstanceNormalization} <= kinds
    assert not {keras.layers.Conv2DTranspose, keras.layers.GroupNormalization} & kinds


def test_a_lean_clone_takes_the_size_it_is_made_for(images):
    generator = unet_generator((32, 32, 3), filters=2)
    stock = unet_generator((64, 96, 3), filters=2, num_downsamples=5)
    stock.set_weights(generator.get_weights())
    source, _ = images(1, 64, 96)
    clone = lean_clone(generator, (64, 96))
    assert clone.input_shape == (None, 64, 96, 3)
    np.testing.assert_allclose(clone(source), stock(source), atol=1e-5)


def test_a_lean_clone_has_weights_of_its_own(images):
    source, _ = images(1)
    generator = unet_generator((32, 32, 3), filters=2)
    before = generator(source).numpy()
    clone = lean_clone(generator)
    generator.set_weights([weight + 1 for weight in generator.get_weights()])
    np.testing.assert_allclose(clone(source), before, atol=1e-5)


class Doubled(keras.layers.Conv2DTranspose):
    """A user's own layer, of which the class it comes from says nothing."""

    def call(self, x):
        return 2 * super().call(x)


@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.Conv2DTranspose(3, 1, strides=2),
        keras.layers.Conv2DTranspose(3, 3, padding="same"),
        keras.layers.Conv2DTranspose(3, 3, strides=(1, 2), padding="same"),
        keras.layers.Conv2DTranspose(3, 4, strides=2, output_padding=0),
        Doubled(3, 4, strides=2, padding="same"),
        keras.layers.GroupNormalization(groups=2),
        keras.layers.BatchNormalization(),
    ],
    ids=["smaller than its stride", "no stride", "two strides", "output padding", "own class", "groups", "batch"],
)
def test_what_is_not_known_is_left_alone(layer):
    layer = layer.__class__.from_config(layer.get_config())
    source = keras.Input((8, 8, 4))
    network = keras.Model(source, layer(source))
    images = np.random.default_rng(0).normal(size=(1, 8, 8, 4)).astype("float32")
    clone = lean_clone(network)
    assert type(clone.layers[-1]) is type(layer)
    np.testing.assert_allclose(clone(images), network(images), atol=1e-5)


@pytest.mark.parametrize("size", [(8, 8), (12, 20)])
@pytest.mark.parametrize("normalization", ["instance", "batch"])
def test_a_lean_clone_of_a_resnet_has_neither_transposed_convolution_nor_crop_nor_batch_norm(
    images, varied, normalization, size
):
    options = {"normalization": normalization, "dropout": 0.5}
    generator = varied(resnet_generator((None, None, 3), filters=2, num_blocks=1, **options))
    source, _ = images(2, *size)
    clone = lean_clone(generator)
    np.testing.assert_allclose(clone(source), generator(source), atol=1e-5)
    kinds = {type(layer) for layer in clone.layers}
    gone = (layers.Conv2DTranspose, layers.Cropping2D, layers.Dropout, layers.BatchNormalization)
    assert SubpixelConvolution in kinds
    assert not kinds & {*gone, layers.GroupNormalization}


@pytest.mark.parametrize("separable", [False, True])
def test_a_lean_clone_of_a_unet_has_no_batch_norm_left_and_no_dropout(images, varied, separable):
    upsampling = "nearest" if separable else "transpose"
    options = {"normalization": "batch", "upsampling": upsampling, "separable": separable}
    generator = varied(unet_generator((32, 32, 3), filters=2, num_downsamples=4, **options))
    source, _ = images(2)
    clone = lean_clone(generator)
    np.testing.assert_allclose(clone(source), generator(source), atol=1e-5)
    gone = {layers.BatchNormalization, layers.Dropout}
    assert gone <= {type(layer) for layer in generator.layers}
    assert not gone & {type(layer) for layer in clone.layers}


def test_the_tensorflow_tutorials_blocks_are_opened(images, varied):
    def block(*inner):
        # All blocks' layers have the same names.
        return keras.Sequential([layer.from_config({**layer.get_config(), "name": layer.name[:4]}) for layer in inner])

    source = keras.Input((16, 16, 3))
    x = block(layers.Conv2D(4, 4, strides=2, padding="same"), layers.BatchNormalization(), layers.LeakyReLU())(source)
    x = block(layers.Conv2D(4, 3, padding="same"), layers.BatchNormalization(), layers.Dropout(0.5))(x)
    x = layers.Conv2DTranspose(3, 4, strides=2, padding="same", activation="tanh")(x)
    network = varied(keras.Model(source, x))
    pictures, _ = images(2, 16, 16)
    clone = lean_clone(network)
    np.testing.assert_allclose(clone(pictures), network(pictures), atol=1e-5)
    kinds = [type(layer) for layer in clone.layers[1:]]
    assert kinds == [layers.Conv2D, layers.LeakyReLU, layers.Conv2D, SubpixelConvolution]


def test_a_sequential_generator_and_a_functional_one_inside(images, varied):
    inner = unet_generator((16, 16, 3), filters=2, num_downsamples=2)
    network = varied(keras.Sequential([keras.Input((16, 16, 3)), layers.Conv2D(3, 3, padding="same"), inner]))
    pictures, _ = images(2, 16, 16)
    np.testing.assert_allclose(lean_clone(network)(pictures), network(pictures), atol=1e-5)


def test_a_layer_called_twice_stays_one(images, varied):
    source = keras.Input((8, 8, 3))
    convolution, norm = layers.Conv2D(3, 3, padding="same"), layers.BatchNormalization()
    network = varied(keras.Model(source, norm(convolution(norm(convolution(source))))))
    pictures, _ = images(2, 8, 8)
    clone = lean_clone(network)
    np.testing.assert_allclose(clone(pictures), network(pictures), atol=1e-5)
    assert clone.count_params() == network.count_params()


@pytest.mark.parametrize(("scale", "center"), [(True, True), (True, False), (False, True), (False, False)])
def test_instance_normalization_is_group_normalization_of_single_channels(scale, center):
    rng = np.random.default_rng(0)
    source = keras.Input((8, 8, 4))
    norm = keras.layers.GroupNormalization(groups=-1, epsilon=1e-2, scale=scale, center=center)
    network = keras.Model(source, norm(source))
    network.set_weights([rng.normal(size=weight.shape) for weight in network.get_weights()])
    images = rng.normal(1, 0.1, size=(2, 8, 8, 4)).astype("float32")
    clone = lean_clone(network)
    assert isinstance(clone.layers[-1], InstanceNormalization)
    np.testing.assert_allclose(clone(images), network(images), atol=1e-5)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("size", [(None, None), (6, 8)])
def test_upsampling_is_exact_at_any_size(interpolation, size):
    source = keras.Input((6, 8, 3))
    network = keras.Model(source, keras.layers.UpSampling2D((2, 3), interpolation=interpolation)(source))
    images = np.random.default_rng(0).normal(size=(1, 6, 8, 3)).astype("float32")
    clone = lean_clone(network, size)
    assert isinstance(clone.layers[-1], _Resize)
    assert clone.output_shape == (None, size[0] and 12, size[1] and 24, 3)
    np.testing.assert_allclose(clone(images), network(images), atol=1e-6)


def test_a_lean_clone_computes_in_float32_whatever_the_policy(images):
    source, _ = images(1)
    generator = unet_generator((32, 32, 3), filters=2)
    keras.config.set_dtype_policy("mixed_float16")
    try:
        clone = lean_clone(generator)
    finally:
        keras.config.set_dtype_policy("float32")
    assert {layer.compute_dtype for layer in clone.layers if layer.weights} == {"float32"}
    np.testing.assert_allclose(clone(source), generator(source), atol=1e-5)


def test_operations_that_are_no_layers_are_kept(images):
    source = keras.Input((16, 16, 3))
    padded = keras.ops.pad(source, [[0, 0], [1, 1], [1, 1], [0, 0]], mode="reflect")
    network = keras.Model(source, _instance_normalization()(padded))
    pictures, _ = images(1, 16, 16)
    np.testing.assert_allclose(lean_clone(network)(pictures), network(pictures), atol=1e-5)


@pytest.mark.parametrize("num_downsamples", [3, 5, 8])
def test_size_multiple_of_a_unet(num_downsamples):
    generator = unet_generator((None, None, 3), filters=1, num_downsamples=num_downsamples)
    assert size_multiple(generator) == 2**num_downsamples


def test_size_multiple_of_a_network_without_downsampling():
    source = keras.Input((None, None, 3))
    assert size_multiple(keras.Model(source, keras.layers.Conv2D(3, 3, padding="same")(source))) == 1


def test_a_network_that_changes_the_size_is_refused():
    source = keras.Input((None, None, 3))
    halves = keras.Model(source, keras.layers.Conv2D(3, 3, strides=2, padding="same")(source), name="halves")
    with pytest.raises(ValueError, match="as large as its source images. Received: 'halves'"):
        size_multiple(halves)
