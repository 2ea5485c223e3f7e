"""Expected | got | difference, pixel by pixel."""

import numpy as np
import pytest

from keras_pix2pix import encodings
from keras_pix2pix.deploy.comparison_picture import _CAPTION_HEIGHT, _LEAST_WIDTH, _amplification, draw_comparison

SIZE = _LEAST_WIDTH  # So that nothing is enlarged.


def panels_of(drawing):
    return np.split(drawing[_CAPTION_HEIGHT:], 3, axis=1)


def test_the_three_lie_side_by_side():
    expected = np.random.default_rng(0).integers(0, 250, (32, SIZE, 3), dtype=np.uint8)
    received = expected.copy()
    received[3, 5] += np.array([1, 0, 5], np.uint8)
    received[4, 6, 0] -= 2 * (expected[4, 6, 0] >= 2)
    drawing, factor = draw_comparison(expected, received, encodings.get("rgb"))
    assert (drawing.shape, drawing.dtype, factor) == ((_CAPTION_HEIGHT + 32, 3 * SIZE, 3), np.uint8, 32)
    panels = panels_of(drawing)
    np.testing.assert_array_equal(panels[0], expected)
    np.testing.assert_array_equal(panels[1], received)
    np.testing.assert_array_equal(panels[2], np.abs(expected.astype(int) - received) * 32)


def test_gray_and_real_numbers_are_shown_in_gray():
    encoding = encodings.get("values:1:0:10")
    expected = np.zeros((4, SIZE, 1), np.float32)
    drawing, factor = draw_comparison(expected, expected + np.float32(0.4), encoding)
    panels = panels_of(drawing)
    assert factor == 16  # 10.2 grey levels.
    assert [panel[0, 0].tolist() for panel in panels] == [[0] * 3, [10] * 3, [163] * 3]


def test_other_classes_are_white():
    encoding = encodings.get("palette:#ff0000,#00ff00")
    expected = np.tile(np.uint8([255, 0, 0]), (4, SIZE, 1))
    received = expected.copy()
    received[1, 2] = [0, 255, 0]
    drawing, factor = draw_comparison(expected, received, encoding)
    difference = panels_of(drawing)[2]
    assert factor is None
    assert difference[1, 2].tolist() == [255] * 3
    assert difference.sum() == 3 * 255


def test_small_pictures_are_enlarged_for_the_words_and_large_ones_are_not():
    small = np.arange(4, dtype=np.uint8).reshape(2, 2, 1)
    drawing, _ = draw_comparison(small, small, encodings.get("gray"))
    expected = small.repeat(SIZE // 2, axis=0).repeat(SIZE // 2, axis=1)
    np.testing.assert_array_equal(panels_of(drawing)[0], expected.repeat(3, axis=-1))
    wide = np.zeros((4, SIZE + 1, 3), np.uint8)
    assert draw_comparison(wide, wide, encodings.get("rgb"))[0].shape[1] == 3 * (SIZE + 1)


def test_each_of_the_three_has_a_caption_and_the_last_says_the_factor():
    black = np.zeros((4, SIZE, 3), np.uint8)
    captions = [
        np.split(draw_comparison(black, black + np.uint8(apart), encodings.get("rgb"))[0][:_CAPTION_HEIGHT], 3, axis=1)
        for apart in (1, 100)
    ]
    assert all((caption < 128).any() for caption in captions[0])
    assert [(a != b).any() for a, b in zip(*captions, strict=True)] == [False, False, True]


@pytest.mark.parametrize(("largest", "factor"), [(0, 1), (255, 1), (128, 1), (127, 2), (3, 64), (1, 128), (0.01, 128)])
def test_the_amplification_clips_nothing(largest, factor):
    assert _amplification(largest) == factor
