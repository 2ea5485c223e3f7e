"""Each encoding by hand: its files, its raw form, its image, its view for people."""

import itertools
import json
import pickle

import numpy as np
import pytest
from PIL import Image

from keras_pix2pix import encodings
from keras_pix2pix.encodings import Classes, Palette, Picture, Stacked
from keras_pix2pix.images import to_image

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)
LABELS = np.array([[0, 1, 2], [2, 1, 0]], np.uint8)
ALL = [
    "rgb",
    "gray",
    "rgba",
    "gray16",
    "classes:3",
    "palette:#ff0000,#00ff00,#0000ff",
    "values:5:-1.0:2.5",
    "rgb+classes:3",
]


def noise(*shape, seed=0, dtype=np.uint8):
    return np.random.default_rng(seed).integers(0, 256, shape).astype(dtype)


def read(encoding, path, size=None, interpolation="bicubic"):
    return encoding.raw(encoding.open(path), path, size, interpolation)


def save(path, array, **options):
    if path.suffix == ".npy":
        np.save(path, array)
    else:
        Image.fromarray(array).save(path, **options)
    return path


# Words


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ("rgb", Picture(3)),
        ("gray", Picture(1)),
        ("rgba", Picture(4)),
        ("gray16", Picture(1, (0, 65535))),
        (5, Picture(5)),
        ("classes:12", Classes(12)),
        ("palette:#000000,#FFffff", Palette([(0, 0, 0), (255, 255, 255)])),
        ("values:2:-1:0.5", Picture(2, (-1.0, 0.5))),
        ("rgb+classes:2", Stacked([Picture(3), Classes(2)])),
        (["gray", Picture(2)], Stacked(["gray", "values:2:0:255"])),
        (["gray"], Picture(1)),
    ],
)
def test_a_word_stands_for_an_encoding(identifier, expected):
    assert encodings.get(identifier) == expected
    assert encodings.get(expected) is expected


@pytest.mark.parametrize("word", [*ALL, "values:1:0.0:1e20", "values:5:0.0:255.0"])
def test_the_word_says_all(word):
    encoding = encodings.get(word)
    assert encodings.get(json.loads(json.dumps(encoding.word))) == encoding
    assert pickle.loads(pickle.dumps(encoding)) == encoding
    assert len({encodings.get(each) for each in (word, word)}) == 1


@pytest.mark.parametrize(
    ("identifier", "words"),
    [
        ("rbg", "must be .*\"gray16\".*Received: 'rbg'"),
        ("classes:many", "Received: 'classes:many'"),
        ("classes", "Received: 'classes'"),
        ("classes:1", "from 2 to 256. Received: num_classes=1"),
        ("classes:257", "Received: num_classes=257"),
        ("values:3:0", "Received: 'values:3:0'"),
        ("values:3:1:1", r"`value_range` must be .*\(1.0, 1.0\)"),
        ("values:3:0:inf", "`value_range` must be"),
        ("values:0:0:1", "`channels` must be .*Received: channels=0"),
        ("palette:#000000", "2 to 256 different colours"),
        ("palette:#000000,#000000", "2 to 256 different colours"),
        ("palette:#000000,black", "Received: 'black'"),
        (3.5, "Received: 3.5"),
        (None, "Received: None"),
        (True, "Received: True"),
        ([], "two or more encodings"),
        ([["rgb", "gray"], "rgb"], "none of them a stack itself"),
    ],
)
def test_what_is_no_encoding_is_refused(identifier, words):
    with pytest.raises(ValueError, match=words):
        encodings.get(identifier)


@pytest.mark.parametrize("color", [(0, 0), (0, 0, 256), (-1, 0, 0), "#00000g", "000000", 7])
def test_what_is_no_colour_is_refused(color):
    with pytest.raises(ValueError, match=r"A colour must be .*Received: "):
        Palette([(1, 2, 3), color])


@pytest.mark.parametrize("value_range", [5, "01", (0,), (0, "1"), (float("nan"), 1)])
def test_what_is_no_range_is_refused(value_range):
    with pytest.raises(ValueError, match="`value_range` must be"):
        Picture(1, value_range)


def test_rgb_stands_for_any_number_of_channels_and_other_words_for_their_own():
    assert encodings.get_for_channels("rgb", 1) == Picture(1)
    assert encodings.get_for_channels("rgb", 7) == Picture(7)
    assert encodings.get_for_channels("classes:7", 7) == Classes(7)
    with pytest.raises(ValueError, match="'gray' makes images of 1 channels, and this side of the network has 3"):
        encodings.get_for_channels("gray", 3)


@pytest.mark.parametrize(
    ("word", "channels", "raw_channels", "raw_dtype"),
    [
        ("rgb", 3, 3, "uint8"),
        ("gray", 1, 1, "uint8"),
        ("rgba", 4, 4, "uint8"),
        ("gray16", 1, 1, "float32"),
        ("values:5:0:1", 5, 5, "float32"),
        ("classes:12", 12, 1, "uint8"),
        ("palette:#000000,#ffffff", 2, 3, "uint8"),
        ("rgb+classes:12", 15, 4, "uint8"),
        ("rgb+gray16", 4, 4, "float32"),
    ],
)
def test_channels_and_types(word, channels, raw_channels, raw_dtype):
    encoding = encodings.get(word)
    assert (encoding.channels, encoding.raw_channels, encoding.raw_dtype) == (channels, raw_channels, raw_dtype)
    raw = encoding.from_pixels(noise(4, 6, 3))
    assert (raw.shape, raw.dtype) == ((4, 6, raw_channels), raw_dtype)
    image = encoding.to_image(raw[np.newaxis])
    assert (image.shape, image.dtype) == ((1, 4, 6, channels), "float32")
    assert -1 <= np.min(image) < np.max(image) <= 1
    shown = encoding.show(raw)
    assert (shown.shape[0], shown.shape[2], shown.dtype) == (4, 3, np.uint8)


@pytest.mark.parametrize("word", ALL)
def test_what_becomes_an_image_comes_back(word):
    encoding = encodings.get(word)
    raw = encoding.from_pixels(noise(16, 16, 3))[np.newaxis]
    back = np.asarray(encoding.to_raw(encoding.to_image(raw)))
    assert (back.dtype, back.shape) == (encoding.raw_dtype, raw.shape)
    np.testing.assert_allclose(back, raw, atol=1e-6)


# Pictures of 8 bits


def test_gray_rgb_and_alpha_are_converted_into_each_other(tmp_path):
    path = save(tmp_path / "1.png", np.full((2, 4, 4), (10, 20, 30, 40), np.uint8))
    gray = 10 * 0.299 + 20 * 0.587 + 30 * 0.114
    np.testing.assert_allclose(read(Picture(1), path), np.full((2, 4, 1), gray), atol=1)
    np.testing.assert_array_equal(read(Picture(3), path), np.full((2, 4, 3), (10, 20, 30)))
    np.testing.assert_array_equal(read(Picture(4), path), np.full((2, 4, 4), (10, 20, 30, 40)))
    path = save(tmp_path / "gray.png", np.full((2, 4), 70, np.uint8))
    np.testing.assert_array_equal(read(Picture(1), path), np.full((2, 4, 1), 70))
    np.testing.assert_array_equal(read(Picture(4), path), np.full((2, 4, 4), (70, 70, 70, 255)))


@pytest.mark.parametrize(
    ("channels", "extension"),
    [*itertools.product((1, 3, 4), (".npy", ".png", ".tif", ".webp")), (2, ".npy"), (5, ".npy")],
)
def test_pixels_are_those_of_the_file(tmp_path, channels, extension):
    pixels = noise(6, 10, channels)
    lossless = {"lossless": True, "exact": True} if extension == ".webp" else {}
    path = save(tmp_path / f"1{extension}", pixels[..., 0] if channels == 1 else pixels, **lossless)
    encoding = Picture(channels)
    assert encoding.size(path) == (6, 10)
    raw = read(encoding, path)
    assert raw.dtype == np.uint8
    np.testing.assert_array_equal(raw, pixels)
    np.testing.assert_array_equal(encoding.to_image(raw), to_image(pixels))


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic"])
def test_arrays_are_resized_like_pictures(tmp_path, channels, interpolation):
    pixels = noise(12, 20, channels)
    raw = read(Picture(channels), save(tmp_path / "1.npy", pixels), (7, 9), interpolation)
    filters = {"nearest": 0, "bilinear": 2, "bicubic": 3}
    expected = [Image.fromarray(pixels[..., each]).resize((9, 7), filters[interpolation]) for each in range(channels)]
    assert raw.dtype == np.uint8
    np.testing.assert_allclose(raw.astype(int), np.stack(expected, axis=-1).astype(int), atol=1)


# 16 bits, and arrays of a declared range


@pytest.mark.parametrize("extension", [".png", ".tif", ".npy"])
def test_sixteen_bits_keep_all_their_levels(tmp_path, extension):
    values = np.array([[0, 1, 2], [300, 40000, 65535]], np.uint16)
    path = save(tmp_path / f"1{extension}", values)
    encoding = encodings.get("gray16")
    assert encoding.size(path) == (2, 3)
    raw = read(encoding, path)
    np.testing.assert_array_equal(raw[..., 0], values)
    np.testing.assert_allclose(encoding.to_image(raw)[..., 0], values / 32767.5 - 1, atol=1e-6)
    assert encoding.to_raw([[[[0.2]]]]).numpy().item() == round(1.2 * 32767.5)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int16, np.uint8])
@pytest.mark.parametrize("channels", [1, 2, 7])
def test_arrays_of_any_number_type_and_number_of_channels(tmp_path, dtype, channels):
    values = np.random.default_rng(0).integers(0, 11, (4, 6, channels)).astype(dtype)
    path = save(tmp_path / "1.npy", values)
    encoding = Picture(channels, (0, 10))
    raw = read(encoding, path)
    assert raw.dtype == np.float32
    np.testing.assert_array_equal(raw, values)
    np.testing.assert_allclose(encoding.to_image(raw), values.astype(float) / 5 - 1, atol=1e-6)


def test_an_array_of_one_channel_may_have_two_axes(tmp_path):
    path = save(tmp_path / "1.npy", np.eye(4))
    assert Picture(1, (0, 1)).size(path) == (4, 4)
    np.testing.assert_array_equal(read(Picture(1, (0, 1)), path)[..., 0], np.eye(4))


def test_real_numbers_are_not_rounded_and_stay_in_their_range():
    encoding = Picture(1, (-2, 2))
    image = np.array([[[[-3.0], [0.123], [3.0]]]], "float32")
    np.testing.assert_allclose(np.ravel(encoding.to_raw(image)), [-2, 0.246, 2], atol=1e-6)
    # A bicubic filter overshoots at an edge.
    edge = np.repeat([-2.0, 2.0], 8)[np.newaxis].repeat(8, axis=0)
    resized = encoding.raw(edge[..., np.newaxis], "edge", (8, 31), "bicubic")
    assert (resized.min(), resized.max()) == (-2, 2)
    assert resized.shape == (8, 31, 1)


def test_a_tiff_of_real_numbers_is_read(tmp_path):
    values = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)
    path = save(tmp_path / "1.tif", values)
    np.testing.assert_array_equal(read(Picture(1, (-1, 1)), path)[..., 0], values)


@pytest.mark.parametrize(
    ("word", "array", "words"),
    [
        ("values:1:0:1", np.full((2, 2), 1.5), "out of its declared range. Accepted: numbers from 0 to 1. .* to 1.5"),
        ("values:1:0:1", np.full((2, 2), -0.5), "Received: from -0.5"),
        ("values:1:0:1", np.array([[0.5, np.nan]]), "Received: from nan"),
        ("values:1:0:1", np.array([[0.5, np.inf]]), "to inf"),
        ("rgb", np.full((2, 2, 3), 300), "to 300"),
        ("gray16", np.full((2, 2), 70000), "to 70000"),
        ("rgb", np.full((2, 2, 3), 0.5), "fractions. Accepted: whole levels from 0 to 255, as 'rgb'.*\"values:"),
        ("gray16", np.full((2, 2), 0.5), "fractions"),
        ("classes:3", np.array([[0, 3]]), "an index that is no class. Accepted: 0 to 2. Received: 3"),
        ("classes:3", np.array([[0, -1]]), "Received: -1"),
    ],
)
def test_values_out_of_range_name_the_file(tmp_path, word, array, words):
    path = save(tmp_path / "bad.npy", array)
    encodings.get(word).size(path)  # The header is in order.
    with pytest.raises(ValueError, match=rf"bad\.npy holds .*{words}"):
        read(encodings.get(word), path)


@pytest.mark.parametrize(
    ("word", "name", "array", "words"),
    [
        ("rgb", "bad.png", np.zeros((2, 2), np.uint16), 'gray with more than 8 bits.*"gray16"'),
        ("gray16", "bad.png", np.zeros((2, 2), np.uint8), "'gray16'. Accepted: .npy, or gray of more than 8 bits.*'L'"),
        (
            "values:2:0:1",
            "bad.png",
            np.zeros((2, 2, 3), np.uint8),
            "Accepted: .npy. Received: a PNG file of mode 'RGB'",
        ),
        ("values:5:0:255", "bad.png", np.zeros((2, 2, 3), np.uint8), "Accepted: .npy. Received"),
        ("rgb", "bad.npy", np.zeros((2, 2), np.uint8), r"\(height, width, 3\). Received: uint8 of shape \(2, 2\)"),
        ("gray", "bad.npy", np.zeros((2, 2, 3), np.uint8), r"1\) or \(height, width\). Received: .*\(2, 2, 3\)"),
        ("gray", "bad.npy", np.zeros((2, 0), np.uint8), r"Received: uint8 of shape \(2, 0\)"),
        ("gray", "bad.npy", np.zeros((2, 2), complex), "real numbers of shape .*Received: complex128"),
        ("classes:3", "bad.npy", np.zeros((2, 2)), "integers of shape .*Received: float64"),
        ("classes:3", "bad.png", np.zeros((2, 2, 3), np.uint8), "does not hold class indices.*PNG file of mode 'RGB'"),
        ("classes:3", "bad.jpg", np.zeros((2, 2), np.uint8), "does not hold class indices.*JPEG file of mode 'L'"),
        ("palette:#000000,#ffffff", "bad.png", np.zeros((2, 2), np.uint16), "gray with more than 8 bits"),
    ],
)
def test_a_file_that_does_not_suit_is_named_by_its_header_already(tmp_path, word, name, array, words):
    path = save(tmp_path / name, array)
    for look in (encodings.get(word).size, encodings.get(word).open):
        with pytest.raises(ValueError, match=words) as caught:
            look(path)
        assert str(path) in str(caught.value)


@pytest.mark.parametrize("word", ["values:1:0:1", "classes:3"])
@pytest.mark.parametrize("contents", [b"", b"not an array", b"cut short"])
def test_an_array_that_cannot_be_read_is_named(tmp_path, word, contents):
    path = save(tmp_path / "bad.npy", np.zeros((9, 9), np.uint8))
    path.write_bytes(path.read_bytes()[:-20] if contents == b"cut short" else contents)
    with pytest.raises(ValueError, match=r"Can't read the array .*bad\.npy"):
        encodings.get(word).size(path)


def test_a_missing_array_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"Can't read the array .*none\.npy"):
        Picture(1).size(tmp_path / "none.npy")


def test_an_array_with_python_objects_is_not_unpickled(tmp_path):
    np.save(tmp_path / "bad.npy", np.array([[{}]]), allow_pickle=True)
    with pytest.raises(ValueError, match=r"Can't read the array .*bad\.npy"):
        Picture(1).open(tmp_path / "bad.npy")


# Label maps


def write_palette_file(path, indices, colors):
    picture = Image.fromarray(indices)
    picture.putpalette([level for color in colors for level in color])
    picture.save(path)
    return path


def test_classes_by_hand(tmp_path):
    path = save(tmp_path / "1.png", LABELS)
    raw = read(Classes(3), path)
    np.testing.assert_array_equal(raw[..., 0], LABELS)
    image = np.asarray(Classes(3).to_image(raw))
    assert image[0, 1].tolist() == [-1, 1, -1]
    np.testing.assert_array_equal(image, 2.0 * (LABELS[..., np.newaxis] == np.arange(3)) - 1)
    np.testing.assert_array_equal(Classes(3).to_raw(image * 0.1 + 0.3)[..., 0], LABELS)


def test_of_a_palette_file_the_indices_count(tmp_path):
    path = write_palette_file(tmp_path / "1.png", LABELS, [BLUE, BLUE, RED])
    np.testing.assert_array_equal(read(Classes(3), path)[..., 0], LABELS)


@pytest.mark.parametrize(
    "array", [LABELS.astype(np.int64), LABELS[..., np.newaxis], LABELS.astype(np.uint16), LABELS > 0]
)
def test_indices_in_arrays_and_deep_or_binary_files(tmp_path, array):
    read_back = [read(Classes(3), save(tmp_path / "1.npy", array))]
    if array.ndim == 2 and array.dtype != np.int64:
        read_back.append(read(Classes(3), save(tmp_path / "1.png", array)))
    for raw in read_back:
        np.testing.assert_array_equal(raw[..., 0], array.reshape(2, 3))
        assert raw.dtype == np.uint8


def test_palette_by_hand(tmp_path):
    colors = np.array([RED, GREEN, BLUE], np.uint8)
    path = save(tmp_path / "1.png", colors[LABELS])
    encoding = Palette([RED, "#00ff00", BLUE])
    raw = read(encoding, path)
    np.testing.assert_array_equal(raw, colors[LABELS])
    image = encoding.to_image(raw[np.newaxis])
    np.testing.assert_array_equal(image, Classes(3).to_image(LABELS[np.newaxis, ..., np.newaxis]))
    np.testing.assert_array_equal(encoding.to_raw(image)[0], colors[LABELS])


def test_every_colour_is_the_nearest_of_the_palette():
    colors = noise(12, 3, seed=1)
    pixels = noise(50, 50, 3, seed=2)
    distances = np.square(pixels[..., np.newaxis, :].astype(int) - colors).sum(axis=-1)
    image = Palette(colors.tolist()).to_image(pixels[np.newaxis])
    chosen = np.argmax(image, axis=-1)[0]
    np.testing.assert_array_equal(np.take_along_axis(distances, chosen[..., np.newaxis], -1)[..., 0], distances.min(-1))


def test_jpeg_noise_does_not_change_the_classes(tmp_path):
    labels = np.kron(LABELS, np.ones((16, 16), np.uint8))
    colors = np.array([(0, 0, 0), (200, 30, 30), (250, 250, 250)], np.uint8)
    path = save(tmp_path / "1.jpg", colors[labels], quality=90)
    encoding = Palette(colors.tolist())
    raw = read(encoding, path)
    assert len(np.unique(raw.reshape(-1, 3), axis=0)) > 3
    np.testing.assert_array_equal(np.argmax(encoding.to_image(raw), axis=-1), labels)


@pytest.mark.parametrize("interpolation", ["bicubic", "lanczos"])
def test_label_maps_are_never_interpolated(tmp_path, interpolation):
    labels = np.random.default_rng(0).choice([0, 200], (20, 20)).astype(np.uint8)
    raw = read(Classes(256), save(tmp_path / "1.png", labels), (31, 13), interpolation)
    expected = Image.fromarray(labels).resize((13, 31), Image.Resampling.NEAREST)
    np.testing.assert_array_equal(raw[..., 0], expected)
    colors = np.stack([labels, 255 - labels, labels], axis=-1)
    raw = read(Palette([RED, BLUE]), save(tmp_path / "2.png", colors), (31, 13), interpolation)
    np.testing.assert_array_equal(raw, Image.fromarray(colors).resize((13, 31), Image.Resampling.NEAREST))


# Stacks


def write_stack(folder):
    paths = (
        save(folder / "1.png", noise(6, 10, 3)),
        save(folder / "2.png", noise(6, 10) % 3),
        save(folder / "3.npy", noise(6, 10, 2) / 255),
    )
    return Stacked(["rgb", "classes:3", "values:2:0:1"]), paths


def test_a_stack_is_its_parts_one_after_the_other(tmp_path):
    stack, paths = write_stack(tmp_path)
    assert stack.size(paths) == (6, 10)
    for size in (None, (9, 9)):
        parts = [read(part, path, size) for part, path in zip(stack.parts, paths, strict=True)]
        raw = read(stack, paths, size)
        assert raw.dtype == np.float32
        np.testing.assert_array_equal(raw, np.concatenate(parts, axis=-1))
        expected = [part.to_image(values) for part, values in zip(stack.parts, parts, strict=True)]
        np.testing.assert_array_equal(stack.to_image(raw), np.concatenate(expected, axis=-1))
        np.testing.assert_allclose(stack.to_raw(stack.to_image(raw)), raw, atol=1e-6)
        shown = [part.show(values) for part, values in zip(stack.parts, parts, strict=True)]
        np.testing.assert_array_equal(stack.show(raw), np.concatenate(shown, axis=1))


def test_sources_of_different_sizes_are_named(tmp_path):
    stack, paths = write_stack(tmp_path)
    save(paths[2], np.zeros((6, 9, 2)))
    with pytest.raises(ValueError, match=r"1\.png and .*3\.npy differ in size.*10x6 and 9x6"):
        stack.size(paths)


def test_a_stack_checks_its_parts():
    raw = np.zeros((4, 4, 4), np.uint8)
    stack = Stacked(["rgb", "classes:3"])
    assert stack.checked(raw, "x") is raw
    raw[0, 0, 3] = 3
    with pytest.raises(ValueError, match="x holds an index that is no class.*Received: 3"):
        stack.checked(raw, "x")


# For people, and back to files


def test_people_see_levels_classes_and_colours():
    assert Picture(1, (-1, 1)).show(np.array([[[-1.0], [0.0], [1.0]]])).tolist() == [[[0] * 3, [128] * 3, [255] * 3]]
    np.testing.assert_array_equal(Picture(5).show(noise(4, 4, 5)), noise(4, 4, 5)[..., :3])
    np.testing.assert_array_equal(Palette([RED, BLUE]).show(noise(4, 4, 3)), noise(4, 4, 3))
    shown = Classes(256).show(np.arange(256).reshape(16, 16, 1))
    assert shown[0, 0].tolist() == [0, 0, 0]
    first = Classes(20).show(np.arange(20).reshape(1, 20, 1))[0].astype(int)
    distances = np.abs(first[:, np.newaxis] - first).sum(axis=-1) + 1000 * np.eye(20)
    assert distances.min() > 15


@pytest.mark.parametrize(
    ("word", "name", "mode"),
    [
        ("rgb", "a.b.png", "RGB"),
        ("gray", "a.b.png", "L"),
        ("rgba", "a.b.png", "RGBA"),
        ("gray16", "a.b.png", "I;16"),
        ("classes:3", "a.b.png", "L"),
        ("palette:#ff0000,#0000ff", "a.b.png", "RGB"),
        ("values:1:0:1", "a.b.npy", None),
        ("values:2:0:255", "a.b.npy", None),
    ],
)
def test_what_is_written_is_read_back(tmp_path, word, name, mode):
    encoding = encodings.get(word)
    raw = encoding.from_pixels(noise(6, 10, 3))
    path = encoding.write(tmp_path / "new" / "a.b", raw)
    assert path == tmp_path / "new" / name
    if mode:
        assert Image.open(path).mode == mode
    np.testing.assert_array_equal(read(encoding, path), raw)


def test_a_turned_tiff_is_refused(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = save(tmp_path / "1.tif", noise(4, 6), exif=exif)
    with pytest.raises(ValueError, match=r"1\.tif: its TIFF orientation is 6"):
        Picture(1).size(path)
