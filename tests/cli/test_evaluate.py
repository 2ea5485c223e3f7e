"""`keras-pix2pix evaluate`."""

import csv
import json
import shutil

import keras
import numpy as np
import pytest
from PIL import Image

from keras_pix2pix import encodings, evaluation, load_model, metrics, paired_dataset
from keras_pix2pix.data.synthetic import write_facades


@pytest.fixture
def others(tmp_path):
    write_facades(tmp_path / "others", 8, image_size=(32, 32), seed=50)
    return tmp_path / "others"


def test_a_run_on_other_pairs(run, trained, others):
    code, printed, errors = run("evaluate", trained, others)
    assert code == 0, errors
    record = json.loads((trained / "evaluation.json").read_text())
    assert record["pictures"] == 8
    with (trained / "evaluation.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["picture"] for row in rows] == [file.name for file in sorted(others.iterdir())]
    model = load_model(trained)
    expected = [
        float(metrics.psnr(target, model.generator(source, training=False))[0])
        for source, target, _ in paired_dataset(others, image_size=32, training=False)
    ]
    np.testing.assert_allclose([float(row["psnr"]) for row in rows], expected, rtol=1e-4)
    assert record["scores"]["psnr"]["value"] == pytest.approx(np.mean(expected), rel=1e-4)
    assert record["scores"]["psnr"]["standard_error"] > 0
    assert f"psnr {np.mean(expected):.4g}" in printed
    picture = np.asarray(Image.open(trained / "evaluation.png"))
    assert picture.shape == (6 * 32, 3 * 32, 3)
    # Its targets are those of the three best and the three worst by SSIM.
    order = sorted(range(8), key=lambda index: -float(rows[index]["ssim"]))
    for row, index in enumerate([*order[:3], *order[-3:]]):
        photo = np.asarray(Image.open(others / rows[index]["picture"]))[:, 32:]
        np.testing.assert_array_equal(picture[32 * row : 32 * row + 32, 64:], photo)
    assert "Evaluation" in (trained / "report.html").read_text()


def test_several_runs_side_by_side(run, trained, others, pairs, tmp_path):
    assert run("train", pairs, "--run-dir", tmp_path / "second", "--image-size", 32, "--epochs", 1, "--seed", 5)[0] == 0
    code, printed, errors = run("evaluate", trained, others, "--against", tmp_path / "second")
    assert code == 0, errors
    first, second = printed.splitlines()[:2]
    assert first.startswith(str(trained))
    assert second.startswith(str(tmp_path / "second"))
    assert first.partition(":")[2] != second.partition(":")[2]
    assert (tmp_path / "second/evaluation.json").exists()


@pytest.mark.usefixtures("small_networks")
def test_the_runs_own_validation_data(run, pairs, others, tmp_path):
    options = ("--run-dir", tmp_path / "run", "--image-size", 32, "--epochs", 1)
    assert run("train", pairs, "--validation", others, *options)[0] == 0
    assert run("evaluate", tmp_path / "run")[0] == 0
    assert json.loads((tmp_path / "run/evaluation.json").read_text())["pictures"] == 8


def test_features_give_kid_and_fid(run, trained, others, tmp_path):
    source = keras.Input((16, 16, 3))
    keras.Model(source, keras.layers.Conv2D(12, 3)(source)).save(tmp_path / "features.keras")
    code, printed, errors = run("evaluate", trained, others, "--features", tmp_path / "features.keras")
    assert code == 0, errors
    assert "kid" in printed
    assert "8 pictures for 12 features" in printed


@pytest.fixture
def untrained(monkeypatch):
    """`train_segmenter` returns a network that has learned nothing."""

    def network(photos, labels, classes):
        photo = keras.Input((None, None, 3))
        return keras.Model(photo, keras.layers.Conv2D(classes, 1)(photo))

    monkeypatch.setattr(evaluation, "train_segmenter", network)


@pytest.mark.usefixtures("untrained")
def test_a_segmenter_judges_the_photos_of_label_maps(run, trained, others, pairs, tmp_path):
    second = shutil.copytree(trained, tmp_path / "second")
    code, printed, errors = run("evaluate", trained, others, "--segmenter", "train", "--against", second)
    assert code == 0, errors
    record, of_second = (json.loads((each / "evaluation.json").read_text()) for each in (trained, second))
    assert record == of_second
    assert not (second / "segmenter.keras").exists()
    of_others, of_pairs = (
        np.stack([np.asarray(Image.open(file)) for file in sorted(each.iterdir())]) for each in (others, pairs)
    )
    label_maps, photos = np.split(of_others, 2, axis=2)
    colors = {tuple(color) for color in of_pairs[:, :, :32].reshape(-1, 3).tolist()}
    labels = encodings.Palette(sorted(colors)).classes_of(label_maps)
    segmenter = keras.saving.load_model(trained / "segmenter.keras")
    for pictures, scores in (
        (photos, record["real_photos"]),
        (load_model(trained).translate(label_maps), record["scores"]),
    ):
        for name, score in evaluation.fcn_score(segmenter, pictures / 127.5 - 1, labels).items():
            assert scores[f"fcn_{name}"]["value"] == pytest.approx(score.value, abs=0.01)
            assert scores[f"fcn_{name}"]["standard_error"] == pytest.approx(score.standard_error, rel=0.1)
    assert "real photos: 8 pictures, fcn_pixel_accuracy" in printed
    assert "of real photos" in (trained / "report.html").read_text()


def test_a_folder_of_generated_pictures(run, tmp_path):
    for folder, level in (("targets", 100), ("generated", 110)):
        (tmp_path / folder).mkdir()
        for name in ("1.png", "2.png"):
            Image.new("RGB", (16, 16), (level,) * 3).save(tmp_path / folder / name)
    code, printed, errors = run("evaluate", tmp_path / "targets", "--generated", tmp_path / "generated")
    assert code == 0, errors
    assert "2 pictures, l1 10 " in printed


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["RUN"], "no validation data"),
        (["RUN", "missing"], "missing"),
        (["RUN", "OTHERS", "--target", "OTHERS"], "side-by-side"),
        (["OTHERS"], "config.json"),
        (["RUN", "OTHERS", "--features", "missing.keras"], "missing.keras"),
        (["RUN", "OTHERS", "--features", "missing.pth"], "missing.pth"),
        (["RUN", "OTHERS", "--segmenter", "missing.keras"], "missing.keras"),
        (["RUN", "OTHERS", "--segmenter", "RUN"], "no segmenter"),
        (["OTHERS", "OTHERS", "--generated", "OTHERS"], "--generated"),
        (["OTHERS", "--generated", "OTHERS", "--segmenter", "train"], "label maps"),
    ],
)
def test_mistakes_end_in_one_message(run, trained, others, arguments, word):
    places = {"RUN": trained, "OTHERS": others}
    code, _, errors = run("evaluate", *(places.get(each, each) for each in arguments))
    assert code == 2
    assert word in errors
    assert "Traceback" not in errors
