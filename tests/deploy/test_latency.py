"""Timing, by a clock that the test turns."""

import pytest

from keras_pix2pix.deploy import latency


@pytest.fixture
def clock(monkeypatch):
    """What `time.perf_counter` says, in seconds, to be moved on by hand."""
    now = [100.0]
    monkeypatch.setattr(latency.time, "perf_counter", lambda: now[0])
    return now


def worker(clock, calls, name, durations):
    durations = iter(durations)

    def run(source):
        calls.append((name, source))
        clock[0] += next(durations)

    return run


def test_medians_of_runs_that_take_turns_after_one_that_does_not_count(clock):
    calls = []
    runs = {
        "file": worker(clock, calls, "file", [9.0, 0.010, 0.030, 0.020]),
        "Keras": worker(clock, calls, "Keras", [9.0, 0.5, 0.1, 0.2]),
    }
    assert latency.latencies(runs, "picture") == pytest.approx({"file": 20.0, "Keras": 200.0})
    assert calls == [("file", "picture"), ("Keras", "picture")] * 4


def test_it_ends_when_the_time_is_up(clock, monkeypatch):
    monkeypatch.setattr(latency, "_SECONDS", 1.0)
    calls = []
    latency.latencies({"file": worker(clock, calls, "file", [0.25] * 99)}, None)
    assert len(calls) == 1 + 4
    calls.clear()
    latency.latencies({"file": worker(clock, calls, "file", [60.0] * 99)}, None)
    assert len(calls) == 1 + latency._LEAST_ROUNDS
