"""What takes long at the ends of epochs takes a tenth of the time at most, and is never left out at the end."""

import keras
import numpy as np
import pytest

from keras_pix2pix import callbacks, load_model
from keras_pix2pix.callbacks import pace, pictures
from keras_pix2pix.callbacks.pace import Pace


class Clock:
    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now

    def work(self, done, value):
        self.now += 1.0
        done.append(value)


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(pace, "time", clock)
    monkeypatch.setattr(pace, "_SHARE", 0.1)
    return clock


def test_work_of_a_second_is_done_every_ten_seconds(clock):
    done, kept = [], Pace()
    for epoch in range(25):
        kept.run(clock.work, done, epoch)
        clock.now += 1.0
    # Nine seconds after it has ended.
    assert done == [0, 9, 18]
    kept.finish()
    kept.finish()
    assert done == [0, 9, 18, 24]


def test_what_was_left_can_be_forgotten(clock):
    done, kept = [], Pace()
    kept.run(clock.work, done, 0)
    kept.run(clock.work, done, 1)
    kept.forget()
    kept.finish()
    assert done == [0]


def test_several_workers_leave_nothing_out(clock, monkeypatch):
    monkeypatch.setattr(pace, "worker_count", lambda: 2)
    done, kept = [], Pace()
    for epoch in range(3):
        kept.run(clock.work, done, epoch)
    assert done == [0, 1, 2]


@pytest.fixture
def slow(monkeypatch):
    """Time stands still but for the work, so that only the first epoch's work is due before the end."""
    monkeypatch.setattr(pace, "_SHARE", 1e-9)


def test_a_run_keeps_its_last_epoch(slow, make_model, images, tmp_path, monkeypatch):
    reports = []
    monkeypatch.setattr(pictures, "write_report", reports.append)
    model = make_model()
    model.compile()
    watch = callbacks.for_run(tmp_path / "run", images(1), average=0.5)
    model.fit(*images(1), epochs=4, verbose=0, callbacks=watch)
    written = sorted(path.name for path in (tmp_path / "run" / "samples").glob("epoch_*.png"))
    assert written == ["epoch_0000.png", "epoch_0001.png", "epoch_0004.png"]
    loaded = load_model(tmp_path / "run")
    assert callbacks.resume_point(loaded) == (4, 4)
    for ours, theirs in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    averaged = load_model(tmp_path / "run" / "average.keras")
    for ours, theirs in zip(averaged.generator.get_weights(), model.averaged().generator.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert len(reports) == 2


def test_ctrl_c_at_the_end_of_an_epoch_saves_it(slow, make_model, images, tmp_path):
    class StopsInTheThird(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 2:
                checkpoint.stop()

    model, checkpoint = make_model(), callbacks.Checkpoint(tmp_path / "model.keras")
    model.compile()
    with pytest.raises(KeyboardInterrupt):
        model.fit(*images(1), epochs=4, verbose=0, callbacks=[StopsInTheThird(), checkpoint])
    assert callbacks.resume_point(load_model(tmp_path / "model.keras")) == (3, 3)


def test_a_checkpoint_that_was_left_out_is_not_written_within_the_next_epoch(slow, make_model, images, tmp_path):
    class StopsInTheThird(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if checkpoint.epoch == 2:
                raise RuntimeError("stop")

    model, checkpoint = make_model(), callbacks.Checkpoint(tmp_path / "model.keras")
    model.compile()
    with pytest.raises(RuntimeError, match="stop"):
        model.fit(*images(1), epochs=4, verbose=0, callbacks=[checkpoint, StopsInTheThird()])
    assert callbacks.resume_point(load_model(tmp_path / "model.keras")) == (1, 1)
