"""The parts of `evaluate` that are quicker to try by themselves; the rest is in tests/cli/test_evaluate.py."""

import numpy as np
import pytest

from keras_pix2pix.evaluation import picture_scores
from keras_pix2pix.runs.evaluation import _without_padding


@pytest.mark.parametrize("rows", [slice(0, 5), slice(14, 19), slice(27, 32), slice(3, 30)])
def test_padding_is_left_out_and_thin_pictures_have_all_scores(rows):
    image = np.zeros((1, 32, 32, 3), "float32")
    weight = np.zeros((1, 32, 32, 1), "float32")
    weight[:, rows, 4:28] = 1
    (part,) = _without_padding(weight, image)
    assert part.shape[1:3] == (max(11, rows.stop - rows.start), 24)
    (counted,) = _without_padding(weight, weight)
    assert counted.sum() == weight.sum()
    assert {"l1", "psnr", "ssim"} == picture_scores(part, part).keys()


def test_without_weights_of_pixels_all_of_a_picture_counts():
    image = np.zeros((1, 8, 8, 3), "float32")
    assert _without_padding(np.ones(1, "float32"), image) == (image,)
