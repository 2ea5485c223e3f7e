"""Translations of GeoTIFF files lie where their sources lie."""

import numpy as np
import pytest
import tifffile

from keras_pix2pix.inference import source_pictures

TAGS = (
    (33550, 12, 3, (10.0, 10.0, 0.0), True),
    (33922, 12, 6, (0.0, 0.0, 0.0, 500000.0, 4600000.0, 0.0), True),
    (34735, 3, 8, (1, 1, 0, 1, 1024, 0, 1, 1), True),
    (34736, 12, 2, (6378137.0, 298.257), True),
    (34737, 2, 0, "WGS 84 / UTM zone 33N|", True),
    (42113, 2, 0, "-9999", True),
)


@pytest.fixture
def bands():
    return np.random.default_rng(0).integers(0, 256, (32, 48, 13)).astype(np.uint16)


def write(path, values, tags=TAGS):
    tifffile.imwrite(
        path, values, photometric="minisblack", planarconfig="contig", tile=(16, 16), compression="zlib", extratags=tags
    )
    return path


@pytest.mark.parametrize("tile", [None, 16])
@pytest.mark.parametrize(
    ("word", "dtype"),
    [("values:2:0:9", "float32"), ("rgb", "uint8"), ("rgba", "uint8"), ("gray16", "uint16"), ("classes:3", "uint8")],
)
def test_the_georeference_is_carried_over(make_encoded_model, tmp_path, bands, word, dtype, tile):
    model = make_encoded_model("values:13:0:255", word)
    path = write(tmp_path / "a.tif", bands)
    options = {"tile": tile, "overlap": 4} if tile else {}
    expected = model.translate(path, **options)
    for _ in range(2):  # The second one replaces the first one.
        (written,) = model.translate(path, tmp_path / "out", **options)
    assert written == tmp_path / "out" / "a.tif"
    with tifffile.TiffFile(written) as opened:
        found = {tag.code: tag.value for tag in opened.pages[0].tags}
        generated = opened.asarray()
    assert generated.dtype == dtype
    np.testing.assert_array_equal(generated.reshape(expected.shape), expected)
    with tifffile.TiffFile(path) as opened:
        for code, *_ in TAGS:
            assert found[code] == opened.pages[0].tags[code].value


def test_other_files_are_written_as_ever_and_no_others_replaced(make_encoded_model, tmp_path, bands):
    model = make_encoded_model("values:13:0:255")
    (written,) = model.translate(write(tmp_path / "a.tif", bands, ()), tmp_path / "out")
    assert written.name == "a.png"
    write(tmp_path / "out" / "b.tif", bands)
    with pytest.raises(ValueError, match=r"b\.tif exists and is not a TIFF file that this package has written"):
        model.translate(write(tmp_path / "b.tif", bands), tmp_path / "out")


def test_rasters_of_any_size_are_translated_in_tiles(make_encoded_model, tmp_path, bands, monkeypatch):
    monkeypatch.setattr(source_pictures, "_TILED_AT_MOST", 100)
    monkeypatch.setattr(source_pictures, "MOST_PIXELS", 50)
    model = make_encoded_model("values:13:0:255")
    path = write(tmp_path / "a.tif", bands)
    with pytest.raises(ValueError, match="too large.*Pass `tile`"):
        model.translate(path)
    tiles = {"tile": 16, "overlap": 4}
    np.testing.assert_array_equal(model.translate(path, **tiles), model.translate(bands.astype("uint8"), **tiles))
