"""Two processes on the loopback interface train as one does, and go on after one of them was killed."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from keras_pix2pix import fit_on_workers, patchgan_discriminator, unet_generator
from keras_pix2pix.data.synthetic import write_facades
from keras_pix2pix.training.workers import one_error_if_a_worker_stops

PROGRAM = Path(__file__).parent / "worker.py"
TIMEOUT = 300


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workers")
    # The last pair is left out in training, and fills up the second batch of validation.
    write_facades(folder / "pairs", 9, image_size=(16, 16))
    return folder


def start(folder, name, *, count, epochs=2, dropout=0.0, kill_at=0):
    """`count` workers, of which the last one kills itself after step `kill_at`: their processes."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    cluster = {"worker": [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]}
    for each in sockets:
        each.close()
    processes = []
    for index in range(count):
        config = {"cluster": cluster, "task": {"type": "worker", "index": index}}
        environment = {**os.environ, "TF_CONFIG": json.dumps(config)} if count > 1 else dict(os.environ)
        killed = kill_at if index == count - 1 else 0
        command = [sys.executable, PROGRAM, folder, f"{name}-{index}", epochs, dropout, killed]
        processes.append(subprocess.Popen(list(map(str, command)), env=environment, stderr=subprocess.PIPE, text=True))
    return processes


def finish(processes):
    """(exit codes, what they wrote to stderr)."""
    errors = [process.communicate(timeout=TIMEOUT)[1] for process in processes]
    return [process.returncode for process in processes], errors


def result(folder, name):
    weights = np.load(folder / f"{name}.npz")
    return [weights[key] for key in weights.files], json.loads((folder / f"{name}.json").read_text())


@pytest.mark.slow
def test_two_workers_end_like_one(folder):
    for name, count in (("two", 2), ("one", 1)):
        codes, errors = finish(start(folder, name, count=count))
        assert codes == [0] * count, errors
    ours, logs = result(folder, "two-0")
    theirs, their_logs = result(folder, "two-1")
    alone, logs_alone = result(folder, "one-0")
    for one, other, lone in zip(ours, theirs, alone, strict=True):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_allclose(one, lone, atol=1e-6)  # Float32, four steps.
    assert logs == their_logs
    assert logs.keys() == logs_alone.keys()
    for name, values in logs_alone.items():
        np.testing.assert_allclose(logs[name], values, rtol=1e-4, err_msg=name)
    assert [path.name for path in (folder / "two").iterdir()] == ["model.keras"]


@pytest.mark.slow
def test_a_killed_worker_stops_the_other_and_both_go_on_exactly(folder):
    options = {"count": 2, "epochs": 3, "dropout": 0.5}
    assert finish(start(folder, "whole", **options))[0] == [0, 0]
    codes, errors = finish(start(folder, "parts", **options, kill_at=5))
    assert codes == [1, -signal.SIGKILL]
    assert "RuntimeError: Another worker stopped, and none can continue without it." in errors[0]
    assert finish(start(folder, "parts", **options))[0] == [0, 0]
    for index in (0, 1):
        whole, whole_logs = result(folder, f"whole-{index}")
        parts, parts_logs = result(folder, f"parts-{index}")
        for ours, theirs in zip(whole, parts, strict=True):
            np.testing.assert_array_equal(ours, theirs)
        assert {name: values[2:] for name, values in whole_logs.items()} == parts_logs


def test_without_a_cluster_it_trains_alone_and_goes_on(images, tmp_path):
    source, target = images(2)
    folders = []

    def fit(model, directory):
        folders.append(directory)
        model.fit(source, target, batch_size=2, verbose=0)
        model.save(directory / "model.keras")

    def train():
        return fit_on_workers(
            lambda: (unet_generator((32, 32, 3), filters=2), patchgan_discriminator((32, 32, 3), filters=2)),
            lambda model: model.compile(),
            fit,
            tmp_path,
            weights=tmp_path / "model.keras",
            direction="BtoA",
        )

    assert train().direction == "BtoA"
    assert int(train().generator_optimizer.iterations) == 2
    assert folders == [tmp_path, tmp_path]


def test_the_constructor_makes_no_variable(make_model):
    model = make_model()
    networks = [*model.generator.variables, *model.discriminator.variables]
    assert {id(each) for each in model.variables} == {id(each) for each in networks}
    assert not model.metrics


def test_only_among_several_workers_is_an_error_put_in_other_words(monkeypatch):
    error = tf.errors.UnavailableError(None, None, "Socket closed\nmore")
    with pytest.raises(tf.errors.UnavailableError), one_error_if_a_worker_stops():
        raise error
    cluster = {"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(cluster))
    with pytest.raises(RuntimeError, match="TensorFlow says: Socket closed$"), one_error_if_a_worker_stops():
        raise error
