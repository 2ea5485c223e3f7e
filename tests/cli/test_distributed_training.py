"""`train` on several devices, and as several workers: the run of one process, but for rounding."""

import json
import os
import socket
import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_pix2pix.data.synthetic import write_facades

OPTIONS = ("--image-size", 32, "--batch-size", 2)
SMALL = ["generator.filters=2", "generator.dropout=0", "discriminator.filters=2", "adam.learning_rate=1e-4"]
SMALL = [word for change in SMALL for word in ("--set", change)]
PROGRAM = "import sys; from keras_pix2pix.cli.main import main; main(sys.argv[1:])"


@pytest.fixture
def pairs(tmp_path):
    write_facades(tmp_path / "pairs", 4, image_size=(32, 32))
    return tmp_path / "pairs"


def weights_of(run_dir):
    return keras.saving.load_model(run_dir / "model.keras").get_weights()


def assert_equal_runs(ours, theirs):
    for one, other in zip(weights_of(ours), weights_of(theirs), strict=True):
        # A step of Adam is the learning rate, with the sign of rounding where the gradient is 0.
        np.testing.assert_allclose(one, other, atol=8.1e-4)
    rows = [np.loadtxt(folder / "history.csv", delimiter=",", skiprows=1, ndmin=2) for folder in (ours, theirs)]
    np.testing.assert_allclose(*rows, rtol=1e-2)


def test_two_devices_train_like_one_and_go_on(run, pairs, tmp_path):
    arguments = ("train", pairs, "--validation", pairs, *OPTIONS, *SMALL)
    assert run(*arguments, "--run-dir", tmp_path / "one", "--epochs", 2)[0] == 0
    code, printed, errors = run(*arguments, "--run-dir", tmp_path / "two", "--epochs", 1, "--devices", 2)
    assert code == 0, errors
    code, printed, errors = run("train", "--run-dir", tmp_path / "two", "--resume", "--epochs", 2, "--devices", 2)
    assert code == 0, errors
    assert "Epoch 2/2" in printed
    assert_equal_runs(tmp_path / "one", tmp_path / "two")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--devices", 2, "--batch-size", 3), "--batch-size must be a multiple of that. Received: 3."),
        (("--devices", "GPU:9"), "names among CPU:0, CPU:1. Received: GPU:9"),
    ],
)
def test_devices_that_do_not_suit(run, pairs, tmp_path, options, words):
    code, _, errors = run("train", pairs, "--run-dir", tmp_path / "run", "--image-size", 32, *options)
    assert code == 2
    assert words in errors


@pytest.mark.slow
def test_two_workers_train_like_one_process_and_only_the_chief_writes(run, pairs, tmp_path):
    arguments = ("train", pairs, "--validation", pairs, *OPTIONS, *SMALL)
    assert run(*arguments, "--run-dir", tmp_path / "one", "--epochs", 2)[0] == 0
    run_dir = ("--run-dir", tmp_path / "two")
    outputs = as_workers(*arguments, *run_dir, "--epochs", 1)
    assert "The model: " in outputs[0]
    assert outputs[1] == ""
    outputs = as_workers("train", *run_dir, "--resume", "--epochs", 2)
    assert "The model: " in outputs[0]
    assert_equal_runs(tmp_path / "one", tmp_path / "two")
    assert {path.name for path in (tmp_path / "two").iterdir()} == {path.name for path in (tmp_path / "one").iterdir()}


def as_workers(*arguments):
    """What two workers print."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    cluster = {"worker": [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]}
    for each in sockets:
        each.close()
    command, processes = [sys.executable, "-c", PROGRAM, *map(str, arguments)], []
    for index in range(2):
        config = json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}})
        environment = {**os.environ, "TF_CONFIG": config}
        processes.append(
            subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        )
    outputs = [process.communicate(timeout=300) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    return [printed for printed, _ in outputs]
