"""How often what takes long is done at the ends of epochs."""

import functools
import math
import time
from collections.abc import Callable
from typing import Any

from keras_pix2pix.training.cluster import worker_count

__all__ = ["Pace"]

_SHARE = 0.1  # Of the time, at most.


class Pace:
    """Does work after an epoch, or leaves it out where it would take more than a tenth of the time.

    An epoch may take 3 seconds on a GPU, and a checkpoint as long. Several workers do all of it, because they must do
    the same at the same time.
    """

    def __init__(self) -> None:
        self.due = -math.inf
        self.left: Callable | None = None

    def run(self, work: Callable, *arguments: Any) -> None:
        """Do the work now, if it is due; otherwise leave it for `finish`, in place of what was left before."""
        self.left = functools.partial(work, *arguments)
        if time.monotonic() >= self.due or worker_count() > 1:
            self.finish()

    def finish(self) -> None:
        """Do what was left, if there is anything."""
        if self.left is None:
            return
        work, self.left = self.left, None
        start = time.monotonic()
        work()
        end = time.monotonic()
        self.due = end + (end - start) * (1 / _SHARE - 1)

    def forget(self) -> None:
        """Leave out for good what was left."""
        self.left = None
