"""Learning rates by hand, epoch for epoch, and in the optimizers that keep them."""

import keras
import numpy as np
import pytest

from keras_pix2pix import Pix2Pix
from keras_pix2pix.training.optimizers import FusedAdam
from keras_pix2pix.training.presets import PRESETS
from keras_pix2pix.training.schedules import SCHEDULES, ConstantThenLinear, learning_rate_schedule


def test_constant_then_linear_is_that_of_the_authors():
    rate = ConstantThenLinear(2e-4, constant_epochs=100, decay_epochs=100, steps_per_epoch=7)
    for epoch in (0, 1, 98, 99, 100, 101, 150, 199):
        factor = 1 - max(0, epoch + 1 - 100) / 101
        for step in (7 * epoch, 7 * epoch + 6):
            assert float(rate(step)) == pytest.approx(2e-4 * factor, rel=1e-5), (epoch, step)
    assert float(rate(7 * 99)) == pytest.approx(2e-4)
    assert float(rate(7 * 100)) == pytest.approx(2e-4 * 100 / 101, rel=1e-5)
    assert float(rate(7 * 199)) == pytest.approx(2e-4 / 101, rel=1e-4)
    # After the plan, it stays 0.
    assert float(rate(7 * 200)) == float(rate(7 * 1000)) == 0


def test_constant_then_linear_without_one_of_the_halves():
    falling = ConstantThenLinear(1.0, constant_epochs=0, decay_epochs=3, steps_per_epoch=1)
    np.testing.assert_allclose([float(falling(step)) for step in range(5)], [3 / 4, 2 / 4, 1 / 4, 0, 0])
    constant = ConstantThenLinear(1.0, constant_epochs=2, decay_epochs=0, steps_per_epoch=1)
    np.testing.assert_allclose([float(constant(step)) for step in range(3)], [1, 1, 0])


def test_steps_beyond_what_float32_counts():
    rate = ConstantThenLinear(1.0, constant_epochs=1, decay_epochs=3, steps_per_epoch=2**24 + 1)
    # 2**24 + 1 is the first integer that float32 rounds, down to the epoch before.
    assert float(rate(2**24)) == 1
    assert float(rate(2**24 + 1)) == 0.75


def test_an_optimizer_keeps_it_when_it_is_saved():
    optimizer = FusedAdam(ConstantThenLinear(0.3, constant_epochs=2, decay_epochs=4, steps_per_epoch=5))
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(optimizer))
    schedule = again._learning_rate
    assert type(schedule) is ConstantThenLinear
    assert schedule.get_config() == {
        "initial_learning_rate": 0.3,
        "constant_epochs": 2,
        "decay_epochs": 4,
        "steps_per_epoch": 5,
    }
    again.iterations.assign(5 * 4)
    assert float(again.learning_rate) == pytest.approx(0.3 * (1 - 3 / 5), rel=1e-6)


@pytest.mark.parametrize(("epochs", "constant", "decay"), [(200, 100, 100), (7, 4, 3), (1, 1, 0)])
def test_half_of_the_epochs_each(epochs, constant, decay):
    rate = learning_rate_schedule("constant_then_linear", 0.1, epochs=epochs, steps_per_epoch=3)
    assert (rate.constant_epochs, rate.decay_epochs) == (constant, decay)
    assert (rate.initial_learning_rate, rate.steps_per_epoch) == (0.1, 3)


def test_cosine_by_hand():
    rate = learning_rate_schedule("cosine", 0.2, epochs=4, steps_per_epoch=10)
    for step in (0, 10, 20, 39, 40, 50):
        assert float(rate(step)) == pytest.approx(0.1 * (1 + np.cos(np.pi * min(step, 40) / 40)), abs=1e-6)


def test_constant_is_the_rate_itself():
    assert learning_rate_schedule("constant", 2e-4, epochs=9, steps_per_epoch=None) == 2e-4


@pytest.mark.parametrize("schedule", sorted(set(SCHEDULES) - {"constant"}))
def test_a_rate_that_changes_must_know_the_length_of_an_epoch(schedule):
    words = rf"over 9 epochs \({schedule}\).*`steps_per_epoch=len\(dataset\)`, or `schedule=\"constant\"`"
    with pytest.raises(ValueError, match=words):
        learning_rate_schedule(schedule, 2e-4, epochs=9, steps_per_epoch=None)


def test_an_unknown_schedule_names_the_known_ones():
    with pytest.raises(ValueError, match="'constant', 'constant_then_linear', 'cosine'. Received: schedule='linear'"):
        learning_rate_schedule("linear", 2e-4, epochs=1, steps_per_epoch=1)


@pytest.mark.parametrize("number", [{"constant_epochs": -1}, {"decay_epochs": -1}, {"steps_per_epoch": 0}], ids=str)
def test_numbers_out_of_range_are_refused(number):
    ((name, value),) = number.items()
    with pytest.raises(ValueError, match=f"Received: .*{name}={value}"):
        ConstantThenLinear(0.1, **{"constant_epochs": 1, "decay_epochs": 1, "steps_per_epoch": 1, **number})


@pytest.fixture
def small_junyanz(monkeypatch):
    for network in ("generator", "discriminator"):
        monkeypatch.setitem(PRESETS["junyanz"][network], "filters", 1)
    return lambda **arguments: Pix2Pix.from_preset("junyanz", (32, 32, 3), **arguments)


def test_both_optimizers_of_junyanz_follow_the_schedule(small_junyanz):
    model = small_junyanz(steps_per_epoch=3)
    for optimizer in (model.generator_optimizer, model.discriminator_optimizer):
        assert float(optimizer.learning_rate) == pytest.approx(2e-4)
        optimizer.iterations.assign(3 * 150)
        assert float(optimizer.learning_rate) == pytest.approx(2e-4 * (1 - 51 / 101), rel=1e-5)


def test_epochs_and_schedule_of_a_preset_can_be_chosen(small_junyanz):
    model = small_junyanz(epochs=4, steps_per_epoch=3)
    model.generator_optimizer.iterations.assign(3 * 2)
    assert float(model.generator_optimizer.learning_rate) == pytest.approx(2e-4 * 2 / 3, rel=1e-5)
    model = small_junyanz(epochs=4, steps_per_epoch=3, schedule="cosine")
    model.discriminator_optimizer.iterations.assign(3 * 2)
    assert float(model.discriminator_optimizer.learning_rate) == pytest.approx(1e-4, rel=1e-5)
    assert float(small_junyanz(schedule="constant").generator_optimizer.learning_rate) == pytest.approx(2e-4)
    with pytest.warns(UserWarning, match="200 epochs.*400 steps.*steps_per_epoch=len"):
        model = small_junyanz()
    model.generator_optimizer.iterations.assign(400 * 150)
    assert float(model.generator_optimizer.learning_rate) == pytest.approx(2e-4 * (1 - 51 / 101), rel=1e-5)


def test_the_discriminators_schedule_counts_all_its_updates(small_junyanz):
    model = Pix2Pix.from_preset("junyanz", (32, 32, 3), steps_per_epoch=10, changes={"compile.discriminator_steps": 3})
    steps = [
        optimizer.get_config()["learning_rate"]["config"]["steps_per_epoch"]
        for optimizer in (model.generator_optimizer, model.discriminator_optimizer)
    ]
    assert steps == [10, 30]
