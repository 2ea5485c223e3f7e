"""FID and KID beside other formulas."""

import keras
import numpy as np
import pytest
from scipy import linalg

from keras_pix2pix.evaluation import features_of, fid, kid


@pytest.fixture
def sets():
    rng = np.random.default_rng(0)
    return rng.normal(0, 1, (60, 7)), rng.normal(0.3, 1.5, (50, 7))


def test_fid_is_the_formula_with_a_matrix_square_root(sets):
    real, generated = sets
    one, other = np.cov(real, rowvar=False), np.cov(generated, rowvar=False)
    shift = np.sum((real.mean(0) - generated.mean(0)) ** 2)
    expected = shift + np.trace(one + other - 2 * linalg.sqrtm(one @ other).real)
    assert fid(real, generated).value == pytest.approx(expected, rel=1e-6)
    assert fid(real, generated).warning == ""
    assert fid(real, real).value == pytest.approx(0, abs=1e-9)


def test_fid_warns_where_pictures_are_few(sets):
    real, generated = sets
    assert "5 pictures for 7 features" in fid(real[:5], generated).warning


def test_kid_is_the_mean_of_unbiased_estimates_over_pairs(sets):
    """With two pictures in each subset, by loops over the pairs."""
    real, generated = (each[:5] for each in sets)

    def kernel(x, y):
        return (float(x @ y) / len(x) + 1) ** 3

    rng = np.random.default_rng(3)
    values = []
    for _ in range(100):
        a, b = (each[rng.permutation(5)[:2]] for each in (real, generated))
        within = kernel(a[0], a[1]) + kernel(b[0], b[1])
        values.append(within - 2 * np.mean([kernel(x, y) for x in a for y in b]))
    found = kid(real, generated, seed=3)
    assert found.value == pytest.approx(np.mean(values), rel=1e-6)
    assert found.standard_error == pytest.approx(np.std(values, ddof=1) / 10, rel=1e-6)
    assert kid(real, generated, seed=4).value != found.value


def test_kid_of_equal_distributions_is_near_0():
    one, other = np.random.default_rng(0).normal(size=(2, 400, 4))
    found = kid(one, other)
    assert abs(found.value) < 0.1
    assert kid(one, other + 1).value > 1


@pytest.mark.parametrize("function", [fid, kid])
@pytest.mark.parametrize("shapes", [((1, 3), (4, 3)), ((4, 3), (4, 2)), ((4,), (4,))])
def test_features_of_other_shapes_are_refused(function, shapes):
    with pytest.raises(ValueError, match="Features"):
        function(*map(np.zeros, shapes))


@pytest.fixture
def means():
    source = keras.Input((8, 8, 3))
    return keras.Model(source, keras.layers.Identity()(source))


def test_features_are_averaged_over_rows_and_columns(means):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3)).astype(np.uint8)
    expected = pixels.mean(axis=(1, 2)) / 127.5 - 1
    np.testing.assert_allclose(features_of(means, pixels), expected, atol=1e-5)


def test_a_filter_comes_before_making_smaller(means):
    """Of stripes of one pixel, the mean is gray; without a filter, single pixels are what they happen to be."""
    pixels = np.zeros((1, 32, 32, 3), np.uint8)
    pixels[:, :, ::4] = 255
    antialiased = features_of(means, pixels)
    np.testing.assert_allclose(antialiased, 255 / 4 / 127.5 - 1, atol=0.05)
    assert abs(features_of(means, pixels, resize="bilinear") - antialiased).max() > 0.1


@pytest.mark.parametrize(
    "pixels", [np.zeros((1, 8, 8, 3)), np.zeros((8, 8, 3), np.uint8), np.zeros((0, 8, 8, 3), np.uint8)]
)
def test_pixels_of_another_kind_are_refused(means, pixels):
    with pytest.raises(ValueError, match="uint8"):
        features_of(means, pixels)


def test_an_unknown_resize_is_refused(means):
    with pytest.raises(ValueError, match="bicubic"):
        features_of(means, np.zeros((1, 8, 8, 3), np.uint8), resize="bicubic")
