"""The best model stays, also over a resumed run; training ends when nothing gets better."""

import keras
import pytest

from keras_pix2pix import callbacks
from keras_pix2pix.training.training_state import Progress, read_records


@pytest.fixture
def run_epochs(make_model, tmp_path):
    """A function that tells a `BestModel` of epochs with these values; it returns (saved epochs, epoch of the end)."""
    model = make_model()
    model.compile()

    def run(monitor, *values, first=0, **options):
        best = callbacks.BestModel(tmp_path / "best.keras", monitor, **options)
        best.set_model(model)
        best.on_train_begin()
        saved = []
        best._save = lambda: saved.append(epoch)
        model.stop_training = False
        for epoch, value in enumerate(values, start=first):
            best.on_epoch_end(epoch, {monitor: value})
            if model.stop_training:
                return saved, epoch
        return saved, None

    return run


@pytest.mark.parametrize(
    ("monitor", "options", "expected"),
    [
        ("val_ssim", {}, [0, 2]),
        ("val_g_l1", {}, [0, 1, 4]),
        ("d_real", {"mode": "min"}, [0, 1, 4]),
        ("val_ssim", {"mode": "min"}, [0, 1, 4]),
        ("likeness", {"mode": "max"}, [0, 2]),
    ],
)
def test_the_best_is_saved_by_the_nature_of_the_log(run_epochs, monitor, options, expected):
    assert run_epochs(monitor, 0.5, 0.4, 0.6, 0.6, 0.3, **options) == (expected, None)


def test_what_is_not_finite_is_never_the_best(run_epochs):
    nan = float("nan")
    assert run_epochs("val_g_l1", nan, 0.5, nan, float("-inf") * -1, 0.4)[0] == [1, 4]


def test_training_ends_after_so_many_epochs_without_a_better_one(run_epochs, capfd):
    values = 0.5, 0.4, 0.3, 0.6, 0.6, 0.5, 0.4
    assert run_epochs("val_ssim", *values, patience=3) == ([0, 3], 6)
    assert "val_ssim was best, 0.6, in epoch 4, and no better in the 3 epochs since" in capfd.readouterr().out
    assert run_epochs("val_ssim", *values, patience=2) == ([0], 2)
    assert run_epochs("val_ssim", *values) == ([0, 3], None)


def test_a_resumed_run_knows_its_best_and_how_long_ago_it_was(run_epochs, tmp_path):
    history = tmp_path / "history.csv"
    history.write_text("epoch,val_ssim\n0,0.3\n1,0.6\n2,0.5\n")
    assert run_epochs("val_ssim", 0.5, 0.7, first=3, history=history) == ([4], None)
    assert run_epochs("val_ssim", 0.5, 0.7, first=3, history=history, patience=2) == ([], 3)
    with pytest.raises(ValueError, match="has ended early: val_ssim was best, 0.6, in epoch 2, and no better in the 1"):
        run_epochs("val_ssim", 0.7, first=3, history=history, patience=1)
    assert run_epochs("val_ssim", 0.5, 0.4, history=tmp_path / "none.csv") == ([0], None)


@pytest.fixture
def watch_epochs(tmp_path):
    """A function that lets a `BestModel` without a history watch epochs; it returns what then is in the file."""

    def watch(model, *values, first=0, **options):
        best = callbacks.BestModel(tmp_path / "best.keras", "val_ssim", **options)
        best.set_model(model)
        best.on_train_begin()
        for epoch, value in enumerate(values, start=first):
            best.on_epoch_end(epoch, {"val_ssim": value})
        return (tmp_path / "best.keras").read_bytes()

    return watch


@pytest.mark.parametrize("resumed", ["by Checkpoint", "by itself"])
def test_the_file_says_itself_how_good_its_model_was(make_model, watch_epochs, tmp_path, resumed):
    model = make_model(filters=2)
    model.compile()
    kept = watch_epochs(model, 0.5, 0.6, 0.4)
    assert read_records(tmp_path / "best.keras") == {"best: max val_ssim": {"value": 0.6, "epoch": 1}}
    if resumed == "by Checkpoint":
        model.training_state.progress = Progress(3, 0, 12)
    else:
        model.generator_optimizer.iterations.assign(12)
    model.save(tmp_path / "model.keras")
    assert not read_records(tmp_path / "model.keras")  # It holds another epoch's weights.
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert watch_epochs(again, 0.55, 0.6, first=3) == kept
    assert watch_epochs(again, 0.7, first=5) != kept
    assert read_records(tmp_path / "best.keras") == {"best: max val_ssim": {"value": 0.7, "epoch": 5}}


def test_patience_is_counted_from_the_epoch_in_the_file(make_model, watch_epochs):
    model = make_model(filters=2)
    model.compile()
    watch_epochs(model, 0.5, 0.6)
    model.training_state.progress = Progress(4, 0, 16)
    with pytest.raises(ValueError, match="has ended early: val_ssim was best, 0.6, in epoch 2, and no better in the 2"):
        watch_epochs(model, first=4, patience=2)
    watch_epochs(model, 0.1, first=4, patience=3)
    assert model.stop_training


def test_a_new_model_starts_a_new_file(make_model, watch_epochs, tmp_path):
    for value in (0.6, 0.3):
        model = make_model(filters=2)
        model.compile()
        watch_epochs(model, value)
        assert read_records(tmp_path / "best.keras")["best: max val_ssim"]["value"] == value


def test_what_a_history_says_is_for_files_that_say_nothing(make_model, watch_epochs, tmp_path):
    (tmp_path / "history.csv").write_text("epoch,val_ssim\n0,0.9\n")
    model = make_model(filters=2)
    model.compile()
    model.generator_optimizer.iterations.assign(4)
    kept = watch_epochs(model, 0.6)
    assert watch_epochs(model, 0.7, first=1, history=tmp_path / "history.csv") != kept
    model.save(tmp_path / "best.keras")
    kept = (tmp_path / "best.keras").read_bytes()
    assert watch_epochs(model, 0.8, first=2, history=tmp_path / "history.csv") == kept


def test_the_file_is_the_model_of_the_best_epoch(make_model, images, tmp_path):
    source, target = images(2)
    model = make_model()
    model.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0))  # No epoch is better than the first.
    best = callbacks.BestModel(tmp_path / "best.keras", "val_g_l1", patience=2)
    history = model.fit(
        source,
        target,
        batch_size=1,
        epochs=9,
        verbose=0,
        validation_data=(source, target),
        callbacks=[best, callbacks.Checkpoint(tmp_path / "model.keras")],
    )
    assert len(history.epoch) == 3
    kept = keras.saving.load_model(tmp_path / "best.keras")
    assert int(kept.generator_optimizer.iterations) == 2
    assert kept.training_state.progress is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.keras", "model.keras"]


def test_a_log_that_isnt_there_is_named(make_model, images, tmp_path):
    model = make_model()
    model.compile()
    with pytest.raises(ValueError, match="no log 'val_psnr' to monitor. Accepted: d_accuracy, .*g_loss"):
        model.fit(*images(1), verbose=0, callbacks=[callbacks.BestModel(tmp_path / "best.keras", "val_psnr")])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("best.h5", "val_ssim"), "end in .keras"),
        (("best.keras", "d_real"), "'d_real' is better. Accepted: mode=\"max\""),
        (("best.keras", "val_ssim", {"mode": "up"}), "Received: mode='up'"),
        (("best.keras", "val_ssim", {"patience": 0}), "`patience` must be 1 or more, or None. Received: patience=0"),
    ],
)
def test_mistakes_are_refused(arguments, words):
    *positional, options = arguments if len(arguments) == 3 else (*arguments, {})
    with pytest.raises(ValueError, match=words):
        callbacks.BestModel(*positional, **options)
