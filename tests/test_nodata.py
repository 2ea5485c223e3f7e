"""Pixels without data: their word, their raw form and image, resizing around them, and their weight in training."""

import json
import math
import pickle

import keras
import numpy as np
import pytest
import tifffile

from keras_pix2pix import Pix2Pix, encodings, paired_dataset, patchgan_discriminator, unet_generator
from keras_pix2pix.encodings import Picture
from keras_pix2pix.encodings.pictures import _NO_DATA
from keras_pix2pix.evaluation import picture_scores

ENCODING = encodings.get("values:2:0:100:nodata=-9999")


@pytest.fixture
def values():
    values = np.random.default_rng(0).uniform(0, 100, (16, 16, 2)).astype(np.float32)
    values[:, 8:, 0] = -9999
    values[0, 0, 1] = np.nan
    return values


@pytest.mark.parametrize("nodata", [-9999, 100.5, math.nan, -math.inf, -3.4028234663852886e38, 1e20])
def test_the_word_says_it(nodata):
    encoding = Picture(2, (0, 100), nodata)
    assert "nodata=" in encoding.word
    assert "+" not in encoding.word
    for copy in (encodings.get(json.loads(json.dumps(encoding.word))), pickle.loads(pickle.dumps(encoding))):
        assert copy == encoding
        assert hash(copy) == hash(encoding)
    assert encoding != Picture(2, (0, 100))


def test_that_of_levels_is_no_picture_of_8_bits():
    assert Picture(3, nodata=-1).word == "values:3:0.0:255.0:nodata=-1.0"
    assert Picture(3, nodata=-1).raw_dtype == "float32"


@pytest.mark.parametrize("nodata", ["0", "100", "50", "none"])
def test_a_value_of_the_range_is_refused(nodata):
    with pytest.raises(ValueError, match="nodata"):
        encodings.get(f"values:2:0:100:nodata={nodata}")


def test_a_pixel_without_data_in_any_band_has_none(values):
    raw = ENCODING.raw(values, "a.npy")
    missing = np.zeros((16, 16), bool)
    missing[:, 8:] = missing[0, 0] = True
    assert (raw[missing] == -9999).all()
    np.testing.assert_array_equal(raw[~missing], values[~missing])
    for each in (raw, values):
        image, target = np.asarray(ENCODING.to_image(each)), np.asarray(ENCODING.to_target(each))
        assert (image[missing] == -1).all()
        assert (target[missing] == _NO_DATA).all()
        np.testing.assert_allclose(image[~missing], values[~missing] / 50 - 1, atol=1e-6)
        np.testing.assert_array_equal(image[~missing], target[~missing])
        np.testing.assert_array_equal(np.asarray(ENCODING.counted(target))[..., 0], ~missing)
    assert np.asarray(ENCODING.to_raw(target)).min() >= 0
    assert not ENCODING.show(raw)[missing].any()


def test_other_values_out_of_the_range_are_refused(values):
    values[3, 3, 1] = 101
    with pytest.raises(ValueError, match="out of its declared range.*to 101"):
        ENCODING.raw(values, "a.npy")
    ENCODING.raw(np.full((4, 4, 2), -9999), "a.npy")  # Of nothing, nothing is wrong.


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic", "lanczos"])
def test_resizing_mixes_no_data_with_nothing(interpolation):
    values = np.full((32, 32, 2), 60.0)
    values[:, 20:, 1] = -9999
    raw = ENCODING.raw(values, "a.npy", (16, 16), interpolation)
    np.testing.assert_allclose(raw[:, :10], 60, rtol=1e-5)
    assert (raw[:, 10:] == -9999).all()
    values[:, 19:, 1] = -9999  # Half of a pixel, and less than half with all that a filter sees of it.
    values[:, :3] = -9999
    raw = ENCODING.raw(values, "a.npy", (8, 8), interpolation)
    assert set(np.unique(np.round(raw, 3))) == {60, -9999}
    np.testing.assert_array_equal(np.flatnonzero(raw[0, :, 0] < 0)[[0, -1]], [0, 7])


@pytest.fixture
def model():
    keras.utils.set_random_seed(0)
    networks = (
        unet_generator((16, 16, 2), 2, filters=2, dropout=0, num_downsamples=3),
        patchgan_discriminator((16, 16, 2), 2, filters=2, num_layers=1),
    )
    model = Pix2Pix(*networks, source_encoding=ENCODING, target_encoding=ENCODING)
    model.compile(keras.optimizers.SGD(0.01), keras.optimizers.SGD(0.01))
    return model


def test_what_is_not_measured_has_weight_0_in_the_loss(model, values, tmp_path):
    for folder in "ab":
        (tmp_path / folder).mkdir()
        tifffile.imwrite(tmp_path / folder / "1.tif", values, photometric="minisblack", planarconfig="contig")
    sides = {"source_encoding": ENCODING, "target_encoding": ENCODING, "image_size": 16}
    source, target, _ = next(iter(paired_dataset(tmp_path / "a", tmp_path / "b", training=False, **sides)))
    assert source.numpy().min() == -1
    assert target.numpy().min() == np.float32(_NO_DATA)
    logs = model.evaluate(source, target, verbose=0, return_dict=True)
    generated = model.generator(source, training=False).numpy()
    difference = np.abs(generated - target)
    difference[0, 0, 0] = 0
    assert logs["g_l1"] == pytest.approx(difference[:, :, :8].sum() / difference.size, rel=1e-5)


def test_crops_and_mirrors_keep_the_marks(values, tmp_path):
    for folder in "ab":
        (tmp_path / folder).mkdir()
        np.save(tmp_path / folder / "1.npy", np.tile(values, (2, 1, 1)))
    sides = {"source_encoding": "values:2:0:100:nodata=-9999", "target_encoding": ENCODING, "image_size": 16}
    data = paired_dataset(tmp_path / "a", tmp_path / "b", repeat=True, jitter=1.5, **sides)
    for source, target in data.take(8):
        marked = target.numpy()[..., 0] == np.float32(_NO_DATA)
        assert 0 < marked.sum() < marked.size
        assert (source.numpy()[marked] == -1).all()
        np.testing.assert_array_equal(source.numpy()[~marked], target.numpy()[~marked])


def test_what_is_generated_there_changes_no_update(model, values):
    source = np.random.default_rng(0).uniform(-1, 1, (1, 16, 16, 2)).astype("float32")
    inputs = keras.Input((16, 16, 2))
    shift = keras.layers.EinsumDense("bhwc,hw->bhwc", output_shape=(16, 16, 2), kernel_initializer="ones")
    trained = Pix2Pix(keras.Model(inputs, shift(inputs)), model.discriminator, target_encoding=ENCODING)
    trained.compile(keras.optimizers.SGD(1.0))
    trained.fit(source, np.array(ENCODING.to_target(values[np.newaxis])), verbose=0)
    kernel = shift.kernel.numpy()
    assert (kernel[:, 8:] == 1).all()
    assert (kernel[:, :8] != 1).any()


def test_scores_leave_them_out(values):
    target = np.array(ENCODING.to_target(values[np.newaxis]))
    generated = np.where(target == np.float32(_NO_DATA), 1, target)
    assert picture_scores(generated, target, ENCODING)["l1"] == 0
    assert picture_scores(generated, target, "values:2:0:100")["l1"] > 0


def test_translating_takes_them_for_the_lowest_value(model, values):
    filled = np.where(np.isin(np.arange(256).reshape(16, 16, 1), [0]) | (values[..., :1] == -9999), 0, values)
    generated = model.translate(values)
    np.testing.assert_allclose(generated, model.translate(filled.astype(np.float32)), atol=1e-3)
    assert generated.min() >= 0
