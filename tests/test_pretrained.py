"""The generator that comes with the package."""

import hashlib
import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from keras_pix2pix import Pix2Pix, load_model, unet_generator
from keras_pix2pix.data.synthetic import facade
from keras_pix2pix.pretrained import pretrained_file


@pytest.mark.parametrize("word", ["facades"])
def test_each_word_has_a_file_and_a_card_with_its_digest(word):
    file = pretrained_file(word)
    assert file.stat().st_size < 1.5e6
    card = file.with_suffix(".md").read_text(encoding="utf-8")
    assert hashlib.sha256(file.read_bytes()).hexdigest() in card
    assert "CMP Facade Database" in card
    config = json.loads(card.partition("```json")[2].partition("```")[0])
    assert (config["preset"], config["direction"]) == ("mobile", "BtoA")
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None


def test_it_draws_windows_where_the_labels_have_them():
    model = load_model("facades")
    assert (model.direction, model.generator.count_params()) == ("BtoA", 514_692)
    pixels = model.translate(facade(1)[0])
    assert pixels.shape == (256, 256, 3)
    blank = model.translate(np.full((256, 256, 3), (0, 48, 255), np.uint8))  # A wall without anything.
    # Between windows and walls there are edges; a network without training draws no such difference.
    edges = [np.abs(np.diff(each.mean(axis=-1), axis=1)).mean() for each in (pixels, blank)]
    assert edges[0] > 1.5 * edges[1]


def test_a_preset_starts_from_it():
    source = np.random.default_rng(0).uniform(-1, 1, (1, 256, 256, 3)).astype(np.float32)
    model = Pix2Pix.from_preset("mobile", weights="facades")
    np.testing.assert_array_equal(model.generator(source), load_model("facades").generator(source))
    fresh = Pix2Pix.from_preset("mobile")
    assert not np.allclose(model.generator.get_weights()[0], fresh.generator.get_weights()[0])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"name": "mobile", "weights": "maps"}, "no model at maps.*facades"),
        ({"name": "mobile", "image_shape": (64, 64, 3), "weights": "facades"}, "halvings"),
        ({"name": "mobile", "image_shape": (256, 256, 1), "weights": "facades"}, "target channels"),
    ],
)
def test_other_weights_and_networks_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        Pix2Pix.from_preset(**arguments)


def test_plain_keras_opens_it(tmp_path):
    script = f"import keras, keras_pix2pix; print(type(keras.saving.load_model({str(pretrained_file('facades'))!r})))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert "Pix2Pix" in done.stdout


def test_a_run_of_that_name_comes_first_and_a_folder_of_data_does_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "facades/train").mkdir(parents=True)
    assert load_model("facades").generator.count_params() == 514_692
    unet_generator((32, 32, 3), filters=2).save(tmp_path / "facades/model.keras")
    assert load_model("facades").input_shape == (None, 32, 32, 3)
