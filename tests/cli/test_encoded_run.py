"""Encodings and several sources, from `train` to `translate`."""

import json

import keras
import numpy as np
import pytest
from PIL import Image

import keras_pix2pix
from keras_pix2pix.data.synthetic import PALETTE, write_facades

pytestmark = pytest.mark.usefixtures("small_networks")


@pytest.fixture
def encoded_folders(tmp_path):
    """Folders of depth in 16 bits, of class indices, and of photos as targets."""
    words = {"depth": "gray16", "labels": "classes:4", "photos": "rgb"}
    for name, word in words.items():
        encoding = keras_pix2pix.encodings.get(word)
        for number in range(2):
            pixels = np.random.default_rng(number).integers(0, 256, (32, 32, 3), dtype=np.uint8)
            encoding.write(tmp_path / name / str(number), encoding.from_pixels(pixels))
    return {name: tmp_path / name for name in words}


def test_encodings_and_several_sources_from_train_to_translate(run, encoded_folders, tmp_path):
    depth, labels, photos = encoded_folders.values()
    sources = (depth, "--extra-source", labels, "--target", photos)
    declared = ("--source-encoding", "gray16+classes:4", "--target-encoding", "rgb")
    code, printed, errors = run("inspect", *sources, *declared, "--output", tmp_path / "seen.png")
    assert code == 0, errors
    assert printed.startswith("2 pairs; height x width of one side (pairs): 32x32 (2)\n")

    run_dir = tmp_path / "run"
    options = ("--image-size", 32, "--epochs", 1, "--color-jitter", 0.3)
    validation = ("--validation", depth, "--extra-validation-source", labels, "--validation-target", photos)
    code, printed, errors = run("train", *sources, *declared, *validation, "--run-dir", run_dir, *options)
    assert code == 0, errors
    assert "2 folders of sources, one of targets; 2 batches of validation" in printed
    config = json.loads((run_dir / "config.json").read_text())
    assert config["extra_source"] == config["extra_validation_source"] == [str(labels)]
    assert (config["source_encoding"], config["target_encoding"], config["color_jitter"]) == (*declared[1::2], 0.3)
    model = keras.saving.load_model(run_dir / "model.keras")
    assert model.generator.input_shape == (None, 32, 32, 5)
    assert model.source_encoding.word == "gray16+classes:4"
    grid = np.asarray(Image.open(run_dir / "samples" / "epoch_0001.png"))
    assert grid.shape == (64, 4 * 32, 3)

    code, printed, errors = run("train", "--run-dir", run_dir, "--resume", "--epochs", 2)
    assert code == 0, errors
    assert "Epoch 2/2" in printed
    code, printed, errors = run("translate", run_dir, depth, labels, "--output", tmp_path / "out")
    assert (code, printed) == (0, f"2 pictures in {tmp_path / 'out'}\n"), errors
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0.png", "1.png"]


def test_a_target_of_labels_is_translated_to_labels(run, encoded_folders, tmp_path):
    _, labels, photos = encoded_folders.values()
    run_dir = tmp_path / "run"
    options = ("--target-encoding", "classes:4", "--image-size", 32, "--epochs", 1)
    code, _, errors = run("train", photos, "--target", labels, "--run-dir", run_dir, *options)
    assert code == 0, errors
    assert keras.saving.load_model(run_dir / "model.keras").generator.output_shape == (None, 32, 32, 4)
    assert run("translate", run_dir, photos / "0.png", "--output", tmp_path / "out")[0] == 0
    assert np.asarray(Image.open(tmp_path / "out" / "0.png")).max() < 4


def test_color_jitter_reaches_the_data_set_of_training(run, pairs, tmp_path, monkeypatch):
    given = []
    paired = keras_pix2pix.paired_dataset
    monkeypatch.setattr(
        keras_pix2pix,
        "paired_dataset",
        lambda *rest, **options: given.append(options) or paired(*rest, **options),
        raising=False,
    )
    options = ("--image-size", 32, "--epochs", 1, "--color-jitter", 0.25)
    assert run("train", pairs, "--run-dir", tmp_path / "run", *options)[0] == 0
    assert given[0]["color_jitter"] == 0.25


@pytest.fixture
def classes_in_colors(tmp_path):
    """Pairs of a photo and a palette file of three classes, the last file with one more index, 255."""
    palette = [0, 0, 0, 128, 0, 0, 0, 128, 0]
    for number in range(4):
        indices = np.resize(np.arange(3, dtype=np.uint8), (32, 32))
        labels = Image.fromarray(indices)
        labels.putpalette(palette)
        for side, picture in (("photos", Image.new("RGB", (32, 32), (number,) * 3)), ("labels", labels)):
            (tmp_path / side).mkdir(exist_ok=True)
            picture.save(tmp_path / side / f"{number}.png")
    return tmp_path


@pytest.mark.usefixtures("small_networks")
def test_found_classes_are_kept_in_the_run_and_their_palette_in_what_is_written(run, classes_in_colors):
    folder = classes_in_colors
    where = "--run-dir", folder / "run", "--image-size", 32, "--epochs", 1
    sides = folder / "photos", "--target", folder / "labels"
    code, printed, errors = run("train", *sides, *where, "--target-encoding", "classes:auto")
    assert code == 0, errors
    word = "classes:3:colors=#000000,#800000,#008000"
    assert f"Target encoding, as found: {word}" in printed
    assert json.loads((folder / "run/config.json").read_text())["target_encoding"] == word
    assert run("translate", folder / "run", folder / "photos", "--output", folder / "out")[0] == 0
    with Image.open(folder / "out/0.png") as written:
        assert written.mode == "P"
        assert written.getpalette()[:9] == [0, 0, 0, 128, 0, 0, 0, 128, 0]
    assert run("train", "--run-dir", folder / "run", "--resume", "--epochs", 2)[0] == 0


def test_label_maps_are_read_before_networks_are_built(run, classes_in_colors, monkeypatch):
    from keras_pix2pix.runs import train

    folder = classes_in_colors
    Image.fromarray(np.full((32, 32), 9, np.uint8)).save(folder / "labels/3.png")
    monkeypatch.setattr(train, "start_tensorflow", lambda: pytest.fail("The labels were not read before."))
    where = "--run-dir", folder / "run", "--image-size", 32
    sides = folder / "photos", "--target", folder / "labels"
    code, _, errors = run("train", *sides, *where, "--target-encoding", "classes:3")
    assert code == 2
    assert "labels/3.png" in errors.replace("\n", "")


def test_colours_and_names_in_a_look(run, tmp_path):
    write_facades(tmp_path / "pairs", 2, image_size=(32, 32))
    where = "--output", tmp_path / "drawn.png"
    code, printed, errors = run("inspect", tmp_path / "pairs", *where, "--source-encoding", "palette:auto")
    assert code == 0, errors
    assert "Found in the source files: palette:#" in printed
    assert "#0030ff" in printed.partition("Classes of the source")[2]
    assert "--source-encoding 'palette:#" in printed
    table = "\n".join(f"{name},{','.join(map(str, color))}" for name, color in PALETTE.items())
    (tmp_path / "classes.csv").write_text(table)
    word = f"palette:{tmp_path / 'classes.csv'}"
    code, printed, _ = run("inspect", tmp_path / "pairs", *where, "--source-encoding", word)
    assert code == 0
    assert "wall " in printed.partition("Classes of the source")[2]
