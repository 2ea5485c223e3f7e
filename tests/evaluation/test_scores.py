"""Scores by hand."""

import numpy as np
import pytest

from keras_pix2pix import encodings, metrics
from keras_pix2pix.evaluation import picture_scores, standard_error


def test_pictures():
    rng = np.random.default_rng(0)
    target = rng.uniform(-1, 1, (3, 16, 16, 3)).astype("float32")
    generated = target + np.array([0.0, 0.1, -0.2], "float32").reshape(3, 1, 1, 1)
    scores = picture_scores(generated, target)
    np.testing.assert_allclose(scores["l1"], [0, 12.75, 25.5], atol=1e-4)
    np.testing.assert_allclose(scores["psnr"][1:], [20 * np.log10(2 / 0.1), 20 * np.log10(2 / 0.2)], rtol=1e-4)
    np.testing.assert_allclose(scores["ssim"], metrics.ssim(target, generated))
    assert "ssim" not in picture_scores(generated[:, :8], target[:, :8])


def test_label_maps():
    encoding = encodings.get("classes:3")
    target = encoding.to_image(np.array([[0, 0, 1, 1]]).reshape(1, 2, 2, 1))
    generated = encoding.to_image(np.array([[0, 1, 1, 1]]).reshape(1, 2, 2, 1))
    scores = picture_scores(generated, target, "classes:3")
    assert scores["pixel_accuracy"] == pytest.approx([0.75])
    assert scores["class_iou"] == pytest.approx([(1 / 2 + 2 / 3) / 2])  # The third class is in neither.


def test_pixels_of_no_class_do_not_count():
    encoding = encodings.get("classes:3:ignore=255")
    target = encoding.to_image(np.array([[0, 255, 1, 1]]).reshape(1, 2, 2, 1))
    generated = encoding.to_image(np.array([[0, 1, 1, 1]]).reshape(1, 2, 2, 1))
    scores = picture_scores(generated, target, encoding)
    assert scores["pixel_accuracy"] == pytest.approx([1.0])
    assert scores["class_iou"] == pytest.approx([1.0])


def test_masks():
    target = np.array([1.0, -1, 1, -1]).reshape(1, 2, 2, 1)
    generated = np.array([0.2, -1, -0.2, -1]).reshape(1, 2, 2, 1)
    scores = picture_scores(generated, target, "mask")
    assert scores["pixel_accuracy"] == pytest.approx([0.75])
    assert scores["class_iou"] == pytest.approx([(2 / 3 + 1 / 2) / 2])


def test_the_error_of_a_mean():
    values = np.random.default_rng(0).normal(20, 3, 400)
    assert standard_error(values) == pytest.approx(3 / np.sqrt(400), rel=0.15)
    assert standard_error(values, seed=1) != standard_error(values)
    assert np.isnan(standard_error(values[:1]))
