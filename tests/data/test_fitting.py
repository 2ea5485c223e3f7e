"""Pictures of any size as images of one size."""

import itertools
import os

import numpy as np
import pytest
from PIL import Image

from keras_pix2pix.data import fitting
from keras_pix2pix.data.fitting import FITS, Side, fitting_of, open_sides
from keras_pix2pix.data.pairs import find_pairs
from keras_pix2pix.data.pipeline import paired_dataset
from keras_pix2pix.data.pixel_cache import PixelCache
from keras_pix2pix.encodings import get

RGB = get("rgb"), get("rgb")
PLAIN = {"jitter": 1, "mirror": False}
SIZES = (24, 20), (19, 40), (33, 21)  # (height, width)


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture
def folders(tmp_path):
    """Sources and targets of unequal sizes and proportions; a target is its source's negative."""
    for name in ("sources", "targets"):
        (tmp_path / name).mkdir()
    for number, size in enumerate(SIZES):
        source = noise(*size, number)
        Image.fromarray(source).save(tmp_path / "sources" / f"{number}.png")
        Image.fromarray(255 - source).save(tmp_path / "targets" / f"{number}.png")
    return tmp_path / "sources", tmp_path / "targets"


@pytest.fixture
def side_by_side(folders):
    """The same in one folder."""
    folder = folders[0].with_name("pairs")
    folder.mkdir()
    for number, size in enumerate(SIZES):
        source = noise(*size, number)
        Image.fromarray(np.concatenate([source, 255 - source], axis=1)).save(folder / f"{number}.png")
    return folder


def pixels_of(image):
    return np.rint((np.asarray(image) + 1) * 127.5).astype(np.uint8)


def scaled(pixels, height, width):
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC))


def place_of(crop, whole):
    """(top, left) of a crop of noise."""
    height, width = crop.shape[:2]
    tops, lefts = range(whole.shape[0] - height + 1), range(whole.shape[1] - width + 1)
    [place] = [
        (top, left)
        for top, left in itertools.product(tops, lefts)
        if np.array_equal(crop, whole[top : top + height, left : left + width])
    ]
    return place


def examples(*data, **options):
    return list(paired_dataset(*data, **{"batch_size": 1, **options}).as_numpy_iterator())


# What validation gets


def test_stretch_scales_each_side_by_itself(folders):
    for number, (source, target, _) in enumerate(examples(*folders, image_size=16, training=False)):
        expected = scaled(noise(*SIZES[number], number), 16, 16)
        np.testing.assert_array_equal(pixels_of(source[0]), expected)
        assert target.shape == (1, 16, 16, 3)


@pytest.mark.parametrize(
    ("number", "size", "top", "left"), [(0, (19, 16), 1, 0), (1, (16, 34), 0, 9), (2, (25, 16), 4, 0)]
)
def test_cover_keeps_proportions_and_takes_the_centre(folders, number, size, top, left):
    source, _, _ = examples(*folders, image_size=16, training=False, fit="cover")[number]
    expected = scaled(noise(*SIZES[number], number), *size)[top : top + 16, left : left + 16]
    np.testing.assert_array_equal(pixels_of(source[0]), expected)


def test_crop_takes_the_centre_of_what_is_stored(folders):
    for number, (source, _, _) in enumerate(examples(*folders, image_size=(16, 18), training=False, fit="crop")):
        height, width = SIZES[number]
        top, left = (height - 16) // 2, (width - 18) // 2
        expected = noise(height, width, number)[top : top + 16, left : left + 18]
        np.testing.assert_array_equal(pixels_of(source[0]), expected)


def test_pad_reflects_the_whole_picture_with_weight_zero(folders):
    _, (source, target, weight), _ = examples(*folders, image_size=16, training=False, fit="pad")
    inside = scaled(noise(*SIZES[1], 1), 8, 16)
    np.testing.assert_array_equal(weight[0, :, :, 0], np.repeat([0, 1, 0], [4, 8, 4])[:, None] * np.ones(16))
    np.testing.assert_array_equal(pixels_of(source[0])[4:12], inside)
    np.testing.assert_array_equal(pixels_of(source[0])[:4], inside[4:0:-1])
    np.testing.assert_array_equal(pixels_of(source[0])[12:], inside[-2:-6:-1])
    np.testing.assert_array_equal(pixels_of(target[0]), 255 - pixels_of(source[0]))


def test_what_fills_up_a_batch_has_no_weight_anywhere(folders):
    *_, (_, _, weight) = examples(*folders, image_size=16, training=False, fit="pad", batch_size=2)
    assert weight.shape == (2, 16, 16, 1)
    assert weight[0].any()
    assert not weight[1].any()


# What training gets


@pytest.mark.parametrize("fit", FITS)
def test_both_layouts_give_the_same_pairs_and_a_resumed_run_the_rest_of_them(folders, side_by_side, fit):
    options = {"image_size": 16, "fit": fit, "seed": 5, "color_jitter": 0.3, "rotate": True}
    two, one = (iter(paired_dataset(*each, repeat=True, **options)) for each in (folders, (side_by_side,)))
    rest = iter(paired_dataset(side_by_side, repeat=True, initial_step=4, **options))
    batches = [next(two) for _ in range(8)]
    for batch in batches:
        for ours, theirs in zip(batch, next(one), strict=True):
            np.testing.assert_array_equal(ours, theirs)
    for batch in batches[4:]:
        for ours, theirs in zip(batch, next(rest), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_crops_are_of_what_is_stored_at_all_places(side_by_side):
    dataset = paired_dataset(side_by_side, image_size=(18, 17), fit="crop", **PLAIN)
    wholes = [noise(*size, number) for number, size in enumerate(SIZES)]
    seen = [set() for _ in SIZES]
    for _ in range(40):
        for source, target in dataset.as_numpy_iterator():
            crop = pixels_of(source[0])
            np.testing.assert_array_equal(pixels_of(target[0]), 255 - crop)
            [number] = [
                each for each, whole in enumerate(wholes) if crop[0, 0].tolist() in whole.reshape(-1, 3).tolist()
            ]
            seen[number].add(place_of(crop, wholes[number]))
    assert {top for top, _ in seen[0]} == set(range(7))
    assert {left for _, left in seen[0]} == set(range(4))
    assert {top for top, _ in seen[1]} == {0, 1}
    assert min(left for _, left in seen[1]) < 5
    assert max(left for _, left in seen[1]) > 18


def test_jitter_of_a_crop_enlarges_a_smaller_one(side_by_side):
    [(source, target, *_), *_] = examples(side_by_side, image_size=16, fit="crop", jitter=2, mirror=False)
    wholes = [noise(*size, number) for number, size in enumerate(SIZES)]
    windows = (
        whole[top : top + 8, left : left + 8]
        for whole in wholes
        for top, left in itertools.product(range(whole.shape[0] - 7), range(whole.shape[1] - 7))
    )
    assert sum(np.array_equal(scaled(window, 16, 16), pixels_of(source[0])) for window in windows) == 1
    np.testing.assert_allclose(np.asarray(target), -source, atol=2 / 127.5)


def test_padding_is_cropped_with_the_picture(folders):
    for source, target, weight in examples(*folders, image_size=16, fit="pad", jitter=1.5):
        assert weight.shape == (1, 16, 16, 1)
        assert set(np.unique(weight)) <= {0, 1}
        np.testing.assert_array_equal(pixels_of(target[0]), 255 - pixels_of(source[0]))


def test_places_are_equally_likely_up_to_the_edges():
    rows, columns = np.mgrid[:5, :7]
    picture = np.stack([rows, columns, 0 * rows], axis=-1).astype(np.uint8)
    fit = fitting_of("stretch", (3, 4))
    shares = (np.arange(60) + 0.5) / 60
    counts = dict.fromkeys(itertools.product(range(3), range(4)), 0)
    for place in itertools.product(shares, shares):
        window = fit.window(picture, *place)
        top, left = window[0, 0, :2].tolist()
        np.testing.assert_array_equal(window, picture[top : top + 3, left : left + 4])
        counts[top, left] += 1
    assert set(counts.values()) == {300}


def test_a_picture_is_turned_by_each_right_angle_with_its_target(side_by_side):
    dataset = paired_dataset(side_by_side, image_size=16, rotate=True, **PLAIN)
    wholes = [scaled(noise(*size, number), 16, 16) for number, size in enumerate(SIZES)]
    turned = {np.rot90(whole, turns).tobytes(): turns for whole in wholes for turns in range(4)}
    seen = []
    for _ in range(40):
        for source, target in dataset.as_numpy_iterator():
            np.testing.assert_array_equal(
                pixels_of(target[0]).astype(int).sum(), (255 - pixels_of(source[0]).astype(int)).sum()
            )
            seen.append(turned[pixels_of(source[0]).tobytes()])
    assert min(np.bincount(seen, minlength=4)) > 15  # Of 30 expected, with a deviation of 4.7.


def test_turning_needs_a_square(side_by_side):
    with pytest.raises(ValueError, match=r"square `image_size`. Received: image_size=\(16, 8\)"):
        paired_dataset(side_by_side, image_size=(16, 8), rotate=True)


# Encodings


def test_label_maps_and_several_sources_are_fitted_by_their_own_filters(tmp_path):
    size = 30, 40
    labels = np.random.default_rng(0).integers(0, 3, size).astype(np.uint8)
    for name, pixels in (("labels", labels), ("photos", noise(*size)), ("targets", labels)):
        (tmp_path / name).mkdir()
        Image.fromarray(pixels).save(tmp_path / name / "1.png")
    sources, target = [tmp_path / "labels", tmp_path / "photos"], tmp_path / "targets"
    options = {"source_encoding": ["classes:3", "rgb"], "target_encoding": "classes:3", "image_size": 12}
    for fit in ("cover", "crop", "pad"):
        for training in (True, False):
            [(source, found, *_)] = examples(sources, target, fit=fit, training=training, jitter=1, **options)
            assert source.shape == (1, 12, 12, 6)
            np.testing.assert_array_equal(source[..., :3], found)
            assert set(np.unique(found)) == {-1, 1}


def test_windows_of_array_files_are_read_and_their_files_closed(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number in range(30):
            values = np.random.default_rng(number).uniform(0, 1, (40, 50, 2)).astype("float32")
            np.save(tmp_path / name / f"{number}.npy", values)
    encodings = (get("values:2:0:1"),) * 2
    pairs = find_pairs(tmp_path / "a", tmp_path / "b", "AtoB", *encodings)
    read = PixelCache(pairs, encodings, fitting_of("crop", (8, 8), 1.0, True), ("bicubic", "bicubic"), 10**9)
    before = len(os.listdir("/proc/self/fd"))
    for number in range(30):
        source, target = read(number, 0.99, 0.0)
        np.testing.assert_array_equal(source, target)
        np.testing.assert_array_equal(source, np.load(pairs[number].source_file)[32:, :8])
    assert len(os.listdir("/proc/self/fd")) <= before + 2


# Large pictures


@pytest.fixture
def decoded(monkeypatch):
    """The sizes of the pictures that were opened for windows."""
    sizes = []

    class Seen(Side):
        def raw(self, size=None):
            sizes.append(self.size)
            return super().raw(size)

    monkeypatch.setattr(fitting, "Side", Seen)
    return sizes


def write_jpeg(folder, size, orientation=1):
    folder.mkdir(exist_ok=True)
    smooth = Image.fromarray(noise(4, 4)).resize(size[::-1], Image.Resampling.BICUBIC)
    exif = Image.Exif()
    exif[0x0112] = orientation
    smooth.save(folder / "1.jpg", quality=95, exif=exif)


@pytest.mark.parametrize("orientation", [1, 6])
def test_large_jpeg_files_are_decoded_smaller_and_look_alike(tmp_path, decoded, orientation):
    for name in ("a", "b"):
        write_jpeg(tmp_path / name, (640, 960), orientation)
    upright = (640, 960) if orientation == 1 else (960, 640)
    for fit, factor in (("stretch", 1), ("cover", 4), ("pad", 4), ("crop", 1)):
        decoded.clear()
        [(source, _, *_)] = examples(tmp_path / "a", tmp_path / "b", image_size=64, training=False, fit=fit)
        if fit != "crop":
            assert decoded == [tuple(side // factor for side in upright)] * 2
        [pair] = find_pairs(tmp_path / "a", tmp_path / "b", "AtoB", *RGB)
        whole = fitting_of(fit, (64, 64)).fitted(open_sides(pair, RGB)[0])
        assert np.abs(pixels_of(source[0]).astype(int) - whole).mean() < 1


def test_what_nearest_resizes_is_decoded_whole(tmp_path, decoded):
    for name in ("a", "b"):
        write_jpeg(tmp_path / name, (640, 960))
    options = {"image_size": 64, "training": False, "fit": "cover"}
    examples(tmp_path / "a", tmp_path / "b", source_interpolation="nearest", **options)
    assert sorted(decoded) == [(160, 240), (640, 960)]


# What is refused


@pytest.mark.parametrize("fit", ["fill", "", None, 3])
def test_unknown_fits(side_by_side, fit):
    with pytest.raises(ValueError, match="`fit` must be one of stretch, cover, crop, pad. Received: fit="):
        paired_dataset(side_by_side, fit=fit)


def test_pictures_smaller_than_a_crop_are_all_named(side_by_side):
    with pytest.raises(ValueError, match="image_size") as raised:
        paired_dataset(side_by_side, fit="crop", image_size=21)
    assert "0.png" in str(raised.value)
    assert "1.png" in str(raised.value)
    assert "2.png" not in str(raised.value)
