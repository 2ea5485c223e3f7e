"""Arrays, files, folders and lists, of any size, through `Pix2Pix.translate`."""

import numpy as np
import pytest
from PIL import Image

from keras_pix2pix.images import write_png
from keras_pix2pix.inference.serving import serving_model


@pytest.fixture
def model(make_model):
    return make_model(direction="BtoA")


def draw(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def test_an_array_a_batch_and_a_list_come_back_as_they_were(model):
    pixels = draw(2, 20, 30, 3)
    batch = model.translate(pixels)
    assert batch.dtype == np.uint8
    assert batch.shape == (2, 20, 30, 3)
    np.testing.assert_array_equal(model.translate(pixels[1]), batch[1])
    first, second = model.translate([pixels[0], draw(40, 50, 3)])
    np.testing.assert_array_equal(first, batch[0])
    assert second.shape == (40, 50, 3)


def test_the_pixels_are_those_of_the_serving_model(model):
    pixels = draw(1, 32, 32, 3)
    np.testing.assert_array_equal(model.translate(pixels), serving_model(model)(pixels))


def test_the_same_input_gives_the_same_output(model):
    pixels = draw(33, 31, 3)
    np.testing.assert_array_equal(model.translate(pixels), model.translate(pixels))


def test_files_and_folders_give_pixels_or_png_files(model, tmp_path):
    sources = [draw(20, 30, 3, seed=seed) for seed in range(2)]
    for name, pixels in zip("ab", sources, strict=True):
        write_png(tmp_path / "in" / f"{name}.png", pixels)
    expected = model.translate(sources)
    np.testing.assert_array_equal(model.translate(tmp_path / "in" / "b.png"), expected[1])
    np.testing.assert_array_equal(model.translate(tmp_path / "in"), expected)
    paths = model.translate([str(tmp_path / "in" / "b.png"), tmp_path / "in" / "a.png"], tmp_path / "out")
    assert paths == [tmp_path / "out" / "b.png", tmp_path / "out" / "a.png"]
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "out" / "a.png")), expected[0])
    assert model.translate(sources[0], tmp_path / "array") == [tmp_path / "array" / "0000.png"]


def test_of_side_by_side_files_the_source_half_is_translated(model, tmp_path):
    left, right = draw(20, 30, 3, seed=1), draw(20, 30, 3, seed=2)
    write_png(tmp_path / "pair.png", np.concatenate([left, right], axis=1))
    generated = model.translate(tmp_path / "pair.png", side_by_side=True)
    np.testing.assert_array_equal(generated, model.translate(right))  # The direction is BtoA.


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((8, 8, 3), "float32"),
        np.zeros((8, 8), "uint8"),
        np.zeros((8, 8, 4), "uint8"),
        np.zeros((0, 8, 8, 3), "uint8"),
    ],
)
def test_other_arrays_are_refused(model, pixels):
    with pytest.raises(ValueError, match=rf"uint8, \(height, width, 3\).*Received: {pixels.dtype} of shape"):
        model.translate(pixels)


def test_a_broken_file_is_named(model, tmp_path):
    (tmp_path / "broken.jpg").write_text("not a picture")
    with pytest.raises(ValueError, match=r"broken\.jpg"):
        model.translate(tmp_path / "broken.jpg")


def test_a_missing_file_is_named(model, tmp_path):
    with pytest.raises(ValueError, match=r"missing\.png"):
        model.translate(tmp_path / "missing.png", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_broken_file_stops_the_work_before_it_begins(model, tmp_path):
    write_png(tmp_path / "in" / "a.png", draw(16, 16, 3))
    (tmp_path / "in" / "b.jpg").write_text("not a picture")
    with pytest.raises(ValueError, match=r"b\.jpg"):
        model.translate(tmp_path / "in", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_odd_width_has_no_source_half(model, tmp_path):
    write_png(tmp_path / "odd.png", draw(16, 33, 3))
    with pytest.raises(ValueError, match=r"odd\.png has an odd width.*Received: 33"):
        model.translate(tmp_path / "odd.png", side_by_side=True)


def test_two_pictures_of_one_name_would_overwrite_each_other(model, tmp_path):
    for folder in ("one", "two"):
        write_png(tmp_path / folder / "a.png", draw(16, 16, 3))
    with pytest.raises(ValueError, match="Two of the pictures are called 'a'"):
        model.translate([tmp_path / "one", tmp_path / "two"], tmp_path / "out")


RAW = {  # Encoding -> the file that `translate` writes, and its Pillow mode.
    "rgba": ("a.png", "RGBA"),
    "gray": ("a.png", "L"),
    "gray16": ("a.png", "I;16"),
    "classes:4": ("a.png", "L"),
    "palette:#000000,#ff0000": ("a.png", "RGB"),
    "values:2:-1:1": ("a.npy", None),
}


@pytest.mark.parametrize("word", RAW)
def test_files_of_any_encoding_become_files_of_any_encoding(make_encoded_model, tmp_path, word):
    model = make_encoded_model(word, word)
    encoding = model.source_encoding
    raw = encoding.from_pixels(draw(20, 30, 3))
    path = encoding.write(tmp_path / "in" / "a", raw)
    generated = model.translate(raw)
    assert (generated.dtype, generated.shape) == (encoding.raw_dtype, (20, 30, encoding.raw_channels))
    np.testing.assert_allclose(generated, np.asarray(serving_model(model)(raw[np.newaxis]))[0], rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(model.translate(path), generated)
    (in_folder,) = model.translate(path.parent)
    np.testing.assert_array_equal(in_folder, generated)
    (written,) = model.translate(path, tmp_path / "out")
    assert written.name == RAW[word][0]
    if RAW[word][1]:
        assert Image.open(written).mode == RAW[word][1]
    np.testing.assert_allclose(encoding.raw(encoding.open(written), written), generated, atol=0.5)


@pytest.mark.parametrize("dtype", [np.float64, np.int32, np.uint8])
def test_arrays_of_real_numbers_may_have_any_type(make_encoded_model, dtype):
    model = make_encoded_model("values:2:0:9")
    raw = draw(16, 16, 2) % 10
    np.testing.assert_array_equal(model.translate(raw.astype(dtype)), model.translate(raw.astype(np.float32)))


@pytest.mark.parametrize(
    ("word", "array", "words"),
    [
        ("values:1:0:9", np.full((8, 8, 1), 9.5), "The array holds values out of its declared range"),
        ("classes:4", np.full((8, 8, 1), 4, np.uint8), "The array holds an index that is no class.*Received: 4"),
        ("classes:4", np.zeros((8, 8, 1), np.int64), "must be uint8, .*as the encoding 'classes:4' stores them"),
        ("classes:4", np.zeros((8, 8, 4), np.uint8), r"uint8, \(height, width, 1\)"),
        ("values:1:0:9", np.zeros((8, 8, 1), complex), r"must be float32, \(height, width, 1\)"),
    ],
)
def test_arrays_that_the_encoding_does_not_store_are_refused(make_encoded_model, word, array, words):
    with pytest.raises(ValueError, match=words):
        make_encoded_model(word).translate(array)


def test_side_by_side_labels(make_encoded_model, tmp_path):
    model = make_encoded_model("classes:4", direction="BtoA")
    pair = draw(16, 60, 1) % 4
    write_png(tmp_path / "pair.png", pair)
    generated = model.translate(tmp_path / "pair.png", side_by_side=True)
    np.testing.assert_array_equal(generated, model.translate(pair[:, 30:]))


@pytest.fixture
def stacked(make_encoded_model, tmp_path):
    """A model of two sources, two folders of them, and what the stacks are."""
    model = make_encoded_model("rgb+classes:4")
    raws = []
    for name in "ab":
        photo, labels = draw(20, 30, 3, seed=ord(name)), draw(20, 30, 1, seed=ord(name)) % 4
        write_png(tmp_path / "photos" / f"{name}.png", photo)
        write_png(tmp_path / "labels" / f"{name}.png", labels)
        raws.append(np.concatenate([photo, labels], axis=-1))
    return model, [tmp_path / "photos", tmp_path / "labels"], raws


def test_stacked_sources_come_as_arrays_files_and_folders(stacked, tmp_path):
    model, folders, raws = stacked
    expected = model.translate(raws)
    assert isinstance(expected, list)
    np.testing.assert_array_equal(model.translate(raws[1]), expected[1])
    np.testing.assert_array_equal(model.translate(folders), expected)
    files = [[folder / f"{name}.png" for folder in folders] for name in "ab"]
    np.testing.assert_array_equal(model.translate(files[1]), expected[1])
    np.testing.assert_array_equal(model.translate([tuple(each) for each in files]), expected)
    written = model.translate([str(folder) for folder in folders], tmp_path / "out")
    assert written == [tmp_path / "out" / "a.png", tmp_path / "out" / "b.png"]
    np.testing.assert_array_equal(np.asarray(Image.open(written[1])), expected[1])


def test_stacked_sources_must_be_all_there(stacked):
    model, folders, _ = stacked
    with pytest.raises(ValueError, match=r"Every picture has 2 sources.*Received: .*photos"):
        model.translate(folders[0])
    with pytest.raises(ValueError, match=r"Every picture has 2 sources"):
        model.translate([*folders, folders[0]])
    with pytest.raises(ValueError, match=r"all files or all folders. Received: .*photos and .*labels/a\.png"):
        model.translate([folders[0], folders[1] / "a.png"])
    with pytest.raises(ValueError, match=r"Side-by-side files hold one source, and 'rgb\+classes:4' needs 2"):
        model.translate(folders, side_by_side=True)
    (folders[1] / "b.png").unlink()
    with pytest.raises(ValueError, match=r"without a partner: .*b\.png"):
        model.translate(folders)


def test_a_source_is_never_replaced(model, tmp_path):
    for name in ("one", "two"):
        write_png(tmp_path / "in" / f"{name}.png", draw(20, 30, 3))
    before = {path: path.read_bytes() for path in (tmp_path / "in").iterdir()}
    (tmp_path / "link").symlink_to(tmp_path / "in")
    (tmp_path / "hard").mkdir()
    (tmp_path / "hard" / "two.png").hardlink_to(tmp_path / "in" / "two.png")
    for inputs, output in (("in", "in"), ("in/two.png", "in"), ("in", "link"), ("link", "in"), ("in", "hard")):
        for options in ({}, {"side_by_side": True}):
            with pytest.raises(ValueError, match=r"\.png is read"):
                model.translate(tmp_path / inputs, tmp_path / output, **options)
    assert {path: path.read_bytes() for path in (tmp_path / "in").iterdir()} == before
    with pytest.raises(ValueError, match=r"two\.png is a file"):
        model.translate(tmp_path / "in", tmp_path / "in" / "two.png")
    assert model.translate(tmp_path / "in", tmp_path / "out")


def test_no_source_of_a_stack_is_replaced(stacked, tmp_path):
    model, (photos, labels), _ = stacked
    with pytest.raises(ValueError, match="is read"):
        model.translate([photos, labels], labels)


def contents_of(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("contents", [b"notes", b"\xff\xd8\xff\xe0 of a JPEG file", b"\x89PNG\r\n\x1a\n of others"])
def test_other_files_are_not_replaced_by_translations(model, tmp_path, contents):
    for name in "ab":
        write_png(tmp_path / "in" / f"{name}.png", draw(16, 16, 3))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "b.png").write_bytes(contents)
    with pytest.raises(ValueError, match=r"b\.png exists and is not a PNG file that this package has written"):
        model.translate(tmp_path / "in", tmp_path / "out")
    assert [(path.name, path.read_bytes()) for path in (tmp_path / "out").iterdir()] == [("b.png", contents)]


def test_target_photos_are_not_replaced_by_translations_and_translations_are(make_encoded_model, tmp_path):
    model = make_encoded_model("gray", "gray16")
    write_png(tmp_path / "labels" / "a.png", draw(16, 16, 1))
    (tmp_path / "photos").mkdir()
    Image.fromarray(draw(16, 16, 3)).save(tmp_path / "photos" / "a.png")
    before = contents_of(tmp_path)
    with pytest.raises(ValueError, match=r"photos/a\.png exists and is not"):
        model.translate(tmp_path / "labels", tmp_path / "photos")
    assert contents_of(tmp_path) == before
    for _ in range(2):
        model.translate(tmp_path / "labels", tmp_path / "out")


@pytest.mark.parametrize("contents", [b"notes", b"\x89PNG"])
def test_other_files_are_not_replaced_by_arrays(make_encoded_model, tmp_path, contents):
    model = make_encoded_model("gray", "values:2:0:1")
    (tmp_path / "0000.npy").write_bytes(contents)
    with pytest.raises(ValueError, match=r"0000\.npy exists and is not a \.npy file"):
        model.translate(draw(16, 16, 1), tmp_path)
    assert (tmp_path / "0000.npy").read_bytes() == contents
