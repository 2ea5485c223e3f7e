"""`keras-pix2pix train --start-from ... --freeze encoder`."""

import json
import shutil

import keras
import numpy as np
import pytest

from keras_pix2pix import unet_generator
from keras_pix2pix.convert.conversion import Conversion


def generator_of(folder):
    return keras.saving.load_model(folder / "model.keras").generator


def test_a_run_starts_from_another_and_keeps_its_encoder(run, trained, pairs, tmp_path):
    start = generator_of(trained)
    options = ["--image-size", 32, "--epochs", 1, "--start-from", trained, "--freeze", "encoder"]
    code, printed, errors = run("train", pairs, "--run-dir", tmp_path / "tuned", *options)
    assert code == 0, errors
    (line,) = (line for line in printed.splitlines() if line.startswith("Start"))
    assert f"{trained}: generator and discriminator" in line
    assert "stay as they are" in line
    config = json.loads((tmp_path / "tuned/config.json").read_text())
    assert (config["start_from"], config["freeze"]) == (str(trained), "encoder")

    shutil.rmtree(trained)  # It isn't needed any more.
    code, printed, errors = run("train", "--run-dir", tmp_path / "tuned", "--resume", "--epochs", 2)
    assert code == 0, errors
    assert line in printed
    tuned = generator_of(tmp_path / "tuned")
    for name, kept in (("down2_convolution", True), ("up1_convolution", False)):
        kernels = [np.asarray(network.get_layer(name).kernel) for network in (start, tuned)]
        assert np.array_equal(*kernels) == kept

    code, _, errors = run("train", "--run-dir", tmp_path / "tuned", "--resume", "--epochs", 3, "--start-from", pairs)
    assert code == 2
    assert "--resume can't change start_from" in errors


@pytest.mark.usefixtures("small_networks")
def test_a_start_that_is_gone_before_the_first_checkpoint_is_named(run, pairs, tmp_path):
    file = tmp_path / "start.keras"
    unet_generator((32, 32, 3), filters=2, num_downsamples=3).save(file)
    options = ["--image-size", 32, "--epochs", 1, "--start-from", file]
    assert run("train", pairs, "--run-dir", tmp_path / "tuned", *options)[0] == 0
    for name in ("model.keras", "history.csv"):
        (tmp_path / "tuned" / name).unlink()
    file.unlink()
    code, _, errors = run("train", "--run-dir", tmp_path / "tuned", "--resume")
    assert code == 2
    assert f"There is no model at {file}" in errors


@pytest.mark.usefixtures("small_networks")
def test_a_start_that_does_not_fit_is_one_message(run, pairs, tmp_path):
    unet_generator((32, 32, 3), filters=4).save(tmp_path / "wide.keras")
    for name in ("wide", "missing"):
        command = ["train", pairs, "--run-dir", tmp_path / "run", "--image-size", 32, "--epochs", 1]
        code, _, errors = run(*command, "--start-from", tmp_path / f"{name}.keras")
        assert (code, len(errors.splitlines())) == (2, 1)
        assert f"{name}.keras" in errors
        assert not (tmp_path / "run/config.json").exists()
    code, _, errors = run(*command, "--freeze", "encoder")
    assert code == 2
    assert "--start-from" in errors


@pytest.mark.usefixtures("small_networks")
def test_a_run_starts_from_a_pytorch_file(run, pairs, tmp_path, monkeypatch):
    network = unet_generator((32, 32, 3), filters=2, num_downsamples=3)
    read = []
    monkeypatch.setattr("keras_pix2pix.from_pytorch", lambda path: read.append(path) or Conversion(network, "", 0.0))
    (tmp_path / "latest_net_G.pth").touch()
    options = ["--image-size", 32, "--epochs", 1, "--steps-per-epoch", 1, "--start-from", tmp_path / "latest_net_G.pth"]
    code, printed, errors = run("train", pairs, "--run-dir", tmp_path / "run", *options)
    assert code == 0, errors
    assert "latest_net_G.pth: generator; the discriminator starts anew" in printed
    assert read == [str(tmp_path / "latest_net_G.pth")]
