"""Whatever stands in a configuration, a history or on the command line ends in a run or in one message."""

import contextlib
import io
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from keras_pix2pix.cli.main import main
from keras_pix2pix.report.history import read_history
from keras_pix2pix.report.page import write_report
from keras_pix2pix.runs import train as train_module
from keras_pix2pix.runs.configuration import new_configuration
from keras_pix2pix.runs.resuming import forget_what_comes_again
from keras_pix2pix.runs.settings import _MOST_EPOCHS, _MOST_STEPS, _PRECISIONS, SETTINGS
from keras_pix2pix.training import building
from keras_pix2pix.training.presets import PRESETS, preset

FEW_AND_MANY = pytest.mark.parametrize("cases", [60, pytest.param(600, marks=pytest.mark.slow)])
CONFIG = {
    **new_configuration(Path("nowhere"), {"data": "/pairs"}),
    "validation": "/others",
    "changes": {"generator.filters": 2, "compile.gan_loss": "lsgan"},
    "source_encoding": "rgb",
    "color_jitter": 0.1,
    "fit": "cover",
    "rotate": False,
    "steps_per_epoch": 3,
    "monitor": "val_ssim",
    "patience": 2,
    "checkpoint_every": 5,
    "deterministic": True,
    "precision": "float32",
    "average": 0.9,
    "teacher": "facades",
    "start_from": "facades",
    "freeze": "encoder",
    "identity": {"run": "1", "data": "2"},
    "versions": {"keras": "3"},
}
NUMBERS = some.sampled_from([-1, 0, 1, 2**31, 10**9, 10**30, -(10**400), 1e30, 0.5, float("nan"), float("inf")])
SCALARS = some.none() | some.booleans() | NUMBERS | some.integers() | some.floats() | some.text(max_size=8)
JSON = some.recursive(
    SCALARS, lambda each: some.lists(each, max_size=3) | some.dictionaries(some.text(max_size=5), each, max_size=3)
)


def many(cases):
    return settings(max_examples=cases, deadline=None, database=None, derandomize=cases < 1000)


@pytest.fixture
def started(monkeypatch):
    """The configurations that runs were started with: no run goes further."""
    configurations = []
    monkeypatch.setattr(train_module, "_run", lambda config, *rest: configurations.append(config))
    return configurations


def command(*arguments):
    """(exit code, what was written to stderr)."""
    with contextlib.redirect_stderr(io.StringIO()) as errors, pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    return stop.value.code or 0, errors.getvalue()


def assert_sound(config):
    assert type(config["epochs"]) is int
    assert 1 <= config["epochs"] <= _MOST_EPOCHS
    assert 1 <= config["batch_size"] <= _MOST_EPOCHS
    assert 1 <= config.get("steps_per_epoch", 1) <= _MOST_STEPS
    assert all(type(side) is int and side > 0 for side in config["image_size"])
    preset(config["preset"], config.get("changes"))


def assert_one_message(code, errors, *words, room=2000):
    assert code == 2, errors
    assert "Traceback" not in errors
    assert len(errors) < room
    for word in words:
        assert word in errors


@FEW_AND_MANY
def test_any_edit_of_a_configuration(cases, started, tmp_path):
    file = tmp_path / "config.json"

    @many(cases)
    @given(
        some.dictionaries(some.sampled_from(sorted(CONFIG)) | some.text(max_size=4), JSON, max_size=3),
        some.sets(some.sampled_from(sorted(CONFIG)), max_size=2),
        some.tuples(some.integers(0, 1000), some.binary(max_size=3), some.booleans()),
    )
    def check(changed, removed, damage):
        started.clear()
        edited = {name: value for name, value in {**CONFIG, **changed}.items() if name not in removed}
        contents = json.dumps(edited).encode()
        at, inserted, damaged = damage
        file.write_bytes(contents[:at] + inserted + contents[at + 1 :] if damaged else contents)
        code, errors = command("train", "--run-dir", tmp_path, "--resume")
        if started:
            assert_sound(started[0])
        else:
            assert_one_message(code, errors, str(file))

    check()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 1e30),
        ("epochs", 10**30),
        ("epochs", "many"),
        ("epochs", True),
        ("epochs", None),
        ("epochs", 0),
        ("steps_per_epoch", -1),
        ("steps_per_epoch", 1.5),
        ("batch_size", float("nan")),
        ("image_size", [32]),
        ("image_size", [32, "32"]),
        ("image_size", 32),
        ("seed", -1),
        ("seed", 2**32),
        ("average", 1),
        ("average", float("nan")),
        ("color_jitter", 2),
        ("preset", ["paper"]),
        ("direction", "left"),
        ("schedule", {}),
        ("precision", "float8"),
        ("deterministic", "no"),
        ("monitor", 5),
        ("data", None),
        ("extra_source", "folder"),
        ("changes", []),
        ("identity", "mine"),
    ],
)
def test_a_value_that_a_setting_cannot_have_is_named(name, value, started, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({**CONFIG, name: value}))
    assert_one_message(*command("train", "--run-dir", tmp_path, "--resume"), str(tmp_path / "config.json"), repr(name))
    assert not started


@pytest.mark.parametrize(
    ("contents", "word"),
    [
        (b"", "JSON"),
        (b"[" * 100_000, "JSON"),
        (b'{"epochs": ' + b"9" * 5000, "JSON"),
        (b"\xff\xfe{\x00}\x00", "JSON"),
        (b"null", "NoneType"),
        (b"{}", "batch_size, data"),
        (json.dumps({**CONFIG, "changes": {"filters": 1}}).encode(), "Received: 'filters'"),
        (json.dumps({**CONFIG, "changes": {"data.mirror": 5}}).encode(), "data.mirror"),
        (json.dumps({**CONFIG, "validation_target": "x"}).encode(), "--validation-target"),
    ],
)
def test_a_configuration_that_is_none_is_named(contents, word, started, tmp_path):
    (tmp_path / "config.json").write_bytes(contents)
    assert_one_message(*command("train", "--run-dir", tmp_path, "--resume"), str(tmp_path / "config.json"), word)
    assert not started


def test_every_setting_is_known():
    assert CONFIG.keys() | {"target", "validation_target", "extra_source", "extra_validation_source"} <= SETTINGS.keys()
    assert tuple(building._PRECISIONS) == _PRECISIONS


@FEW_AND_MANY
def test_any_history(cases, tmp_path):
    file = tmp_path / "history.csv"
    words = ["epoch", "g_l1", "val_ssim", "0", "1", "2.5", "1e308", "-1e400", "nan", "\xb2", "x" * 200_000, '"', "\0"]
    cells = some.sampled_from(words) | some.text(max_size=5) | some.integers().map(str) | some.floats().map(str)
    rows = some.lists(some.lists(cells, max_size=4).map(",".join), max_size=8).map("\n".join)
    good = "epoch,g_l1,val_ssim\n0,0.5,0.1\n1,0.4,0.2\n"

    @many(cases)
    @given((some.text(max_size=5) | rows).map(lambda text: text.encode("utf-8", "replace")) | some.binary(max_size=20))
    def check(damage):
        for contents in (damage, good.encode() + damage):
            file.write_bytes(contents)
            history = read_history(file)
            assert len({len(column) for column in history.values()}) == 1
        assert history["epoch"][:2] == [0, 1]
        write_report(tmp_path)
        with contextlib.redirect_stderr(io.StringIO()):
            forget_what_comes_again(file, 2)
        assert read_history(file)["epoch"][:2] == [0, 1]

    check()


OPTIONS = [
    *("--epochs", "--steps-per-epoch", "--batch-size", "--image-size", "--seed", "--patience", "--checkpoint-every"),
    *(
        "--preset",
        "--direction",
        "--source-encoding",
        "--color-jitter",
        "--fit",
        "--schedule",
        "--precision",
        "--average",
    ),
    *("--monitor", "--validation", "--target", "--extra-source", "--devices", "--set"),
]
KEYS = [f"{section}.{name}" for section in ("generator", "discriminator", "adam", "compile", "data") for name in "ab"]
KEYS += ["data.batch_size", "data.jitter", "generator.filters", "compile.gan_loss", "adam.learning_rate", "x", ""]


@FEW_AND_MANY
def test_any_command_line(cases, started, tmp_path):
    values = some.sampled_from(["", "x", "-1", "0", "1", "1e30", "9" * 30, "9" * 5000, "NaN", "[" * 5000, "32x32"])
    texts = values | some.text(max_size=6) | some.sampled_from(sorted(PRESETS)) | some.integers().map(str)
    changes = some.tuples(some.sampled_from(KEYS), texts | JSON.map(json.dumps)).map("=".join) | texts

    @many(cases)
    @given(
        some.lists(some.tuples(some.sampled_from(OPTIONS), texts), max_size=4),
        some.lists(changes, max_size=2),
        some.sampled_from([["/pairs"], ["synthetic"], [], ["--resume"], ["--data-changed", "/pairs"]]),
    )
    def check(options, changes, data):
        started.clear()
        arguments = [part for option in options for part in option]
        arguments += [part for change in changes for part in ("--set", change)]
        code, errors = command("train", "--run-dir", tmp_path / "run", *data, *arguments)
        if started:
            assert_sound(started[0])
        else:
            assert_one_message(code, errors, room=2000 + sum(map(len, arguments)))

    check()


@pytest.mark.parametrize("value", ["x", "0", "-1", "2.5", "1e30", "9" * 30, "[1]", "null", "True", '""'])
def test_a_batch_size_from_a_change_is_checked(value, started, tmp_path):
    code, errors = command("train", "/pairs", "--run-dir", tmp_path / "run", "--set", f"data.batch_size={value}")
    assert_one_message(code, errors, "'batch_size' must be a whole number")
    assert not started
