"""A list of pairs, with its splits, on the command line."""

import csv
import json

import numpy as np
import pytest

from keras_pix2pix.data.synthetic import facade
from keras_pix2pix.images import write_png

SPLITS = ("train",) * 4 + ("val",) * 2 + ("test",)


@pytest.fixture
def listed(tmp_path):
    place = tmp_path / "data" / "pairs.csv"
    place.parent.mkdir()
    lines = [("source", "target", "split")]
    for seed, split in enumerate(SPLITS):
        for side, pixels in zip(("labels", "photo"), facade(seed, (32, 32)), strict=True):
            write_png(place.parent / side / f"{side}_{seed}.png", pixels)
        lines.append((f"labels/labels_{seed}.png", f"photo/photo_{seed}.png", split))
    with place.open("w", newline="") as file:
        csv.writer(file).writerows(lines)
    return place


@pytest.mark.usefixtures("small_networks")
def test_training_on_its_splits(run, listed, tmp_path):
    code, printed, errors = run("inspect", listed, "--output", tmp_path / "pairs.png")
    assert code == 0, errors
    assert "7 pairs" in printed
    assert f"train {listed} --run-dir run" in printed  # No share of the list is taken.
    where = "--run-dir", tmp_path / "run", "--image-size", 32
    code, _, errors = run("train", listed, *where, "--epochs", 1)
    assert code == 0, errors
    history = list(csv.DictReader((tmp_path / "run/history.csv").open()))
    assert np.isfinite(float(history[0]["val_g_l1"]))
    # Its validation pairs, and its test pairs where the list is named.
    assert run("evaluate", tmp_path / "run")[0] == 0
    assert json.loads((tmp_path / "run/evaluation.json").read_text())["pictures"] == 2
    assert run("evaluate", tmp_path / "run", listed)[0] == 0
    assert json.loads((tmp_path / "run/evaluation.json").read_text())["pictures"] == 1
    # Resumed; and not after the list has changed.
    assert run("train", "--run-dir", tmp_path / "run", "--resume", "--epochs", 2)[0] == 0
    listed.write_text(listed.read_text().replace("labels_3.png", "labels_2.png"))
    code, _, errors = run("train", "--run-dir", tmp_path / "run", "--resume", "--epochs", 3)
    assert code == 2
    assert "pairs.csv" in errors


@pytest.mark.usefixtures("small_networks")
def test_a_list_without_validation_pairs(run, listed, tmp_path):
    listed.write_text("".join(line for line in listed.read_text().splitlines(True) if ",val" not in line))
    code, _, errors = run("train", listed, "--run-dir", tmp_path / "run", "--image-size", 32, "--epochs", 1)
    assert code == 0, errors
    history = list(csv.DictReader((tmp_path / "run/history.csv").open()))
    assert history[0]["val_g_l1"] == "NA"


def test_a_direction_is_refused(run, listed, tmp_path):
    code, _, errors = run("train", listed, "--run-dir", tmp_path / "run", "--direction", "BtoA")
    assert code == 2
    assert "list of pairs" in errors
    assert not (tmp_path / "run").exists()
