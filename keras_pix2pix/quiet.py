"""Silence for native code that talks too much."""

import contextlib
import os
import tempfile

__all__ = ["quiet_native_code"]


@contextlib.contextmanager
def quiet_native_code():
    """Keep what C++ code writes to the standard error stream from the screen; Python's exceptions are untouched."""
    # TensorFlow writes its first lines before it reads the level that would silence them, and the converter to
    # TFLite reads none.
    screen = os.dup(2)
    try:
        with tempfile.TemporaryFile() as hidden:
            os.dup2(hidden.fileno(), 2)
            yield
    finally:
        os.dup2(screen, 2)
        os.close(screen)
