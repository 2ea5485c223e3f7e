"""The losses against numbers worked out by hand."""

import math

import keras
import numpy as np
import pytest

from keras_pix2pix.training.losses import adversarial_loss, l1_loss, mean_per_example

LOGITS = np.array([[0.0, math.log(3)], [math.log(3), -math.log(3)]]).reshape(2, 1, 2, 1)
ZEROS = np.zeros((2, 1, 2, 1))


def test_vanilla_by_hand():
    loss = adversarial_loss("vanilla")
    # sigmoid(0) = 1/2, sigmoid(log 3) = 3/4, sigmoid(-log 3) = 1/4.
    real = [(math.log(2) + math.log(4 / 3)) / 2, (math.log(4 / 3) + math.log(4)) / 2]
    np.testing.assert_allclose(loss.generator(LOGITS), real, rtol=1e-6)
    np.testing.assert_allclose(loss.discriminator(LOGITS, ZEROS), np.array(real) + math.log(2), rtol=1e-6)
    fake = [(math.log(2) + math.log(4)) / 2, (math.log(4) + math.log(4 / 3)) / 2]
    np.testing.assert_allclose(loss.discriminator(ZEROS, LOGITS), np.array(fake) + math.log(2), rtol=1e-6)


def test_lsgan_by_hand():
    loss = adversarial_loss("lsgan")
    logits = np.array([[3.0, 1.0], [0.0, -1.0]]).reshape(2, 1, 2, 1)
    np.testing.assert_allclose(loss.generator(logits), [2.0, 2.5])  # Means of 4, 0 and of 1, 4.
    np.testing.assert_allclose(loss.discriminator(logits, logits), [2 + 5, 2.5 + 0.5])


def test_large_logits_stay_finite():
    extreme = np.array([[-1e4, 1e4]]).reshape(1, 1, 2, 1)
    np.testing.assert_allclose(adversarial_loss("vanilla").generator(extreme), [5000.0])


@pytest.mark.parametrize("word", ["vanilla", "lsgan"])
def test_a_list_of_logits_gives_the_mean_over_scales(word):
    loss = adversarial_loss(word)
    large, small = LOGITS, LOGITS[:, :, :1] + 2
    scales = [loss.generator(large), loss.generator(small)]
    np.testing.assert_allclose(loss.generator([large, small]), np.mean(scales, axis=0), rtol=1e-6)
    pairs = [loss.discriminator(large, large), loss.discriminator(small, small)]
    np.testing.assert_allclose(loss.discriminator([large, small], [large, small]), np.mean(pairs, axis=0), rtol=1e-6)


def test_a_keras_loss_is_wrapped():
    cross_entropy = adversarial_loss(keras.losses.BinaryCrossentropy(from_logits=True))
    vanilla = adversarial_loss("vanilla")
    np.testing.assert_allclose(cross_entropy.generator(LOGITS), vanilla.generator(LOGITS), rtol=1e-6)
    np.testing.assert_allclose(
        cross_entropy.discriminator(LOGITS, ZEROS), vanilla.discriminator(LOGITS, ZEROS), rtol=1e-6
    )
    smoothed = adversarial_loss(keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.2))
    # Labels 0.9 instead of 1: 0.9 log(4/3) + 0.1 log 4 at log 3.
    by_hand = (math.log(2) + 0.9 * math.log(4 / 3) + 0.1 * math.log(4)) / 2
    np.testing.assert_allclose(smoothed.generator(LOGITS)[0], by_hand, rtol=1e-6)


def test_l1_by_hand():
    target = np.array([0.0, 1.0, -1.0, 0.5]).reshape(2, 1, 2, 1)
    generated = np.array([0.5, 1.0, 1.0, 0.0]).reshape(2, 1, 2, 1)
    np.testing.assert_allclose(l1_loss(target, generated), [0.25, 1.25])


def test_mean_per_example_keeps_the_batch_apart():
    np.testing.assert_allclose(mean_per_example(np.arange(8.0).reshape(2, 2, 2, 1)), [1.5, 5.5])


@pytest.mark.parametrize("gan_loss", ["wasserstein", None, keras.losses.mean_squared_error])
def test_an_unknown_loss_says_what_is_accepted(gan_loss):
    with pytest.raises(ValueError, match="'vanilla', 'lsgan', .*, or a `keras.losses.Loss`. Received: gan_loss="):
        adversarial_loss(gan_loss)
