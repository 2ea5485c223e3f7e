"""The commands, in process, with networks of a few filters; what users type and what they read."""

import contextlib
import errno
import inspect
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
import tensorflow as tf
import typer.main
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

import keras_pix2pix
from keras_pix2pix import Pix2Pix
from keras_pix2pix.callbacks import resume_point
from keras_pix2pix.cli import train as train_module
from keras_pix2pix.cli.documentation import parameter_help
from keras_pix2pix.cli.main import app, main
from keras_pix2pix.data.synthetic import write_facades
from keras_pix2pix.deploy import verdict
from keras_pix2pix.deploy.gpu_delegate import operators
from keras_pix2pix.deploy.metadata import read_metadata
from keras_pix2pix.deploy.tflite import QUANTIZATIONS
from keras_pix2pix.images import write_png
from keras_pix2pix.runs import configuration
from keras_pix2pix.runs import data as run_data
from keras_pix2pix.runs.progress_bar import ProgressBar
from keras_pix2pix.training.presets import PRESETS


@pytest.fixture(autouse=True)
def small_networks(monkeypatch):
    for recipe in PRESETS.values():
        for network in ("generator", "discriminator"):
            monkeypatch.setitem(recipe[network], "filters", 2)


@pytest.fixture
def pairs(tmp_path):
    write_facades(tmp_path / "pairs", 3, image_size=(32, 32))
    return tmp_path / "pairs"


@pytest.fixture
def trained(run, pairs, tmp_path):
    code, *_ = run("train", pairs, "--run-dir", tmp_path / "run", "--image-size", 32, "--epochs", 1)
    assert code == 0
    return tmp_path / "run"


def test_train_leaves_a_run_folder(run, pairs, tmp_path):
    run_dir = tmp_path / "run"
    code, printed, errors = run(
        *("train", pairs, "--run-dir", run_dir, "--validation", pairs, "--image-size", "32x64"),
        *("--direction", "BtoA", "--batch-size", 2, "--epochs", 2, "--seed", 5),
    )
    assert code == 0, errors
    assert "1 batches of 2 pair(s) an epoch, 32x64, direction BtoA; 2 batches of validation" in printed
    assert "judges patches of 70x70 pixels" in printed
    assert "val_g_l1" in printed
    assert {path.name for path in run_dir.iterdir()} == {
        "best.keras",
        "config.json",
        "data.json",
        "history.csv",
        "logs",
        "model.keras",
        "report.html",
        "samples",
    }
    config = json.loads((run_dir / "config.json").read_text())
    assert config.pop("identity").keys() == {"run", "data"}
    assert config.pop("versions").keys() == {"keras_pix2pix", "python", "tensorflow", "keras", "numpy", "pillow"}
    assert config == {
        "data": str(pairs),
        "validation": str(pairs),
        "preset": "paper",
        "direction": "BtoA",
        "schedule": "constant",
        "image_size": [32, 64],
        "batch_size": 2,
        "epochs": 2,
        "seed": 5,
    }
    model = keras.saving.load_model(run_dir / "model.keras")
    assert model.direction == "BtoA"
    assert model.generator.input_shape == (None, 32, 64, 3)
    assert int(model.generator_optimizer.iterations) == 2
    assert {path.name for path in (run_dir / "logs").iterdir()} == {"images", "train", "validation"}
    assert len(list((run_dir / "samples").glob("epoch_*.png"))) == 3
    assert len((run_dir / "history.csv").read_text().splitlines()) == 3


def test_the_source_is_the_half_that_the_direction_says(run, pairs, tmp_path):
    left = np.asarray(Image.open(sorted(pairs.iterdir())[0]))[:, :32]
    for direction, column in (("AtoB", 0), ("BtoA", 2)):
        run(
            *("train", pairs, "--run-dir", tmp_path / direction, "--image-size", 32, "--epochs", 1),
            *("--direction", direction),
        )
        grid = np.asarray(Image.open(tmp_path / direction / "samples" / "epoch_0000.png"))
        np.testing.assert_array_equal(grid[:32, 32 * column : 32 * column + 32], left)


def test_two_folders_train_like_their_side_by_side_files(run, pairs, tmp_path):
    for path in pairs.iterdir():
        pair = Image.open(path)
        for side, left in (("source", 0), ("target", 32)):
            (tmp_path / side).mkdir(exist_ok=True)
            pair.crop((left, 0, left + 32, 32)).save(tmp_path / side / path.with_suffix(".bmp").name)
    options = ("--image-size", 32, "--epochs", 1)
    run("train", pairs, "--run-dir", tmp_path / "one", *options)
    code, printed, _ = run(
        *("train", tmp_path / "source", "--target", tmp_path / "target", "--run-dir", tmp_path / "two", *options),
        *("--validation", tmp_path / "source", "--validation-target", tmp_path / "target"),
    )
    assert code == 0
    assert "two folders" in printed
    one, two = (keras.saving.load_model(tmp_path / name / "model.keras") for name in ("one", "two"))
    for ours, theirs in zip(one.generator.get_weights(), two.generator.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


@pytest.mark.slow
def test_the_seed_decides_the_run(run, pairs, tmp_path):
    sums = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run(*("train", pairs, "--run-dir", tmp_path / name, "--image-size", 32, "--epochs", 1, "--seed", seed))
        weights = keras.saving.load_model(tmp_path / name / "model.keras").generator.get_weights()
        sums.append(sum(float(np.abs(weight).sum()) for weight in weights))
    assert sums[0] == pytest.approx(sums[1], rel=1e-6)
    assert sums[0] != pytest.approx(sums[2], rel=1e-6)


def test_the_word_synthetic_draws_a_data_set(run, tmp_path, monkeypatch):
    monkeypatch.setattr(run_data, "SYNTHETIC_PAIRS", {"train": (3, 0), "validation": (2, 1000)})
    code, printed, _ = run("train", "synthetic", "--run-dir", tmp_path / "run", "--image-size", 32, "--epochs", 1)
    assert code == 0
    assert "3 batches of 1 pair(s) an epoch, 32x32, direction AtoB; 2 batches of validation" in printed
    names = {
        split: {path.name for path in (tmp_path / "run/data" / split).iterdir()} for split in ("train", "validation")
    }
    assert [len(each) for each in names.values()] == [3, 2]
    assert not names["train"] & names["validation"]


@pytest.mark.parametrize("steps", [None, pytest.param(2, marks=pytest.mark.slow)])
def test_a_resumed_run_ends_like_an_uninterrupted_one(run, pairs, tmp_path, steps):
    options = ["--image-size", 32, *(["--steps-per-epoch", steps] if steps else [])]
    run("train", pairs, "--run-dir", tmp_path / "whole", "--epochs", 3, *options)
    run("train", pairs, "--run-dir", tmp_path / "parts", "--epochs", 1, *options)
    code, printed, _ = run("train", "--run-dir", tmp_path / "parts", "--resume", "--epochs", 3)
    assert code == 0
    assert "Epoch 2/3" in printed
    assert "Epoch 1/3" not in printed
    whole, parts = (keras.saving.load_model(tmp_path / name / "model.keras") for name in ("whole", "parts"))
    assert int(parts.generator_optimizer.iterations) == 3 * (steps or 3)
    for ours, theirs in zip(whole.get_weights(), parts.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-3)  # Three threads' rounding, through Adam.
    history = (tmp_path / "parts" / "history.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in history] == ["epoch", "0", "1", "2"]
    assert json.loads((tmp_path / "parts" / "config.json").read_text())["epochs"] == 3


class Interrupting(keras.callbacks.TensorBoard):
    """Does `at_step` in the middle of the fifth step, the second of the second epoch."""

    def on_train_batch_begin(self, batch, logs=None):
        if int(self.model.generator_optimizer.iterations) == 4:
            self.at_step()


def interrupted(run, pairs, run_dir, monkeypatch, at_step, *options):
    Interrupting.at_step = lambda self: at_step()
    with monkeypatch.context() as patch:
        patch.setattr(keras.callbacks, "TensorBoard", Interrupting)
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


@pytest.mark.parametrize("name", ["logs", "samples"])
def test_a_file_where_training_needs_a_folder(run, trained, name):
    shutil.rmtree(trained / name)
    (trained / name).write_text("mine")
    code, _, errors = run("train", "--run-dir", trained, "--resume", "--epochs", 2)
    assert (code, str(trained / name) in errors) == (2, True)
    assert (trained / name).read_text() == "mine"


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
    assert "Traceback" not in errors


def test_a_second_hangup_does_not_stop_the_saving(on_a_terminal, run, pairs, tmp_path, monkeypatch):
    def twice():
        signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGHUP)

    assert "step 2 of epoch 2" in interrupted(run, pairs, tmp_path / "run", monkeypatch, twice)


def test_a_hangup_is_ignored_under_nohup(run, pairs, tmp_path, monkeypatch):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        monkeypatch.setattr(keras.callbacks, "TensorBoard", Interrupting)
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
    monkeypatch.setattr(keras.callbacks, "TensorBoard", Interrupting)
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
        patch.setattr(keras.callbacks, "TensorBoard", Interrupting)
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
        patch.setattr(keras.callbacks, "TensorBoard", Interrupting)
        code, _, errors = run("train", pairs, "--run-dir", run_dir, "--image-size", 32, "--epochs", 2)
    assert code == 2
    go_on = f"Resume with:\nkeras-pix2pix train --run-dir {run_dir} --resume"
    assert errors.strip().splitlines()[-2:] == f"keras-pix2pix: No space left on device. {go_on}".splitlines()


@pytest.mark.parametrize(
    ("config", "asked"),
    [
        ({}, 1),
        ({"deterministic": False}, 0),
        ({"changes": {"compile.jit_compile": True}}, 0),
        ({"changes": {"compile.jit_compile": True}, "deterministic": True}, 1),
    ],
    ids=["default", "switched off", "XLA", "both"],
)
def test_a_run_is_deterministic_where_that_costs_nothing(determinism, config, asked):
    train_module._seed({"seed": 1, **config})
    assert len(determinism) == asked


def test_determinism_is_asked_for_on_the_command_line(run, pairs, tmp_path, determinism):
    options = ("--image-size", 32, "--epochs", 1)
    assert run("train", pairs, "--run-dir", tmp_path / "run", *options, "--no-deterministic")[0] == 0
    assert not determinism
    assert json.loads((tmp_path / "run" / "config.json").read_text())["deterministic"] is False


def test_a_folder_is_trained_in_by_one_process(run, pairs, tmp_path):
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    arguments = ("train", pairs, "--run-dir", run_dir, "--image-size", 32, "--epochs", 1)
    with train_module._only_one_training_in(run_dir):
        code, _, errors = run(*arguments)
    assert (code, "Another process is training in" in errors, list(run_dir.iterdir())) == (2, True, [])
    assert run(*arguments)[0] == 0


def test_a_lost_model_is_not_begun_again(run, trained):
    (trained / "model.keras").unlink()
    history = (trained / "history.csv").read_text()
    code, _, errors = run("train", "--run-dir", trained, "--resume", "--epochs", 2)
    assert code == 2
    assert "has epochs behind it, but no model.keras" in errors
    assert (trained / "history.csv").read_text() == history


def test_a_mistake_that_callbacks_find_leaves_no_run(run, pairs, tmp_path):
    arguments = ("train", pairs, "--run-dir", tmp_path / "run", "--image-size", 32, "--epochs", 1, "--average")
    code, _, errors = run(*arguments, 1.5)
    assert (code, "`decay` must be above 0 and below 1" in errors) == (2, True)
    assert run(*arguments, 0.9)[0] == 0


def test_how_to_go_on_can_be_pasted(tmp_path):
    assert train_module._go_on("my run", 2).endswith("train --run-dir 'my run' --resume --devices 2")


def test_history_that_comes_again_is_taken_out(tmp_path):
    history = tmp_path / "history.csv"
    history.write_text("epoch,g_loss\n0,1.5\n1,1.25\nnoise\n2,1.125\n1")  # The last row was cut off in 10.
    train_module._forget_what_comes_again(history, 2)
    assert history.read_text() == "epoch,g_loss\n0,1.5\n1,1.25\n"


def test_a_model_from_elsewhere_does_not_say_how_far_the_run_has_come(run, trained):
    model = keras.saving.load_model(trained / "model.keras")
    model.progress = None
    model.save(trained / "model.keras")
    code, _, errors = run("train", "--run-dir", trained, "--resume", "--epochs", 2)
    assert code == 2
    assert "model.keras doesn't say how far the run has come" in errors


def test_translate_writes_pictures(run, trained, pairs, tmp_path):
    names = [path.name for path in sorted(pairs.iterdir())]
    code, printed, _ = run("translate", trained, pairs, "--output", tmp_path / "out", "--side-by-side")
    assert (code, printed) == (0, f"3 pictures in {tmp_path / 'out'}\n")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names
    assert Image.open(tmp_path / "out" / names[0]).size == (32, 32)
    code, _, _ = run("translate", trained / "model.keras", pairs / names[0], "--output", tmp_path / "whole")
    assert code == 0
    assert Image.open(tmp_path / "whole" / names[0]).size == (64, 32)


def test_translate_in_tiles(run, trained, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (80, 72, 3), dtype=np.uint8)
    write_png(tmp_path / "a.png", pixels)
    model = keras.saving.load_model(trained / "model.keras")
    results = []
    for flags, options in (
        (("--overlap", 8), {"overlap": 8}),
        (("--overlap", 16), {"overlap": 16}),
        (("--overlap", 8, "--fixed-statistics"), {"overlap": 8, "fixed_statistics": True}),
    ):
        arguments = ("translate", trained, tmp_path / "a.png", "--output", tmp_path / "out", "--tile", 32, *flags)
        code, printed, errors = run(*arguments)
        assert (code, printed) == (0, f"1 picture in {tmp_path / 'out'}\n"), errors
        results.append(np.asarray(Image.open(tmp_path / "out" / "a.png")))
        np.testing.assert_allclose(results[-1], model.translate(tmp_path / "a.png", tile=32, **options), atol=1)
    assert all((results[0] != other).any() for other in results[1:])


def test_a_bare_generator_translates_and_exports(run, pairs, tmp_path):
    path = tmp_path / "generator.keras"
    keras_pix2pix.unet_generator((32, 32, 3), filters=2).save(path)
    assert run("translate", path, pairs, "--output", tmp_path / "out")[0] == 0
    assert run("export", path, "--format", "tflite", "--output", tmp_path / "x.tflite")[0] == 0
    code, _, errors = run("translate", path, pairs, "--output", tmp_path / "out", "--side-by-side")
    assert code == 2
    assert "--side-by-side needs a Pix2Pix" in errors


def test_export_prints_the_verdict_and_nothing_else(run, trained, tmp_path):
    for form, name, options in (
        ("tflite", "x.tflite", []),
        ("tflite", "half.tflite", ["--quantization", "float16", "--image-size", "32x64"]),
        ("saved_model", "saved", []),
    ):
        code, printed, errors = run("export", trained, "--format", form, "--output", tmp_path / name, *options)
        assert code == 0, errors
        lines = [
            rf"{tmp_path / name}: [\d.]+ MB, PSNR [\d.]+ dB, largest difference \d grey.*\n",
        ]
        if form == "tflite":
            lines.append(rf"{tmp_path / name}: operators that GPUs leave to the CPU: 1 CAST .*\n")
        lines.append(rf"{tmp_path / name}: compared on 3 pictures of the training data\n")
        assert re.fullmatch("".join(lines), printed)
        assert errors == ""
    assert (tmp_path / "half.tflite").stat().st_size < 0.8 * (tmp_path / "x.tflite").stat().st_size
    assert "serve_encoded" in tf.saved_model.load(tmp_path / "saved").signatures


def test_int8_takes_its_ranges_from_the_training_data_of_the_run(run, trained, tmp_path):
    path = tmp_path / "x.tflite"
    arguments = ("export", trained, "--format", "tflite", "--quantization", "int8", "--output", path)
    code, printed, errors = run(*arguments, "--license", "CC BY 4.0")
    assert (code, errors) == (0, "")
    assert printed.startswith(f"{path}: ranges of 3 pictures of the training data\n")
    assert {"QUANTIZE", "DEQUANTIZE"} <= operators(path).keys()
    metadata = read_metadata(path)
    assert metadata["license"] == "CC BY 4.0"
    assert metadata["config"]["preset"] == "paper"
    # Where the data lay is nothing that a file should tell.
    assert str(tmp_path) not in json.dumps(metadata)
    first = path.read_bytes()
    write_facades(tmp_path / "others", 2, image_size=(32, 32), seed=50)
    code, printed, _ = run(*arguments, "--images", tmp_path / "others")
    assert code == 0
    assert printed.startswith(f"{path}: ranges of 2 pictures of {tmp_path / 'others'}\n")
    assert path.read_bytes() != first


def test_pictures_of_a_folder_are_what_is_compared_on(run, tmp_path, monkeypatch):
    keras_pix2pix.unet_generator((32, 32, 3), filters=2).save(tmp_path / "generator.keras")
    (tmp_path / "pictures").mkdir()
    for number in range(3):
        write_png(tmp_path / "pictures" / f"{number}.png", np.full((50, 40, 3), 100 * number, "uint8"))
    compared, compare = [], verdict.compare
    monkeypatch.setattr(verdict, "compare", lambda *given: compared.append(given[3]) or compare(*given))
    for form in ("tflite", "saved_model"):
        arguments = ("--images", tmp_path / "pictures", "--output", tmp_path / form)
        assert run("export", tmp_path / "generator.keras", "--format", form, *arguments)[0] == 0
        pixels = compared.pop()
        assert pixels.shape == (3, 32, 32, 3)
        assert sorted(pixels[:, 0, 0, 0]) == [0, 100, 200]


def test_representative_pictures_are_spread_over_the_data(pairs):
    config = {"data": "pairs", "preset": "paper", "direction": "BtoA"}
    pixels = run_data.run_sources(config, (pairs, None), (16, 16), count=2)
    files = [sorted(pairs.iterdir())[index] for index in (0, 2)]
    halves = [Image.open(file).crop((32, 0, 64, 32)).resize((16, 16), Image.Resampling.BICUBIC) for file in files]
    np.testing.assert_array_equal(pixels, np.stack(halves))


@pytest.mark.parametrize("quantization", ["dynamic", "weights"])
def test_export_of_any_size_in_eight_bits(run, trained, tmp_path, quantization):
    path = tmp_path / "x.tflite"
    arguments = ("--format", "tflite", "--quantization", quantization, "--image-size", "any", "--output", path)
    code, printed, errors = run("export", trained, *arguments)
    assert (code, errors) == (0, "")
    assert "for CPUs: GPUs want a fixed size" in printed
    details = Interpreter(str(path)).get_input_details()[0]
    assert details["shape_signature"].tolist() == [1, -1, -1, 3]
    assert read_metadata(path)["quantization"] == quantization


def test_a_model_with_code_of_its_own_is_refused(run, tmp_path):
    source = keras.Input((32, 32, 3))
    with_lambda = keras.Model(source, keras.layers.Lambda(lambda image: image * 0.5)(source))
    with_lambda.save(tmp_path / "lambda.keras")
    for form in ("tflite", "onnx", "saved_model"):
        code, _, errors = run("export", tmp_path / "lambda.keras", "--format", form, "--output", tmp_path / "x")
        assert code == 2
        assert "lambda.keras can't be loaded as a Keras model" in errors
        assert "Traceback" not in errors
        assert not (tmp_path / "x").exists()


def test_export_to_onnx_prints_the_verdict_and_nothing_else(run, trained, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("tf2onnx")
    path = tmp_path / "x.onnx"
    code, printed, errors = run("export", trained, "--format", "onnx", "--output", path, "--image-size", "32x64")
    assert (code, errors) == (0, "")
    first, second = printed.splitlines()
    assert re.fullmatch(rf"{path}: [\d.]+ MB, PSNR [\d.]+ dB, largest difference \d grey.*", first)
    assert second == f"{path}: compared on 3 pictures of the training data"
    assert onnxruntime.InferenceSession(str(path)).get_inputs()[0].shape == ["batch", 32, 64, 3]


def test_inspect_says_what_was_found_and_draws_it(run, pairs, tmp_path):
    code, printed, _ = run("inspect", pairs, "--direction", "BtoA", "--output", tmp_path / "seen.png", "--count", 2)
    assert code == 0
    assert printed.startswith("3 pairs; height x width of one side (pairs): 32x32 (3)\n")
    assert Image.open(tmp_path / "seen.png").format == "PNG"


def test_inspect_does_not_wait_for_tensorflow(pairs, tmp_path):
    program = (
        "import sys; from keras_pix2pix.cli.main import main\n"
        f"try: main(['inspect', {str(pairs)!r}, '--output', {str(tmp_path / 'x.png')!r}])\n"
        "except SystemExit: print(sorted({'tensorflow', 'keras'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert result.stdout.splitlines()[-1] == "[]"


def test_completion_is_installed_for_the_shell_and_completes(run, tmp_path, monkeypatch):
    monkeypatch.setattr("shellingham.detect_shell", lambda *depth: ("bash", "/bin/bash"))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert run("--install-completion")[0] == 0
    script = tmp_path / ".bash_completions" / "keras-pix2pix.sh"
    assert str(script) in (tmp_path / ".bashrc").read_text()
    assert "_KERAS_PIX2PIX_COMPLETE" in script.read_text()
    monkeypatch.setenv("_KERAS_PIX2PIX_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "keras-pix2pix tr")
    monkeypatch.setenv("COMP_CWORD", "1")
    assert run()[1].split() == ["train", "translate"]


def test_help_does_not_import_tensorflow_and_shows_every_command():
    program = (
        "import sys; from keras_pix2pix.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: print(sorted({'tensorflow', 'keras', 'matplotlib'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert result.stdout.splitlines()[-1] == "[]"
    for command in ("train", "translate", "export", "inspect", "convert"):
        assert command in result.stdout


@pytest.mark.parametrize("command", ["train", "translate", "export", "demo", "report", "inspect", "presets", "convert"])
def test_no_word_of_the_help_is_cut_at_80_columns(run, command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, printed, _ = run(command, "--help")
    assert code == 0
    assert "…" not in printed
    assert max(map(len, printed.splitlines())) == 80


def test_the_help_of_a_flag_is_the_docstring_of_its_parameter():
    commands = typer.main.get_command(app).commands
    flags = {
        name: {each.name: each.help for each in command.params if each.param_type_name == "option"}
        for name, command in commands.items()
    }
    assert flags["train"]["direction"] == parameter_help("data.pipeline:paired_dataset", "direction")
    assert flags["train"]["direction"] == (
        'Which half is the source: "AtoB", the left one, or "BtoA", the right one. Defaults to "AtoB".'
    )
    # Where the words of Python would not do on the command line, it has its own.
    assert "--images" in flags["export"]["quantization"]
    for word in QUANTIZATIONS:
        assert f'"{word}"' in flags["export"]["quantization"]
    assert not [help for command in flags.values() for help in command.values() if "representative" in help]
    for command in flags.values():
        assert all(command.values()), command


def test_repeated_defaults_are_those_of_the_functions():
    homes = {
        "image_size": keras_pix2pix.paired_dataset,
        "seed": keras_pix2pix.paired_dataset,
        "direction": keras_pix2pix.paired_dataset,
    }
    defaults = {name: inspect.signature(function).parameters[name].default for name, function in homes.items()}
    assert {**defaults, "preset": "paper"} == configuration.DEFAULTS
    assert inspect.signature(keras_pix2pix.Pix2Pix.from_preset).parameters["image_shape"].default[:2] == (256, 256)


def test_version(run):
    assert run("--version")[:2] == (0, f"keras-pix2pix {keras_pix2pix.__version__}\n")


def truncate(path):
    path.write_bytes(path.read_bytes()[:200])


MISTAKES = {
    "no data": (["train", "--run-dir", "RUN"], ["DATA is missing"]),
    "missing folder": (["train", "nowhere", "--run-dir", "RUN"], ["There is no folder", "nowhere"]),
    "empty folder": (["train", "EMPTY", "--run-dir", "RUN"], ["no pictures in", "empty", ".jpg"]),
    "preset": (["train", "PAIRS", "--run-dir", "RUN", "--preset", "papre"], ["'paper'", "Received: 'papre'"]),
    "direction": (
        ["train", "PAIRS", "--run-dir", "RUN", "--direction", "left"],
        ["AtoB", "Received: direction='left'"],
    ),
    "size": (["train", "PAIRS", "--run-dir", "RUN", "--image-size", "100"], ["divisible by 2**3 = 8", "(100, 100, 3)"]),
    "size form": (["train", "PAIRS", "--run-dir", "RUN", "--image-size", "big"], ["HEIGHTxWIDTH", "Received: 'big'"]),
    "batch": (["train", "PAIRS", "--run-dir", "RUN", "--batch-size", "9"], ["number of pairs, 3", "batch_size=9"]),
    "not a number": (["train", "PAIRS", "--run-dir", "RUN", "--epochs", "many"], ["Invalid value for '--epochs'"]),
    "no epochs": (["train", "PAIRS", "--run-dir", "RUN", "--epochs", "0"], ["--epochs"]),
    "no steps": (["train", "PAIRS", "--run-dir", "RUN", "--steps-per-epoch", "-1"], ["--steps-per-epoch"]),
    "seed": (["train", "PAIRS", "--run-dir", "RUN", "--seed", "-1"], ["--seed"]),
    "export to a folder": (["export", "MODEL", "--format", "tflite", "--output", "PAIRS"], ["is a folder"]),
    "draw into a folder": (["inspect", "PAIRS", "--output", "EMPTY"], ["is a folder"]),
    "run folder": (["train", "PAIRS", "--run-dir", "PAIRS"], ["exists and is not empty", "--resume"]),
    "run folder is a file": (["train", "PAIRS", "--run-dir", "FILE"], ["exists and is not empty"]),
    "no room": (["train", "PAIRS", "--run-dir", "FILE/run"], ["Not a directory", "Check its permissions"]),
    "resume nothing": (["train", "--run-dir", "EMPTY", "--resume"], ["no run to resume", "config.json"]),
    "target and direction": (
        ["train", "PAIRS", "--target", "PAIRS", "--direction", "AtoB", "--run-dir", "RUN"],
        ["--direction is for side-by-side files"],
    ),
    "validation target": (
        ["train", "PAIRS", "--target", "PAIRS", "--validation", "PAIRS", "--run-dir", "RUN"],
        ["--validation-target goes with"],
    ),
    "synthetic target": (["train", "synthetic", "--target", "PAIRS", "--run-dir", "RUN"], ["--target needs a folder"]),
    "encoding": (
        ["train", "PAIRS", "--run-dir", "RUN", "--source-encoding", "rbg"],
        ["An encoding must be", "Received: 'rbg'"],
    ),
    "encoding of the files": (
        ["train", "PAIRS", "--run-dir", "RUN", "--target-encoding", "gray16"],
        ["does not suit its encoding, 'gray16'"],
    ),
    "colours of labels": (
        ["train", "PAIRS", "--run-dir", "RUN", "--source-encoding", "palette:#000000,#ffffff", "--color-jitter", "0.1"],
        ["Label maps have neither"],
    ),
    "extra source": (
        ["train", "PAIRS", "--extra-source", "PAIRS", "--run-dir", "RUN"],
        ["--extra-source needs folders"],
    ),
    "extra validation source": (
        [
            *("train", "PAIRS", "--extra-source", "PAIRS", "--target", "PAIRS"),
            *("--validation", "PAIRS", "--validation-target", "PAIRS", "--run-dir", "RUN"),
        ],
        ["--extra-validation-source goes with", "Accepted: 1. Received: 0"],
    ),
    "inspect extra source": (["inspect", "PAIRS", "--extra-source", "PAIRS"], ["--extra-source needs folders"]),
    "no model": (["translate", "EMPTY", "PAIRS", "--output", "OUT"], ["There is no model at", "model.keras"]),
    "wrong model": (["translate", "BROKEN.keras", "PAIRS", "--output", "OUT"], ["is not a .keras file"]),
    "format": (["export", "MODEL", "--format", "coreml", "--output", "OUT"], ["saved_model, tflite, onnx", "'coreml'"]),
    "quantization": (
        ["export", "MODEL", "--format", "tflite", "--quantization", "int4", "--output", "OUT"],
        ["'none', 'float16', 'weights', 'dynamic', 'int8'", "'int4'"],
    ),
    "int8 of a bare model": (
        ["export", "MODEL", "--format", "tflite", "--quantization", "int8", "--output", "OUT"],
        ["takes its ranges from source pictures", "--images FOLDER"],
    ),
    "int8 of any size": (
        [
            *("export", "MODEL", "--format", "tflite", "--quantization", "int8"),
            *("--image-size", "any", "--output", "OUT"),
        ],
        ["ranges for pictures of one size", 'quantization="dynamic"'],
    ),
    "no pictures to compare on": (
        ["export", "MODEL", "--format", "tflite", "--images", "EMPTY", "--output", "OUT"],
        ["no pictures in", "empty"],
    ),
    "ONNX of any size": (
        ["export", "MODEL", "--format", "onnx", "--image-size", "any", "--output", "OUT"],
        ["takes pictures of any size", "Leave it out"],
    ),
    "license of a SavedModel": (
        ["export", "MODEL", "--format", "saved_model", "--license", "MIT", "--output", "OUT"],
        ["--license is for --format tflite"],
    ),
    "empty model": (["export", "NOTHING.keras", "--format", "tflite", "--output", "OUT"], ["is not a .keras file"]),
    "quantized SavedModel": (
        ["export", "MODEL", "--format", "saved_model", "--quantization", "none", "--output", "OUT"],
        ["--quantization is for --format tflite"],
    ),
    "quantized ONNX": (
        ["export", "MODEL", "--format", "onnx", "--quantization", "none", "--output", "OUT"],
        ["--quantization is for --format tflite or web. Received: --format onnx"],
    ),
    "SavedModel of one size": (
        ["export", "MODEL", "--format", "saved_model", "--image-size", "32", "--output", "OUT"],
        ["--image-size is for --format tflite or onnx or web"],
    ),
    "export size": (
        ["export", "MODEL", "--format", "tflite", "--image-size", "40", "--output", "OUT"],
        ["divisible by 32", "(40, 40)"],
    ),
    "no such picture": (["translate", "MODEL", "nowhere.png", "--output", "OUT"], ["nowhere.png"]),
    "overlap": (["translate", "MODEL", "PAIRS", "--output", "OUT", "--overlap", "8"], ["--overlap 8 without --tile"]),
    "tile": (["translate", "MODEL", "PAIRS", "--output", "OUT", "--tile", "40"], ["multiple of 32", "tile=40"]),
    "statistics": (
        ["translate", "MODEL", "PAIRS", "--output", "OUT", "--fixed-statistics"],
        ["`fixed_statistics` is for pictures in tiles", "Pass `tile`"],
    ),
    "inspect": (["inspect", "EMPTY"], ["no pictures in"]),
    "inspect direction": (["inspect", "PAIRS", "--target", "PAIRS", "--direction", "AtoB"], ["--direction is for"]),
    "inspect count": (["inspect", "PAIRS", "--count", "0"], ["`count` must be 1 or more"]),
    "log": (
        ["train", "PAIRS", "--run-dir", "RUN", "--image-size", "32", "--monitor", "val_ssim"],
        ["--monitor must be one of g_loss, ", "Received: 'val_ssim'. With --validation there are more."],
    ),
    "log without a better side": (
        ["train", "PAIRS", "--run-dir", "RUN", "--image-size", "32", "--monitor", "d_real"],
        ["Received: 'd_real'"],
    ),
    "patience for nothing": (
        ["train", "PAIRS", "--run-dir", "RUN", "--image-size", "32", "--patience", "3"],
        ["--patience needs a log", "--patience 3 without --validation"],
    ),
    "report of nothing": (["report", "EMPTY"], ["There is no run in", "history.csv"]),
    "command": (["trane"], ["No such command"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_ends_in_one_message_and_exit_code_2(mistake, run, pairs, tmp_path, monkeypatch):
    arguments, words = MISTAKES[mistake]
    places = {
        "PAIRS": pairs,
        "EMPTY": tmp_path / "empty",
        "FILE": tmp_path / "file",
        "FILE/run": tmp_path / "file" / "run",
        "RUN": tmp_path / "run",
        "OUT": tmp_path / "out",
        "MODEL": tmp_path / "model.keras",
        "BROKEN.keras": tmp_path / "broken.keras",
        "NOTHING.keras": tmp_path / "nothing.keras",
    }
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("mine")
    (tmp_path / "broken.keras").write_text("mine")
    (tmp_path / "nothing.keras").touch()
    if "MODEL" in arguments:
        keras_pix2pix.unet_generator((32, 32, 3), filters=2).save(tmp_path / "model.keras")
    code, _, errors = run(*(places.get(argument, argument) for argument in arguments))
    assert code == 2
    for word in words:
        assert word in errors
    assert "Traceback" not in errors
    assert (tmp_path / "file").read_text() == "mine"
    assert not (tmp_path / "run" / "model.keras").exists()
    assert not (tmp_path / "out").exists()
    assert len(list(pairs.iterdir())) == 3


@pytest.mark.parametrize("damage", ["truncated", "text"])
def test_a_broken_file_is_named_before_training(run, pairs, tmp_path, damage):
    broken = pairs / "broken.jpg"
    Image.effect_noise((64, 32), 50).convert("RGB").save(broken)
    if damage == "truncated":
        truncate(broken)
    else:
        broken.write_text("not a picture")
    code, printed, errors = run("train", pairs, "--run-dir", tmp_path / "run", "--image-size", 32)
    assert code == 2
    assert f"Can't read the picture {broken}" in errors
    assert "Epoch" not in printed


def test_a_file_that_breaks_later_is_named_too(run, pairs, tmp_path, monkeypatch):
    victim = sorted(pairs.iterdir())[1]
    shown = train_module.print_header
    monkeypatch.setattr(train_module, "print_header", lambda *rest: (shown(*rest), truncate(victim)))
    code, _, errors = run("train", pairs, "--run-dir", tmp_path / "run", "--image-size", 32, "--epochs", 1)
    assert code == 2
    assert f"Can't read the picture {victim}" in errors
    assert "Traceback" not in errors
    assert len(errors.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "contents",
    ['{"data": "x"}', "[]", '{"data": ', '{"image_size": 5}', '{"image_size": [32, 32], "data": "x"}', "\x80"],
)
def test_a_damaged_configuration_is_named(run, trained, contents):
    (trained / "config.json").write_bytes(contents.encode("latin-1"))
    code, _, errors = run("train", "--run-dir", trained, "--resume", "--epochs", 2)
    assert code == 2
    assert str(trained / "config.json") in errors
    assert "Traceback" not in errors


def test_a_run_killed_before_its_first_checkpoint_is_resumed_from_its_beginning(run, trained):
    (trained / "model.keras").unlink()
    (trained / "history.csv").unlink()
    (trained / ".model.keras.half.keras_pix2pix_partial").mkdir()
    code, printed, _ = run("train", "--run-dir", trained, "--resume", "--epochs", 2)
    assert code == 0
    assert "Epoch 1/2" in printed
    assert not list(trained.glob(".model*"))
    history = (trained / "history.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in history] == ["epoch", "0", "1"]


def test_a_mistake_with_drawn_data_can_be_mended(run, tmp_path, monkeypatch):
    monkeypatch.setattr(run_data, "SYNTHETIC_PAIRS", {"train": (2, 0), "validation": (1, 1000)})
    options = ["train", "synthetic", "--run-dir", tmp_path / "run", "--epochs", 1, "--image-size"]
    assert run(*options, 30)[0] == 2
    assert run(*options, 32)[0] == 0
    assert Image.open(next((tmp_path / "run/data/train").iterdir())).size == (64, 32)


def test_a_finished_run_needs_more_epochs(run, trained):
    before = (trained / "model.keras").read_bytes()
    code, _, errors = run("train", "--run-dir", trained, "--resume")
    assert code == 2
    assert "has 1 epochs behind it" in errors
    assert "larger --epochs" in errors
    assert (trained / "model.keras").read_bytes() == before
    assert json.loads((trained / "config.json").read_text())["epochs"] == 1


def test_a_changing_learning_rate_is_planned_for_all_epochs(run, pairs, tmp_path):
    options = ("--image-size", 32, "--run-dir", tmp_path / "run", "--schedule", "cosine")
    assert run("train", pairs, *options, "--epochs", 2)[0] == 0
    model = keras.saving.load_model(tmp_path / "run" / "model.keras")
    for optimizer in (model.generator_optimizer, model.discriminator_optimizer):
        assert optimizer.get_config()["learning_rate"]["config"]["decay_steps"] == int(optimizer.iterations)
        assert float(optimizer.learning_rate) == pytest.approx(0, abs=1e-9)
    code, _, errors = run("train", "--run-dir", tmp_path / "run", "--resume", "--epochs", 3)
    assert code == 2
    assert "planned for 2 epochs (cosine). Received: --epochs 3" in errors


def test_a_preset_is_changed_by_name_and_value(run, pairs, tmp_path):
    changes = {
        "generator.network": "resnet_generator",
        "generator.num_blocks": 2,
        "generator.filters": 2,
        "compile.gan_loss": "hinge",
        "adam.learning_rate": 0.001,
        "data.mirror": False,
    }
    options = ("--image-size", 32, "--epochs", 1, "--run-dir", tmp_path / "run")
    code, _, errors = run(
        "train", pairs, *options, *[f"--set={key}={json.dumps(value)}" for key, value in changes.items()]
    )
    assert code == 0, errors
    assert json.loads((tmp_path / "run" / "config.json").read_text())["changes"] == changes
    model = keras.saving.load_model(tmp_path / "run" / "model.keras")
    assert len([layer for layer in model.generator.layers if isinstance(layer, keras.layers.Add)]) == 2
    assert model.get_compile_config()["gan_loss"] == "hinge"
    assert float(model.discriminator_optimizer.learning_rate) == pytest.approx(0.001)
    assert run("train", "--run-dir", tmp_path / "run", "--resume", "--epochs", 2)[0] == 0


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("True", True), ("False", False), ("None", None), ("ab", "ab")]
)
def test_the_value_of_a_change_is_json_python_or_a_word(text, value):
    assert configuration.preset_changes([f"data.mirror={text}", "compile.lambda_l1=1e1"]) == {
        "data.mirror": value,
        "compile.lambda_l1": 10.0,
    }


def test_a_discriminator_is_no_generator(run, tmp_path):
    keras_pix2pix.patchgan_discriminator((32, 32, 3), filters=1, num_layers=1).save(tmp_path / "d.keras")
    write_facades(tmp_path / "pictures", 1, image_size=(32, 32))
    for command in (
        ("export", tmp_path / "d.keras", "--format", "tflite", "--output", tmp_path / "d.tflite"),
        ("export", tmp_path / "d.keras", "--format", "saved_model", "--output", tmp_path / "saved"),
        ("translate", tmp_path / "d.keras", tmp_path / "pictures", "--output", tmp_path / "out"),
    ):
        code, _, errors = run(*command)
        assert code == 2
        assert "A generator has one input and one output" in errors


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("compile.gan_loss", "--set needs a value"),
        ("gan_loss=hinge", "SECTION.NAME, where the section is one of generator, discriminator"),
        ("compile.gan_los=hinge", "Unknown: compile.gan_los. Accepted in compile: gan_loss, lambda_l1"),
        ("compile.gan_loss=hnge", "`gan_loss` must be one of 'vanilla', 'lsgan', 'hinge', 'wgangp'"),
        ("generator.network=unet", "`generator.network` must be one of unet_generator, resnet_generator"),
        ("generator.network=patchgan_discriminator", "`generator.network` must be one of unet_generator, resnet_gen"),
        ('generator.network=["x"]', "`generator.network` must be one of unet_generator, resnet_generator"),
        ('generator.separable="no"', "`generator.separable` must be True or False. Received: 'no'"),
        ("data.mirror=1", "`data.mirror` must be True or False. Received: 1"),
        ("generator.filters=many", "A value of another type is needed in generator"),
        ("adam.lr=1", "Unknown: adam.lr. Accepted in adam: beta_1, beta_2, epsilon, corrected_epsilon"),
        ("data.jiter=1.0", "Unknown: data.jiter. Accepted in data: batch_size, jitter"),
    ],
)
def test_a_mistaken_change_says_what_is_accepted(run, pairs, tmp_path, change, words):
    code, _, errors = run("train", pairs, "--image-size", 32, "--run-dir", tmp_path / "run", "--set", change)
    assert code == 2
    assert words in errors


def test_presets_are_listed_with_what_tells_them_apart(run):
    code, printed, errors = run("presets")
    assert code == 0, errors
    rows = {line.split()[0]: line for line in printed.splitlines() if line.strip()}
    assert rows.keys() >= PRESETS.keys()
    assert "94x94" in rows["pytorch_gan"]
    assert "70x70" in rows["junyanz"]
    assert f"{Pix2Pix.from_preset('tf_tutorial').generator.count_params():,}" in rows["tf_tutorial"]


def test_a_run_is_resumed_as_it_was_begun(run, trained):
    code, _, errors = run("train", "--run-dir", trained, "--resume", "--seed", 9)
    assert code == 2
    assert "Received: seed=9" in errors
    assert "says 0" in errors


def test_traceback_shows_where_an_error_arose(tmp_path):
    with pytest.raises(ValueError, match="There is no folder"):
        main(["--traceback", "inspect", str(tmp_path / "nowhere")])
    with pytest.raises(SystemExit):
        main(["inspect", str(tmp_path / "nowhere")])


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
