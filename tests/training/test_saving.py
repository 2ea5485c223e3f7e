"""A model's file is written again and again, and nothing is left of it in memory."""

import keras
import numpy as np
import pytest

from keras_pix2pix import callbacks
from keras_pix2pix.training.saving import save_whole
from keras_pix2pix.training.training_state import TrainingState, read_records


def test_the_second_saving_makes_no_variables(make_model, tmp_path, monkeypatch):
    model = make_model(filters=2)
    model.compile(metrics=["mae"])
    average = callbacks.ExponentialMovingAverage(tmp_path / "average.keras")
    average.set_model(model)
    average.on_train_begin()
    made = []
    initialize = keras.Variable.__init__
    monkeypatch.setattr(
        keras.Variable, "__init__", lambda self, *rest, **named: made.append(self) or initialize(self, *rest, **named)
    )
    for _ in range(2):
        made.clear()
        save_whole(model, tmp_path / "model.keras")
        average.on_epoch_end(0)
    assert not made


def test_records_are_in_the_file_and_read_without_the_model(make_model, tmp_path):
    model = make_model(filters=2)
    model.compile()
    model.training_state.records["mine"] = {"epochs": [1, 2], "value": float("inf"), "word": "Größe"}
    model.save(tmp_path / "model.keras")
    assert read_records(tmp_path / "model.keras") == model.training_state.records
    assert keras.saving.load_model(tmp_path / "model.keras").training_state.records == model.training_state.records
    model.save_weights(tmp_path / "model.weights.h5")
    other = make_model(filters=2)
    other.compile()
    other.load_weights(tmp_path / "model.weights.h5")
    assert other.training_state.records == model.training_state.records


@pytest.mark.parametrize("contents", [None, b"", b"none"])
def test_a_file_that_cannot_be_read_has_no_records(tmp_path, contents):
    if contents is not None:
        (tmp_path / "model.keras").write_bytes(contents)
    assert read_records(tmp_path / "model.keras") == {}


def test_records_that_are_no_object_are_refused():
    with pytest.raises(ValueError, match="must be a JSON object. Received: list"):
        TrainingState.read({"records": np.frombuffer(b"[1]", np.uint8)})
