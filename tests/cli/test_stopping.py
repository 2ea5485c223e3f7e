"""A training that is stopped: by Ctrl-C, by a scheduler, by a closed terminal, by a full disk."""

import contextlib
import errno
import json
import os
import signal
import subprocess
import sys
import time

import keras
import pytest

from keras_pix2pix.callbacks import resume_point, run_callbacks
from keras_pix2pix.cli.main import main
from keras_pix2pix.runs.progress_bar import ProgressBar

pytestmark = pytest.mark.usefixtures("small_networks")


class Interrupting(keras.callbacks.TensorBoard):
    """Does `at_step` in the middle of the fifth step, the second of the second epoch."""

    def on_train_batch_begin(self, batch, logs=None):
        if int(self.model.generator_optimizer.iterations) == 4:
            self.at_step()


def interrupted(run, pairs, run_dir, monkeypatch, at_step, *options):
    Interrupting.at_step = lambda self: at_step()
    with monkeypatch.context() as patch:
        patch.setattr(run_callbacks, "TensorBoard", Interrupting)
        code, _, errors = run("train", pairs, "--run-dir", run_dir, "--image-size", 32, "--epochs", 2, *options)
    assert code == 130
    assert f"keras-pix2pix train --run-dir {run_dir} --resume" in errors
    return errors


SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture
def on_a_terminal():
    """SIGHUP as a terminal leaves it: the tests may run under nohup, which has it ignored."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", SIGNALS)
def test_ctrl_c_saves_the_step_under_way_and_says_how_to_go_on(
    on_a_terminal, run, pairs, tmp_path, monkeypatch, number
):
    handlers = [signal.getsignal(each) for each in SIGNALS]
    run_dir = tmp_path / "run"
    errors = interrupted(run, pairs, run_dir, monkeypatch, lambda: signal.raise_signal(number))
    assert "Stopping after this step. Ctrl-C once more stops at once." in errors
    assert "holds the run as of step 2 of epoch 2" in errors
    assert [signal.getsignal(each) for each in SIGNALS] == handlers
    assert int(keras.saving.load_model(run_dir / "model.keras").generator_optimizer.iterations) == 5
    code, printed, _ = run("train", "--run-dir", run_dir, "--resume")
    assert code == 0
    assert "Epoch 2/2" in printed
    assert int(keras.saving.load_model(run_dir / "model.keras").generator_optimizer.iterations) == 6
    assert len((run_dir / "history.csv").read_text().splitlines()) == 3


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.2, 0.5, 1, 2, 3, 4, 5, 6, 8])
def test_ctrl_c_while_the_program_starts_leaves_no_traceback(tmp_path, seconds):
    options = ["--image-size", "64", "--set", "generator.filters=2", "--set", "discriminator.filters=2"]
    command = [
        sys.executable,
        "-m",
        "keras_pix2pix",
        "train",
        "synthetic",
        "--run-dir",
        str(tmp_path / "run"),
        *options,
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        try:
            _, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode in (130, -signal.SIGINT)
    # Until the package's first line runs, which takes a slow machine longer, Python speaks for itself.
    assert "Traceback" not in errors or "__main__.py" not in errors


def test_a_second_hangup_does_not_stop_the_saving(on_a_terminal, run, pairs, tmp_path, monkeypatch):
    def twice():
        signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGHUP)

    assert "step 2 of epoch 2" in interrupted(run, pairs, tmp_path / "run", monkeypatch, twice)


def test_a_hangup_is_ignored_under_nohup(run, pairs, tmp_path, monkeypatch):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        monkeypatch.setattr(run_callbacks, "TensorBoard", Interrupting)
        Interrupting.at_step = lambda self: signal.raise_signal(signal.SIGHUP)
        assert run("train", pairs, "--run-dir", tmp_path / "run", "--image-size", 32, "--epochs", 2)[0] == 0
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", [None, signal.SIGINT])
def test_training_needs_nobody_who_reads(pairs, tmp_path, monkeypatch, number):
    """The readers of both streams end in the second epoch, and Ctrl-C may come then: as with `train 2>&1 | tee log`."""
    readers, writers = zip(os.pipe(), os.pipe(), strict=True)

    def close():
        for reader in readers:
            with contextlib.suppress(OSError):
                os.close(reader)
        if number:
            signal.raise_signal(number)

    Interrupting.at_step = lambda self: close()
    monkeypatch.setattr(run_callbacks, "TensorBoard", Interrupting)
    arguments = ["train", str(pairs), "--run-dir", str(tmp_path / "run"), "--image-size", "32", "--epochs", "3"]
    with open(writers[0], "w") as output, open(writers[1], "w") as errors, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", output)
        patch.setattr(sys, "stderr", errors)
        with pytest.raises(SystemExit) as stop:
            main(arguments)
    assert stop.value.code == (130 if number else 0)
    steps = int(keras.saving.load_model(tmp_path / "run" / "model.keras").generator_optimizer.iterations)
    assert steps == (5 if number else 9)


def test_what_is_said_of_an_epoch_is_on_disk_by_then(run, pairs, tmp_path, monkeypatch):
    def die(self, line):
        if "steps" not in line:  # A slow machine says how far it is within an epoch.
            raise SystemExit(9)

    monkeypatch.setattr(ProgressBar, "_print", die)
    assert run("train", pairs, "--run-dir", tmp_path / "run", "--image-size", 32, "--epochs", 2)[0] == 9
    assert resume_point(keras.saving.load_model(tmp_path / "run" / "model.keras")) == (1, 3)


def test_a_second_ctrl_c_stops_at_once(run, pairs, tmp_path, monkeypatch):
    def twice():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    run_dir = tmp_path / "run"
    errors = interrupted(run, pairs, run_dir, monkeypatch, twice)
    assert "holds the run as of the end of epoch 1" in errors
    assert int(keras.saving.load_model(run_dir / "model.keras").generator_optimizer.iterations) == 3


def test_a_checkpoint_comes_every_so_many_steps(run, pairs, tmp_path, monkeypatch):
    def crash():
        raise RuntimeError("A crash.")

    run_dir = tmp_path / "run"
    Interrupting.at_step = lambda self: crash()
    with monkeypatch.context() as patch:
        patch.setattr(run_callbacks, "TensorBoard", Interrupting)
        run(
            *("train", pairs, "--run-dir", run_dir, "--image-size", 32, "--epochs", 2),
            *("--steps-per-epoch", 6, "--checkpoint-every", 3),
        )
    assert int(keras.saving.load_model(run_dir / "model.keras").generator_optimizer.iterations) == 3
    code, *_ = run("train", "--run-dir", run_dir, "--resume", "--epochs", 1, "--checkpoint-every", 1)
    assert code == 0
    assert int(keras.saving.load_model(run_dir / "model.keras").generator_optimizer.iterations) == 6
    assert json.loads((run_dir / "config.json").read_text())["checkpoint_every"] == 1


def test_a_full_disk_ends_in_one_message_that_says_how_to_go_on(run, pairs, tmp_path, monkeypatch):
    def full():
        raise OSError(errno.ENOSPC, "No space left on device")

    run_dir = tmp_path / "run"
    Interrupting.at_step = lambda self: full()
    with monkeypatch.context() as patch:
        patch.setattr(run_callbacks, "TensorBoard", Interrupting)
        code, _, errors = run("train", pairs, "--run-dir", run_dir, "--image-size", 32, "--epochs", 2)
    assert code == 2
    go_on = f"Resume with:\nkeras-pix2pix train --run-dir {run_dir} --resume"
    assert errors.strip().splitlines()[-2:] == f"keras-pix2pix: No space left on device. {go_on}".splitlines()
