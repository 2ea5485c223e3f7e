"""Silences native code."""

import contextlib
import os
import tempfile

__all__ = ["quiet_native_code"]


@contextlib.contextmanager
def quiet_native_code():
    """Hide what C++ code writes to standard error; Python's exceptions are unaffected."""
    # TensorFlow writes its first lines before it reads the level that would silence them, and the TFLite
    # converter reads no level.
    screen = os.dup(2)
    try:
        with tempfile.TemporaryFile() as hidden:
            os.dup2(hidden.fileno(), 2)
            yield
    finally:
        os.dup2(screen, 2)
        os.close(screen)
