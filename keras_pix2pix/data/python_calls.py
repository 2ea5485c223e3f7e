"""Python functions within a `tf.data` pipeline, which must be done before the interpreter ends.

The end of a program destroys the iterators that are left, and each waits for its calls. A call that hasn't got the
interpreter by then never gets it: the program would hang.
"""

import atexit
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

__all__ = ["python_call"]

_QUIET_SECONDS = 0.1  # Without a call, after which none is expected: buffers are full.
_MOST_SECONDS = 5.0

_ending = threading.Event()
_last_call = 0.0
_number_running = 0
_lock = threading.Lock()


def python_call(
    function: Callable, argument: Any, *, specs: Sequence[tf.TensorSpec], stateful: bool = False
) -> tuple[tf.Tensor, ...]:
    """What a function of a scalar returns: tensors of these `tf.TensorSpec`s; blank ones once the program ends."""

    def call(value):
        if _ending.is_set():
            return [np.zeros(spec.shape, spec.dtype.as_numpy_dtype) for spec in specs]
        return function(value)

    results = tf.numpy_function(_counted(call), [argument], [spec.dtype for spec in specs], stateful=stateful)
    return tuple(tf.ensure_shape(each, spec.shape) for each, spec in zip(results, specs, strict=True))


def _counted(call):
    def counted(value):
        _count(+1)
        try:
            return call(value)
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
