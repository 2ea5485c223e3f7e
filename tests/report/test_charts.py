"""Where the lines of the report's charts run."""

import math

import pytest

from keras_pix2pix.report.charts import _BOTTOM, _LEFT, _MOST_POINTS, _RIGHT, _TOP, charts


def points(line):
    return [tuple(float(number) for number in point.split(",")) for path in line["paths"] for point in path.split()]


def test_a_line_runs_from_the_first_epoch_to_the_last_and_up_for_more():
    (chart,) = charts({"epoch": [0, 1, 2], "g_l1": [0.2, 0.4, 0.3]})
    (line,) = chart["lines"]
    assert (line["name"], line["last"], line["validation"]) == ("g_l1", 0.3, False)
    (x0, y0), (x1, y1), (x2, y2) = points(line)
    assert (x0, x1, x2) == (_LEFT, (_LEFT + _RIGHT) / 2, _RIGHT)
    assert y2 == pytest.approx((y0 + y1) / 2, abs=0.1)
    assert _TOP < y1 < y2 < y0 < _BOTTOM
    assert [label for _, label in chart["x_ticks"]] == ["1", "2", "3"]
    ticks = {label: y for y, label in chart["y_ticks"]}
    assert ticks["0.2"] == y0
    assert ticks["0.4"] == y1


def test_logs_of_one_subject_share_a_chart_and_unknown_ones_have_their_own():
    history = {name: [0.5, 0.6] for name in ("d_real", "d_fake", "val_d_fake", "val_sharpness", "sharpness")}
    first, second = charts({"epoch": [0, 1], **history})
    assert [(line["name"], line["color"], line["validation"]) for line in first["lines"]] == [
        ("d_real", 0, False),
        ("d_fake", 1, False),
        ("val_d_fake", 1, True),
    ]
    assert second["title"] == "sharpness"
    assert [(line["name"], line["color"]) for line in second["lines"]] == [("sharpness", 0), ("val_sharpness", 1)]


def test_gaps_stay_gaps_and_what_stands_alone_is_a_dot():
    nan, inf = math.nan, math.inf
    (chart,) = charts({"epoch": [*range(7)], "g_l1": [1.0, nan, 2.0, 3.0, inf, -inf, 2.0]})
    (line,) = chart["lines"]
    assert [len(path.split()) for path in line["paths"]] == [2]
    assert len(line["dots"]) == 2


def test_a_single_epoch_and_a_line_that_doesnt_move_can_be_drawn():
    (chart,) = charts({"epoch": [0], "g_l1": [0.0]})
    ((x, _),) = chart["lines"][0]["dots"]
    assert float(x) == _LEFT
    (chart,) = charts({"epoch": [4, 5], "g_learning_rate": [2e-4, 2e-4]})
    assert {y for _, y in points(chart["lines"][0])} == {(_TOP + _BOTTOM) / 2}


def test_long_runs_are_thinned_out():
    epochs = list(range(10_000))
    (chart,) = charts({"epoch": epochs, "g_l1": [float(epoch) for epoch in epochs]})
    assert len(points(chart["lines"][0])) <= _MOST_POINTS


@pytest.mark.parametrize("history", [{"epoch": []}, {"epoch": [], "g_l1": []}, {"epoch": [0], "g_l1": [math.nan]}])
def test_nothing_to_draw_is_no_chart(history):
    assert charts(history) == []


def test_a_value_between_those_that_are_drawn_is_no_chart():
    history = {"epoch": list(range(1000)), "g_l1": [0.5 if epoch == 1 else math.nan for epoch in range(1000)]}
    assert charts(history) == []
