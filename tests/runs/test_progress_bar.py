"""What is shown during training, on a terminal and in a pipe, with a clock that the test winds."""

import io
from types import SimpleNamespace

import pytest
import rich.console

from keras_pix2pix.runs import progress_bar
from keras_pix2pix.runs.progress_bar import ProgressBar, _duration
from keras_pix2pix.training.training_state import Progress, TrainingState

LOGS = {"g_l1": 0.34567, "g_loss": 35.0, "d_real": 0.8, "val_ssim": 0.25, "images_per_second": 2.5}


@pytest.fixture
def clock(monkeypatch):
    """A function (seconds) that winds the clock on."""
    now = [0.0]
    monkeypatch.setattr(progress_bar.time, "monotonic", lambda: now[0])

    def wind(seconds):
        now[0] += seconds

    return wind


def begin(terminal):
    output = io.StringIO()
    bar = ProgressBar(2, rich.console.Console(file=output, force_terminal=terminal, width=120))
    bar.set_model(SimpleNamespace(training_state=TrainingState()))
    bar.set_params({"epochs": 3, "steps": 4})
    bar.on_train_begin()
    return bar, output


def run_epoch(bar, clock, epoch, seconds):
    bar.on_epoch_begin(epoch)
    for step, each in enumerate(seconds):
        clock(each)
        bar.on_train_batch_end(step)
    bar.on_test_begin()
    clock(10)
    bar.on_epoch_end(epoch, LOGS)


def test_a_pipe_gets_a_line_for_each_epoch_with_the_time_that_is_left(clock):
    bar, output = begin(terminal=False)
    run_epoch(bar, clock, 0, [20, 10, 10, 10])
    run_epoch(bar, clock, 1, [10, 10, 10, 10])
    run_epoch(bar, clock, 2, [1, 1, 1, 1])
    figures = "g_l1 0.3457  d_real 0.8  val_ssim 0.25  2.5 images/s"
    assert output.getvalue().splitlines() == [
        f"Epoch 1/3  {figures}, 1 min 0 s, 2 min 0 s left",
        f"Epoch 2/3  {figures}, 50 s, 55 s left",
        f"Epoch 3/3  {figures}, 14 s",
    ]


def test_a_long_epoch_has_a_line_every_minute(clock):
    bar, output = begin(terminal=False)
    run_epoch(bar, clock, 0, [50, 40, 40, 40])
    lines = output.getvalue().splitlines()
    assert lines[:2] == [
        # 2 pairs in 40 s; 2 steps left of the epoch and 8 of the other two.
        "Epoch 1/3  2/4 steps, 0.05 images/s, 1 min 20 s left, 6 min 40 s for all epochs",
        "Epoch 1/3  4/4 steps, 0.05 images/s, 0 s left, 5 min 20 s for all epochs",
    ]
    assert len(lines) == 3
    run_epoch(bar, clock, 1, [50, 40, 40, 40])
    # Now it is known how long an epoch takes with its validation: 180 s.
    assert "Epoch 2/3  2/4 steps, 0.05 images/s, 1 min 20 s left, 4 min 20 s for all epochs" in output.getvalue()


def test_a_resumed_epoch_goes_on_counting_its_steps(clock):
    bar, output = begin(terminal=False)
    bar.set_model(SimpleNamespace(training_state=TrainingState(Progress(epoch=1, step=2, seen=6))))
    run_epoch(bar, clock, 1, [70, 70])
    run_epoch(bar, clock, 2, [70])
    lines = [line[:26] for line in output.getvalue().splitlines() if "steps" in line]
    assert lines == ["Epoch 2/3  3/4 steps, ", "Epoch 2/3  4/4 steps, 0.02", "Epoch 3/3  1/4 steps, 0.02"]


def test_a_terminal_gets_a_bar_that_goes_away(clock):
    bar, output = begin(terminal=True)
    run_epoch(bar, clock, 0, [20, 10, 10, 10])
    shown = output.getvalue()
    assert "2/4" not in shown.splitlines()[-1]
    assert "Epoch 1/3, validation" in shown
    assert "0.2 images/s" in shown
    assert shown.splitlines()[-1].endswith(
        "Epoch 1/3  g_l1 0.3457  d_real 0.8  val_ssim 0.25  2.5 images/s, 1 min 0 s, 2 min 0 s left"
    )
    assert bar.bar is None


def test_the_bar_goes_away_after_an_error_too(clock):
    bar, output = begin(terminal=True)
    bar.on_epoch_begin(0)
    bar.close()
    bar.close()
    assert "\x1b[?25h" in output.getvalue()  # The cursor is there again.


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59.6, "1 min 0 s"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (90000, "25 h 0 min")],
)
def test_durations_are_in_words(seconds, text):
    assert _duration(seconds) == text
