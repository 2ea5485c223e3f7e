"""The network that --features names."""

import keras
import numpy as np
from safetensors.numpy import save_file

from keras_pix2pix import evaluation
from keras_pix2pix.runs.model import load_features

PIXELS = np.zeros((1, 64, 64, 3), np.uint8)
PIXELS[:, :, ::4] = 255


def network():
    image = keras.Input((16, 16, 3))
    return keras.Model(image, keras.layers.Identity()(image))


def test_a_pytorch_file_means_the_inception_of_fids_and_its_resizing(tmp_path, monkeypatch):
    given = []
    monkeypatch.setattr(evaluation, "inception_features", lambda tensors: given.append(tensors) or network())
    save_file({"fc.bias": np.ones(3, "float32")}, tmp_path / "inception.safetensors")
    found = load_features(str(tmp_path / "inception.safetensors"))(PIXELS)
    np.testing.assert_array_equal(found, evaluation.features_of(network(), PIXELS, resize="bilinear"))
    assert given[0]["fc.bias"].tolist() == [1, 1, 1]


def test_a_network_of_ones_own_sees_pictures_through_a_filter(tmp_path):
    network().save(tmp_path / "features.keras")
    found = load_features(str(tmp_path / "features.keras"))(PIXELS)
    np.testing.assert_array_equal(found, evaluation.features_of(network(), PIXELS))
    assert np.abs(found - evaluation.features_of(network(), PIXELS, resize="bilinear")).max() > 0.1
