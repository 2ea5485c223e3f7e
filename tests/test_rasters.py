"""TIFF files of any number of bands, by their encodings and through `draw_pairs`."""

import importlib.util
import itertools
import os
import tracemalloc

import numpy as np
import pytest
import tifffile
from PIL import Image

from keras_pix2pix import draw_pairs, encodings, paired_dataset
from keras_pix2pix.encodings import rasters

WORD = "values:13:0:10000"
PLANAR = {"planarconfig": "separate"}
LAYOUTS = {
    "as they are": {},
    "tiles": {"tile": (16, 32)},
    "strips": {"rowsperstrip": 7, "compression": "zlib"},
    "compressed tiles": {"tile": (32, 16), "compression": "zlib"},
    "big": {"bigtiff": True, "byteorder": ">"},
    "planar": PLANAR,
    "planar tiles": {**PLANAR, "tile": (16, 16), "compression": "zlib"},
    "planar strips": {**PLANAR, "rowsperstrip": 9, "compression": "zlib"},
}


@pytest.fixture
def numbers():
    return np.random.default_rng(0).integers(0, 10000, (40, 50, 13)).astype(np.uint16)


def write(path, values, **layout):
    planar = layout.get("planarconfig") == "separate"
    layout = {"planarconfig": "contig" if values.ndim == 3 else None, "photometric": "minisblack", **layout}
    tifffile.imwrite(path, np.moveaxis(values, -1, 0).copy() if planar else values, **layout)
    return path


def read(encoding, path, size=None):
    encoding = encodings.get(encoding)
    return encoding.raw(encoding.open(path), path, size)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_bands_are_read_as_those_of_an_array(tmp_path, numbers, layout, dtype):
    values = numbers.astype(dtype)
    path = write(tmp_path / "a.tif", values, **LAYOUTS[layout])
    np.save(tmp_path / "a.npy", values)
    assert encodings.get(WORD).size(path) == (40, 50)
    for size in (None, (20, 30)):
        np.testing.assert_array_equal(read(WORD, path, size), read(WORD, tmp_path / "a.npy", size))


def test_pages_of_one_band_each_are_bands(tmp_path, numbers):
    tifffile.imwrite(tmp_path / "a.tif", np.moveaxis(numbers, -1, 0).copy(), photometric="minisblack")
    np.testing.assert_array_equal(read(WORD, tmp_path / "a.tif"), numbers)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_window_is_that_part_of_the_file(tmp_path, numbers, layout):
    opened = encodings.get(WORD).open(write(tmp_path / "a.tif", numbers, **LAYOUTS[layout]))
    rows = (slice(None), slice(3, 21), slice(16, 17), slice(39, 90), slice(4, 40, 9), slice(5, 5))
    for window in itertools.product(rows, rows):
        assert opened[window].shape == numbers[window].shape
        np.testing.assert_array_equal(np.asarray(opened[window]), numbers[window])
    np.testing.assert_array_equal(np.asarray(opened[10:30][5:7, ::4]), numbers[15:17, ::4])


def test_a_window_decodes_only_the_strips_that_it_touches(tmp_path):
    path = tmp_path / "a.tif"
    write(path, np.zeros((4000, 1000, 13), np.uint16), tile=(64, 64), compression="zlib")
    tracemalloc.start()
    np.asarray(encodings.get(WORD).open(path)[100:120])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000_000  # Of 104 MB.


def test_tiles_that_are_not_stored_are_the_declared_number(tmp_path, numbers):
    path = write(tmp_path / "a.tif", numbers, tile=(64, 64), extratags=[(42113, 2, 0, "7", True)])
    with tifffile.TiffFile(path, mode="r+b") as opened:
        for code in (324, 325):
            opened.pages[0].tags[code].overwrite([0])
    np.testing.assert_array_equal(read(WORD, path), np.full((40, 50, 13), 7))


@pytest.mark.parametrize(
    ("word", "values"),
    [
        ("rgb", np.arange(192).reshape(8, 8, 3).astype(np.float32)),
        ("rgba", np.arange(256).reshape(8, 8, 4).astype(np.uint8)),
        ("gray", np.arange(64).reshape(8, 8).astype(np.float16)),
        ("gray16", np.arange(64).reshape(8, 8).astype(np.float16)),
        ("classes:9", (np.arange(64).reshape(8, 8) % 9).astype(np.uint64)),
        ("mask", (np.eye(8) * 255).astype(np.uint64)),
        ("values:1:0:99", np.arange(64).reshape(8, 8).astype(np.uint8)),
        ("palette:#000102,#bdbebf", np.arange(192).reshape(8, 8, 3).astype(np.uint64)),
    ],
)
def test_what_pillow_cannot_read_is_read_all_the_same(tmp_path, word, values):
    path = write(tmp_path / "a.tif", values)
    encoding = encodings.get(word)
    np.save(tmp_path / "a.npy", values)
    assert encoding.size(path) == (8, 8)
    np.testing.assert_array_equal(read(word, path), read(word, tmp_path / "a.npy"))


@pytest.mark.parametrize(
    ("word", "pixels"), [("rgb", (8, 8, 3)), ("gray", (8, 8)), ("classes:256", (8, 8)), ("mask:1", (8, 8))]
)
def test_what_pillow_reads_it_goes_on_reading(tmp_path, monkeypatch, word, pixels):
    monkeypatch.setattr(rasters, "open_raster", None)
    pixels = np.random.default_rng(0).integers(0, 256, pixels).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.tif", compression="tiff_lzw")
    assert isinstance(encodings.get(word).open(tmp_path / "a.tif"), Image.Image)


@pytest.mark.parametrize("word", [WORD, "rgb", "classes:3"])
def test_without_tifffile_the_message_says_what_to_install(tmp_path, monkeypatch, numbers, word):
    path = write(tmp_path / "a.tif", numbers)
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "tifffile" else found(name))
    for look in (encodings.get(word).size, encodings.get(word).open):
        with pytest.raises(ImportError, match=r"a\.tif .*`pip install \.\[tiff\]`"):
            look(path)
    Image.new("RGB", (8, 8)).save(tmp_path / "b.tif")
    assert encodings.get("rgb").size(tmp_path / "b.tif") == (8, 8)


def test_lzw_needs_imagecodecs(tmp_path, numbers):
    pytest.importorskip("imagecodecs")
    path = write(tmp_path / "a.tif", numbers, compression="lzw", predictor=True, tile=(16, 16))
    np.testing.assert_array_equal(read(WORD, path), numbers)


@pytest.mark.parametrize(
    ("code", "value", "words"),
    [
        (259, 34712 + 9, "COMPRESSION.*imagecodecs"),
        (274, 6, "its TIFF orientation is 6"),
        (273, 10**6, "cut short"),
    ],
)
def test_what_cannot_be_read_is_named_with_the_reason(tmp_path, numbers, code, value, words):
    tags = [(274, 3, 1, 1, True)]
    path = write(tmp_path / "a.tif", numbers, rowsperstrip=40, extratags=tags, compression="zlib")
    with tifffile.TiffFile(path, mode="r+b") as opened:
        opened.pages[0].tags[code].overwrite(value)
    with pytest.raises(ValueError, match=rf"(?s)a\.tif.*({words})|({words}).*a\.tif"):
        encodings.get(WORD).size(path)


def test_what_is_no_tiff_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.tif")
    (tmp_path / "notes.tif").write_bytes(b"II*\0 notes")
    for name, word in itertools.product(("pipe.tif", "notes.tif", "none.tif"), (WORD, "rgb", "classes:3")):
        with pytest.raises(ValueError, match=name):
            encodings.get(word).size(tmp_path / name)


@pytest.mark.parametrize(
    ("values", "tag", "declared"),
    [
        (np.full((4, 4, 13), 9, np.uint16), None, '"values:13:0:65535"'),
        (np.full((4, 4, 5), 9, np.uint8), "0", '"values:5:1:255:nodata=0"'),
        (np.linspace(-2, 3, 96).reshape(4, 4, 6).astype(np.float32), None, '"values:6:-2:3"'),
        (np.where(np.eye(4)[..., None], -9999, [1, 2]).astype(np.int16), "-9999", '"values:2:1:2:nodata=-9999"'),
    ],
)
def test_the_error_says_which_word_suits(tmp_path, values, tag, declared):
    tags = [(42113, 2, 0, tag, True)] if tag else ()
    path = write(tmp_path / "a.tif", values, planarconfig="separate", extratags=tags)
    with pytest.raises(ValueError, match=rf"a\.tif does not suit.*{declared}"):
        encodings.get("classes:3").size(path)
    assert read(declared.strip('"'), path).shape == values.shape


def test_a_folder_of_rasters_is_inspected_and_rgb_is_refused(tmp_path, numbers):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder / "1.tif", numbers, tile=(16, 16))
    findings = draw_pairs(
        tmp_path / "a",
        tmp_path / "b",
        source_encoding=WORD,
        target_encoding=WORD,
        output=tmp_path / "pairs.png",
        full=True,
    )
    assert findings.sizes == {(40, 50): 1}
    with pytest.raises(ValueError, match=r'1\.tif.*"values:13:0:65535"'):
        draw_pairs(tmp_path / "a", tmp_path / "b", target_encoding=WORD, output=tmp_path / "pairs.png")


def test_side_by_side_rasters_are_parted(tmp_path, numbers):
    write(tmp_path / "1.tif", numbers, tile=(16, 16), compression="zlib")
    data = paired_dataset(
        tmp_path, image_size=(40, 25), source_encoding=WORD, target_encoding=WORD, training=False, direction="BtoA"
    )
    source, target, _ = next(iter(data))
    expected = encodings.get(WORD).to_image(numbers.astype("float32"))
    np.testing.assert_allclose(source[0], expected[:, 25:], atol=1e-6)
    np.testing.assert_allclose(target[0], expected[:, :25], atol=1e-6)
