"""What has changed in a run folder, or in its data, between stop and resume is noticed and said."""

import json
import os
import shutil

import keras
import pytest
from PIL import Image

from keras_pix2pix.cli.main import main
from keras_pix2pix.data.synthetic import write_facades
from keras_pix2pix.runs.data_record import difference, digest_of, read_record, record_data
from keras_pix2pix.training.training_state import read_records

SMALL = ("--set", "generator.filters=2", "--set", "discriminator.filters=2")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder with pairs, and two runs on them that differ in nothing but their name."""
    folder = tmp_path_factory.mktemp("runs")
    write_facades(folder / "pairs", 4, image_size=(32, 32))
    write_facades(folder / "others", 1, image_size=(32, 32), seed=100)
    options = ("--image-size", "32", "--epochs", "1", "--validation", str(folder / "others"), *SMALL)
    for name in ("one", "two"):
        arguments = ["train", str(folder / "pairs"), "--run-dir", str(folder / name), *options]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tensorflow.config.experimental.enable_op_determinism", lambda: None)
            with pytest.raises(SystemExit, match="0"):
                main(arguments)
    return folder


@pytest.fixture
def copied(runs, tmp_path):
    """A copy of these, in which the configurations name the copied pairs."""
    shutil.copytree(runs, tmp_path / "runs")
    folders = {"data": str(tmp_path / "runs" / "pairs"), "validation": str(tmp_path / "runs" / "others")}
    for name in ("one", "two"):
        edit(tmp_path / "runs" / name, **folders)
    return tmp_path / "runs"


def edit(run_dir, **changes):
    file = run_dir / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def resume(run, folder, *options):
    code, _, errors = run("train", "--run-dir", folder / "one", "--resume", *options)
    return code, errors


def take_out(pairs):
    for number in (1, 2, 3):
        (pairs / f"facade_00000{number}.png").unlink()


def add(pairs):
    write_facades(pairs, 1, image_size=(32, 32), seed=9)


def rename(pairs):
    (pairs / "facade_000001.png").rename(pairs / "other.png")


def paint(pairs):
    file = pairs / "facade_000001.png"
    Image.open(file).transpose(Image.Transpose.FLIP_TOP_BOTTOM).save(file)


def resize(pairs):
    file = pairs / "facade_000001.png"
    Image.open(file).resize((48, 24)).save(file)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (take_out, "Gone: 3 of 5 files (training/facade_000001.png, training/facade_000002.png, training/facade_00000"),
        (add, "New: 1 (training/facade_000009.png)"),
        (rename, "Renamed: 1 (training/facade_000001.png, now training/other.png)"),
        (paint, "Other contents: 1 (training/facade_000001.png)"),
        (resize, "Other contents: 1 (training/facade_000001.png)"),
    ],
)
def test_data_that_have_changed_are_told_in_one_message(run, copied, change, words):
    change(copied / "pairs")
    before = {path: path.read_bytes() for path in (copied / "one").iterdir() if path.is_file()}
    code, errors = resume(run, copied, "--epochs", 2)
    assert code == 2
    assert f"The data of the run in {copied / 'one'} have changed since" in errors
    assert words in errors
    assert "--resume --data-changed" in errors
    assert "Traceback" not in errors
    assert {path: path.read_bytes() for path in before} == before


def test_data_that_have_changed_can_be_continued_with(run, copied):
    add(copied / "pairs")
    paint(copied / "pairs")
    code, errors = resume(run, copied, "--epochs", 2, "--data-changed")
    assert code == 0, errors
    model = keras.saving.load_model(copied / "one" / "model.keras")
    assert int(model.generator_optimizer.iterations) == 4 + 5
    # These are the data of the run now.
    assert resume(run, copied, "--epochs", 3)[0] == 0
    (copied / "pairs" / "facade_000009.png").unlink()
    code, errors = resume(run, copied, "--epochs", 4)
    assert (code, "Gone: 1 of 6 files (training/facade_000009.png)" in errors) == (2, True)


def test_data_that_were_moved_or_touched_are_the_same(run, copied):
    (copied / "pairs").rename(copied / "moved")
    edit(copied / "one", data=str(copied / "moved"))
    for file in (copied / "moved").iterdir():
        os.utime(file)
    code, errors = resume(run, copied, "--epochs", 2)
    assert code == 0, errors


def test_without_a_record_it_is_still_noticed_that_data_have_changed(run, copied):
    (copied / "one" / "data.json").write_text("[5")
    assert read_record(copied / "one") == {}
    paint(copied / "pairs")
    code, errors = resume(run, copied, "--epochs", 2)
    assert code == 2
    assert f"{copied / 'one' / 'data.json'}" in errors


def test_data_changed_is_for_a_run_that_is_resumed(run, tmp_path):
    code, _, errors = run("train", tmp_path, "--run-dir", tmp_path / "run", "--data-changed")
    assert (code, "Add --resume" in errors) == (2, True)


@pytest.mark.parametrize("of_a_run", [True, False])
def test_the_model_of_another_run_is_noticed(run, copied, of_a_run):
    model = keras.saving.load_model(copied / "two" / "model.keras")
    if not of_a_run:
        model.training_state.records.clear()
    model.save(copied / "one" / "model.keras")
    code, errors = resume(run, copied, "--epochs", 2)
    assert code == 2
    assert f"{copied / 'one' / 'model.keras'} is not the checkpoint of the run" in errors


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"changes": {"generator.filters": 4, "discriminator.filters": 2}}, "generator.filters is 4 and was 2"),
        (
            {"changes": {"generator.filters": 2, "discriminator.filters": 2, "compile.gan_loss": "lsgan"}},
            'compile.gan_loss is "lsgan" and was not there',
        ),
        ({"changes": {}}, "discriminator.filters is not there and was 2, generator.filters is not there and was 2"),
        ({"seed": 5}, "seed is 5 and was 0"),
        ({"image_size": [32, 64]}, "image_size is [32, 64] and was [32, 32]"),
        ({"schedule": "cosine"}, 'schedule is "cosine" and was "constant"'),
        ({"average": 0.5}, "average is 0.5 and was not there"),
    ],
)
def test_a_setting_that_was_edited_is_named(run, copied, changes, words):
    edit(copied / "one", **changes)
    code, errors = resume(run, copied)
    assert code == 2
    assert f"{copied / 'one' / 'config.json'} has been changed since model.keras was trained: " in errors
    assert words in errors


def test_what_may_change_may_be_edited_too(run, copied):
    edit(copied / "one", epochs=2, checkpoint_every=1, patience=7)
    assert resume(run, copied)[0] == 0


def test_a_model_that_was_damaged_is_named(run, copied):
    (copied / "one" / "model.keras").write_bytes(b"half a file")
    code, errors = resume(run, copied, "--epochs", 2)
    assert (code, f"{copied / 'one' / 'model.keras'} is not a .keras file" in errors) == (2, True)


@pytest.mark.slow
def test_a_run_of_an_older_version_is_resumed(run, copied):
    config = json.loads((copied / "one" / "config.json").read_text())
    del config["identity"]
    (copied / "one" / "config.json").write_text(json.dumps(config))
    (copied / "one" / "data.json").unlink()
    model = keras.saving.load_model(copied / "one" / "model.keras")
    del model.training_state.records["run"]
    model.save(copied / "one" / "model.keras")
    for epochs in (2, 3):
        code, errors = resume(run, copied, "--epochs", epochs)
        assert code == 0, errors
    assert read_records(copied / "one" / "model.keras")["run"]["settings"]["seed"] == 0
    paint(copied / "pairs")
    assert resume(run, copied, "--epochs", 4)[0] == 2


@pytest.mark.parametrize(
    "damage",
    ["", pytest.param("missing", marks=pytest.mark.slow), pytest.param("epoch,val_ssim\n", marks=pytest.mark.slow)],
)
def test_a_history_that_was_lost_is_told_and_costs_the_best_model_nothing(run, copied, damage):
    run_dir = copied / "one"
    if damage == "missing":
        (run_dir / "history.csv").unlink()
    else:
        (run_dir / "history.csv").write_text(damage)
    best, record = (run_dir / "best.keras").read_bytes(), read_records(run_dir / "best.keras")["best: max val_ssim"]
    code, errors = resume(run, copied, "--epochs", 2)
    assert code == 0
    assert f"{run_dir / 'history.csv'} lacks 1 of the run's 1 epochs" in errors
    again = read_records(run_dir / "best.keras")["best: max val_ssim"]
    assert (run_dir / "best.keras").read_bytes() == best if again == record else again["value"] > record["value"]


@pytest.mark.parametrize("contents", ["g_l1,val_ssim\n0.5,0.1\n", "\0\0\0\0\n", f"{'x' * 200_000}\n"])
def test_a_history_that_is_none_is_refused_and_stays(run, copied, contents):
    file = copied / "one" / "history.csv"
    file.write_text(contents)
    code, errors = resume(run, copied, "--epochs", 2)
    assert code == 2
    assert f"{file} is damaged" in errors
    assert len(errors) < 1000
    assert file.read_text() == contents


# The record of data by itself.


def test_a_file_that_looks_the_same_is_not_read_again(tmp_path):
    write_facades(tmp_path / "pairs", 2, image_size=(16, 16))
    folders = [(str(tmp_path / "pairs"), None)]
    record = record_data(folders, {})
    known = {name: (size, time, "known") for name, (size, time, _) in record.items()}
    assert record_data(folders, known) == known
    os.utime(tmp_path / "pairs" / "facade_000001.png", (5, 5))
    again = record_data(folders, known)
    assert [digest == "known" for _, _, digest in again.values()] == [True, False]
    assert digest_of(record) == digest_of(record_data(folders, {}))


def test_every_folder_of_a_run_is_recorded_by_its_role(tmp_path):
    for name in ("near", "far", "photos"):
        write_facades(tmp_path / name, 1, image_size=(16, 16))
    sources = [str(tmp_path / "near"), str(tmp_path / "far")]
    record = record_data(((sources, tmp_path / "photos"), (tmp_path / "near", None)), {})
    assert list(record) == [
        f"{role}/facade_000000.png" for role in ("training", "training 2", "training targets", "validation")
    ]


def test_a_difference_has_every_file_once():
    before = {f"a/{name}": (1, 1, digest) for name, digest in [("1", "x"), ("2", "y"), ("3", "z"), ("4", "v")]}
    after = {f"a/{name}": (1, 2, digest) for name, digest in [("1", "x"), ("3", "w"), ("5", "y"), ("6", "u")]}
    assert difference(before, after) == (
        "Gone: 1 of 4 files (a/4); New: 1 (a/6); Renamed: 1 (a/2, now a/5); Other contents: 1 (a/3)"
    )
    assert difference(before, before) == ""
