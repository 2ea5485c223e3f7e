"""Networks that normalise every part of a picture alike."""

import keras
import numpy as np
import pytest

from keras_pix2pix import resnet_generator, unet_generator
from keras_pix2pix.inference.fixed_statistics import FixedStatistics
from keras_pix2pix.networks.normalization import _instance_normalization


@pytest.mark.parametrize("normalization", ["instance", "instance_no_affine"])
def test_the_picture_that_was_measured_comes_out_as_ever(images, normalization):
    generator = unet_generator((32, 32, 3), filters=4, normalization=normalization)
    generator.set_weights([weight + 0.01 for weight in generator.get_weights()])  # A beta that is not 0.
    fixed = FixedStatistics(generator)
    for seed in (0, 1):
        source, _ = images(1, 64, 32, seed=seed)
        fixed.measure(source)
        expected = unet_generator((64, 32, 3), filters=4, num_downsamples=5, normalization=normalization)
        expected.set_weights(generator.get_weights())
        np.testing.assert_allclose(fixed.generator(source), expected(source), atol=1e-4)


def test_a_part_of_the_picture_comes_out_as_in_the_whole(images):
    source = keras.Input((None, None, 3))
    x = source
    for _ in range(3):
        x = _instance_normalization()(keras.layers.Conv2D(4, 3, padding="same", activation="relu")(x))
    generator = keras.Model(source, keras.layers.Conv2D(3, 3, padding="same")(x))
    fixed = FixedStatistics(generator)
    picture, _ = images(1, 48, 48)
    picture[:, :, 24:] *= 0.1
    fixed.measure(picture)
    whole = generator(picture).numpy()
    # Four 3x3 convolutions reach 4 pixels far.
    np.testing.assert_allclose(fixed.generator(picture[:, :, 24:])[:, :, 4:], whole[:, :, 28:], atol=1e-4)
    assert abs(generator(picture[:, :, 24:])[:, :, 4:] - whole[:, :, 28:]).numpy().max() > 0.1


def test_the_generator_is_left_as_it_is_and_weights_are_there_once(images):
    generator = resnet_generator((32, 32, 3), filters=2, num_blocks=1)
    source, _ = images(1)
    before = generator(source).numpy()
    fixed = FixedStatistics(generator)
    fixed.measure(source)
    fixed.generator(source[:, :16])
    np.testing.assert_array_equal(generator(source), before)
    kinds = {type(layer).__name__ for layer in fixed.generator.layers}
    assert "_FixedNormalization" in kinds
    assert not kinds & {"InstanceNormalization", "GroupNormalization"}


def test_norms_of_networks_inside_are_fixed_too():
    source, inner = keras.Input((None, None, 4)), keras.Input((None, None, 4))
    network = keras.Model(inner, keras.layers.GroupNormalization(groups=-1)(inner))
    fixed = FixedStatistics(keras.Model(source, network(source)))
    image = np.random.default_rng(0).normal(3.0, 2.0, (1, 8, 8, 4)).astype("float32")
    fixed.measure(image)
    expected = (image - image.mean((1, 2))) / np.sqrt(image.var((1, 2)) + 1e-3)
    np.testing.assert_allclose(fixed.generator(image), expected, atol=1e-4)
    np.testing.assert_allclose(fixed.generator(image[:, :2]), expected[:, :2], atol=1e-4)


@pytest.mark.parametrize(
    ("norm", "words"),
    [
        (keras.layers.BatchNormalization, "with no instance norm. Leave `fixed_statistics` out"),
        (lambda: keras.layers.GroupNormalization(groups=2), "with the GroupNormalization"),
        (keras.layers.LayerNormalization, "with the LayerNormalization"),
    ],
    ids=["batch", "groups", "layer"],
)
def test_other_norms_are_refused_with_a_reason(norm, words):
    source = keras.Input((None, None, 4))
    with pytest.raises(ValueError, match=words):
        FixedStatistics(keras.Model(source, norm()(source)))
