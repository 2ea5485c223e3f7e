"""Two processors for the tests of distribution, and networks small enough for them all."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pytest
import tensorflow as tf

# Before anything else of TensorFlow runs: the number of devices can't change later.
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)


@pytest.fixture(scope="session")
def mirrored():
    """One strategy for the whole session: a second one may hang on to the first one's collectives."""
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


@pytest.fixture(autouse=True)
def seeded():
    keras.utils.set_random_seed(0)


@pytest.fixture(autouse=True)
def timed_shortly(monkeypatch):
    """Exports time what they have written in as few runs as they may."""
    from keras_pix2pix.deploy import latency

    monkeypatch.setattr(latency, "_SECONDS", 0.0)


@pytest.fixture(autouse=True)
def in_every_epoch(monkeypatch):
    """What takes long at the end of an epoch isn't left out, however short the epoch."""
    from keras_pix2pix.callbacks import pace

    monkeypatch.setattr(pace, "_SHARE", 1.0)


@pytest.fixture
def make_model():
    """A function that builds an uncompiled Pix2Pix of the paper's shape, tiny."""
    from keras_pix2pix import Pix2Pix, patchgan_discriminator, unet_generator

    def make(image_shape=(32, 32, 3), filters=4, dropout=0.5, normalization="instance", **arguments):
        options = {"filters": filters, "normalization": normalization}
        return Pix2Pix(
            unet_generator(image_shape, num_downsamples=3, dropout=dropout, **options),
            patchgan_discriminator(image_shape, num_layers=1, **options),
            **arguments,
        )

    return make


@pytest.fixture
def make_encoded_model():
    """A function (source encoding, target encoding) -> a Pix2Pix between them, tiny."""
    from keras_pix2pix import Pix2Pix, encodings, patchgan_discriminator, unet_generator

    def make(source_encoding, target_encoding="rgb", size=(16, 16), **arguments):
        shape = (*size, encodings.get(source_encoding).channels)
        channels = encodings.get(target_encoding).channels
        return Pix2Pix(
            unet_generator(shape, channels, filters=2, num_downsamples=3),
            patchgan_discriminator(shape, channels, filters=2, num_layers=1),
            source_encoding=source_encoding,
            target_encoding=target_encoding,
            **arguments,
        )

    return make


@pytest.fixture
def images():
    """A function (count, height, width) -> (source, target), random images in [-1, 1]."""

    def draw(count, height=32, width=32, seed=0):
        return np.random.default_rng(seed).uniform(-1, 1, (2, count, height, width, 3)).astype("float32")

    return draw
