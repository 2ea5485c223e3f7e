"""The segmenter of a run, and the label maps that it is compared with."""

import json

import keras
import numpy as np
import pytest
from PIL import Image

from keras_pix2pix import encodings, evaluation
from keras_pix2pix.data.fitting import fitting_of
from keras_pix2pix.data.pairs import Pair
from keras_pix2pix.data.synthetic import PALETTE, write_facades
from keras_pix2pix.runs.segmenter import Judge, judge_of

SIZE = (32, 32)


@pytest.fixture
def make_run(tmp_path):
    """A function that writes the configuration of a run on drawn facades; its model isn't asked for."""

    def make(**changes):
        write_facades(tmp_path / "pairs", 3, image_size=SIZE)
        (tmp_path / "run").mkdir(exist_ok=True)
        config = {"data": str(tmp_path / "pairs"), "preset": "paper", "direction": "AtoB", "image_size": SIZE}
        config |= {"batch_size": 1, "epochs": 1, "seed": 0, **changes}
        (tmp_path / "run/config.json").write_text(json.dumps(config))
        return tmp_path / "run"

    return make


def network(classes, side=None):
    """From photos to the logits of so many classes."""
    photo = keras.Input((side, side, 3))
    return keras.Model(photo, keras.layers.Conv2D(classes, 1)(photo))


@pytest.fixture
def make_segmenter(tmp_path):
    """A function that writes a network for so many classes."""

    def make(classes, side=None, name="segmenter.keras"):
        network(classes, side).save(tmp_path / name)
        return tmp_path / name

    return make


@pytest.fixture
def trainings(monkeypatch):
    """What `train_segmenter` was called with; it doesn't train."""
    calls = []

    def train(photos, labels, **options):
        calls.append((np.asarray(photos), labels, options))
        return network(options["classes"])

    monkeypatch.setattr(evaluation, "train_segmenter", train)
    return calls


COLORS = sorted(PALETTE.values())


def drawn(tmp_path):
    """Label maps and photos of the run's pairs."""
    files = sorted((tmp_path / "pairs").iterdir())
    halves = np.split(np.stack([np.asarray(Image.open(file)) for file in files]), 2, axis=2)
    return halves[0].astype(int), halves[1]


def test_it_is_trained_on_the_runs_pairs_and_kept(make_run, trainings, tmp_path):
    run = make_run()
    judge = judge_of(run, "train")
    label_maps, photos = drawn(tmp_path)
    used = [color for color in COLORS if (label_maps == color).all(axis=-1).any()]
    ((given, labels, options),) = trainings
    np.testing.assert_allclose(given, photos / 127.5 - 1, atol=1e-6)
    np.testing.assert_array_equal(np.array(used)[labels], label_maps)
    assert options == {"classes": len(used)}
    assert judge.encoding.colors == tuple(used)
    kept = keras.saving.load_model(run / "segmenter.keras")
    images = np.zeros((1, *SIZE, 3), "float32")
    np.testing.assert_array_equal(judge_of(run, "train").segmenter(images), kept(images))
    assert len(trainings) == 1


def test_one_that_does_not_fit_any_more_is_trained_again(make_run, make_segmenter, trainings):
    run = make_run()
    make_segmenter(3, name="run/segmenter.keras")
    judge_of(run, "train")
    assert len(trainings) == 1


def test_the_pairs_for_validation_are_left_out(make_run, trainings):
    judge_of(make_run(validation_split=0.34), "train")
    assert len(trainings[0][0]) == 2


def test_declared_classes_are_those_of_the_segmenter(make_run, make_segmenter):
    word = "palette:" + ",".join("#{:02x}{:02x}{:02x}".format(*color) for color in PALETTE.values())
    run = make_run(source_encoding=word)
    assert judge_of(run, make_segmenter(12)).encoding == encodings.get(word)
    with pytest.raises(ValueError, match="12 classes"):
        judge_of(run, make_segmenter(11))
    with pytest.raises(ValueError, match="32x32.*64"):
        judge_of(run, make_segmenter(12, side=64))


@pytest.mark.parametrize("changes", [{"direction": "BtoA"}, {"source_encoding": "gray"}])
def test_photos_are_no_label_maps(make_run, changes):
    with pytest.raises(ValueError, match="no label map"):
        judge_of(make_run(**changes), "train")


def test_a_folder_that_is_gone_is_named(make_run):
    with pytest.raises(ValueError, match="nowhere"):
        judge_of(make_run(data="nowhere"), "train")


def test_labels_are_indices_with_no_class_apart(tmp_path):
    indices = np.array([[0, 1], [2, 255]], np.uint8)
    Image.fromarray(indices).save(tmp_path / "labels.png")
    Image.fromarray(np.zeros((2, 2), np.uint8)).save(tmp_path / "other.png")
    encoding = encodings.get("classes:3:ignore=255")
    alone = Pair(tmp_path / "labels.png", tmp_path / "photo.png")
    assert Judge(None, encoding, 0, 1, fitting_of("stretch", (2, 2))).labels(alone).tolist() == [[0, 1], [2, -1]]
    stacked = Pair((tmp_path / "other.png", tmp_path / "labels.png"), tmp_path / "photo.png")
    larger = Judge(None, encoding, 1, 2, fitting_of("stretch", (4, 4))).labels(stacked)
    assert larger.tolist() == [[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, -1, -1], [2, 2, -1, -1]]
    padded = Judge(None, encoding, 0, 1, fitting_of("pad", (2, 4))).labels(alone)
    assert padded.tolist() == [[-1, 0, 1, -1], [-1, 2, -1, -1]]


def test_the_label_map_among_several_sources_is_found(make_run, make_segmenter, tmp_path):
    source = f"rgb+{encodings.Palette(COLORS).word}"
    folders = {"target": str(tmp_path / "pairs"), "extra_source": [str(tmp_path / "pairs")]}
    judge = judge_of(make_run(source_encoding=source, **folders), make_segmenter(12))
    assert (judge.part, judge.parts) == (1, 2)


def test_other_runs_must_make_what_the_segmenter_takes(make_segmenter):
    segmenter = keras.saving.load_model(make_segmenter(12, side=64))
    judge = Judge(segmenter, encodings.Palette(COLORS), 0, 1, fitting_of("stretch", (64, 64)))
    config = {"data": "pairs", "image_size": (64, 64)}
    for fit in ("stretch", "pad"):
        assert type(judge.of_run("other", {**config, "fit": fit}).fitting) is type(fitting_of(fit, (64, 64)))
    with pytest.raises(ValueError, match="64x64.*other makes 32x32"):
        judge.of_run("other", {**config, "image_size": SIZE})
    with pytest.raises(ValueError, match="2 in other"):
        judge.of_run("other", {**config, "target": "photos", "extra_source": ["more"]})
