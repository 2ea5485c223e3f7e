"""The verdict, by hand."""

import keras
import numpy as np
import pytest

from keras_pix2pix import encodings
from keras_pix2pix.deploy.parity import Parity, drawn_sources, measure, require, sources_or_drawn


def identity(height=4, width=4):
    source = keras.Input((height, width, 3))
    return keras.Model(source, keras.layers.Identity()(source))


def test_differences_by_hand(tmp_path):
    (tmp_path / "file").write_bytes(bytes(1234))
    pixels = np.full((2, 4, 4, 3), 100, np.uint8)

    def run(source):
        generated = source.copy()
        generated[0, 0, 0, 0] += 6  # One of 48 values, in each of two pictures.
        return generated

    parity = measure(tmp_path / "file", run, identity(), pixels)
    assert parity.size == 1234
    assert parity.largest_difference == 6
    assert parity.psnr == pytest.approx(10 * np.log10(255**2 / (36 / 48)))


def test_equal_pictures_have_infinite_psnr(tmp_path):
    (tmp_path / "folder").mkdir()
    for name in "ab":
        (tmp_path / "folder" / name).write_bytes(bytes(10))
    parity = measure(tmp_path / "folder", lambda source: source, identity(), np.zeros((1, 4, 4, 3), np.uint8))
    assert parity == Parity(size=20, psnr=float("inf"), largest_difference=0)


def test_darker_is_as_bad_as_brighter(tmp_path):
    pixels = np.full((1, 4, 4, 3), 100, np.uint8)
    assert measure(tmp_path, lambda source: source - 7, identity(), pixels).largest_difference == 7


@pytest.mark.parametrize(
    ("accepted", "passes"),
    [({"levels": 3}, True), ({"levels": 2}, False), ({"psnr": 40}, True), ({"psnr": 40.2}, False), ({}, True)],
)
def test_thresholds(accepted, passes):
    parity = Parity(size=2_500_000, psnr=40.1, largest_difference=3)
    if passes:
        require(parity, "x.tflite", **accepted)
    else:
        with pytest.raises(RuntimeError, match="not kept as x.tflite"):
            require(parity, "x.tflite", **accepted)


def test_a_verdict_in_words():
    words = "2.5 MB, PSNR 40.1 dB, largest difference 3 grey levels from the Keras model"
    assert str(Parity(size=2_500_000, psnr=40.1, largest_difference=3)) == words


def test_sources_are_drawn_in_any_size():
    assert drawn_sources((8, 1056), 3).shape == (4, 8, 1056, 3)


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_drawn_sources_have_as_many_channels_as_asked(channels):
    pixels = drawn_sources((32, 48), channels)
    assert pixels.shape == (4, 32, 48, channels)
    assert len({picture.tobytes() for picture in pixels}) == 4


class Encoded:
    """What `measure` asks of a Pix2Pix: an identity between one-hot images, or between pictures."""

    def __init__(self, word):
        encoding = encodings.get(word)
        source = keras.Input((4, 4, encoding.channels))
        self.generator = keras.Model(source, keras.layers.Identity()(source))
        self.source_encoding = self.target_encoding = word


@pytest.mark.parametrize("word", ["classes:3", "palette:#000000,#010000,#020000"])
def test_of_label_maps_equal_pixels_are_counted(tmp_path, word):
    raw = np.zeros((2, 4, 4, encodings.get(word).raw_channels), np.uint8)

    def run(source):
        generated = source.copy()
        generated[0, 0, 0, 0] = 2  # One pixel of 16.
        return generated

    parity = measure(tmp_path, run, Encoded(word), raw)
    assert parity == Parity(size=0, psnr=None, largest_difference=None, equal=1 - 1 / 16)
    assert str(parity) == "0.0 MB, 93.750% of the pixels of the same class as the Keras model's"


def test_differences_of_real_numbers_are_in_grey_levels_of_their_range(tmp_path):
    raw = np.full((1, 4, 4, 1), 3.0, np.float32)
    parity = measure(tmp_path, lambda source: source + np.float32(0.04), Encoded("values:1:-5:5"), raw)
    assert parity.largest_difference == pytest.approx(0.04 / 10 * 255, rel=1e-3)
    assert parity.psnr == pytest.approx(20 * np.log10(10 / 0.04), rel=1e-3)


@pytest.mark.parametrize(
    ("equal", "accepted", "passes"),
    [
        (0.999, {"levels": 1}, True),
        (0.998, {"levels": 1}, False),
        (0.99, {"psnr": 45}, True),
        (0.98, {"psnr": 45}, False),
    ],
)
def test_thresholds_of_label_maps(equal, accepted, passes):
    parity = Parity(size=1, psnr=None, largest_difference=None, equal=equal)
    if passes:
        require(parity, "x.tflite", **accepted)
    else:
        with pytest.raises(RuntimeError, match=r"not kept as x.tflite. Accepted: at least 99.\d% of the pixels of the"):
            require(parity, "x.tflite", **accepted)


@pytest.mark.parametrize("word", ["gray16", "classes:7", "palette:#000000,#ff0000", "rgb+classes:7"])
def test_sources_are_drawn_in_any_encoding(word):
    encoding = encodings.get(word)
    raw = sources_or_drawn(None, (32, 48), word)
    assert (raw.shape, raw.dtype) == ((4, 32, 48, encoding.raw_channels), encoding.raw_dtype)
    assert len(np.unique(raw)) > 1
    np.testing.assert_array_equal(sources_or_drawn(raw, (32, 48), word), raw)
    with pytest.raises(ValueError, match=f"`pixels` must be {encoding.raw_dtype} of shape"):
        sources_or_drawn(raw.astype("int64"), (32, 48), word)
