"""Starts TensorFlow when a command needs it."""

import contextlib
import os
import signal
import sys
import threading

from keras_pix2pix.quiet import quiet_native_code

__all__ = ["start_tensorflow"]


def start_tensorflow():
    """Import training and export, without TensorFlow's log lines."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with quiet_native_code(), _ended_at_once_by_ctrl_c():
        from keras_pix2pix import Pix2Pix, export_tflite  # noqa: F401


@contextlib.contextmanager
def _ended_at_once_by_ctrl_c():
    """Let Ctrl-C end the process directly, because importing TensorFlow sometimes loses a KeyboardInterrupt."""
    if "tensorflow" in sys.modules or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
