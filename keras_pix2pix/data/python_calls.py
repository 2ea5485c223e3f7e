"""Python functions in a `tf.data` pipeline, which must finish before the interpreter exits.

On exit, the remaining iterators are destroyed, and each waits for its calls. A call that hasn't acquired the
interpreter's lock by then never does, and the program would hang.
"""

import atexit
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

__all__ = ["python_call"]

_QUIET_SECONDS = 0.1  # Without a call; after that the buffers are full, and no more calls are expected.
_MOST_SECONDS = 5.0

_ending = threading.Event()
_last_call = 0.0
_number_running = 0
_lock = threading.Lock()


def python_call(
    function: Callable, *arguments: Any, specs: Sequence[tf.TensorSpec], stateful: bool = False
) -> tuple[tf.Tensor, ...]:
    """Call a function of scalars; return tensors of these `tf.TensorSpec`s, all zeros once the program is exiting."""

    def call(*values):
        if _ending.is_set():
            return [np.zeros(spec.shape, spec.dtype.as_numpy_dtype) for spec in specs]
        return function(*values)

    results = tf.numpy_function(_counted(call), arguments, [spec.dtype for spec in specs], stateful=stateful)
    return tuple(tf.ensure_shape(each, spec.shape) for each, spec in zip(results, specs, strict=True))


def _counted(call):
    def counted(*values):
        _count(+1)
        try:
            return call(*values)
        finally:
            _count(-1)

    return counted


def _count(change):
    global _last_call, _number_running
    with _lock:
        _number_running += change
        _last_call = time.monotonic()


@atexit.register
def _wait_for_calls():
    _ending.set()
    latest = time.monotonic() + _MOST_SECONDS
    while _number_running or time.monotonic() < _last_call + _QUIET_SECONDS:
        if time.monotonic() > latest:
            return
        time.sleep(_QUIET_SECONDS / 10)
