"""What every encoding promises, whatever is stored."""

import numpy as np
import pytest
from PIL import Image

from keras_pix2pix import encodings
from keras_pix2pix.data.pairs import Pair

WORDS = [
    "rgb",
    "gray",
    "rgba",
    "gray16",
    "classes:5",
    "classes:5:ignore=255",
    "classes:2:colors=#000000,#808000",
    "mask",
    "mask:9",
    "edges",
    "palette:#000000,#ff0000,#00ff00",
    "palette:#000000=road,#ff0000=wild grass",
    "values:2:-1.0:3.0",
]
STACKED = ["rgb+classes:5", "gray16+palette:#000000,#ffffff+rgb"]


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (6, 8, 3)).astype(np.uint8)


@pytest.mark.parametrize("word", WORDS + STACKED)
def test_shapes_and_types_are_those_declared(word, pixels):
    encoding = encodings.get(word)
    raw = encoding.from_pixels(pixels)
    assert raw.shape == (6, 8, encoding.raw_channels)
    assert raw.dtype == encoding.raw_dtype
    image = np.asarray(encoding.to_image(raw))
    assert image.shape == (6, 8, encoding.channels)
    assert image.min() >= -1
    assert image.max() <= 1
    np.testing.assert_allclose(encoding.to_raw(image), raw, atol=0.01)
    shown = encoding.show(raw)
    assert shown.dtype == np.uint8
    assert shown.shape[0] == 6
    assert shown.shape[2] == 3


@pytest.mark.parametrize("word", WORDS + STACKED)
def test_parts_make_up_the_whole(word, pixels):
    encoding = encodings.get(word)
    assert [part.word for part in encoding.parts] == word.split("+")
    raw = encoding.from_pixels(pixels)
    assert [each.shape[-1] for each in encoding.raw_parts(raw)] == [part.raw_channels for part in encoding.parts]
    images = encoding.image_parts(np.asarray(encoding.to_image(raw)))
    for part, image, values in zip(encoding.parts, images, encoding.raw_parts(raw), strict=True):
        np.testing.assert_allclose(part.to_image(values), image, atol=1e-6)


@pytest.mark.parametrize("word", [word for word in WORDS if word != "edges"])  # A mask of edges is no instance map.
def test_a_single_encoding_writes_what_it_reads(word, pixels, tmp_path):
    encoding = encodings.get(word)
    assert encoding.parts == (encoding,)
    raw = encoding.from_pixels(pixels)
    file = encoding.write(tmp_path / "picture", raw)
    assert file == tmp_path / f"picture{encoding.extension}"
    assert encoding.size(file) == (6, 8)
    np.testing.assert_array_equal(encoding.raw(encoding.open(file), file), raw)


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("classes:3", ("0", "1", "2")),
        ("mask", ("0", "1")),
        ("palette:#000000,#ff0000", ("#000000", "#ff0000")),
        ("palette:#000000=road,#ff0000=sky", ("road", "sky")),
    ],
)
def test_classes_have_names_for_people(word, names):
    assert encodings.get(word).class_names == names


def test_label_maps_are_told_from_measurements():
    found = {word: encodings.get(word).is_label_map for word in WORDS + STACKED}
    assert [word for word, is_label_map in found.items() if is_label_map] == WORDS[4:12]


def test_a_pixel_of_no_class_is_none_of_them():
    encoding = encodings.get("classes:3:ignore=255")
    raw = np.array([[[0], [2], [255]]], np.uint8)
    np.testing.assert_array_equal(encoding.checked(raw, "map"), raw)
    np.testing.assert_array_equal(encoding.to_image(raw)[0], [[1, -1, -1], [-1, -1, 1], [-1, -1, -1]])
    assert encoding.show(raw)[0].tolist()[0] == [0, 0, 0]
    assert encoding.show(raw)[0].tolist()[2] == [128, 128, 128]
    with pytest.raises(ValueError, match="ignore=254"):
        encoding.checked(np.array([254]), "map")


@pytest.mark.parametrize(
    "word", ["classes:3:ignore=2", "classes:3:ignore=256", "classes:3:ignore=x", "mask:0", "mask:256"]
)
def test_words_out_of_range(word):
    with pytest.raises(ValueError, match="Received"):
        encodings.get(word)


def test_a_mask_is_decided_by_its_threshold(tmp_path):
    levels = np.array([[0, 63, 64, 127, 128, 255]], np.uint8)
    for word, first in (("mask", 4), ("mask:64", 2)):
        encoding = encodings.get(word)
        Image.fromarray(levels).save(tmp_path / "mask.png")
        raw = encoding.raw(encoding.open(tmp_path / "mask.png"), "mask.png")
        expected = np.where(np.arange(6) >= first, 255, 0)
        np.testing.assert_array_equal(raw[0, :, 0], expected)
        np.testing.assert_array_equal(
            encoding.to_image(levels[..., np.newaxis])[0, :, 0], np.where(expected, 1.0, -1.0)
        )
        np.testing.assert_array_equal(encoding.to_raw(np.array([-0.5, 0.0, 0.1])), [0, 0, 255])


def test_a_mask_keeps_thin_lines_when_it_is_made_smaller(tmp_path):
    levels = np.zeros((16, 16), np.uint8)
    levels[:, 7:9] = 255
    encoding = encodings.get("mask:64")
    raw = encoding.raw(Image.fromarray(levels), "mask.png", (8, 8), "bilinear")
    assert (raw == 255).any(axis=1).all()
    assert set(np.unique(raw)) == {0, 255}


def test_boolean_arrays_are_masks(tmp_path):
    np.save(tmp_path / "mask.npy", np.eye(4, dtype=bool))
    encoding = encodings.get("mask")
    raw = encoding.raw(encoding.open(tmp_path / "mask.npy"), "mask.npy")
    np.testing.assert_array_equal(raw[..., 0], 255 * np.eye(4))


def test_indices_are_not_taken_for_a_mask(tmp_path):
    Image.fromarray(np.eye(4, dtype=np.uint8)).save(tmp_path / "labels.png")
    np.save(tmp_path / "labels.npy", np.eye(4, dtype=np.uint8))
    for name in ("labels.png", "labels.npy"):
        pair = Pair(tmp_path / name, tmp_path / name)
        with pytest.raises(ValueError, match=f'{name}.*"classes:2"'):
            pair.read("mask", "mask")
        pair.read("mask:1", "mask:1")
    halves = np.hstack([np.full((4, 4), 200, np.uint8), np.eye(4, dtype=np.uint8)])
    Image.fromarray(halves).save(tmp_path / "halves.png")
    with pytest.raises(ValueError, match=r'halves.png.*"classes:2"'):
        Pair(tmp_path / "halves.png", tmp_path / "halves.png", "AtoB").read("gray", "mask")


def test_a_part_of_a_mask_may_be_faint(tmp_path):
    levels = np.zeros((8, 8), np.uint8)
    levels[0, 0], levels[6, 6] = 255, 1
    Image.fromarray(levels).save(tmp_path / "mask.png")
    mask = encodings.get("mask")
    assert not mask.raw(mask.open(tmp_path / "mask.png").crop((4, 4, 8, 8)), "mask.png").any()


def test_arrays_hold_edges_and_files_indices(tmp_path):
    edges = encodings.get("edges")
    for index in (7, 2**32):  # Equal to 0 in 32 bits.
        indices = np.zeros((4, 4), np.int64)
        indices[2:] = index
        np.save(tmp_path / "instances.npy", indices)
        raw = edges.raw(edges.open(tmp_path / "instances.npy"), "instances.npy", (8, 8))
        assert (raw[..., 0] == 255).all(axis=1).tolist() == [False] * 3 + [True] * 2 + [False] * 3
    edges.checked(raw, "The array")
    with pytest.raises(ValueError, match="Pass a file for instance indices"):
        edges.checked(indices[..., np.newaxis], "The array")


@pytest.mark.parametrize("word", [word for word in WORDS if encodings.get(word).is_label_map])
def test_the_class_of_a_pixel_is_the_largest_channel(word, pixels):
    encoding = encodings.get(word)
    raw = encoding.from_pixels(pixels)
    image = np.asarray(encoding.to_image(raw))
    expected = image.argmax(axis=-1) if encoding.channels > 1 else (image[..., 0] > 0)
    np.testing.assert_array_equal(encoding.classes_of(raw), expected)


def edges_of(indices):
    """By the definition, pixel by pixel: an index differs from that above, below, left or right."""
    edges = np.zeros(indices.shape, np.uint8)
    height, width = indices.shape
    for row, column in np.ndindex(height, width):
        for down, right in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            beside = row + down, column + right
            inside = 0 <= beside[0] < height and 0 <= beside[1] < width
            if inside and indices[beside] != indices[row, column]:
                edges[row, column] = 255
    return edges


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int64"])
def test_edges_are_where_instances_meet(dtype, tmp_path):
    indices = np.random.default_rng(0).integers(0, 2, (5, 7)).repeat(3, 0).repeat(2, 1).astype(dtype)
    indices *= 255 if dtype == "uint8" else 26001  # As Cityscapes counts cars.
    if dtype == "int64":
        np.save(tmp_path / "instances.npy", indices)
    else:
        Image.fromarray(indices).save(tmp_path / "instances.png")
    [file] = tmp_path.iterdir()
    encoding = encodings.get("edges")
    assert encoding == encodings.Edges()
    assert encoding.size(file) == (15, 14)
    raw = encoding.raw(encoding.open(file), file)
    np.testing.assert_array_equal(raw[..., 0], edges_of(indices))
    smaller = encoding.raw(encoding.open(file), file, (5, 7))
    np.testing.assert_array_equal(smaller[..., 0], edges_of(indices[1::3, 1::2]))


def test_pictures_are_no_instance_maps(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "photo.png")
    with pytest.raises(ValueError, match="photo.png"):
        encodings.get("edges").open(tmp_path / "photo.png")
