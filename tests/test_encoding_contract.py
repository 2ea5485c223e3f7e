"""What every encoding promises, whatever is stored."""

import numpy as np
import pytest

from keras_pix2pix import encodings

WORDS = ["rgb", "gray", "rgba", "gray16", "classes:5", "palette:#000000,#ff0000,#00ff00", "values:2:-1.0:3.0"]
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


@pytest.mark.parametrize("word", WORDS)
def test_a_single_encoding_writes_what_it_reads(word, pixels, tmp_path):
    encoding = encodings.get(word)
    assert encoding.parts == (encoding,)
    raw = encoding.from_pixels(pixels)
    file = encoding.write(tmp_path / "picture", raw)
    assert file == tmp_path / f"picture{encoding.extension}"
    assert encoding.size(file) == (6, 8)
    np.testing.assert_array_equal(encoding.raw(encoding.open(file), file), raw)


def test_label_maps_are_told_from_measurements():
    found = {word: encodings.get(word).is_label_map for word in WORDS + STACKED}
    assert [word for word, is_label_map in found.items() if is_label_map] == WORDS[4:6]
