"""Learning rates and speed in the logs, with a clock that the test winds."""

import keras
import pytest

from keras_pix2pix import callbacks
from keras_pix2pix.callbacks import rates
from keras_pix2pix.training.schedules import ConstantThenLinear


class Clock(keras.callbacks.Callback):
    """Every step takes a second, and the first one 100."""

    def __init__(self, monkeypatch):
        super().__init__()
        self.now = 0.0
        monkeypatch.setattr(rates.time, "perf_counter", lambda: self.now)

    def on_train_batch_end(self, batch, logs=None):
        self.now += 1.0 if self.now else 100.0

    def on_test_begin(self, logs=None):
        self.now += 1000.0


@pytest.mark.parametrize("steps_per_execution", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_images_a_second_are_those_of_training(make_model, images, monkeypatch, steps_per_execution):
    source, target = images(8)
    model = make_model()
    model.compile(steps_per_execution=steps_per_execution)
    history = model.fit(
        *(source, target),
        batch_size=2,
        epochs=2,
        verbose=0,
        validation_data=(source[:1], target[:1]),
        callbacks=[Clock(monkeypatch), callbacks.Rates(batch_size=2)],
    ).history
    assert history["images_per_second"] == [2 * steps_per_execution] * 2


def test_an_epoch_of_one_step_has_no_speed_at_first(make_model, images, monkeypatch):
    model = make_model()
    model.compile()
    watch = [Clock(monkeypatch), callbacks.Rates()]
    assert model.fit(*images(1), epochs=2, verbose=0, callbacks=watch).history["images_per_second"] == [0.0, 1.0]


def test_learning_rates_are_those_of_both_optimizers_and_reach_later_callbacks(make_model, images, tmp_path):
    model = make_model()
    model.compile(keras.optimizers.SGD(ConstantThenLinear(0.1, 1, 1, 2)), keras.optimizers.SGD(0.25))
    table = keras.callbacks.CSVLogger(tmp_path / "history.csv")
    history = model.fit(*images(2), batch_size=1, epochs=2, verbose=0, callbacks=[callbacks.Rates(), table]).history
    assert history["g_learning_rate"] == pytest.approx([0.05, 0.0])
    assert history["d_learning_rate"] == [0.25, 0.25]
    assert {"g_learning_rate", "d_learning_rate", "images_per_second"} <= set(
        (tmp_path / "history.csv").read_text().splitlines()[0].split(",")
    )


def test_without_a_discriminator_there_is_no_learning_rate_of_one(make_model, images):
    model = make_model()
    model.compile(lambda_gan=0)
    logs = model.fit(*images(1), verbose=0, callbacks=[callbacks.Rates()]).history
    assert "g_learning_rate" in logs
    assert "d_learning_rate" not in logs


def test_a_loss_scaled_optimizer_has_a_learning_rate(make_model, images):
    model = make_model()
    model.compile(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.5)), keras.optimizers.SGD(0.1))
    assert model.fit(*images(1), verbose=0, callbacks=[callbacks.Rates()]).history["g_learning_rate"] == [0.5]


def test_batches_have_pairs():
    with pytest.raises(ValueError, match="`batch_size` must be 1 or more. Received: batch_size=0"):
        callbacks.Rates(0)
