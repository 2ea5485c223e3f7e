"""Tiles that cover a picture, and blend into it without seams."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from keras_pix2pix.inference.tiling import blended_patches, reflected_indices, tile_spans


def tiled(picture, generate, tile, overlap, multiple=1, channels=None):
    """The picture through `generate`, and how often each pixel was written."""
    size = picture.shape[:2]
    result = np.full((*size, channels or picture.shape[2]), np.nan)
    written = np.zeros(size, int)
    for rows, columns, patch in blended_patches(lambda a, b: picture[a:b], size, generate, tile, overlap, multiple):
        result[rows, columns] = patch
        written[rows, columns] += 1
    return result, written


@some.composite
def tilings(draw):
    multiple = draw(some.sampled_from([1, 2, 4]))
    tile = multiple * draw(some.integers(1, 12))
    size = draw(some.tuples(some.integers(1, 60), some.integers(1, 60)))
    return size, tile, draw(some.integers(0, tile - 1)), multiple


@settings(max_examples=60, deadline=None)
@given(tilings(), some.sampled_from(["uint8", "float32"]))
def test_what_changes_nothing_gives_the_picture_back_exactly(tiling, dtype):
    size, tile, overlap, multiple = tiling
    picture = (np.random.default_rng(0).random((*size, 2)) * 255).astype(dtype)
    result, written = tiled(picture, lambda pixels: pixels, tile, overlap, multiple)
    np.testing.assert_array_equal(result, picture)
    assert (written == 1).all()


@settings(max_examples=60, deadline=None)
@given(tilings())
def test_tiles_have_one_size_that_suits_and_weights_that_add_up_to_one(tiling):
    size, tile, overlap, multiple = tiling
    shapes, number = set(), iter(range(10**6))

    def generate(pixels):
        shapes.add(pixels.shape[:2])
        return np.stack([np.full(pixels.shape[:2], next(number) % 2), np.ones(pixels.shape[:2])], axis=-1)

    result, _ = tiled(np.zeros((*size, 1)), generate, tile, overlap, multiple, channels=2)
    assert len(shapes) == 1
    assert all(side % multiple == 0 and side <= tile for side in shapes.pop())
    assert result[..., 0].min() >= 0
    assert result[..., 0].max() <= 1 + 1e-6
    np.testing.assert_array_equal(result[..., 1], 1)


def test_two_tiles_fade_in_the_middle_half_of_their_overlap():
    tiles = iter([0.0, 1.0])
    result, _ = tiled(np.zeros((4, 28, 1)), lambda pixels: np.full(pixels.shape, next(tiles)), 16, 4)
    # 16 + 16 - 4: the overlap is columns 12 to 15.
    rising = 0.5 - 0.5 * np.cos(np.pi * np.array([0.25, 0.75]))
    expected = [0.0] * 13 + [*rising] + [1.0] * 13
    np.testing.assert_allclose(result[0, :, 0], expected, atol=1e-6)


@pytest.mark.parametrize("axis", [0, 1])
def test_what_is_wrong_at_the_border_of_a_tile_is_not_seen(axis):
    def spoil(pixels):
        pixels = pixels.copy()
        for end in (slice(0, 4), slice(-4, None)):
            pixels[(slice(None),) * axis + (end,)] += 100
        return pixels

    picture = np.random.default_rng(0).random((80, 80, 1))
    inside = (slice(None),) * axis + (slice(4, -4),)  # At its own edge a picture has no other tile to turn to.
    result, _ = tiled(picture, spoil, 32, 16)
    np.testing.assert_allclose(result[inside], picture[inside], atol=1e-5)  # Of 100, in float32.
    worse, _ = tiled(picture, spoil, 32, 12)
    assert abs(worse[inside] - picture[inside]).max() > 1


def test_beyond_its_edge_a_picture_is_reflected():
    seen = []
    picture = np.arange(30).reshape(5, 6, 1)
    tiled(picture, lambda pixels: seen.append(pixels) or pixels, 8, 0, multiple=8)
    np.testing.assert_array_equal(seen[0], np.pad(picture, [(0, 3), (0, 2), (0, 0)], mode="reflect"))
    assert reflected_indices(0, 9, 3).tolist() == [0, 1, 2, 1, 0, 1, 2, 1, 0]
    assert reflected_indices(0, 3, 1).tolist() == [0, 0, 0]


def test_the_channels_are_those_of_the_result():
    result, _ = tiled(np.ones((20, 20, 3)), lambda pixels: pixels[..., :1] * 2, 8, 2, channels=1)
    np.testing.assert_array_equal(result, np.full((20, 20, 1), 2.0))


def test_rows_are_read_in_bands_from_the_top_down():
    asked = []

    def read_rows(top, bottom):
        asked.append((top, bottom))
        return np.zeros((bottom - top, 40, 1))

    for _ in blended_patches(read_rows, (40, 40), lambda pixels: pixels, 16, 4):
        pass
    assert asked == [(0, 16), (12, 28), (24, 40)]


def test_the_grid_of_tiles_is_kept_to_the_end_by_a_multiple():
    spans = tile_spans(45, 16, 8, multiple=8)
    assert [(span.start, span.end) for span in spans] == [(0, 16), (8, 24), (16, 32), (24, 40), (32, 48)]
    assert [(span.join, span.stop) for span in spans] == [(0, 8), (8, 16), (16, 24), (24, 32), (32, 45)]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"tile": 0, "overlap": 0}, "`tile` must be an integer of 1 or more. Received: tile=0"),
        ({"tile": 8.0, "overlap": 0}, "`tile` must be an integer.*Received: tile=8.0"),
        ({"tile": True, "overlap": 0}, "`tile` must be an integer.*Received: tile=True"),
        ({"tile": 12, "overlap": 0, "multiple": 8}, "`tile` must be a multiple of 8.*Received: tile=12"),
        ({"tile": 8, "overlap": 8}, "`overlap` must be.*Received: overlap=8, tile=8"),
        ({"tile": 8, "overlap": -1}, "`overlap` must be.*Received: overlap=-1"),
        ({"tile": 8, "overlap": 0.5}, "`overlap` must be.*Received: overlap=0.5"),
    ],
)
def test_numbers_out_of_range_are_refused_before_the_first_tile(arguments, words):
    with pytest.raises(ValueError, match=words):
        blended_patches(None, (100, 100), None, **arguments)
