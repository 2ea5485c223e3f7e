"""Tests of pixels, images and the files that hold them."""

import io
import pathlib
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageFile, PngImagePlugin

from keras_pix2pix import images
from keras_pix2pix.images import (
    beside,
    is_own_png,
    pixel_limit,
    read_image_file,
    read_image_size,
    to_image,
    to_pixels,
    write_png,
)

ORIENTATION = 0x0112
BOTH_READERS = pytest.mark.parametrize("read", [read_image_file, read_image_size])

# How a camera stores an upright picture under each value of the EXIF tag "Orientation" (TIFF 6.0, page 36): the
# value says where row 0 and column 0 of what is stored belong.
STORED_AS = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.transpose(1, 0, 2),
    6: lambda upright: upright.transpose(1, 0, 2)[::-1],
    7: lambda upright: upright.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda upright: upright.transpose(1, 0, 2)[:, ::-1],
}


def noise(height, width, channels=3):
    return np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8)


def four_corners():
    """32 x 48 pixels: red and green above, blue and white below."""
    pixels = np.zeros((32, 48, 3), np.uint8)
    pixels[:16, :24], pixels[:16, 24:] = (250, 0, 0), (0, 250, 0)
    pixels[16:, :24], pixels[16:, 24:] = (0, 0, 250), (250, 250, 250)
    return pixels


def encoded(picture, picture_format, **options):
    stream = io.BytesIO()
    picture.save(stream, picture_format, **options)
    return stream.getvalue()


def write_oriented(path, upright, orientation, **options):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    stored = np.ascontiguousarray(STORED_AS[orientation](upright))
    Image.fromarray(stored).save(path, exif=exif, **options)


def png_chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


# Pixels and images


def test_to_image_at_the_ends_and_around_the_middle():
    image = np.asarray(to_image(np.array([0, 127, 128, 255], "uint8")))
    assert image.dtype == np.float32
    # 127 and 128 lie half a level of 1 / 127.5 below and above the middle.
    np.testing.assert_allclose(image, [-1.0, -0.5 / 127.5, 0.5 / 127.5, 1.0], rtol=0, atol=1e-7)
    assert image[0] == -1.0
    assert image[3] == 1.0


@pytest.mark.parametrize("number_type", ["uint8", "int32", "int64", "float32", "float64"])
def test_to_image_takes_any_number_type_and_shape(number_type):
    image = np.asarray(to_image(np.full((2, 3, 4, 1), 51, number_type)))
    assert image.dtype == np.float32
    assert image.shape == (2, 3, 4, 1)
    np.testing.assert_allclose(image, -0.6, rtol=0, atol=1e-6)


def test_to_pixels_at_the_ends_and_around_the_middle():
    pixels = np.asarray(to_pixels(np.array([-1.0, -0.5 / 127.5, 0.5 / 127.5, 1.0], "float32")))
    assert pixels.dtype == np.uint8
    assert pixels.tolist() == [0, 127, 128, 255]


def test_to_pixels_clips_and_does_not_wrap_round():
    assert np.asarray(to_pixels(np.array([-1.5, -100.0, 1.1, 100.0], "float32"))).tolist() == [0, 0, 255, 255]


def test_to_pixels_rounds_to_the_nearest_level():
    levels = np.array([10.4, 10.6, 200.4, 200.6, 254.6, 0.4], "float32")
    assert np.asarray(to_pixels(levels / 127.5 - 1.0)).tolist() == [10, 11, 200, 201, 255, 0]


def test_all_levels_survive_the_way_there_and_back():
    levels = np.arange(256, dtype="uint8").reshape(16, 16, 1)
    np.testing.assert_array_equal(np.asarray(to_pixels(to_image(levels))), levels)


# Reading


@pytest.mark.parametrize(("extension", "options"), [(".png", {}), (".bmp", {}), (".webp", {"lossless": True})])
def test_lossless_formats_are_read_exactly(tmp_path, extension, options):
    path = tmp_path / f"picture{extension}"
    Image.fromarray(noise(6, 10)).save(path, **options)
    picture = read_image_file(path)
    assert picture.mode == "RGB"
    np.testing.assert_array_equal(np.asarray(picture), noise(6, 10))
    assert read_image_size(path) == (6, 10)


@pytest.mark.parametrize("extension", [".jpg", ".jpeg"])
def test_jpeg_is_read(tmp_path, extension):
    path = tmp_path / f"picture{extension}"
    Image.fromarray(four_corners()).save(path, quality=95, subsampling=0)
    picture = read_image_file(path)
    assert picture.mode == "RGB"
    # The edges lie on the 8 x 8 blocks of JPEG, so that flat colours stay flat.
    np.testing.assert_allclose(np.asarray(picture, int), four_corners(), atol=4)
    assert read_image_size(path) == (32, 48)


def test_extensions_are_those_of_the_formats_tested_here():
    assert sorted(images.EXTENSIONS) == [".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp"]


def test_of_an_animation_the_first_frame_is_read(tmp_path):
    frames = [Image.new("RGB", (10, 6), colour) for colour in ((255, 0, 0), (0, 0, 255))]
    frames[0].save(tmp_path / "two.gif", save_all=True, append_images=frames[1:])
    with Image.open(tmp_path / "two.gif") as opened:
        assert opened.n_frames == 2
    picture = read_image_file(tmp_path / "two.gif")
    assert picture.mode == "RGB"
    assert picture.getcolors() == [(60, (255, 0, 0))]
    assert read_image_size(tmp_path / "two.gif") == (6, 10)


@pytest.mark.filterwarnings("ignore:Palette images with Transparency")
@pytest.mark.parametrize("transparency", [0, bytes([0, 128])])
def test_palette_with_transparency_keeps_its_colours(tmp_path, transparency):
    picture = Image.new("P", (4, 2))
    picture.putpalette([10, 20, 30, 200, 100, 50])
    picture.putdata([0, 1, 0, 1, 1, 0, 1, 0])
    picture.save(tmp_path / "palette.png", transparency=transparency)
    pixels = np.asarray(read_image_file(tmp_path / "palette.png"))
    assert pixels.shape == (2, 4, 3)
    assert pixels[0, :2].tolist() == [[10, 20, 30], [200, 100, 50]]
    assert pixels[1, :2].tolist() == [[200, 100, 50], [10, 20, 30]]


def test_gray_becomes_three_equal_channels(tmp_path):
    Image.fromarray(noise(6, 10, 1)[..., 0]).save(tmp_path / "gray.png")
    pixels = np.asarray(read_image_file(tmp_path / "gray.png"))
    np.testing.assert_array_equal(pixels, np.repeat(noise(6, 10, 1), 3, axis=-1))


@pytest.mark.parametrize("alpha", [0, 128, 255])
def test_alpha_is_dropped_and_the_colour_under_it_kept(tmp_path, alpha):
    Image.new("RGBA", (4, 2), (10, 20, 30, alpha)).save(tmp_path / "colour.png")
    Image.new("LA", (4, 2), (70, alpha)).save(tmp_path / "gray.png")
    assert read_image_file(tmp_path / "colour.png").getcolors() == [(8, (10, 20, 30))]
    assert read_image_file(tmp_path / "gray.png").getcolors() == [(8, (70, 70, 70))]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_oriented_png_is_read_upright(tmp_path, orientation):
    path = tmp_path / "oriented.png"
    write_oriented(path, noise(6, 10), orientation)
    np.testing.assert_array_equal(np.asarray(read_image_file(path)), noise(6, 10))
    assert read_image_size(path) == (6, 10)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_oriented_jpeg_is_read_upright(tmp_path, orientation):
    path = tmp_path / "oriented.jpg"
    write_oriented(path, four_corners(), orientation, quality=95, subsampling=0)
    np.testing.assert_allclose(np.asarray(read_image_file(path), int), four_corners(), atol=4)
    assert read_image_size(path) == (32, 48)


def test_size_is_height_then_width(tmp_path):
    Image.new("RGB", (10, 6)).save(tmp_path / "wide.png")
    assert read_image_size(tmp_path / "wide.png") == (6, 10)


def test_size_of_a_whole_jpeg_is_read_without_decoding_it(tmp_path, monkeypatch):
    Image.new("RGB", (10, 6)).save(tmp_path / "whole.jpg")

    def refuse(self):
        raise AssertionError("decoded")

    monkeypatch.setattr(ImageFile.ImageFile, "load", refuse)
    assert read_image_size(tmp_path / "whole.jpg") == (6, 10)


# Files that can't be read


@BOTH_READERS
def test_sixteen_bit_png_is_refused_by_name(tmp_path, read):
    path = tmp_path / "depth.png"
    Image.fromarray(np.full((4, 4), 40000, np.uint16)).save(path)
    with pytest.raises(ValueError, match="is gray with more than 8 bits") as caught:
        read(path)
    assert str(caught.value).startswith(str(path))
    assert "Received: mode 'I;16'" in str(caught.value)


@BOTH_READERS
@pytest.mark.parametrize("number_type", [np.int32, np.float32])
def test_whole_and_real_numbers_of_32_bits_are_refused_by_name(tmp_path, read, number_type):
    path = tmp_path / "tiff_inside.png"
    path.write_bytes(encoded(Image.fromarray(np.full((4, 4), 300, number_type)), "TIFF"))
    with pytest.raises(ValueError, match=r"tiff_inside\.png is gray with more than 8 bits"):
        read(path)


@BOTH_READERS
@pytest.mark.parametrize("content", [b"Not a picture.", b""], ids=["text", "nothing"])
def test_what_is_not_a_picture_is_refused_by_name(tmp_path, read, content):
    path = tmp_path / "notes.jpg"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="Can't read the picture") as caught:
        read(path)
    assert f"{path}: it is not a picture. Accepted: .bmp, .gif, .jpeg, .jpg, .png, .webp." in str(caught.value)


@BOTH_READERS
def test_missing_file_is_named(tmp_path, read):
    with pytest.raises(ValueError, match=r"Can't read the picture .*missing\.png: .*No such file"):
        read(tmp_path / "missing.png")


@BOTH_READERS
def test_folder_with_the_name_of_a_picture_is_named(tmp_path, read):
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(ValueError, match=r"Can't read the picture .*folder\.png"):
        read(tmp_path / "folder.png")


@BOTH_READERS
@pytest.mark.parametrize("share", [0.5, 0.9])
@pytest.mark.parametrize(("extension", "picture_format"), [(".jpg", "JPEG"), (".png", "PNG")])
def test_file_that_is_cut_short_is_refused_by_name(tmp_path, read, share, extension, picture_format):
    path = tmp_path / f"short{extension}"
    content = encoded(Image.fromarray(noise(64, 64)), picture_format)
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ValueError, match=f"Can't read the picture .*short{extension}: "):
        read(path)


@pytest.mark.parametrize("bytes_after", [3, 64, 1000])
@pytest.mark.parametrize(("extension", "picture_format"), [(".jpg", "JPEG"), (".png", "PNG")])
def test_bytes_after_the_end_are_harmless(tmp_path, bytes_after, extension, picture_format):
    path = tmp_path / f"longer{extension}"
    path.write_bytes(encoded(Image.fromarray(noise(6, 10)), picture_format) + b"\0" * bytes_after)
    assert read_image_size(path) == (6, 10)
    assert read_image_file(path).size == (10, 6)


@BOTH_READERS
def test_header_that_claims_a_huge_picture_is_refused_by_name(tmp_path, read):
    path = tmp_path / "huge.png"
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 100)
    chunks = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", pixels) + png_chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)
    with pytest.raises(ValueError, match=r"Can't read the picture .*huge\.png: .*decompression bomb"):
        read(path)


# Writing


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_png_holds_the_pixels_as_they_were(tmp_path, channels, mode):
    pixels = noise(6, 10, channels)
    write_png(tmp_path / "new" / "picture.png", pixels)
    with Image.open(tmp_path / "new" / "picture.png") as picture:
        assert (picture.format, picture.mode) == ("PNG", mode)
        np.testing.assert_array_equal(np.asarray(picture).reshape(pixels.shape), pixels)
    assert names_in(tmp_path / "new") == ["picture.png"]


def test_png_is_written_under_any_extension(tmp_path):
    write_png(tmp_path / "picture.jpg", noise(6, 10))
    np.testing.assert_array_equal(np.asarray(read_image_file(tmp_path / "picture.jpg")), noise(6, 10))


def test_png_that_fails_leaves_the_old_one(tmp_path, monkeypatch):
    write_png(tmp_path / "picture.png", noise(6, 10))

    def fill_the_disk(self, path, **options):
        pathlib.Path(path).write_bytes(b"half a pic")
        raise OSError("disk full")

    monkeypatch.setattr(Image.Image, "save", fill_the_disk)
    with pytest.raises(OSError, match="disk full"):
        write_png(tmp_path / "picture.png", noise(3, 3))
    np.testing.assert_array_equal(np.asarray(read_image_file(tmp_path / "picture.png")), noise(6, 10))
    assert names_in(tmp_path) == ["picture.png"]


def test_png_files_of_this_package_are_known_by_their_first_bytes(tmp_path):
    for channels in (1, 3, 4):
        write_png(tmp_path / "own.png", np.zeros((8, 8, channels), np.uint8))
        assert is_own_png(tmp_path / "own.png")
    write_png(tmp_path / "own.png", np.zeros((8, 8, 1), np.uint16))
    assert is_own_png(tmp_path / "own.png")
    Image.open(tmp_path / "own.png").save(tmp_path / "edited.png")
    (tmp_path / "text.png").write_bytes(b"tEXtSoftware\0keras_pix2pix")
    assert not is_own_png(tmp_path / "edited.png")
    assert not is_own_png(tmp_path / "text.png")


# Showing


def test_beside_sets_pictures_in_a_row_from_the_left():
    red, blue = np.zeros((2, 2, 3, 3), np.uint8)
    red[..., 0], blue[..., 2] = 255, 255
    row = beside(red, blue, red)
    assert row.shape == (2, 9, 3)
    assert row.dtype == np.uint8
    assert row[0].tolist() == [[255, 0, 0]] * 3 + [[0, 0, 255]] * 3 + [[255, 0, 0]] * 3


def test_beside_shows_one_channel_gray_and_of_more_than_three_the_first_three():
    pixels = [np.arange(1, channels + 1, dtype=np.uint8).reshape(1, 1, channels) for channels in (1, 2, 3, 4, 5)]
    assert beside(*pixels)[0].tolist() == [[1, 1, 1], [1, 2, 0], [1, 2, 3], [1, 2, 3], [1, 2, 3]]


def test_odd_exif_data_do_not_hide_the_picture(tmp_path):
    entries = [(0x0112, 3, 1, 6), (0x0128, 2, 1, 8)]  # Orientation 6, and a ResolutionUnit stored as text.
    directory = struct.pack("<H", 2) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    exif = b"Exif\0\0II*\0" + struct.pack("<I", 8) + directory + bytes(4)
    Image.new("RGB", (8, 4)).save(tmp_path / "odd.jpg", exif=exif)
    assert read_image_file(tmp_path / "odd.jpg").size == (4, 8)
    assert read_image_size(tmp_path / "odd.jpg") == (8, 4)


@pytest.mark.parametrize("name", ["cut.bmp", "cut.gif", "cut.webp"])
def test_formats_without_a_mark_at_the_end_are_found_cut_short_too(tmp_path, name):
    path = tmp_path / name
    Image.effect_noise((64, 64), 50).convert("RGB").save(path)
    assert read_image_size(path) == (64, 64)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ValueError, match=name):
        read_image_size(path)


def test_the_size_of_a_whole_png_is_read_without_decoding_it(tmp_path, monkeypatch):
    write_png(tmp_path / "whole.png", np.zeros((4, 6, 3), np.uint8))
    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", lambda *_: pytest.fail("the pixels were decoded"))
    assert read_image_size(tmp_path / "whole.png") == (4, 6)


@pytest.mark.filterwarnings("error")
def test_pixel_limit_is_the_most_that_a_header_may_promise(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)
    write_png(tmp_path / "a.png", np.zeros((10, 10, 3), np.uint8))
    with pytest.raises(ValueError, match=r"a\.png: .*decompression bomb"):
        read_image_file(tmp_path / "a.png")
    with pixel_limit(100):
        assert read_image_file(tmp_path / "a.png").size == (10, 10)
    with pixel_limit(98), pytest.raises(ValueError, match=r"a\.png: .*exceeds limit of 98 pixels"):
        read_image_size(tmp_path / "a.png")
    assert Image.MAX_IMAGE_PIXELS == 20
