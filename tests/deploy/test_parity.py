"""The verdict, by hand."""

import keras
import numpy as np
import pytest

from keras_pix2pix.deploy.parity import Parity, drawn_sources, measure, require


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
