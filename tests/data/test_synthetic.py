"""Tests of the drawn facades."""

import numpy as np
import pytest
from PIL import Image

from keras_pix2pix.data.synthetic import PALETTE, facade, write_facades


def _mask(labels, name):
    return (labels == PALETTE[name]).all(axis=-1)


@pytest.mark.parametrize("index", [0, 1])
def test_same_seed_same_bytes_and_other_seed_other_bytes(index):
    once, again, other = (facade(seed, (64, 64))[index] for seed in (3, 3, 4))
    assert once.tobytes() == again.tobytes()
    assert once.tobytes() != other.tobytes()


def test_a_pair_does_not_depend_on_what_was_drawn_before():
    forwards = {seed: facade(seed, (48, 64)) for seed in (0, 1, 2)}
    np.random.seed(0)
    backwards = {seed: facade(seed, (48, 64)) for seed in (2, 1, 0)}
    for seed, pair in forwards.items():
        np.testing.assert_array_equal(pair, backwards[seed])


@pytest.mark.parametrize(
    "image_size",
    [(16, 16), (16, 200), (200, 16), (17, 33), (64, 64), (128, 96), (256, 256), (16, 1024), (300, 1024)],
)
def test_shape_and_type(image_size):
    for array in facade(5, image_size):
        assert array.shape == (*image_size, 3)
        assert array.dtype == np.uint8


def test_default_size_is_that_of_the_facades_archive():
    assert [array.shape for array in facade(0)] == [(256, 256, 3), (256, 256, 3)]


@pytest.mark.parametrize("image_size", [(16, 16), (64, 64), (96, 160)])
def test_labels_hold_only_palette_colours(image_size):
    for seed in range(12):
        colours = np.unique(facade(seed, image_size)[0].reshape(-1, 3), axis=0)
        assert {tuple(colour) for colour in colours.tolist()} <= set(PALETTE.values())


def test_palette_colours_are_twelve_and_distinct():
    assert len(PALETTE) == len(set(PALETTE.values())) == 12


def test_every_class_appears_over_some_seeds_and_the_building_in_each():
    counts = dict.fromkeys(PALETTE, 0)
    for seed in range(40):
        labels = facade(seed, (64, 64))[0]
        for name in PALETTE:
            counts[name] += bool(_mask(labels, name).any())
    assert min(counts.values()) >= 4, counts
    assert counts["wall"] == counts["door"] == counts["molding"] == 40


@pytest.mark.parametrize("side", [64, 128])
def test_walls_have_texture(side):
    for seed in range(8):
        labels, picture = facade(seed, (side, side))
        wall = _mask(labels, "wall")
        grey = picture.mean(axis=-1)
        # Only 4 x 4 patches that are wall throughout, so that no edge between classes counts as texture.
        patches = grey.reshape(side // 4, 4, side // 4, 4).transpose(0, 2, 1, 3).reshape(-1, 16)
        inside = wall.reshape(side // 4, 4, side // 4, 4).transpose(0, 2, 1, 3).reshape(-1, 16).all(axis=1)
        # The sensor noise alone has a deviation of 3 of the 255 levels.
        assert np.median(patches[inside].std(axis=1)) > 5.0, seed


def test_windows_look_unlike_walls_and_alike_across_pictures():
    walls, windows = [], []
    for seed in range(16):
        labels, picture = facade(seed, (128, 128))
        if _mask(labels, "window").any():
            walls.append(picture[_mask(labels, "wall")].mean(axis=0))
            windows.append(picture[_mask(labels, "window")].mean(axis=0))
    walls, windows = np.array(walls), np.array(windows)
    assert len(windows) >= 12
    assert np.linalg.norm(walls - windows, axis=1).min() > 15
    # Glass is bluer than any wall: red minus blue tells the two apart.
    redness = (walls - windows)[:, 0] - (walls - windows)[:, 2]
    assert (redness > 0).all()


def test_pictures_vary_in_wall_colour():
    means = []
    for seed in range(16):
        labels, picture = facade(seed, (64, 64))
        means.append(picture[_mask(labels, "wall")].mean(axis=0))
    assert np.std(means, axis=0).min() > 12


@pytest.mark.parametrize(("direction", "order"), [("AtoB", 1), ("BtoA", -1)])
def test_files_hold_both_halves(tmp_path, direction, order):
    paths = write_facades(tmp_path / "new" / "train", 2, image_size=(32, 48), seed=9, direction=direction)
    assert [path.name for path in paths] == ["facade_000009.png", "facade_000010.png"]
    assert sorted((tmp_path / "new" / "train").iterdir()) == paths
    for seed, path in zip((9, 10), paths, strict=True):
        left, right = facade(seed, (32, 48))[::order]
        with Image.open(path) as image:
            pixels = np.asarray(image)
        assert pixels.shape == (32, 96, 3)
        np.testing.assert_array_equal(pixels[:, :48], left)
        np.testing.assert_array_equal(pixels[:, 48:], right)


def test_files_have_labels_left_unless_told_otherwise(tmp_path):
    [path] = write_facades(tmp_path, 1, image_size=(16, 16))
    with Image.open(path) as image:
        np.testing.assert_array_equal(np.asarray(image)[:, :16], facade(0, (16, 16))[0])


@pytest.mark.parametrize(
    "image_size", [(15, 64), (64, 15), (1025, 64), (64, 1025), (64, 64, 3), 64, (64.0, 64), (64,), None]
)
def test_wrong_image_size(tmp_path, image_size):
    with pytest.raises(ValueError, match=r"`image_size` must be .* 16 to 1024 .* Received: "):
        facade(0, image_size)
    with pytest.raises(ValueError, match=r"`image_size` must be"):
        write_facades(tmp_path / "none", 1, image_size=image_size)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("seed", [-1, 0.5, None, "1"])
def test_wrong_seed(tmp_path, seed):
    with pytest.raises(ValueError, match=r"`seed` must be a whole number of 0 or more. Received: "):
        facade(seed, (16, 16))
    with pytest.raises(ValueError, match=r"`seed` must be"):
        write_facades(tmp_path, 1, seed=seed)


@pytest.mark.parametrize("count", [0, -3, 1.5])
def test_wrong_count(tmp_path, count):
    with pytest.raises(ValueError, match=r"`count` must be a whole number of 1 or more. Received: "):
        write_facades(tmp_path / "none", count)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("direction", ["atob", "", None])
def test_wrong_direction(tmp_path, direction):
    with pytest.raises(ValueError, match=r'`direction` must be "AtoB" .* or "BtoA" .* Received: '):
        write_facades(tmp_path / "none", 1, direction=direction)
    assert not (tmp_path / "none").exists()
