"""Pairs of every encoding on their way from files to batches."""

import numpy as np
import pytest
from PIL import Image

from keras_pix2pix import draw_pairs, encodings, paired_dataset
from keras_pix2pix.data.pairs import Pair, _encoding_of_folders, _find_side_by_side, match_folders
from keras_pix2pix.images import to_image

PLAIN = {"jitter": 1, "mirror": False}
WORDS = ["gray", "rgba", "gray16", "classes:5", "palette:#ff0000,#00ff00,#0000ff,#ffff00", "values:5:-1:1"]


def draw(word, height=24, width=20, seed=0):
    """Raw values of an encoding, of which the neighbours differ."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return encodings.get(word).from_pixels(pixels)


def write(folder, word, count, **size):
    """Files of one encoding; the raw values in them."""
    raws = [draw(word, seed=seed, **size) for seed in range(count)]
    for number, raw in enumerate(raws):
        encodings.get(word).write(folder / str(number), raw)
    return raws


def images_of(word, raws):
    return np.stack([encodings.get(word).to_image(raw) for raw in raws])


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("side", ["source", "target"])
def test_either_side_may_have_any_encoding(tmp_path, word, side):
    raws = {side: write(tmp_path / side, "rgb", 2) for side in ("source", "target")}
    folder = tmp_path / f"encoded_{side}"
    folders = {"source": tmp_path / "source", "target": tmp_path / "target"} | {side: folder}
    raws[side] = write(folder, word, 2)
    options = {"image_size": (24, 20), "batch_size": 2, "training": False, f"{side}_encoding": word}
    source, target, _ = next(iter(paired_dataset(*folders.values(), **options)))
    for batch, each in ((source, "source"), (target, "target")):
        expected = images_of(word if each == side else "rgb", raws[each])
        np.testing.assert_allclose(batch, expected, atol=1e-6)


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("direction", ["AtoB", "BtoA"])
def test_side_by_side_files_may_have_any_encoding(tmp_path, word, direction):
    left, right = write(tmp_path, word, 2, width=40)[0].reshape(24, 2, 20, -1).swapaxes(0, 1)
    options = {"source_encoding": word, "target_encoding": word, "direction": direction, "training": False}
    source, target, _ = next(iter(paired_dataset(tmp_path, image_size=(24, 20), **options)))
    expected = images_of(word, [left, right] if direction == "AtoB" else [right, left])
    np.testing.assert_allclose(np.concatenate([source, target]), expected, atol=1e-6)


def test_the_halves_of_a_file_may_have_two_encodings(tmp_path):
    labels = draw("palette:#ff0000,#0000ff")
    photo = draw("rgb", seed=5)
    Image.fromarray(np.concatenate([labels, photo], axis=1)).save(tmp_path / "1.png")
    dataset = paired_dataset(tmp_path, image_size=(24, 20), source_encoding="palette:#ff0000,#0000ff", **PLAIN)
    source, target = next(iter(dataset))
    np.testing.assert_array_equal(np.argmax(source[0], axis=-1) == 0, labels[..., 0] == 255)
    np.testing.assert_array_equal(target[0], to_image(photo))
    # Numbers of the other half are none of this side's business.
    np.save(tmp_path / "2.npy", np.concatenate([np.full((24, 20), 3), np.full((24, 20), 250)], axis=1))
    (tmp_path / "1.png").unlink()
    dataset = paired_dataset(tmp_path, image_size=8, source_encoding="classes:4", target_encoding="gray")
    source, target = next(iter(dataset))
    assert (np.argmax(source, axis=-1) == 3).all()
    assert np.unique(target).tolist() == pytest.approx([250 / 127.5 - 1])


def test_labels_stay_labels_whatever_the_filter_and_jitter(tmp_path):
    write(tmp_path / "a", "classes:5", 1)
    write(tmp_path / "b", "classes:5", 1)
    dataset = paired_dataset(
        *(tmp_path / "a", tmp_path / "b"),
        **{"source_encoding": "classes:5", "target_encoding": "classes:5", "image_size": 17, "jitter": 1.4},
        **{"source_interpolation": "lanczos", "target_interpolation": "bicubic"},
    )
    for _ in range(3):
        source, target = next(iter(dataset))
        np.testing.assert_array_equal(source, target)
        assert np.unique(source).tolist() == [-1, 1]
        assert (np.sum(np.asarray(source) == 1, axis=-1) == 1).all()


def test_crop_and_flip_are_the_same_for_sides_of_different_channels(tmp_path):
    gray = write(tmp_path / "gray", "gray", 3)
    for number, raw in enumerate(gray):
        encodings.get("values:2:0:510").write(tmp_path / "two" / str(number), np.concatenate([raw, raw], -1) * 2.0)
    dataset = paired_dataset(
        *(tmp_path / "gray", tmp_path / "two"),
        **{"source_encoding": "gray", "target_encoding": "values:2:0:510", "image_size": (12, 10), "jitter": 2},
        source_interpolation="nearest",
        target_interpolation="nearest",
    )
    for source, target in dataset:
        np.testing.assert_allclose(target, np.repeat(source, 2, axis=-1), atol=1e-6)


# Several folders of sources


def write_three_folders(folder, words=("rgb", "classes:3", "gray")):
    raws = [write(folder / name, word, 3) for name, word in zip(("photo", "labels", "target"), words, strict=True)]
    return [folder / "photo", folder / "labels"], folder / "target", raws


@pytest.mark.parametrize("source_encoding", [["rgb", "classes:3"], "rgb+classes:3"])
def test_sources_of_several_folders_are_concatenated(tmp_path, source_encoding):
    sources, target_folder, raws = write_three_folders(tmp_path)
    dataset = paired_dataset(
        *(sources, target_folder),
        **{"source_encoding": source_encoding, "target_encoding": "gray"},
        **{"image_size": (24, 20), "batch_size": 3, "training": False},
    )
    assert dataset.element_spec[0].shape == (3, 24, 20, 6)
    source, target, _ = next(iter(dataset))
    np.testing.assert_array_equal(source[..., :3], images_of("rgb", raws[0]))
    np.testing.assert_array_equal(source[..., 3:], images_of("classes:3", raws[1]))
    np.testing.assert_array_equal(target, images_of("gray", raws[2]))


def test_one_encoding_does_for_all_folders():
    assert _encoding_of_folders("gray", ["a"]).word == "gray"
    assert _encoding_of_folders("gray", ["a", "b", "c"]).word == "gray+gray+gray"
    assert _encoding_of_folders(["gray"], ["a", "b"]).word == "gray+gray"
    with pytest.raises(ValueError, match=r"one for each, 3. Received: 2, 'gray\+rgb'"):
        _encoding_of_folders("gray+rgb", ["a", "b", "c"])
    with pytest.raises(ValueError, match="one for each, 1. Received: 2"):
        _encoding_of_folders("gray+rgb", ["a"])


def test_a_name_must_be_in_all_folders(tmp_path):
    sources, target, _ = write_three_folders(tmp_path)
    (sources[1] / "1.png").unlink()
    with pytest.raises(ValueError, match=r"1 of 3 names are not in all of .*partner: .*photo/1\.png"):
        match_folders(sources, target, ["rgb", "classes:3"], "gray")


def test_sources_are_of_one_size_and_as_large_as_the_target(tmp_path):
    sources, target, _ = write_three_folders(tmp_path)
    encodings.get("classes:3").write(sources[1] / "1", draw("classes:3", width=22))
    with pytest.raises(ValueError, match=r"photo/1\.png and .*labels/1\.png differ in size.*20x24 and 22x24"):
        match_folders(sources, target, ["rgb", "classes:3"], "gray")
    encodings.get("rgb").write(sources[0] / "1", draw("rgb", width=22))
    with pytest.raises(ValueError, match=r"photo/1\.png and .*target/1\.png differ in size.*22x24 and 20x24"):
        match_folders(sources, target, ["rgb", "classes:3"], "gray")


def test_stacks_are_for_the_source_and_for_folders(tmp_path):
    sources, target, _ = write_three_folders(tmp_path)
    with pytest.raises(ValueError, match=r"A target has one encoding. Received: target_encoding='rgb\+gray'"):
        match_folders(sources, target, ["rgb", "classes:3"], "rgb+gray")
    with pytest.raises(ValueError, match=r"Several encodings need several source folders.*'rgb\+gray' and 'rgb'"):
        _find_side_by_side(target, "AtoB", "rgb+gray")


# Found before training


@pytest.mark.parametrize("side", ["source", "target"])
@pytest.mark.parametrize(
    ("word", "name", "wrong"),
    [
        ("gray16", "1.png", np.zeros((24, 20), np.uint8)),
        ("values:5:-1:1", "1.npy", np.zeros((24, 20, 4))),
        ("classes:5", "1.png", np.zeros((24, 20, 3), np.uint8)),
    ],
)
def test_a_file_that_does_not_suit_is_named_before_training(tmp_path, side, word, name, wrong):
    for folder in ("source", "target"):
        write(tmp_path / folder, word if folder == side else "rgb", 3)
    path = tmp_path / side / name
    np.save(path, wrong) if path.suffix == ".npy" else Image.fromarray(wrong).save(path)
    with pytest.raises(ValueError, match=r"suit its encoding|hold class indices") as caught:
        paired_dataset(tmp_path / "source", tmp_path / "target", **{f"{side}_encoding": word})
    assert str(path) in str(caught.value)


def test_side_by_side_files_must_suit_both_encodings(tmp_path):
    write(tmp_path, "rgb", 1)
    with pytest.raises(ValueError, match=r"0\.png does not hold class indices"):
        paired_dataset(tmp_path, target_encoding="classes:3")


def test_an_index_out_of_range_is_named_when_it_is_read(tmp_path):
    write(tmp_path, "classes:5", 3, width=40)
    dataset = paired_dataset(tmp_path, image_size=8, source_encoding="classes:4", target_encoding="classes:5")
    with pytest.raises(Exception, match=r"\.png holds an index that is no class. Accepted: 0 to 3. Received: 4"):
        list(dataset)


@pytest.mark.parametrize("argument", ["source_encoding", "target_encoding"])
def test_an_unknown_encoding_is_refused(tmp_path, argument):
    with pytest.raises(ValueError, match="An encoding must be .*Received: 'rbg'"):
        paired_dataset(tmp_path, **{argument: "rbg"})


# The cache


@pytest.mark.parametrize(
    ("word", "bytes_of_a_side"), [("gray", 256), ("classes:5", 256), ("gray16", 1024), ("values:5:-1:1", 5120)]
)
def test_the_cache_keeps_what_is_stored(tmp_path, monkeypatch, word, bytes_of_a_side):
    write(tmp_path, word, 2, width=48)
    reads = []
    read = Pair.read
    monkeypatch.setattr(Pair, "read", lambda pair, *rest: reads.append(pair) or read(pair, *rest))
    for cache_bytes, expected in ((2 * 2 * bytes_of_a_side, 2), (2 * 2 * bytes_of_a_side - 1, 3)):
        reads.clear()
        dataset = paired_dataset(
            *(tmp_path,),
            **{"source_encoding": word, "target_encoding": word, "image_size": 16, "jitter": 1},
            cache_bytes=cache_bytes,
        )
        for _ in range(2):
            list(dataset)
        assert len(reads) == expected


# Colours


def numbers_of(dataset):
    return [[np.asarray(part) for part in batch] for batch in dataset]


def test_color_jitter_changes_the_source_and_nothing_else(tmp_path):
    write(tmp_path, "rgb", 4, width=40)
    options = {"image_size": 16, "batch_size": 2}
    plain = numbers_of(paired_dataset(tmp_path, **options))
    jittered = numbers_of(paired_dataset(tmp_path, color_jitter=0.4, **options))
    for (source, target), (changed, same) in zip(plain, jittered, strict=True):
        np.testing.assert_array_equal(target, same)
        differences = np.abs(source - changed).mean(axis=(1, 2, 3))
        assert (differences > 0.01).all()
        assert changed.min() >= -1
        assert changed.max() <= 1
    assert paired_dataset(tmp_path, color_jitter=0.4, **options).element_spec == (
        paired_dataset(tmp_path, **options).element_spec
    )


def test_color_jitter_is_a_function_of_seed_epoch_and_index(tmp_path):
    write(tmp_path, "gray", 3, width=40)
    options = {"source_encoding": "gray", "target_encoding": "gray", "color_jitter": 0.5, "image_size": 16, **PLAIN}
    whole = paired_dataset(tmp_path, **options)
    epochs = [numbers_of(whole) for _ in range(3)]
    resumed = numbers_of(paired_dataset(tmp_path, initial_epoch=2, **options))
    np.testing.assert_array_equal(resumed, epochs[2])
    means = [sorted(float(source.mean()) for source, _ in epoch) for epoch in epochs]
    assert means[0] != means[1] != means[2]
    other = sorted(float(source.mean()) for source, _ in numbers_of(paired_dataset(tmp_path, seed=1, **options)))
    assert other != means[0]
    batched = paired_dataset(tmp_path, batch_size=3, **options)
    np.testing.assert_allclose(next(iter(batched))[0], np.concatenate([source for source, _ in epochs[0]]), atol=1e-6)


def test_validation_keeps_its_colours(tmp_path):
    raws = write(tmp_path, "rgb", 1, width=40)
    source, *_ = next(iter(paired_dataset(tmp_path, image_size=(24, 20), training=False, color_jitter=1.0)))
    np.testing.assert_array_equal(source[0], to_image(raws[0][:, :20]))


def test_color_jitter_of_label_maps_is_refused(tmp_path):
    write(tmp_path, "classes:3", 1, width=40)
    with pytest.raises(ValueError, match="Label maps have neither brightness nor contrast"):
        paired_dataset(tmp_path, source_encoding="classes:3", target_encoding="classes:3", color_jitter=0.1)


# The look before training


def test_pairs_of_any_encoding_are_drawn(tmp_path, monkeypatch):
    from matplotlib.axes import Axes

    sources, target, raws = write_three_folders(tmp_path)
    shown = []
    monkeypatch.setattr(Axes, "imshow", lambda axes, picture: shown.append(np.asarray(picture)))
    options = {"source_encoding": ["rgb", "classes:3"], "target_encoding": "gray"}
    findings = draw_pairs(sources, target, output=tmp_path / "look.png", count=1, **options)
    assert (findings.pairs, findings.sizes) == (3, {(24, 20): 3})
    source, drawn_target = shown
    np.testing.assert_array_equal(source[:, :20], raws[0][0])
    np.testing.assert_array_equal(source[:, 20:], encodings.get("classes:3").show(raws[1][0]))
    np.testing.assert_array_equal(drawn_target, np.repeat(raws[2][0], 3, axis=-1))
