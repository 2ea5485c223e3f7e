"""How many milliseconds a picture takes."""

import statistics
import time
from collections.abc import Callable, Mapping

import numpy as np

__all__ = ["latencies"]

_SECONDS = 1.0  # For all functions together, so that an export stays quick.
_LEAST_ROUNDS = 3


def latencies(runs: Mapping[str, Callable], source: np.ndarray) -> dict[str, float]:
    """Time functions on one picture, in turns, so that other load on the machine slows them all alike."""
    for run in runs.values():
        run(source)
    times: dict[str, list[float]] = {name: [] for name in runs}
    started, rounds = time.perf_counter(), 0
    while rounds < _LEAST_ROUNDS or time.perf_counter() - started < _SECONDS:
        for name, run in runs.items():
            start = time.perf_counter()
            run(source)
            times[name].append(time.perf_counter() - start)
        rounds += 1
    return {name: 1000 * statistics.median(each) for name, each in times.items()}
