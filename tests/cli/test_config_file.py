"""`keras-pix2pix train --config` and `--print-config`."""

import json

import pytest
import yaml

from keras_pix2pix.cli import train as command
from keras_pix2pix.runs import train as train_module


@pytest.fixture
def started(monkeypatch):
    """The configurations that runs were started with: no run goes further."""
    configurations = []
    monkeypatch.setattr(train_module, "_run", lambda config, *rest: configurations.append(config))
    return configurations


def write(path, text):
    path.write_text(text)
    return path


def test_options_come_before_the_file_and_the_file_before_the_defaults(run, started, pairs, tmp_path):
    file = write(
        tmp_path / "recipe.yaml",
        f"""
        data: {pairs}
        preset: mobile
        epochs: 7
        image_size: 64
        changes:
          compile: {{gan_loss: lsgan, lambda_l1: 10}}
          generator.filters: 8
        """,
    )
    options = ("--epochs", 3, "--set", "compile.lambda_l1=20")
    code, _, errors = run("train", "--config", file, "--run-dir", tmp_path / "run", *options)
    assert code == 0, errors
    (config,) = started
    assert (config["data"], config["preset"], config["epochs"]) == (str(pairs), "mobile", 3)
    assert config["image_size"] == (64, 64)
    assert config["changes"] == {"compile.gan_loss": "lsgan", "compile.lambda_l1": 20, "generator.filters": 8}
    assert config["direction"] == "AtoB"


def test_what_is_printed_gives_the_same_run(run, started, pairs, tmp_path):
    options = ("--preset", "junyanz", "--direction", "BtoA", "--image-size", "32x64", "--precision", "bfloat16")
    options = (pairs, *options, "--set", "compile.gan_loss=lsgan", "--set", "generator.dropout_blocks=[1, 2]")
    code, printed, errors = run("train", *options, "--print-config")
    assert code == 0, errors
    assert yaml.safe_load(printed)["changes"] == {
        "compile": {"gan_loss": "lsgan"},
        "generator": {"dropout_blocks": [1, 2]},
    }
    file = write(tmp_path / "printed.yml", printed)
    assert not started
    assert run("train", *options, "--run-dir", tmp_path / "a")[0] == 0
    assert run("train", "--config", file, "--run-dir", tmp_path / "b")[0] == 0
    assert started[0] == started[1]


def test_without_anything_the_defaults_are_printed(run):
    code, printed, errors = run("train", "--print-config")
    assert code == 0, errors
    assert yaml.safe_load(printed) | {"preset": "paper", "image_size": [256, 256]} == yaml.safe_load(printed)


def test_the_configuration_of_a_run_of_two_folders(run, started, tmp_path, pairs):
    config = {"data": str(pairs), "target": str(pairs), "direction": "AtoB", "preset": "paper", "image_size": [32, 32]}
    of_a_run = {**config, "schedule": "constant", "batch_size": 1, "epochs": 2, "seed": 0}
    of_a_run |= {"identity": {"run": "1", "data": "2"}, "versions": {"keras": "3"}}
    file = write(tmp_path / "config.json", json.dumps(of_a_run))
    code, _, errors = run("train", "--config", file, "--run-dir", tmp_path / "run")
    assert code == 0, errors
    assert started[0]["target"] == str(pairs)
    assert not {"identity", "versions"} & started[0].keys()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("epochs: many\nbatch_size: -1\ncolour: red", ["'epochs'", "'batch_size'", "'colour'", "color_jitter"]),
        ("- 1", ["settings by name", "list"]),
        ("preset: [", ["wrong.yaml", "line"]),
        ("changes: {compile: {gan_los: lsgan}, generators: {filters: 2}}", ["generators"]),
        ("preset: papre", ["papre"]),
        ("!!python/object/apply:os.system ['true']", ["wrong.yaml", "python/object"]),
        ("preset: &name mobile\nschedule: *name", ["aliases"]),
        ("image_size: big", ["HEIGHTxWIDTH"]),
        ("changes: {1: 2}", ["SECTION.NAME", "'1'"]),
        ("changes: {on: red}", ["SECTION.NAME", "'True'"]),
        ("changes: {compile: {gan_loss: 2024-01-01}}", ["wrong.yaml", "date"]),
        ("precision: !!bool maybe", ["wrong.yaml"]),
    ],
)
def test_all_faults_of_a_file_are_one_message(text, words, run, started, tmp_path):
    file = write(tmp_path / "wrong.yaml", f"data: synthetic\n{text}" if ":" in text and "!!" not in text else text)
    code, _, errors = run("train", "--config", file, "--run-dir", tmp_path / "run")
    assert code == 2
    assert not started
    assert "Traceback" not in errors
    assert all(word in errors for word in words), errors


def test_a_file_that_is_not_there_and_one_for_a_resumed_run(run, tmp_path):
    code, _, errors = run("train", "--config", tmp_path / "nowhere.yaml", "--run-dir", tmp_path / "run")
    assert code == 2
    assert "nowhere.yaml" in errors
    file = write(tmp_path / "recipe.yaml", "epochs: 3")
    code, _, errors = run("train", "--config", file, "--run-dir", tmp_path / "run", "--resume")
    assert code == 2
    assert "--config" in errors
    code, _, errors = run("train", "--print-config", "--run-dir", tmp_path / "run", "--resume")
    assert code == 2
    assert "--print-config" in errors


def test_numbers_that_yaml_takes_for_text(run, started, tmp_path):
    file = write(
        tmp_path / "recipe.yaml", "data: synthetic\nchanges: {adam: {learning_rate: 1e-3}, compile.lambda_l1: 5e1}"
    )
    assert run("train", "--config", file, "--run-dir", tmp_path / "run")[0] == 0
    assert started[0]["changes"] == {"adam.learning_rate": 0.001, "compile.lambda_l1": 50.0}


def test_a_run_needs_a_folder(run, pairs):
    code, _, errors = run("train", pairs)
    assert code == 2
    assert "--run-dir" in errors


def test_tensorflow_is_not_started_for_a_print(monkeypatch, run):
    monkeypatch.setattr(command, "start_or_resume", lambda *rest, **more: pytest.fail("started"))
    assert run("train", "--print-config")[0] == 0


def test_a_direction_that_was_only_printed_does_not_hinder_two_folders(run, started, pairs, tmp_path):
    file = write(tmp_path / "printed.yaml", run("train", "--print-config")[1])
    assert run("train", pairs, "--target", pairs, "--config", file, "--run-dir", tmp_path / "run")[0] == 0
    assert started[0]["target"] == str(pairs)
    code, _, errors = run(
        "train", pairs, "--target", pairs, "--direction", "AtoB", "--config", file, "--run-dir", tmp_path / "b"
    )
    assert code == 2
    assert "--direction" in errors


def test_the_file_of_a_perceptual_loss_is_found_from_anywhere(run, pairs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, printed, errors = run("train", pairs, "--set", "compile.reconstruction_loss=net.keras", "--print-config")
    assert code == 0, errors
    assert yaml.safe_load(printed)["changes"]["compile"]["reconstruction_loss"] == str(tmp_path / "net.keras")
