"""`keras-pix2pix train`, in process, with networks of a few filters: what is typed, and what it leaves."""

import csv
import json
import shutil

import keras
import numpy as np
import pytest
from PIL import Image

from keras_pix2pix.runs import configuration
from keras_pix2pix.runs import data as run_data
from keras_pix2pix.runs import train as train_module

pytestmark = pytest.mark.usefixtures("small_networks")


def test_train_leaves_a_run_folder(run, pairs, tmp_path):
    run_dir = tmp_path / "run"
    code, printed, errors = run(
        *("train", pairs, "--run-dir", run_dir, "--validation", pairs, "--image-size", "32x64"),
        *("--direction", "BtoA", "--batch-size", 2, "--epochs", 2, "--seed", 5),
    )
    assert code == 0, errors
    assert "1 batches of 2 pair(s) an epoch, 32x64, direction BtoA; 2 batches of validation" in printed
    assert "a receptive field of 70x70 pixels" in printed
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
    monkeypatch.setattr(run_data, "_SYNTHETIC_PAIRS", {"train": (3, 0), "validation": (2, 1000)})
    code, printed, _ = run("train", "synthetic", "--run-dir", tmp_path / "run", "--image-size", 32, "--epochs", 1)
    assert code == 0
    assert "3 batches of 1 pair(s) an epoch, 32x32, direction AtoB; 2 batches of validation" in printed
    names = {
        split: {path.name for path in (tmp_path / "run/data" / split).iterdir()} for split in ("train", "validation")
    }
    assert [len(each) for each in names.values()] == [3, 2]
    assert not names["train"] & names["validation"]


@pytest.mark.parametrize("name", ["logs", "samples"])
def test_a_file_where_training_needs_a_folder(run, trained, name):
    shutil.rmtree(trained / name)
    (trained / name).write_text("mine")
    code, _, errors = run("train", "--run-dir", trained, "--resume", "--epochs", 2)
    assert (code, str(trained / name) in errors) == (2, True)
    assert (trained / name).read_text() == "mine"


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


def test_a_mistake_that_callbacks_find_leaves_no_run(run, pairs, tmp_path):
    arguments = ("train", pairs, "--run-dir", tmp_path / "run", "--image-size", 32, "--epochs", 1, "--average")
    code, _, errors = run(*arguments, 1.5)
    assert (code, "`decay` must be above 0 and below 1" in errors) == (2, True)
    assert run(*arguments, 0.9)[0] == 0


def truncate(path):
    path.write_bytes(path.read_bytes()[:200])


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


def test_a_mistake_with_drawn_data_can_be_mended(run, tmp_path, monkeypatch):
    monkeypatch.setattr(run_data, "_SYNTHETIC_PAIRS", {"train": (2, 0), "validation": (1, 1000)})
    options = ["train", "synthetic", "--run-dir", tmp_path / "run", "--epochs", 1, "--image-size"]
    assert run(*options, 20)[0] == 2
    assert run(*options, 32)[0] == 0
    assert Image.open(next((tmp_path / "run/data/train").iterdir())).size == (64, 32)


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
        ("generator.filters=many", "Wrong type in generator"),
        ("adam.lr=1", "Unknown: adam.lr. Accepted in adam: beta_1, beta_2, epsilon, corrected_epsilon"),
        ("data.jiter=1.0", "Unknown: data.jiter. Accepted in data: batch_size, jitter"),
    ],
)
def test_a_mistaken_change_says_what_is_accepted(run, pairs, tmp_path, change, words):
    code, _, errors = run("train", pairs, "--image-size", 32, "--run-dir", tmp_path / "run", "--set", change)
    assert code == 2
    assert words in errors


def test_a_share_of_the_data_is_kept_for_validation(run, pairs, tmp_path):
    options = ("--image-size", 32, "--run-dir", tmp_path / "run", "--validation-split", 0.5)
    assert run("train", pairs, *options, "--epochs", 1)[0] == 0
    config = json.loads((tmp_path / "run/config.json").read_text())
    assert config["validation_split"] == 0.5
    code, printed, _ = run("train", "--run-dir", tmp_path / "run", "--resume", "--epochs", 2)
    assert code == 0
    assert "batches of validation" in printed
    with (tmp_path / "run/history.csv").open() as file:
        history = list(csv.DictReader(file))
    assert len(history) == 2
    assert "val_g_l1" in history[0]


@pytest.mark.parametrize("other", [("--validation", "PAIRS"), ()])
def test_validation_data_are_of_one_kind(run, pairs, tmp_path, other):
    data = pairs if other else "synthetic"
    given = [pairs if word == "PAIRS" else word for word in other]
    code, _, errors = run("train", data, "--run-dir", tmp_path / "run", "--validation-split", 0.5, *given)
    assert code == 2
    assert "--validation-split" in errors


def test_a_perceptual_loss_says_what_it_costs(run, pairs, tmp_path):
    image = keras.Input((None, None, 3))
    keras.Model(image, keras.layers.Conv2D(4, 3, name="edges")(image), name="tiny").save(tmp_path / "tiny.keras")
    changes = ("--set", f"compile.reconstruction_loss={tmp_path / 'tiny.keras'}", "--set", "compile.lambda_l1=10")
    options = ("--image-size", 32, "--epochs", 1, "--steps-per-epoch", 1)
    code, printed, errors = run("train", pairs, "--run-dir", tmp_path / "run", *options, *changes)
    assert code == 0, errors
    assert "tiny.keras, weight 10: forward, it takes" in printed
    code, _, errors = run("train", "--run-dir", tmp_path / "run", "--resume", "--epochs", 2)
    assert code == 0, errors
    changes = ("--set", "compile.reconstruction_loss=nowhere.keras")
    code, _, errors = run("train", pairs, "--run-dir", tmp_path / "other", *options, *changes)
    assert code == 2
    assert "nowhere.keras" in errors
