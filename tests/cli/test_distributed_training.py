"""`train` on several devices, and as several workers: the run of one process, but for rounding."""

import json
import os
import signal
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
    histories = [np.genfromtxt(folder / "history.csv", delimiter=",", names=True) for folder in (ours, theirs)]
    assert histories[0].dtype == histories[1].dtype
    for name in set(histories[0].dtype.names) - {"images_per_second"}:
        np.testing.assert_allclose(histories[0][name], histories[1][name], rtol=1e-2, err_msg=name)


@pytest.mark.slow
def test_two_devices_train_like_one_and_go_on(run, pairs, tmp_path):
    arguments = ("train", pairs, "--validation", pairs, *OPTIONS, *SMALL)
    assert run(*arguments, "--run-dir", tmp_path / "one", "--epochs", 2)[0] == 0
    code, printed, errors = run(*arguments, "--run-dir", tmp_path / "two", "--epochs", 1, "--devices", 2)
    assert code == 0, errors
    code, printed, errors = run("train", "--run-dir", tmp_path / "two", "--resume", "--epochs", 2, "--devices", 2)
    assert code == 0, errors
    assert "2 replicas share each batch" in printed
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


def test_precision_and_average_are_kept_when_a_run_is_resumed(run, pairs, tmp_path):
    run_dir = tmp_path / "run"
    code, _, errors = run(
        *("train", pairs, "--run-dir", run_dir, *OPTIONS, *SMALL, "--epochs", 1),
        *("--precision", "bfloat16", "--average", 0.5),
    )
    assert code == 0, errors
    assert run("train", "--run-dir", run_dir, "--resume", "--epochs", 2)[0] == 0
    config = json.loads((run_dir / "config.json").read_text())
    assert (config["precision"], config["average"]) == ("bfloat16", 0.5)
    model = keras.saving.load_model(run_dir / "model.keras")
    assert model.generator.get_layer("down2_convolution").compute_dtype == "bfloat16"
    assert keras.config.dtype_policy().name == "float32"
    average = keras.saving.load_model(run_dir / "average.keras")
    for ours, theirs in zip(average.generator.trainable_variables, model.training_state.average, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert run("translate", run_dir / "average.keras", pairs, "--output", tmp_path / "out", "--side-by-side")[0] == 0
    code, _, errors = run("export", run_dir / "average.keras", "--format", "tflite", "--output", tmp_path / "x.tflite")
    assert code == 0, errors


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--precision", "half"), "one of float32, bfloat16, float16. Received: precision='half'"),
        (("--average", 1), "above 0 and below 1. Received: decay=1.0"),
    ],
)
def test_precision_and_average_that_are_none(run, pairs, tmp_path, options, words):
    code, _, errors = run("train", pairs, "--run-dir", tmp_path / "run", "--image-size", 32, *options, *SMALL)
    assert code == 2
    assert words in errors


@pytest.mark.slow
def test_how_steps_are_executed_reaches_keras(run, pairs, tmp_path):
    changes = ["compile.jit_compile=true", "compile.steps_per_execution=2", "adam.gradient_accumulation_steps=2"]
    changes = [word for change in changes for word in ("--set", change)]
    code, _, errors = run("train", pairs, "--run-dir", tmp_path / "run", *OPTIONS, *SMALL, *changes, "--epochs", 1)
    assert code == 0, errors
    model = keras.saving.load_model(tmp_path / "run" / "model.keras")
    assert (model.jit_compile, model.steps_per_execution) == (True, 2)
    assert model.generator_optimizer.gradient_accumulation_steps == 2
    assert int(model.generator_optimizer._iterations) == 2


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


@pytest.mark.slow
def test_workers_started_with_different_arguments_are_refused(pairs, tmp_path):
    arguments = ("train", pairs, "--run-dir", tmp_path / "run", *OPTIONS, *SMALL, "--epochs", 1)
    workers = start_workers(*arguments, own_options=[("--seed", 1), ("--seed", 2)])
    for worker in workers:
        _, errors = worker.communicate(timeout=200)
        assert worker.returncode == 2
        assert "other arguments" in errors
        assert "Traceback" not in errors


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_worker_that_waits_says_so_and_ends_when_asked(pairs, tmp_path, number):
    worker, other = start_workers("train", pairs, "--run-dir", tmp_path / "run", *OPTIONS, *SMALL, "--epochs", 1)
    other.kill()
    other.communicate()
    said = worker.stderr.readline()
    assert said.startswith("Waiting for 127.0.0.1:")
    worker.send_signal(number)
    _, errors = worker.communicate(timeout=200)
    assert worker.returncode == 128 + number
    assert "Traceback" not in errors


@pytest.mark.slow
def test_where_one_worker_is_killed_the_other_ends_in_one_message(pairs, tmp_path):
    workers = start_workers("train", pairs, "--run-dir", tmp_path / "run", *OPTIONS, *SMALL, "--epochs", 10_000)
    for line in workers[0].stdout:
        if line.startswith("Epoch 2/"):
            break
    workers[1].kill()
    workers[1].communicate()
    _, errors = workers[0].communicate(timeout=100)
    assert workers[0].returncode == 1
    assert "Another worker stopped" in errors
    assert "Traceback" not in errors


def as_workers(*arguments):
    """What two workers print."""
    processes = start_workers(*arguments)
    outputs = [process.communicate(timeout=300) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    return [printed for printed, _ in outputs]


def start_workers(*arguments, own_options=((), ())):
    """Two workers on this machine, as processes."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    cluster = {"worker": [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]}
    for each in sockets:
        each.close()
    processes = []
    for index, options in enumerate(own_options):
        command = [sys.executable, "-c", PROGRAM, *map(str, (*arguments, *options))]
        config = json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}})
        environment = {**os.environ, "TF_CONFIG": config}
        processes.append(
            subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        )
    return processes
