"""What is kept between two calls of `translate`, and when it is not."""

import gc
import weakref

import numpy as np
import pytest

from keras_pix2pix import Pix2Pix, unet_generator
from keras_pix2pix.inference.kept_serving import kept_serving_model


@pytest.fixture
def generator():
    return unet_generator((32, 32, 3), filters=4, num_downsamples=2)


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (40, 50, 3)).astype("uint8")


def test_the_network_is_built_once(generator):
    assert kept_serving_model(generator) is kept_serving_model(generator)


def test_one_graph_serves_all_sizes(generator, pixels):
    model = Pix2Pix(generator)
    model.translate(pixels)
    traced = kept_serving_model(model).traced
    model.translate(pixels[:33])
    assert kept_serving_model(model).traced is traced
    assert traced.experimental_get_tracing_count() == 1


def change_one_weight(generator):
    weights = generator.layers[-2].kernel
    value = weights.numpy()
    value[0, 0, 0, 0] += 0.5
    weights.assign(value)


def swap_channels(generator):
    kernel = generator.trainable_variables[0]
    kernel.assign(kernel.numpy()[:, :, ::-1])


@pytest.mark.parametrize("change", [change_one_weight, swap_channels])
def test_weights_that_change_are_seen(generator, pixels, change):
    model = Pix2Pix(generator)
    before = model.translate(pixels)
    change(generator)
    after = model.translate(pixels)
    assert (after != before).any()
    fresh = unet_generator((32, 32, 3), filters=4, num_downsamples=2)
    fresh.set_weights(generator.get_weights())
    np.testing.assert_array_equal(after, Pix2Pix(fresh).translate(pixels))


def test_encodings_count(generator, pixels):
    assert Pix2Pix(generator).translate(pixels).dtype == np.uint8
    other = Pix2Pix(generator, target_encoding="values:3:0:2")
    assert other.translate(pixels).dtype == np.float32


def test_nothing_keeps_a_model_alive(pixels):
    generator = unet_generator((32, 32, 3), filters=4, num_downsamples=2)
    Pix2Pix(generator).translate(pixels)
    kept, gone = weakref.ref(kept_serving_model(generator)), weakref.ref(generator)
    del generator
    gc.collect()
    assert gone() is None
    gc.collect()  # Models are in circles.
    assert kept() is None


def test_files_are_written_in_order_whatever_their_number(generator, pixels, tmp_path):
    model = Pix2Pix(generator)
    assert model.translate([], tmp_path / "none") == []
    files = model.translate([pixels, pixels[:33], pixels[:, :40]], tmp_path / "out")
    assert [file.name for file in files] == ["0000.png", "0001.png", "0002.png"]
