"""Tests of the random colours of the source."""

import re

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageEnhance

from keras_pix2pix import encodings
from keras_pix2pix.data.photometric import adjust_colors, check_color_jitter, random_factors
from keras_pix2pix.images import to_image, to_pixels

PIXELS = np.random.default_rng(0).integers(60, 200, (2, 8, 8, 3)).astype(np.uint8)


def adjusted(pixels, factors, word="rgb"):
    encoding = encodings.get(word)
    return np.asarray(to_pixels(adjust_colors(to_image(pixels), factors, encoding))).astype(int)


@pytest.mark.parametrize(("position", "enhance"), [(0, "Brightness"), (1, "Contrast"), (2, "Color")])
@pytest.mark.parametrize("factor", [0.6, 1.3])
def test_each_factor_does_what_pillow_does(position, enhance, factor):
    factors = np.ones((2, 3), "float32")
    factors[:, position] = factor
    expected = [np.asarray(getattr(ImageEnhance, enhance)(Image.fromarray(each)).enhance(factor)) for each in PIXELS]
    np.testing.assert_allclose(adjusted(PIXELS, factors), np.stack(expected), atol=2)


def test_every_picture_has_its_own_factors():
    result = adjusted(PIXELS, [[1.0, 1.0, 1.0], [0.5, 1.0, 1.0]])
    np.testing.assert_array_equal(result[0], PIXELS[0])
    np.testing.assert_allclose(result[1], PIXELS[1] / 2, atol=1)


def test_images_stay_in_their_range():
    image = adjust_colors(to_image(PIXELS), [[2.0, 2.0, 2.0]] * 2, encodings.get("rgb"))
    assert (np.min(image), np.max(image)) == (-1, 1)


def test_alpha_stays():
    pixels = np.concatenate([PIXELS, PIXELS[..., :1]], axis=-1)
    result = adjusted(pixels, [[0.5, 0.7, 0.3]] * 2, "rgba")
    np.testing.assert_array_equal(result[..., 3], pixels[..., 3])
    np.testing.assert_array_equal(result[..., :3], adjusted(PIXELS, [[0.5, 0.7, 0.3]] * 2))


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_other_channels_have_brightness_and_contrast_and_no_saturation(channels):
    pixels = np.repeat(PIXELS[..., :1], channels, axis=-1)
    result = adjusted(pixels, [[0.5, 1.0, 0.0]] * 2, channels)
    np.testing.assert_allclose(result, pixels / 2, atol=1)
    mean = pixels.mean(axis=(1, 2, 3), keepdims=True)
    result = adjusted(pixels, [[1.0, 0.5, 1.0]] * 2, channels)
    np.testing.assert_allclose(result, (pixels - mean) / 2 + mean, atol=1)


def test_of_a_stack_the_pictures_change_and_the_label_maps_stay():
    stack = encodings.get("rgb+classes:3+gray")
    labels = PIXELS[..., :1] % 3
    image = stack.to_image(np.concatenate([PIXELS, labels, PIXELS[..., :1]], axis=-1))
    result = adjust_colors(image, [[0.5, 1.0, 1.0]] * 2, stack)
    np.testing.assert_array_equal(result[..., 3:6], encodings.get("classes:3").to_image(labels))
    np.testing.assert_allclose(to_pixels(result[..., :3]), PIXELS / 2, atol=1)
    np.testing.assert_allclose(to_pixels(result[..., 6:]), PIXELS[..., :1] / 2, atol=1)


def test_factors_fill_the_range_that_the_strength_gives():
    factors = np.stack([random_factors(0.3, [seed, 1]) for seed in range(200)])
    assert factors.shape == (200, 3)
    assert 0.7 <= factors.min() < 0.72
    assert 1.28 < factors.max() <= 1.3
    assert np.abs(np.corrcoef(factors.T) - np.eye(3)).max() < 0.2


def test_factors_depend_on_their_seed_alone():
    np.testing.assert_array_equal(random_factors(0.3, [1, 2]), random_factors(0.3, [1, 2]))
    assert not np.array_equal(random_factors(0.3, [1, 2]), random_factors(0.3, [1, 3]))
    crop = tf.random.stateless_uniform([3], [1, 2], 0.7, 1.3)
    assert not np.allclose(crop, random_factors(0.3, [1, 2]))


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan"), "0.5", None, True])
def test_wrong_strength(strength):
    with pytest.raises(ValueError, match=r"`color_jitter` must be from 0 \(off\) to 1. Received: color_jitter="):
        check_color_jitter(strength, encodings.get("rgb"))


@pytest.mark.parametrize("word", ["classes:3", "palette:#000000,#ffffff", "classes:3+classes:4"])
def test_label_maps_have_no_brightness(word):
    check_color_jitter(0, encodings.get(word))
    with pytest.raises(ValueError, match=rf"Label maps have neither .* source_encoding='{re.escape(word)}'"):
        check_color_jitter(0.1, encodings.get(word))
