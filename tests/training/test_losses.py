"""The losses against numbers worked out by hand."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_pix2pix.training.losses import (
    _charbonnier_loss,
    _l2_loss,
    adversarial_loss,
    as_list,
    feature_matching_loss,
    gradient_penalty,
    l1_loss,
    mean_per_example,
    reconstruction_loss,
)

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


def test_hinge_by_hand():
    loss = adversarial_loss("hinge")
    logits = np.array([[3.0, 0.5], [0.0, -2.0]]).reshape(2, 1, 2, 1)
    np.testing.assert_allclose(loss.generator(logits), [-1.75, 1.0])
    # Real: max(0, 1 - x) is 0, 0.5 and 1, 3. Generated: max(0, 1 + x) is 4, 1.5 and 1, 0.
    np.testing.assert_allclose(loss.discriminator(logits, np.full_like(logits, -1)), [0.25, 2.0])
    np.testing.assert_allclose(loss.discriminator(np.full_like(logits, 1), logits), [2.75, 0.5])


def test_wgangp_by_hand():
    loss = adversarial_loss("wgangp")
    logits = np.array([[3.0, 0.5], [0.0, -2.0]]).reshape(2, 1, 2, 1)
    np.testing.assert_allclose(loss.generator(logits), [-1.75, 1.0])
    np.testing.assert_allclose(loss.discriminator(logits, ZEROS), [-1.75, 1.0])
    np.testing.assert_allclose(loss.discriminator(ZEROS, logits), [1.75, -1.0])


def test_label_smoothing_by_hand():
    # Cross-entropy with the label 0.9 at log 3: 0.9 log(4/3) + 0.1 log 4; for generated pairs at 0: log 2.
    vanilla = adversarial_loss("vanilla", label_smoothing=0.1)
    logits = np.full((1, 1, 1, 1), math.log(3))
    by_hand = 0.9 * math.log(4 / 3) + 0.1 * math.log(4)
    np.testing.assert_allclose(vanilla.discriminator(logits, 0 * logits), [by_hand + math.log(2)], rtol=1e-6)
    # The label of generated pairs stays 0, and the generator's 1.
    np.testing.assert_allclose(vanilla.discriminator(0 * logits, logits), [math.log(2) + math.log(4)], rtol=1e-6)
    np.testing.assert_allclose(vanilla.generator(logits), [math.log(4 / 3)], rtol=1e-6)
    lsgan = adversarial_loss("lsgan", label_smoothing=0.25)
    twos = np.full((1, 1, 1, 1), 2.0)
    np.testing.assert_allclose(lsgan.discriminator(twos, twos), [1.25**2 + 4])
    np.testing.assert_allclose(lsgan.generator(twos), [1.0])


@pytest.mark.parametrize(
    "gan_loss", ["hinge", "wgangp", keras.losses.BinaryCrossentropy(from_logits=True)], ids=["hinge", "wgangp", "Keras"]
)
def test_label_smoothing_is_refused_where_it_means_nothing(gan_loss):
    with pytest.raises(ValueError, match=r"`label_smoothing` is for 'vanilla' and 'lsgan', .* Leave it out"):
        adversarial_loss(gan_loss, label_smoothing=0.1)


@pytest.mark.parametrize("label_smoothing", [-0.1, 1.0, float("nan")])
def test_label_smoothing_out_of_range_is_refused(label_smoothing):
    with pytest.raises(ValueError, match="at least 0 and less than 1. Received: label_smoothing="):
        adversarial_loss("vanilla", label_smoothing)


def test_large_logits_stay_finite():
    extreme = np.array([[-1e4, 1e4]]).reshape(1, 1, 2, 1)
    np.testing.assert_allclose(adversarial_loss("vanilla").generator(extreme), [5000.0])


@pytest.mark.parametrize("word", ["vanilla", "lsgan", "hinge", "wgangp"])
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


def test_l2_and_charbonnier_by_hand():
    target = np.array([0.0, 1.0, -1.0, 0.5]).reshape(2, 1, 2, 1)
    generated = np.array([0.5, 1.0, 1.0, 0.0]).reshape(2, 1, 2, 1)
    np.testing.assert_allclose(_l2_loss(target, generated), [0.125, 2.125])
    roots = [(math.sqrt(0.25 + 1e-6) + 0.001) / 2, (math.sqrt(4 + 1e-6) + math.sqrt(0.25 + 1e-6)) / 2]
    np.testing.assert_allclose(_charbonnier_loss(target, generated), roots, rtol=1e-6)


@pytest.mark.parametrize(
    ("distance", "function"), [("l1", l1_loss), ("l2", _l2_loss), ("charbonnier", _charbonnier_loss)]
)
def test_a_word_for_a_distance(distance, function, images):
    target, generated = images(2)
    np.testing.assert_array_equal(reconstruction_loss(distance)(target, generated), function(target, generated))


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", None])
def test_a_keras_loss_is_a_distance(reduction):
    target = np.array([0.0, 1.0, -1.0, 0.5]).reshape(2, 1, 2, 1)
    generated = np.array([0.5, 1.0, 1.0, 0.0]).reshape(2, 1, 2, 1)
    distance = reconstruction_loss(keras.losses.Huber(delta=1.0, reduction=reduction))
    # Half of the square up to 1, then the difference less a half.
    np.testing.assert_allclose(distance(target, generated), [0.0625, (1.5 + 0.125) / 2])


@pytest.mark.parametrize("distance", ["L1", None, 1])
def test_an_unknown_distance_says_what_is_accepted(distance):
    with pytest.raises(ValueError, match="'l1', 'l2', 'charbonnier'.*Received: reconstruction_loss"):
        reconstruction_loss(distance)


def test_feature_matching_by_hand():
    real = [np.array([[1.0, 2.0], [0.0, 0.0]]).reshape(2, 1, 2, 1), np.array([[5.0], [1.0]]).reshape(2, 1, 1, 1)]
    fake = [np.array([[0.0, 4.0], [0.0, 1.0]]).reshape(2, 1, 2, 1), np.array([[5.0], [3.0]]).reshape(2, 1, 1, 1)]
    # Means of differences: 1.5 and 0 of the first example, 0.5 and 2 of the second; averaged, times 4.
    np.testing.assert_allclose(feature_matching_loss(real, fake), [3.0, 5.0])


def test_features_of_the_real_pair_are_no_aim_of_the_gradient():
    real, fake = tf.ones((1, 2, 2, 1)), tf.zeros((1, 2, 2, 1))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([real, fake])
        loss = feature_matching_loss([real], [fake])
    assert tape.gradient(loss, real) is None
    np.testing.assert_allclose(tape.gradient(loss, fake), np.full((1, 2, 2, 1), -1.0))


def test_features_are_compared_in_float32():
    real, fake = tf.fill((1, 1, 1, 1), tf.constant(1024.0, "float16")), tf.ones((1, 1, 1, 1), "float16") / 4
    np.testing.assert_allclose(feature_matching_loss([real], [fake]), [4 * 1023.75])


def test_the_gradient_penalty_of_a_linear_critic_by_hand(images):
    target, generated = map(tf.constant, images(2, 4, 4))
    slope = np.random.default_rng(0).normal(size=(4, 4, 3)).astype("float32")
    # One logit is slope . image: the norm of its gradient is the slope's, wherever it is taken.
    penalties = gradient_penalty(
        lambda image: tf.reduce_sum(image * slope, axis=(1, 2, 3))[:, None, None, None],
        target,
        generated,
        tf.constant([0.2, 0.9]),
    )
    np.testing.assert_allclose(penalties, [(np.linalg.norm(slope) - 1) ** 2] * 2, rtol=1e-5)


def test_the_value_of_a_critic_is_the_mean_of_its_logits(images):
    target, generated = map(tf.constant, images(1, 4, 4))
    critic = [lambda image: 3 * image[..., :1], lambda image: 5 * image[:, :2, :2, 1:2]]
    share = tf.constant([0.5])
    # Means over 16 and over 4 logits: 16 slopes of 3/16, 4 of 5/4.
    one = gradient_penalty(critic[0], target, generated, share)
    np.testing.assert_allclose(one, [(3 / 4 - 1) ** 2], rtol=1e-5)
    both = gradient_penalty(lambda image: [each(image) for each in critic], target, generated, share)
    norm = math.sqrt(16 * (3 / 16 / 2) ** 2 + 4 * (5 / 4 / 2) ** 2)
    np.testing.assert_allclose(both, [(norm - 1) ** 2], rtol=1e-5)


def test_the_gradient_penalty_is_taken_at_the_share_between_target_and_generated():
    target, generated = tf.fill((3, 1, 1, 1), 2.0), tf.fill((3, 1, 1, 1), 6.0)
    # The critic x**2 has slope 2 x: 4 at the target, 12 at the generated image, 6 a quarter of the way.
    penalties = gradient_penalty(tf.square, target, generated, tf.constant([0.0, 1.0, 0.25]))
    np.testing.assert_allclose(penalties, [9, 121, 25], rtol=1e-5)


def test_the_gradient_penalty_of_two_layers_by_finite_differences(images):
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=(2, 2, 3, 4)), rng.normal(size=(2, 2, 4, 1))
    target, generated = (image.astype("float64") for image in images(1, 4, 4))

    def critic(image):
        return tf.nn.conv2d(tf.tanh(tf.nn.conv2d(image, first, 1, "VALID")), second, 1, "VALID")

    (penalty,) = gradient_penalty(critic, tf.constant(target), tf.constant(generated), tf.constant([0.3], "float64"))
    between, step = 0.7 * target + 0.3 * generated, 1e-5
    units = step * np.eye(48).reshape(48, 4, 4, 3)
    slopes = np.mean(critic(between + units) - critic(between - units), axis=(1, 2, 3)) / (2 * step)
    assert float(penalty) == pytest.approx((np.linalg.norm(slopes) - 1) ** 2, rel=1e-6)


def test_the_gradient_penalty_has_a_finite_gradient_where_the_slope_is_0():
    scale = tf.Variable(0.0)
    images = tf.ones((1, 2, 2, 3))
    with tf.GradientTape() as tape:
        penalty = gradient_penalty(lambda image: scale * image, images, images, tf.constant([0.5]))
    np.testing.assert_allclose(penalty, [1.0], atol=1e-5)
    assert np.isfinite(tape.gradient(penalty, scale))


def test_mean_per_example_keeps_the_batch_apart():
    values = np.arange(8.0).reshape(2, 2, 2, 1)
    np.testing.assert_allclose(mean_per_example(values), [1.5, 5.5])
    np.testing.assert_allclose(mean_per_example([values, values[:, :1, :1]]), [(1.5 + 0) / 2, (5.5 + 4) / 2])


def test_logits_as_a_list():
    assert as_list("one tensor") == ["one tensor"]
    assert as_list(("fine", "coarse")) == as_list(["fine", "coarse"]) == ["fine", "coarse"]


@pytest.mark.parametrize("gan_loss", ["wasserstein", None])
def test_an_unknown_loss_says_what_is_accepted(gan_loss):
    with pytest.raises(ValueError, match="'vanilla', 'lsgan'.*Received: gan_loss="):
        adversarial_loss(gan_loss)
