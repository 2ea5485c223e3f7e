"""The verdict, by hand."""

import keras
import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from keras_pix2pix import encodings
from keras_pix2pix.deploy.parity import (
    Parity,
    _drawn_sources,
    compare,
    grey_levels_apart,
    keras_function,
    sources_or_drawn,
)
from keras_pix2pix.inference.serving import encodings_of


def identity(height=4, width=4):
    source = keras.Input((height, width, 3))
    return keras.Model(source, keras.layers.Identity()(source))


def measure(path, run, model, pixels):
    return compare(path, run, keras_function(model, pixels.shape[1:3]), pixels, encodings_of(model)[1])


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
    assert parity.mean_difference == pytest.approx(6 / 48)
    assert parity.ssim is None  # No window fits into 4x4 pixels.
    assert parity.pictures == 2


def test_the_measures_are_those_of_scikit_image(tmp_path):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (3, 20, 30, 3), dtype=np.uint8)
    generated = np.clip(pixels + rng.normal(0, 9, pixels.shape), 0, 255).astype(np.uint8)
    answers = iter(generated)
    parity = measure(tmp_path, lambda source: next(answers)[np.newaxis], identity(20, 30), pixels)
    assert parity.psnr == pytest.approx(peak_signal_noise_ratio(pixels, generated, data_range=255))
    gaussian = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "channel_axis": -1}
    expected = [structural_similarity(*each, **gaussian) for each in zip(pixels, generated, strict=True)]
    assert parity.ssim == pytest.approx(np.mean(expected), abs=1e-4)
    assert parity.mean_difference == pytest.approx(np.mean(np.abs(pixels.astype(float) - generated)))


def test_the_worst_picture_is_the_one_that_is_furthest(tmp_path):
    pixels = np.stack([np.full((4, 4, 3), level, np.uint8) for level in (10, 20, 30)])
    parity = measure(tmp_path, lambda source: source + (source == 20) * np.uint8(3), identity(), pixels)
    assert parity.worst == 1
    raw = np.zeros((3, 4, 4, 1), np.uint8) + np.arange(3, dtype=np.uint8)[:, None, None, None]
    assert measure(tmp_path, lambda source: np.minimum(source, 1), Encoded("classes:3"), raw).worst == 2


def test_another_shape_is_refused(tmp_path):
    with pytest.raises(RuntimeError, match=r"of shape \(1, 4, 2, 3\), and the Keras model one of \(1, 4, 4, 3\)"):
        measure(tmp_path, lambda source: source[:, :, :2], identity(), np.zeros((1, 4, 4, 3), np.uint8))


def test_two_functions_are_compared(tmp_path):
    pixels = np.zeros((2, 4, 4, 1), np.uint8)
    parity = compare(tmp_path, lambda source: source + 3, lambda source: source + 1, pixels, "gray")
    assert (parity.largest_difference, parity.mean_difference) == (2, 2)


def test_equal_pictures_have_100_db(tmp_path):
    (tmp_path / "folder").mkdir()
    for name in "ab":
        (tmp_path / "folder" / name).write_bytes(bytes(10))
    parity = measure(tmp_path / "folder", lambda source: source, identity(), np.zeros((1, 4, 4, 3), np.uint8))
    assert parity == Parity(20, psnr=100, largest_difference=0, mean_difference=0, pictures=1, worst=0)


def test_darker_is_as_bad_as_brighter(tmp_path):
    pixels = np.full((1, 4, 4, 3), 100, np.uint8)
    assert measure(tmp_path, lambda source: source - 7, identity(), pixels).largest_difference == 7


def test_a_verdict_in_words():
    words = "2.5 MB, PSNR 40.1 dB, largest difference 3 grey levels from the Keras model"
    parity = Parity(size=2_500_000, psnr=40.1, largest_difference=3)
    assert str(parity) == words
    assert str(parity._replace(mean_difference=0.123, ssim=0.98766, latency={"2 threads": 12.34, "Keras": 56.0})) == (
        f"{words}, mean difference 0.12, SSIM 0.9877, 12.3 ms (2 threads), 56.0 ms (Keras)"
    )


def test_sources_are_drawn_in_any_size():
    assert _drawn_sources((8, 1056), 3).shape == (4, 8, 1056, 3)


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_drawn_sources_have_as_many_channels_as_asked(channels):
    pixels = _drawn_sources((32, 48), channels)
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
    assert parity == Parity(0, None, None, equal=1 - 1 / 16, pictures=2, worst=0)
    assert str(parity) == "0.0 MB, 93.750% of the pixels of the same class as the Keras model's"


def test_differences_of_real_numbers_are_in_grey_levels_of_their_range(tmp_path):
    raw = np.full((1, 4, 4, 1), 3.0, np.float32)
    parity = measure(tmp_path, lambda source: source + np.float32(0.04), Encoded("values:1:-5:5"), raw)
    assert parity.largest_difference == pytest.approx(0.04 / 10 * 255, rel=1e-3)
    assert parity.psnr == pytest.approx(20 * np.log10(10 / 0.04), rel=1e-3)
    encoding = encodings.get("values:1:-5:5")
    np.testing.assert_allclose(grey_levels_apart(np.array([1.0]), np.array([3.0]), encoding), 51)


@pytest.mark.parametrize("word", ["gray16", "classes:7", "palette:#000000,#ff0000", "rgb+classes:7"])
def test_sources_are_drawn_in_any_encoding(word):
    encoding = encodings.get(word)
    raw = sources_or_drawn(None, (32, 48), word)
    assert (raw.shape, raw.dtype) == ((4, 32, 48, encoding.raw_channels), encoding.raw_dtype)
    assert len(np.unique(raw)) > 1
    np.testing.assert_array_equal(sources_or_drawn(raw, (32, 48), word), raw)
    with pytest.raises(ValueError, match=f"`pixels` must be {encoding.raw_dtype} of shape"):
        sources_or_drawn(raw.astype("int64"), (32, 48), word)


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((8, 8, 3), "uint8"), np.zeros((0, 8, 8, 3), "uint8"), np.zeros((1, 8, 8, 1), "uint8"), [], "a.png"],
    ids=["no batch", "no picture", "gray", "empty", "a name"],
)
def test_pixels_of_another_shape_are_refused(pixels):
    with pytest.raises(ValueError, match=r"\(pictures, 8, 8, 3\), of one picture or more. Received: "):
        sources_or_drawn(pixels, (8, 8), "rgb")


def test_values_out_of_range_are_refused():
    with pytest.raises(ValueError, match="`pixels` holds values out of its declared range"):
        sources_or_drawn(np.full((1, 8, 8, 1), np.nan, "float32"), (8, 8), "values:1:0:1")
