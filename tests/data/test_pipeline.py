"""Tests of the way from files to batches."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_pix2pix.data.pipeline import paired_dataset
from keras_pix2pix.encodings import pictures
from keras_pix2pix.images import INTERPOLATIONS, height_and_width, read_image_file

PLAIN = {"jitter": 1, "mirror": False}


def write_noise(folder, count, height=24, width=20):
    """Side-by-side files in which the target is the inverse of the source, pixel by pixel."""
    folder.mkdir(exist_ok=True)
    for number in range(count):
        source = np.random.default_rng(number).integers(0, 256, (height, width, 3), dtype=np.uint8)
        Image.fromarray(np.concatenate([source, 255 - source], axis=1)).save(folder / f"{number}.png")
    return folder


def write_flat(folder, count, size=8):
    """Side-by-side files of one level each: 10 * number in the source, 10 * number + 5 in the target."""
    folder.mkdir(exist_ok=True)
    for number in range(count):
        source = np.full((size, size, 3), 10 * number, np.uint8)
        Image.fromarray(np.concatenate([source, source + 5], axis=1)).save(folder / f"{number:02d}.png")
    return folder


def halves_in_two_folders(folder):
    folders = [folder.with_name(f"{folder.name}_{side}") for side in ("source", "target")]
    for path in folder.iterdir():
        with Image.open(path) as picture:
            half, height = picture.width // 2, picture.height
            for each, left in zip(folders, (0, half), strict=True):
                each.mkdir(exist_ok=True)
                picture.crop((left, 0, left + half, height)).save(each / path.name)
    return folders


def pixels_of(image):
    return np.rint((np.asarray(image) + 1) * 127.5).astype(np.uint8)


def passes(dataset, count):
    """All batches of so many passes, as arrays."""
    return [[tuple(np.asarray(part) for part in batch) for batch in dataset] for _ in range(count)]


def numbers_of(epoch):
    """Which files of `write_flat` a pass holds, in order."""
    return [int(number) for batch in epoch for number in pixels_of(batch[0])[:, 0, 0, 0] // 10]


def assert_same(passes_of_one, passes_of_other):
    for one, other in zip(passes_of_one, passes_of_other, strict=True):
        for batch, twin in zip(one, other, strict=True):
            for part, twin_part in zip(batch, twin, strict=True):
                np.testing.assert_array_equal(part, twin_part)


def differ(passes_of_one, passes_of_other):
    try:
        assert_same(passes_of_one, passes_of_other)
    except (AssertionError, ValueError):
        return True
    return False


def resized(path, side, image_size, interpolation="bicubic"):
    """What Pillow makes of the left (0) or the right (1) half of a file."""
    with Image.open(path) as picture:
        half = picture.width // 2
        left = picture.crop((side * half, 0, side * half + half, picture.height))
    return np.asarray(left.resize(image_size[::-1], INTERPOLATIONS[interpolation]))


def place_of(crop, whole):
    """(top, left, mirrored) of a crop of noise in the picture that it was taken from."""
    (height, width), places = crop.shape[:2], []
    tops, lefts = range(whole.shape[0] - height + 1), range(whole.shape[1] - width + 1)
    for top, left, mirrored in itertools.product(tops, lefts, (False, True)):
        window = whole[top : top + height, left : left + width]
        if np.array_equal(crop, window[:, ::-1] if mirrored else window):
            places.append((top, left, mirrored))
    [place] = places
    return place


@pytest.fixture
def reads(monkeypatch):
    """The files that were decoded, in order."""
    names = []

    def read(path, *options):
        names.append(path.name)
        return read_image_file(path, *options)

    monkeypatch.setattr(pictures, "read_image_file", read)
    return names


# What comes out


def test_training_batches_have_static_shapes_and_known_number(tmp_path):
    dataset = paired_dataset(write_flat(tmp_path / "pairs", 7), image_size=(8, 12), batch_size=2)
    assert dataset.element_spec == (tf.TensorSpec((2, 8, 12, 3), tf.float32),) * 2
    assert len(dataset) == 3
    [epoch] = passes(dataset, 1)
    assert [[part.shape for part in batch] for batch in epoch] == [[(2, 8, 12, 3)] * 2] * 3


def test_validation_batches_have_static_shapes_and_known_number(tmp_path):
    folder = write_flat(tmp_path / "pairs", 7)
    dataset = paired_dataset(folder, image_size=(8, 12), batch_size=2, training=False)
    spec = tf.TensorSpec((2, 8, 12, 3), tf.float32)
    assert dataset.element_spec == (spec, spec, tf.TensorSpec((2,), tf.float32))
    assert len(dataset) == 4
    [epoch] = passes(dataset, 1)
    assert [[part.shape for part in batch] for batch in epoch] == [[(2, 8, 12, 3), (2, 8, 12, 3), (2,)]] * 4


def test_defaults_are_those_of_the_paper(tmp_path):
    dataset = paired_dataset(write_noise(tmp_path / "pairs", 1))
    assert dataset.element_spec == (tf.TensorSpec((1, 256, 256, 3), tf.float32),) * 2
    whole = [resized(tmp_path / "pairs" / "0.png", side, (286, 286)) for side in (0, 1)]
    for (batch,) in passes(dataset, 2):
        crops = [pixels_of(part)[0] for part in batch]
        # The 2 x 31 x 31 candidates are too many for whole pictures: the first row of pixels tells the place.
        top, left, mirrored = place_of(crops[0][:1, :, :], whole[0][:31])
        window = np.s_[top : top + 256, left : left + 256]
        for crop, picture in zip(crops, whole, strict=True):
            np.testing.assert_array_equal(crop[:, ::-1] if mirrored else crop, picture[window])


def test_black_is_minus_one_and_white_is_one(tmp_path):
    picture = Image.new("RGB", (16, 8), (255, 255, 255))
    picture.paste((0, 0, 0), (0, 0, 8, 8))
    picture.save(tmp_path / "1.png")
    source, target = next(iter(paired_dataset(tmp_path, image_size=8)))
    assert np.unique(source).tolist() == [-1.0]
    assert np.unique(target).tolist() == [1.0]


def test_gray_and_alpha_become_three_channels(tmp_path):
    Image.new("L", (16, 8), 51).save(tmp_path / "1.png")
    Image.new("RGBA", (16, 8), (51, 51, 51, 0)).save(tmp_path / "2.png")
    dataset = paired_dataset(tmp_path, image_size=8, batch_size=2, training=False)
    source, target, _ = next(iter(dataset))
    assert (pixels_of(source) == 51).all()
    assert (pixels_of(target) == 51).all()


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("image_size", [(24, 20), (16, 30), (40, 9), 18])
def test_without_jitter_and_mirror_come_the_pixels_of_pillow(tmp_path, training, image_size):
    folder = write_noise(tmp_path / "pairs", 1, height=24, width=20)
    dataset = paired_dataset(folder, image_size=image_size, training=training, **PLAIN)
    batch = next(iter(dataset))
    for side in (0, 1):
        expected = resized(folder / "0.png", side, height_and_width(image_size))
        assert batch[side].dtype == tf.float32
        np.testing.assert_array_equal(np.asarray(batch[side])[0], expected.astype("float32") / 127.5 - 1.0)


def test_side_of_a_square_may_be_one_number(tmp_path):
    folder = write_noise(tmp_path / "pairs", 2)
    assert_same(
        passes(paired_dataset(folder, image_size=16), 2), passes(paired_dataset(folder, image_size=(16, 16)), 2)
    )


@pytest.mark.parametrize("training", [True, False])
def test_direction_says_which_half_is_the_source(tmp_path, training):
    folder = write_noise(tmp_path / "pairs", 3)
    options = {"image_size": 16, "training": training}
    [forwards] = passes(paired_dataset(folder, direction="AtoB", **options), 1)
    [backwards] = passes(paired_dataset(folder, direction="BtoA", **options), 1)
    [by_default] = passes(paired_dataset(folder, **options), 1)
    exchanged = [(target, source, *weight) for source, target, *weight in backwards]
    assert_same([forwards], [exchanged])
    assert_same([forwards], [by_default])
    assert differ([forwards], [backwards])


# Interpolation


@pytest.mark.parametrize("name", ["nearest", "bilinear", "bicubic", "lanczos"])
@pytest.mark.parametrize("side", [0, 1])
def test_interpolation_is_that_of_its_side(tmp_path, name, side):
    folder = write_noise(tmp_path / "pairs", 1)
    names = ["bicubic", "bicubic"]
    names[side] = name
    options = {"source_interpolation": names[0], "target_interpolation": names[1]}
    batch = next(iter(paired_dataset(folder, image_size=(15, 33), **options, **PLAIN)))
    for each in (0, 1):
        expected = resized(folder / "0.png", each, (15, 33), names[each])
        np.testing.assert_array_equal(pixels_of(batch[each])[0], expected)


@pytest.mark.parametrize(("name", "exact"), [("nearest", True), ("bilinear", False), ("bicubic", False)])
def test_only_nearest_keeps_the_colours_of_a_label_map(tmp_path, name, exact):
    pixels = np.random.default_rng(0).choice([0, 100, 200], (20, 40, 1)).astype(np.uint8)
    Image.fromarray(np.repeat(pixels, 3, axis=-1)).save(tmp_path / "1.png")
    dataset = paired_dataset(tmp_path, image_size=16, source_interpolation=name, jitter=1.5)
    source, target = next(iter(dataset))
    assert (set(np.unique(pixels_of(source))) <= {0, 100, 200}) == exact
    assert not set(np.unique(pixels_of(target))) <= {0, 100, 200}


def test_interpolation_is_bicubic_by_default(tmp_path):
    folder = write_noise(tmp_path / "pairs", 1)
    batch = next(iter(paired_dataset(folder, image_size=15, **PLAIN)))
    for side in (0, 1):
        np.testing.assert_array_equal(pixels_of(batch[side])[0], resized(folder / "0.png", side, (15, 15)))


# Jitter and mirror


def test_both_sides_get_the_same_crop_and_flip(tmp_path):
    folder = write_noise(tmp_path / "pairs", 4, height=16, width=16)
    dataset = paired_dataset(
        folder,
        image_size=12,
        batch_size=2,
        jitter=1.5,
        source_interpolation="nearest",
        target_interpolation="nearest",
    )
    for source, target in itertools.chain(*passes(dataset, 5)):
        np.testing.assert_array_equal(pixels_of(source), 255 - pixels_of(target))


def write_same_noise(folder, count, height, width):
    """Files that hold one and the same pair, so that they differ by crop and flip alone."""
    write_noise(folder, 1, height, width)
    for number in range(1, count):
        (folder / f"{number}.png").write_bytes((folder / "0.png").read_bytes())
    return folder


def test_crops_are_taken_from_the_enlarged_picture_at_all_its_places(tmp_path):
    folder = write_same_noise(tmp_path / "pairs", 30, height=24, width=20)
    # 8 x 6 enlarged by 1.25 is 10 x 7.5, rounded to 10 x 8: 3 x 3 places, mirrored or not.
    whole = [resized(folder / "0.png", side, (10, 8)) for side in (0, 1)]
    dataset = paired_dataset(folder, image_size=(8, 6), batch_size=30, jitter=1.25)
    places = set()
    for (batch,) in passes(dataset, 5):
        for source, target in zip(*(pixels_of(side) for side in batch), strict=True):
            assert place_of(source, whole[0]) == place_of(target, whole[1])
            places.add(place_of(source, whole[0]))
    assert places == set(itertools.product(range(3), range(3), (False, True)))


def test_pairs_of_one_epoch_are_cropped_and_flipped_apart_and_otherwise_in_the_next(tmp_path):
    folder = write_same_noise(tmp_path / "pairs", 12, height=16, width=16)
    whole = resized(folder / "0.png", 0, (24, 24))
    dataset = paired_dataset(folder, image_size=16, batch_size=12, jitter=1.5)
    epochs = [[place_of(crop, whole) for crop in pixels_of(source)] for ((source, _),) in passes(dataset, 2)]
    for places in epochs:
        assert len({place[:2] for place in places}) > 6
        assert {place[2] for place in places} == {False, True}
    assert sorted(epochs[0]) != sorted(epochs[1])


def test_half_of_the_pairs_are_mirrored(tmp_path):
    folder = write_same_noise(tmp_path / "pairs", 20, height=8, width=8)
    original = resized(folder / "0.png", 0, (8, 8))
    dataset = paired_dataset(folder, image_size=8, batch_size=20, jitter=1)
    mirrored = [
        sum(not np.array_equal(picture, original) for picture in pixels_of(source))
        for ((source, _),) in passes(dataset, 10)
    ]
    # Of 200 fair coins 100 show heads, with a deviation of 7.
    assert 75 <= sum(mirrored) <= 125
    assert len(set(mirrored)) > 2
    dataset = paired_dataset(folder, image_size=8, batch_size=20, jitter=1, mirror=False)
    for ((source, _),) in passes(dataset, 2):
        assert (pixels_of(source) == original).all()


def test_validation_is_neither_jittered_nor_mirrored(tmp_path):
    folder = write_noise(tmp_path / "pairs", 3)
    dataset = paired_dataset(folder, image_size=16, batch_size=3, training=False, jitter=1.5, mirror=True)
    for ((source, target, _),) in passes(dataset, 3):
        for number in range(3):
            path = folder / f"{number}.png"
            np.testing.assert_array_equal(pixels_of(source)[number], resized(path, 0, (16, 16)))
            np.testing.assert_array_equal(pixels_of(target)[number], resized(path, 1, (16, 16)))


# Order


def test_each_epoch_holds_every_pair_once_in_another_order(tmp_path):
    dataset = paired_dataset(write_flat(tmp_path / "pairs", 12), image_size=8, batch_size=3)
    orders = [numbers_of(epoch) for epoch in passes(dataset, 5)]
    assert all(sorted(order) == list(range(12)) for order in orders)
    assert len({tuple(order) for order in orders}) == 5
    assert list(range(12)) not in orders


def test_pairs_stay_pairs(tmp_path):
    dataset = paired_dataset(write_flat(tmp_path / "pairs", 12), image_size=8, batch_size=3)
    for source, target in itertools.chain(*passes(dataset, 2)):
        np.testing.assert_array_equal(pixels_of(target), pixels_of(source) + 5)


def test_what_an_epoch_drops_changes_from_epoch_to_epoch(tmp_path):
    dataset = paired_dataset(write_flat(tmp_path / "pairs", 5), image_size=8, batch_size=2)
    orders = [numbers_of(epoch) for epoch in passes(dataset, 12)]
    assert all(len(set(order)) == 4 for order in orders)
    assert {number for order in orders for number in set(range(5)) - set(order)} == set(range(5))


def test_same_seed_gives_the_same_batches_and_another_seed_others(tmp_path):
    folder = write_noise(tmp_path / "pairs", 4)
    tf.random.set_seed(1)
    once = passes(paired_dataset(folder, image_size=16, batch_size=2, seed=7), 3)
    tf.random.set_seed(2)
    again = passes(paired_dataset(folder, image_size=16, batch_size=2, seed=7), 3)
    assert_same(once, again)
    assert differ(once, passes(paired_dataset(folder, image_size=16, batch_size=2, seed=8), 3))


def test_seed_changes_order_and_crops(tmp_path):
    flat, noise = write_flat(tmp_path / "flat", 12), write_noise(tmp_path / "noise", 1)
    orders = {tuple(numbers_of(*passes(paired_dataset(flat, image_size=8, seed=seed), 1))) for seed in range(4)}
    assert len(orders) == 4
    crops = {
        next(iter(paired_dataset(noise, image_size=16, jitter=2, seed=seed)))[0].numpy().tobytes() for seed in range(4)
    }
    assert len(crops) == 4


def test_seed_is_zero_by_default(tmp_path):
    folder = write_noise(tmp_path / "pairs", 4)
    assert_same(
        passes(paired_dataset(folder, image_size=16), 2), passes(paired_dataset(folder, image_size=16, seed=0), 2)
    )


@pytest.mark.parametrize("seed", [-1, 2**40])
def test_seed_may_be_negative_or_large(tmp_path, seed):
    folder = write_noise(tmp_path / "pairs", 2)
    assert_same(*(passes(paired_dataset(folder, image_size=16, seed=seed), 1) for _ in range(2)))


def test_initial_epoch_goes_on_where_an_earlier_run_stopped(tmp_path):
    folder = write_noise(tmp_path / "pairs", 6)
    options = {"image_size": 16, "batch_size": 2, "seed": 3, "jitter": 1.5}
    uninterrupted = passes(paired_dataset(folder, **options), 5)
    resumed = passes(paired_dataset(folder, initial_epoch=2, **options), 3)
    assert_same(resumed, uninterrupted[2:])
    assert differ(resumed[:1], uninterrupted[:1])


def test_pass_that_is_broken_off_counts_as_an_epoch(tmp_path):
    folder = write_noise(tmp_path / "pairs", 6)
    uninterrupted = passes(paired_dataset(folder, image_size=16), 3)
    dataset = paired_dataset(folder, image_size=16)
    for epoch in (0, 1):
        first = tuple(np.asarray(part) for part in next(iter(dataset)))
        assert_same([[first]], [uninterrupted[epoch][:1]])
    assert_same(passes(dataset, 1), uninterrupted[2:])


@pytest.mark.parametrize("initial_step", [0, 1, 3, 7])
def test_endless_data_begin_at_any_batch_of_any_epoch(tmp_path, initial_step):
    folder = write_noise(tmp_path / "pairs", 7)  # One is left out in each epoch.
    options = {"image_size": 16, "batch_size": 2, "seed": 3, "jitter": 1.5}
    batches = list(itertools.chain(*passes(paired_dataset(folder, initial_epoch=1, **options), 4)))
    endless = paired_dataset(folder, initial_epoch=1, initial_step=initial_step, repeat=True, **options)
    assert endless.cardinality() == tf.data.INFINITE_CARDINALITY
    for _ in range(2):  # A pass does not count, whether it was begun or not.
        iter(endless)
        count = len(batches) - initial_step
        assert_same(passes(endless.take(count), 1), [batches[initial_step:]])


def test_only_endless_training_data_begin_in_the_middle(tmp_path):
    folder = write_noise(tmp_path / "pairs", 2)
    with pytest.raises(ValueError, match="Received: initial_step=1, repeat=False. Pass `repeat=True`"):
        paired_dataset(folder, image_size=16, initial_step=1)
    with pytest.raises(ValueError, match="`repeat=True` is for training"):
        paired_dataset(folder, image_size=16, training=False, repeat=True)


def test_pairs_do_not_depend_on_the_batch_size(tmp_path):
    folder = write_noise(tmp_path / "pairs", 4)
    [one_by_one] = passes(paired_dataset(folder, image_size=16, batch_size=1), 1)
    [[(sources, targets)]] = passes(paired_dataset(folder, image_size=16, batch_size=4), 1)
    np.testing.assert_array_equal(np.concatenate([source for source, _ in one_by_one]), sources)
    np.testing.assert_array_equal(np.concatenate([target for _, target in one_by_one]), targets)


def test_one_pair_is_enough(tmp_path):
    dataset = paired_dataset(write_flat(tmp_path / "pairs", 1), image_size=8)
    assert [numbers_of(epoch) for epoch in passes(dataset, 2)] == [[0], [0]]


# Validation


def test_validation_comes_in_the_order_of_the_file_names_each_time(tmp_path):
    for name, level in (("10", 30), ("9", 60), ("b", 90), ("a", 120)):
        Image.new("RGB", (16, 8), (level,) * 3).save(tmp_path / f"{name}.png")
    for seed in (0, 1):
        dataset = paired_dataset(tmp_path, image_size=8, training=False, seed=seed)
        assert [numbers_of(epoch) for epoch in passes(dataset, 2)] == [[3, 6, 12, 9]] * 2


@pytest.mark.parametrize(
    ("batch_size", "weights"),
    [
        (1, [[1], [1], [1], [1], [1]]),
        (2, [[1, 1], [1, 1], [1, 0]]),
        (3, [[1, 1, 1], [1, 1, 0]]),
        (5, [[1, 1, 1, 1, 1]]),
        (7, [[1, 1, 1, 1, 1, 0, 0]]),
    ],
)
def test_validation_is_filled_up_with_the_last_pair_at_weight_zero(tmp_path, batch_size, weights):
    folder = write_flat(tmp_path / "pairs", 5)
    dataset = paired_dataset(folder, image_size=8, batch_size=batch_size, training=False)
    [epoch] = passes(dataset, 1)
    assert len(dataset) == len(epoch) == len(weights)
    assert [weight.tolist() for _, _, weight in epoch] == weights
    padding = batch_size * len(weights) - 5
    assert numbers_of(epoch) == [0, 1, 2, 3, 4] + [4] * padding
    assert all((pixels_of(target) == pixels_of(source) + 5).all() for source, target, _ in epoch)


# Two folders


@pytest.mark.parametrize(
    "changed",
    [
        {"image_size": (10, 18)},
        {"batch_size": 3},
        {"training": False},
        {"seed": 9},
        {"initial_epoch": 4},
        {"initial_step": 3, "repeat": True},
        {"source_interpolation": "nearest"},
        {"target_interpolation": "lanczos"},
        {"jitter": 2},
        {"mirror": False},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_two_folders_give_what_the_same_pixels_side_by_side_give(tmp_path, changed):
    folder = write_noise(tmp_path / "pairs", 4)
    sources, targets = halves_in_two_folders(folder)
    options = {"image_size": 16, "batch_size": 2}
    expected = passes(paired_dataset(folder, **options | changed).take(2), 2)
    assert_same(passes(paired_dataset(sources, targets, **options | changed).take(2), 2), expected)
    assert differ(passes(paired_dataset(sources, targets, **options), 2), expected)


def test_two_folders_read_the_source_from_the_first(tmp_path):
    sources, targets = halves_in_two_folders(write_flat(tmp_path / "pairs", 1))
    [[(source, target)]] = passes(paired_dataset(sources, targets, image_size=8), 1)
    assert [np.unique(pixels_of(side)).tolist() for side in (source, target)] == [[0], [5]]


@pytest.mark.parametrize(("cache_bytes", "count"), [(10**6, 8), (0, 24)])
def test_two_folders_have_the_same_cache(tmp_path, reads, cache_bytes, count):
    sources, targets = halves_in_two_folders(write_noise(tmp_path / "pairs", 4))
    passes(paired_dataset(sources, targets, image_size=16, cache_bytes=cache_bytes), 3)
    assert len(reads) == count


# Cache


def test_each_file_is_decoded_once(tmp_path, reads):
    passes(paired_dataset(write_noise(tmp_path / "pairs", 4), image_size=16), 3)
    assert sorted(reads) == ["0.png", "1.png", "2.png", "3.png"]


def test_validation_files_are_decoded_once(tmp_path, reads):
    passes(paired_dataset(write_noise(tmp_path / "pairs", 4), image_size=16, batch_size=2, training=False), 3)
    assert sorted(reads) == ["0.png", "1.png", "2.png", "3.png"]


# A pair of 16 x 16 pixels in 3 channels takes 2 * 768 bytes.
@pytest.mark.parametrize(
    ("cache_bytes", "kept"), [(0, 0), (1535, 0), (1536, 1), (3 * 1536 - 1, 2), (3 * 1536, 3), (4 * 1536, 4)]
)
def test_as_many_pairs_are_kept_as_there_is_room_for(tmp_path, reads, cache_bytes, kept):
    folder = write_noise(tmp_path / "pairs", 4)
    limited = passes(paired_dataset(folder, image_size=16, jitter=1, cache_bytes=cache_bytes), 3)
    assert len(reads) == 4 + 2 * (4 - kept)
    assert_same(limited, passes(paired_dataset(folder, image_size=16, jitter=1), 3))


def test_room_is_that_of_the_enlarged_pixels(tmp_path, reads):
    folder = write_noise(tmp_path / "pairs", 4)
    # 24 x 24 pixels in 3 channels: 1728 bytes for each side.
    limited = passes(paired_dataset(folder, image_size=16, jitter=1.5, cache_bytes=2 * 3456), 3)
    assert len(reads) == 4 + 2 * 2
    assert_same(limited, passes(paired_dataset(folder, image_size=16, jitter=1.5), 3))


# Files that break, options out of range


def test_faulty_file_is_found_before_the_first_batch(tmp_path):
    folder = write_noise(tmp_path / "pairs", 3)
    (folder / "1.png").write_text("not a picture")
    with pytest.raises(ValueError, match=r"Can't read the picture .*1\.png"):
        paired_dataset(folder, image_size=16)
    sources, targets = halves_in_two_folders(write_noise(tmp_path / "halves", 3))
    (targets / "1.png").unlink()
    with pytest.raises(ValueError, match=r"without a partner: .*1\.png"):
        paired_dataset(sources, targets, image_size=16)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("damage", ["deleted", "overwritten"])
def test_file_that_breaks_later_is_named(tmp_path, training, damage):
    folder = write_noise(tmp_path / "pairs", 3)
    dataset = paired_dataset(folder, image_size=16, training=training)
    if damage == "deleted":
        (folder / "1.png").unlink()
    else:
        (folder / "1.png").write_text("not a picture")
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"Can't read the picture .*pairs/1\.png"):
        passes(dataset, 1)


@pytest.mark.parametrize("batch_size", [0, -1, 1.0, "2", None])
def test_wrong_batch_size(tmp_path, batch_size):
    folder = write_flat(tmp_path / "pairs", 2)
    with pytest.raises(ValueError, match="`batch_size` must be an integer of 1 or more") as caught:
        paired_dataset(folder, image_size=8, batch_size=batch_size)
    assert f"Received: batch_size={batch_size!r}." in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", 1.5),
        ("seed", None),
        ("initial_epoch", -1),
        ("initial_epoch", 1.5),
        ("initial_step", -1),
        ("cache_bytes", None),
    ],
)
def test_other_numbers_must_be_whole(tmp_path, name, value):
    folder = write_flat(tmp_path / "pairs", 2)
    with pytest.raises(ValueError, match=f"`{name}` must be an integer.*Received: {name}={value!r}"):
        paired_dataset(folder, image_size=8, **{name: value})


def test_batch_size_beyond_the_number_of_pairs(tmp_path):
    folder = write_flat(tmp_path / "pairs", 2)
    with pytest.raises(ValueError, match=r"`batch_size` must not exceed the number of pairs, 2: .*batch_size=3\."):
        paired_dataset(folder, image_size=8, batch_size=3)
    assert len(paired_dataset(folder, image_size=8, batch_size=2)) == 1


@pytest.mark.parametrize("jitter", [0.99, 0, -1.5, float("nan"), float("inf"), 1e9, 10**30, "1", None])
def test_wrong_jitter(tmp_path, jitter):
    folder = write_flat(tmp_path / "pairs", 2)
    with pytest.raises(ValueError, match=r"`jitter` must be a ratio from 1 \(off\) to 10") as caught:
        paired_dataset(folder, image_size=8, jitter=jitter)
    assert f"Received: jitter={jitter!r}." in str(caught.value)


@pytest.mark.parametrize("side", ["source", "target"])
@pytest.mark.parametrize("name", ["cubic", "BICUBIC", "", None, [], {}])
def test_unknown_interpolation(tmp_path, side, name):
    folder = write_flat(tmp_path / "pairs", 2)
    accepted = f"`{side}_interpolation` must be one of nearest, bilinear, bicubic, lanczos. Received: {name!r}."
    with pytest.raises(ValueError, match="_interpolation` must be") as caught:
        paired_dataset(folder, image_size=8, **{f"{side}_interpolation": name})
    assert str(caught.value) == accepted


@pytest.mark.parametrize(
    "image_size", [0, -8, 8.0, None, "8", (8,), (8, 8, 3), (0, 8), (8, -8), (8, 8.0), (), ("8", "8")]
)
def test_wrong_image_size(tmp_path, image_size):
    folder = write_flat(tmp_path / "pairs", 2)
    with pytest.raises(ValueError, match=r"`image_size` must be \(height, width\) or one integer") as caught:
        paired_dataset(folder, image_size=image_size)
    assert f"Received: image_size={image_size!r}." in str(caught.value)


def test_unknown_direction(tmp_path):
    with pytest.raises(ValueError, match=r"`direction` must be .* Received: direction='AtoC'\."):
        paired_dataset(write_flat(tmp_path / "pairs", 2), image_size=8, direction="AtoC")


@pytest.mark.parametrize(("image_size", "expected"), [(7, (7, 7)), ((7, 9), (7, 9)), ([7, 9], (7, 9))])
def test_height_and_width(image_size, expected):
    assert height_and_width(image_size) == expected
