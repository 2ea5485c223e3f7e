"""Starting TensorFlow, when a command turns out to need it."""

import os

from keras_pix2pix.quiet import quiet_native_code


def start_tensorflow():
    """Import what training and export need, without TensorFlow's greetings."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with quiet_native_code():
        from keras_pix2pix import Pix2Pix, export_tflite  # noqa: F401
