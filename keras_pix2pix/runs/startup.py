"""Starting TensorFlow, when a command turns out to need it."""

import os

from keras_pix2pix.quiet import quiet_native_code


def start_tensorflow():
    """Import what training and export need, without TensorFlow's greetings.

    Raises:
        ImportError: TensorFlow is not installed, or Keras has another backend.

    Example:

    ```python
    from keras_pix2pix.runs.startup import start_tensorflow

    start_tensorflow()
    ```
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with quiet_native_code():
        from keras_pix2pix import Pix2Pix, export_tflite  # noqa: F401
