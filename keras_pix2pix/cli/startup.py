"""Starting TensorFlow, when a command turns out to need it."""

import contextlib
import os
import tempfile


def start_tensorflow():
    """Import what training and export need, without TensorFlow's greetings.

    Raises:
        ImportError: TensorFlow is not installed, or Keras has another backend.

    Example:

    ```python
    from keras_pix2pix.cli.startup import start_tensorflow

    start_tensorflow()
    ```
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with quiet_native_code():
        from keras_pix2pix import Pix2Pix, export_tflite  # noqa: F401


@contextlib.contextmanager
def quiet_native_code():
    """Keep what C++ code writes to the standard error stream from the screen; Python's exceptions are untouched.

    Example:

    ```python
    from keras_pix2pix.cli.startup import quiet_native_code

    with quiet_native_code():
        import tensorflow
    ```
    """
    # TensorFlow writes its first lines before it reads the level that would silence them.
    screen = os.dup(2)
    try:
        with tempfile.TemporaryFile() as hidden:
            os.dup2(hidden.fileno(), 2)
            yield
    finally:
        os.dup2(screen, 2)
        os.close(screen)
