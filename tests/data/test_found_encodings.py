"""`palette:auto`, `classes:auto` and palettes that are kept: what the files themselves tell."""

import numpy as np
import pytest
from PIL import Image

from keras_pix2pix import draw_pairs, encodings, paired_dataset
from keras_pix2pix.data.found_encodings import found_encodings
from keras_pix2pix.data.synthetic import PALETTE, facade, write_facades
from keras_pix2pix.encodings import Classes, Palette

VOC = ((0, 0, 0), (128, 0, 0), (0, 128, 0))


@pytest.fixture
def folders(tmp_path):
    """A function that puts label maps, and pictures of their size, into two folders."""

    def put(maps, **saving):
        for number, opened in enumerate(maps):
            for side, picture in (("labels", opened), ("photos", Image.new("RGB", opened.size))):
                (tmp_path / side).mkdir(exist_ok=True)
                extension = saving.get("extension", "png") if side == "labels" else "png"
                picture.save(tmp_path / side / f"{number}.{extension}", **saving.get("options", {}))
        return [(tmp_path / "labels", tmp_path / "photos")]

    return put


def of_indices(*values, palette=None):
    picture = Image.fromarray(np.resize(np.array(values, np.uint8), (8, 8)))
    if palette:
        picture.putpalette([level for color in palette for level in color])
    return picture


def test_all_colours_of_files_without_loss(folders):
    places = folders([Image.new("RGB", (8, 8), "#ff0000"), Image.new("RGB", (8, 8), "#0000ff")])
    assert found_encodings(places, "AtoB", "palette:auto", "rgb")[0] == Palette(["#0000ff", "#ff0000"])


def test_colours_that_jpeg_has_blurred(folders):
    maps = [Image.fromarray(facade(seed, (256, 256))[0]) for seed in range(6)]
    places = folders(maps, extension="jpg", options={"quality": 80})
    (found, _) = found_encodings(places, "AtoB", "palette:auto", "rgb")
    assert 9 <= len(found.colors) <= len(PALETTE)
    for color in found.colors:
        assert min(np.abs(np.subtract(color, drawn)).max() for drawn in PALETTE.values()) <= 8, color


def test_photos_have_no_palette(folders):
    noise = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3)).astype(np.uint8)
    with pytest.raises(ValueError, match=r"source files are not label maps.*palette:auto"):
        found_encodings(folders(map(Image.fromarray, noise)), "AtoB", "palette:auto", "rgb")


def test_one_colour_is_no_palette(folders):
    with pytest.raises(ValueError, match="one colour"):
        found_encodings(folders([Image.new("RGB", (8, 8))]), "AtoB", "palette:auto", "rgb")


@pytest.mark.parametrize(
    ("indices", "word"),
    [
        ((0, 1, 6), "classes:7"),
        ((0, 3, 255), "classes:4:ignore=255"),
        ((0, 254, 255), "classes:256"),
        ((0,), "classes:2"),
    ],
)
def test_classes_are_counted(folders, indices, word):
    assert found_encodings(folders([of_indices(*indices)]), "AtoB", "classes:auto", "rgb")[0].word == word


def test_every_file_counts(folders):
    maps = [of_indices(0, 1), of_indices(0, 4), of_indices(255)]
    assert found_encodings(folders(maps), "AtoB", "classes:auto", "rgb")[0].word == "classes:5:ignore=255"


@pytest.mark.parametrize("word", ["classes:auto", "classes:3"])
def test_the_palette_of_targets_is_kept(folders, word, tmp_path):
    ((labels, photos),) = folders([of_indices(0, 1, 2, palette=VOC)])
    _, found = found_encodings([(photos, labels)], "AtoB", "rgb", word)
    assert found == Classes(3, palette=VOC)
    path = encodings.get(found.word).write(tmp_path / "out", np.array([[[0], [2]]], np.uint8))
    with Image.open(path) as written:
        assert written.mode == "P"
        assert np.asarray(written).tolist() == [[0, 2]]
        assert written.convert("RGB").getpixel((1, 0)) == VOC[2]


def test_without_a_palette_files_are_gray(folders, tmp_path):
    ((labels, photos),) = folders([of_indices(0, 1, 2)])
    _, found = found_encodings([(photos, labels)], "AtoB", "rgb", "classes:3")
    assert found == Classes(3)
    with Image.open(found.write(tmp_path / "out", np.zeros((1, 1, 1), np.uint8))) as written:
        assert written.mode == "L"


def test_a_stack_is_found_part_by_part(folders):
    ((labels, photos),) = folders([of_indices(0, 1, 6)])
    source, _ = found_encodings([([photos, labels], photos)], "AtoB", ["rgb", "classes:auto"], "rgb")
    assert source.word == "rgb+classes:7"


def test_side_by_side_files_and_what_is_said_in_python(tmp_path):
    write_facades(tmp_path / "pairs", 3, image_size=(64, 64))
    findings = draw_pairs(tmp_path / "pairs", source_encoding="palette:auto", output=tmp_path / "drawn.png")
    source, target = findings.encodings
    drawn = {tuple(color) for seed in range(3) for color in facade(seed, (64, 64))[0].reshape(-1, 3).tolist()}
    assert set(encodings.get(source).colors) == drawn
    assert target == "rgb"
    assert sum(findings.shares["source"]) == pytest.approx(1)
    with pytest.raises(ValueError, match="draw_pairs"):
        paired_dataset(tmp_path / "pairs", source_encoding="palette:auto")
    assert len(paired_dataset(tmp_path / "pairs", image_size=64, source_encoding=source)) == 3


def test_one_word_stands_for_all_folders_of_sources(folders, tmp_path):
    ((labels, photos),) = folders([of_indices(0, 1, 6)])
    (tmp_path / "more").mkdir()
    of_indices(0, 3).save(tmp_path / "more/0.png")
    source, _ = found_encodings([([labels, tmp_path / "more"], photos)], "AtoB", "classes:auto", "rgb")
    assert source.word == "classes:7+classes:4"


def test_a_stack_may_be_an_object(folders, tmp_path):
    ((labels, photos),) = folders([of_indices(0, 1, 2)])
    stack = encodings.Stacked(["classes:3", "rgb"])
    assert found_encodings([([labels, photos], labels)], "AtoB", stack, "classes:3")[0] == stack
