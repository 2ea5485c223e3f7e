"""TensorBoard's memory, and what it writes."""

import gc
from pathlib import Path

import keras
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from keras_pix2pix import callbacks

LOGS = {f"log_{index}": 0.5 for index in range(8)}


def resident_bytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.fixture
def watched_model():
    source = keras.Input((1,))
    model = keras.Model(source, keras.layers.Dense(1)(source))
    model.compile("sgd", "mse")
    return model


@pytest.fixture
def begin(watched_model, tmp_path):
    def start(kind, **arguments):
        board = kind(tmp_path / kind.__module__, write_graph=False, **arguments)
        board.set_model(watched_model)
        board.on_train_begin()
        board.on_epoch_begin(0)
        return board

    return start


def growth(board, steps):
    gc.collect()
    before = resident_bytes()
    for step in range(steps):
        board.on_train_batch_begin(step)
        board.on_train_batch_end(step, LOGS)
    return resident_bytes() - before


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells the memory in use so")
def test_memory_does_not_grow_with_the_steps(begin):
    growth(begin(callbacks.TensorBoard), 200)  # What is made once.
    assert growth(begin(callbacks.TensorBoard), 1500) < 2**18


def tags(board, folder):
    board.on_epoch_end(0, LOGS)
    board.on_train_end()
    events = EventAccumulator(str(folder / "train"))
    events.Reload()
    return set(events.Tags()["tensors"])


def test_epochs_are_written(begin, tmp_path):
    board = begin(callbacks.TensorBoard)
    board.on_train_batch_begin(0)
    board.on_train_batch_end(0, LOGS)
    written = tags(board, tmp_path / "keras_pix2pix.callbacks.tensorboard")
    assert {f"epoch_{name}" for name in LOGS} <= written
    assert not any(tag.startswith("batch_") for tag in written)


def test_steps_are_written_if_asked_for(begin, tmp_path):
    board = begin(callbacks.TensorBoard, update_freq=1)
    board.on_train_batch_begin(0)
    board.on_train_batch_end(0, LOGS)
    assert "batch_log_0" in tags(board, tmp_path / "keras_pix2pix.callbacks.tensorboard")
