"""Pixels of no class have weight 0."""

import keras
import numpy as np
import pytest

from keras_pix2pix import Pix2Pix, encodings, patchgan_discriminator, unet_generator

LABELS = encodings.get("classes:3:ignore=255")


@pytest.fixture
def make_model():
    def make(target_encoding=LABELS, **recipe):
        keras.utils.set_random_seed(0)
        model = Pix2Pix(
            unet_generator((16, 16, 3), 3, filters=2, dropout=0),
            patchgan_discriminator((16, 16, 3), 3, filters=2, num_layers=1),
            target_encoding=target_encoding,
        )
        model.compile(keras.optimizers.SGD(0.01), keras.optimizers.SGD(0.01), **recipe)
        return model

    return make


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    raw = rng.integers(0, 3, (1, 16, 16, 1)).astype(np.uint8)
    raw[:, :, 8:] = 255
    return rng.uniform(-1, 1, (1, 16, 16, 3)).astype("float32"), np.array(LABELS.to_image(raw))


def test_the_loss_is_that_of_the_other_pixels(make_model, pair):
    source, target = pair
    model = make_model()
    logs = model.evaluate(source, target, verbose=0, return_dict=True)
    generated = model.generator(source, training=False).numpy()
    expected = np.abs(generated - target)[:, :, :8].sum() / target.size
    assert logs["g_l1"] == pytest.approx(expected, rel=1e-5)
    plain = make_model("classes:3").evaluate(source, target, verbose=0, return_dict=True)
    assert plain["g_l1"] == pytest.approx(np.abs(generated - target).mean(), rel=1e-5)


def test_what_is_generated_there_changes_no_update(make_model, pair):
    """A generator of one bias for each pixel learns nothing where the target is ignored."""
    source, target = pair
    inputs = keras.Input((16, 16, 3))
    shift = keras.layers.EinsumDense("bhwc,hw->bhwc", output_shape=(16, 16, 3), kernel_initializer="ones")
    model = Pix2Pix(keras.Model(inputs, shift(inputs)), make_model().discriminator, target_encoding=LABELS)
    model.compile(keras.optimizers.SGD(1.0))
    model.fit(source, target, verbose=0)
    kernel = shift.kernel.numpy()
    assert (kernel[:, 8:] == 1).all()
    assert (kernel[:, :8] != 1).any()


def test_pixels_of_weight_zero_change_no_loss_and_no_update(pair):
    """Padding: what is in the source there is seen, and what is generated there has no effect."""
    source, _ = pair
    target = source[:, ::-1].copy()
    weight = np.ones((1, 16, 16, 1), "float32")
    weight[:, :, 8:] = 0
    inputs = keras.Input((16, 16, 3))
    shift = keras.layers.EinsumDense("bhwc,hw->bhwc", output_shape=(16, 16, 3), kernel_initializer="ones")
    model = Pix2Pix(keras.Model(inputs, shift(inputs)), patchgan_discriminator((16, 16, 3), filters=2, num_layers=1))
    model.compile(keras.optimizers.SGD(1.0), metrics=["mse"])
    logs = model.evaluate(source, target, sample_weight=weight, verbose=0, return_dict=True)
    assert logs["g_l1"] == pytest.approx(np.abs(source - target)[:, :, :8].sum() / target.size, rel=1e-5)
    assert logs["mse"] == pytest.approx(np.square(source - target)[:, :, :8].sum() / target.size, rel=1e-5)
    model.fit(source, target, sample_weight=weight, verbose=0)
    kernel = shift.kernel.numpy()
    assert (kernel[:, 8:] == 1).all()
    assert (kernel[:, :8] != 1).any()


def test_a_pair_without_any_weight_has_none_in_the_mean(make_model, pair):
    source, target = (np.concatenate([each, each[:, ::-1]]) for each in pair)
    model = make_model("classes:3")
    weight = np.ones((2, 16, 16, 1), "float32")
    whole = model.evaluate(source[:1], target[:1], sample_weight=weight[:1], verbose=0, return_dict=True)
    weight[1] = 0
    filled_up = model.evaluate(source, target, sample_weight=weight, batch_size=2, verbose=0, return_dict=True)
    assert filled_up == pytest.approx(whole, rel=1e-5)
