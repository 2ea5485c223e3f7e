"""Arrays, files, folders and lists, of any size, through `Pix2Pix.translate`."""

import numpy as np
import pytest
from PIL import Image

from keras_pix2pix.images import write_png
from keras_pix2pix.networks.serving import serving_model


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
