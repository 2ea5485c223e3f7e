"""What `translate` is given: bands and small versions of it, and files that mean harm."""

import struct
import time
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image

from keras_pix2pix import encodings
from keras_pix2pix.images import write_png
from keras_pix2pix.inference import source_pictures as module
from keras_pix2pix.inference.source_pictures import find_pictures


def draw(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def opened(inputs, word="rgb", **options):
    return [source.open() for source in find_pictures(inputs, encodings.get(word), **options)]


def test_an_array_and_a_file_give_the_same_rows_and_the_same_small_version(tmp_path):
    pixels = draw(83, 131, 3)
    write_png(tmp_path / "a.png", pixels)
    (of_array,), (of_file,) = opened(pixels), opened(tmp_path / "a.png")
    for picture in (of_array, of_file):
        assert picture.size == (83, 131)
        np.testing.assert_array_equal(picture.rows(10, 20), pixels[10:20])
    for longest in (4, 16, 64):
        small = of_array.small(longest)
        assert small.shape == (round(83 * longest / 131), longest, 3)
        np.testing.assert_allclose(small.astype(int), of_file.small(longest), atol=2)
    np.testing.assert_array_equal(of_file.small(131), pixels)
    np.testing.assert_array_equal(of_array.small(500), pixels)


def test_a_small_version_is_like_the_picture():
    pixels = np.zeros((400, 400, 3), np.uint8)
    pixels[:, 200:] = 200
    (picture,) = opened(pixels)
    small = picture.small(10)
    np.testing.assert_array_equal(small[:, :3], 0)
    np.testing.assert_array_equal(small[:, -3:], 200)


def test_the_rows_of_an_array_file_are_read_when_they_are_needed(tmp_path):
    np.lib.format.open_memmap(tmp_path / "a.npy", "w+", np.float32, (20_000, 5_000, 1))[100] = 1
    tracemalloc.start()
    (picture,) = opened(tmp_path / "a.npy", "values:1:0:1", tiled=True)
    assert picture.rows(100, 101).min() == 1
    picture.small(64)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000_000  # Of 400 MB.


def png(width, height, rows=b""):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def gif(width, height):
    return (
        b"GIF89a"
        + struct.pack("<HHBBB", width, height, 0x80, 0, 0)
        + b"\0\0\0\xff\xff\xff"
        + (b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02\x44\x01\x00;")
    )


NPY = b"\x93NUMPY\x01\x00\x76\x00{'descr': '|u1', 'fortran_order': False, 'shape': (50000, 50000, 3), }"
HOSTILE = {
    "wide.png": (png(50_000, 50_000), "too large"),
    "hollow.png": (png(50_000, 600), "Can't read|truncated"),
    "empty.png": (b"", "it is not a picture"),
    "empty.npy": (b"", "Can't read the array"),
    "promise.npy": (NPY.ljust(127) + b"\n" + bytes(100), "Can't read the array"),
    "bomb.gif": (gif(65_535, 65_535), "too large"),
    "half.gif": (gif(20_000, 20_000), "too large"),
}


@pytest.mark.parametrize("tiled", [False, True])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_ends_in_a_message_in_little_time_and_memory(tmp_path, name, tiled):
    content, words = HOSTILE[name]
    (tmp_path / name).write_bytes(content)
    start = time.process_time()
    with pytest.raises(ValueError, match=rf"{name}.*") as raised:
        opened(tmp_path / name, tiled=tiled)
    assert any(word in str(raised.value) for word in words.split("|"))
    assert time.process_time() - start < 5


@pytest.mark.parametrize("kind", ["png", "npy", "array"])
def test_large_pictures_are_for_tiles(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(module, "MOST_PIXELS", 1000)
    monkeypatch.setattr(module, "_TILED_AT_MOST", 3000)
    inputs = {}
    for side in (30, 50, 70, 90):
        pixels = draw(side, side, 3)
        write_png(tmp_path / f"{side}.png", pixels)
        np.save(tmp_path / f"{side}.npy", pixels)
        inputs[side] = pixels if kind == "array" else tmp_path / f"{side}.{kind}"
    opened(inputs[30])
    for side in (50, 90):
        with pytest.raises(ValueError, match="too large. Accepted: up to 1,000 pixels as a whole.*Pass `tile`"):
            opened(inputs[side])
    opened(inputs[50], tiled=True)
    for side in (70, 90):
        if kind == "png":
            with pytest.raises(ValueError, match="too large. Accepted: up to 3,000 pixels in a picture file.*npy"):
                opened(inputs[side], tiled=True)
        else:
            assert opened(inputs[side], tiled=True)[0].size == (side, side)


@pytest.mark.filterwarnings("error")
def test_the_limit_is_checked_without_a_warning_and_pillows_own_comes_back(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_TILED_AT_MOST", 3000)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    write_png(tmp_path / "a.png", draw(50, 50, 3))
    np.testing.assert_array_equal(opened(tmp_path / "a.png", tiled=True)[0].rows(0, 50), draw(50, 50, 3))
    write_png(tmp_path / "b.png", draw(60, 60, 3))
    with pytest.raises(ValueError, match="too large"):
        opened(tmp_path / "b.png", tiled=True)
    assert Image.MAX_IMAGE_PIXELS == 10
