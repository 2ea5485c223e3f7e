"""Batch norm becomes instance norm exactly, and calibration gives the data's own statistics."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_pix2pix import instance_from_batch, resnet_generator, serving_model, unet_generator
from keras_pix2pix.inference.lean import lean_clone


def disturbed(network):
    """Every weight random, so that none can be forgotten."""
    rng = np.random.default_rng(1)
    for weight in network.weights:
        if "seed" not in weight.name:
            values = rng.normal(0, 0.3, weight.shape)
            weight.assign(values**2 + 0.1 if "variance" in weight.name else values)
    return network


def kinds(network):
    return [type(layer).__name__ for layer in network.layers]


@pytest.mark.parametrize(
    "network",
    [
        lambda: unet_generator((32, 32, 3), filters=2, normalization="batch", dropout=0.0),
        lambda: unet_generator((32, 32, 3), filters=2, normalization="batch", norm_epsilon=0.1, dropout=0.0),
        # On 1x1 both norms give beta.
        lambda: unet_generator((32, 32, 3), filters=2, normalization="batch", dropout=0.0, normalize_innermost=True),
        # With padding by reflection, which is no layer.
        lambda: resnet_generator((32, 32, 3), filters=2, num_blocks=1, normalization="batch"),
    ],
    ids=["unet", "epsilon", "innermost", "resnet"],
)
def test_at_batch_1_instance_norm_is_batch_norm_on_batch_statistics(network, images):
    network = disturbed(network())
    source, _ = images(1)
    instance = instance_from_batch(network)
    np.testing.assert_allclose(instance.predict(source, verbose=0), network(source, training=True), atol=1e-5)
    assert "BatchNormalization" not in kinds(instance)
    assert kinds(instance).count("GroupNormalization") == kinds(network).count("BatchNormalization")


def test_the_network_itself_is_left_alone(images):
    network = disturbed(unet_generator((32, 32, 3), filters=2, normalization="batch"))
    source, _ = images(4)
    before = [weight.copy() for weight in network.get_weights()]
    instance_from_batch(network).set_weights([weight + 1 for weight in instance_from_batch(network).get_weights()])
    instance_from_batch(network, [source])
    for old, new in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_each_image_of_a_batch_has_its_own_statistics(images):
    network = disturbed(unet_generator((32, 32, 3), filters=2, normalization="batch", dropout=0.0))
    source, _ = images(3)
    alone = np.concatenate([network(image[None], training=True) for image in source])
    np.testing.assert_allclose(instance_from_batch(network)(source), alone, atol=1e-5)


@pytest.mark.parametrize(("center", "scale"), [(True, False), (False, True), (False, False)])
def test_gamma_and_beta_are_where_they_were(center, scale, images):
    source = keras.Input((32, 32, 3))
    norm = keras.layers.BatchNormalization(center=center, scale=scale)
    network = disturbed(keras.Model(source, norm(keras.layers.Conv2D(4, 3)(source))))
    pictures, _ = images(1)
    instance = instance_from_batch(network)
    np.testing.assert_allclose(instance(pictures), network(pictures, training=True), atol=1e-5)
    assert len(instance.weights) == 2 + center + scale


def test_blocks_are_gone_through(images):
    source = keras.Input((32, 32, 3))
    block = keras.Sequential([keras.layers.Conv2D(4, 4, strides=2), keras.layers.BatchNormalization()])
    inner = keras.Sequential([block, keras.layers.ReLU()])
    network = disturbed(keras.Model(source, inner(source)))
    pictures, _ = images(1)
    expected = network(pictures, training=True)
    np.testing.assert_allclose(instance_from_batch(network)(pictures), expected, atol=1e-5)
    calibrated = instance_from_batch(network, [pictures])
    np.testing.assert_allclose(calibrated(pictures), expected, atol=1e-5)


def test_a_pix2pix_gives_its_generator_and_the_result_serves(make_model, images):
    model = make_model(normalization="batch")
    disturbed(model.generator)
    instance = instance_from_batch(model)
    source, _ = images(1)
    np.testing.assert_allclose(lean_clone(instance)(source), instance(source), atol=1e-5)
    assert serving_model(instance)(np.zeros((1, 30, 30, 3), "uint8")).shape == (1, 30, 30, 3)


def test_calibrated_on_all_data_it_is_batch_norm_on_one_batch_of_them(images):
    network = disturbed(unet_generator((32, 32, 3), filters=2, normalization="batch", dropout=0.0))
    source, _ = images(6)
    # Unequal batches, so that a mean of means would be wrong.
    calibrated = instance_from_batch(network, [source[:3], source[3:4], source[4:]])
    assert kinds(calibrated) == kinds(network)
    np.testing.assert_allclose(calibrated.predict(source, verbose=0), network(source, training=True), atol=1e-5)


def test_moving_averages_become_population_mean_and_variance():
    source = keras.Input((4, 4, 2))
    network = keras.Model(source, keras.layers.BatchNormalization(momentum=0.9)(source))
    images = np.random.default_rng(0).normal(100, 2, (5, 4, 4, 2)).astype("float32")
    _, _, mean, variance = instance_from_batch(network, images).get_weights()
    np.testing.assert_allclose(mean, images.mean((0, 1, 2)), rtol=1e-6)
    np.testing.assert_allclose(variance, images.astype("float64").var((0, 1, 2)), rtol=1e-5)


def test_data_sets_of_pairs_count_without_the_pairs_of_weight_0(images):
    network = disturbed(unet_generator((32, 32, 3), filters=2, normalization="batch", dropout=0.0))
    source, target = images(4)
    pairs = tf.data.Dataset.from_tensor_slices((source, target, np.array([1.0, 1.0, 1.0, 0.0], "float32"))).batch(2)
    calibrated = instance_from_batch(network, pairs)
    np.testing.assert_allclose(calibrated(source[:3]), network(source[:3], training=True), atol=1e-5)
    unweighted = instance_from_batch(network, pairs.map(lambda source, target, weight: (source, target)))
    assert np.abs(unweighted(source) - calibrated(source)).max() > 1e-3


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (lambda source: iter([source]), "finite, and readable once for each batch norm. .* Received: list_iterator"),
        (lambda source: tf.data.Dataset.from_tensors(source).repeat(), "Received: _RepeatDataset"),
        (lambda source: [], "at least one batch of source images"),
    ],
    ids=["iterator", "endless", "empty"],
)
def test_data_that_can_not_be_read_layer_by_layer_are_refused(data, words, images):
    network = unet_generator((32, 32, 3), filters=2, normalization="batch")
    with pytest.raises(ValueError, match=words):
        instance_from_batch(network, data(images(1)[0]))


def test_a_network_without_batch_norm_is_refused():
    with pytest.raises(ValueError, match="Received: 'unet_generator' without any"):
        instance_from_batch(unet_generator((32, 32, 3), filters=2))


def test_batch_norm_over_rows_is_refused():
    source = keras.Input((8, 8, 3))
    network = keras.Model(source, keras.layers.BatchNormalization(axis=1, name="rows")(source))
    with pytest.raises(ValueError, match="axis=1 in the layer 'rows'"):
        instance_from_batch(network)


def test_pairs_may_be_lists_and_pixels_are_refused(images):
    generator = unet_generator((32, 32, 3), filters=2, normalization="batch")
    source, target = images(2)
    calibrated = [instance_from_batch(generator, [pair]) for pair in ((source, target), [source, target], source)]
    for network in calibrated[1:]:
        np.testing.assert_array_equal(network(source), calibrated[0](source))
    with pytest.raises(ValueError, match="Received: uint8. Convert pixels"):
        instance_from_batch(generator, [np.zeros((1, 32, 32, 3), "uint8")])
    with pytest.raises(ValueError, match="Received: a tuple"):
        instance_from_batch(generator, (source, target))
