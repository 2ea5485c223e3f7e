"""Paired image-to-image translation (pix2pix, arXiv 1611.07004) for Keras 3 and TensorFlow.

The names below are imported when they are first used, so that importing this package takes no time.
"""

import importlib
import importlib.util

__version__ = "0.1.0"

_HOMES = {
    # Data
    "paired_dataset": "keras_pix2pix.data.pipeline",
    "paired_dataset_from_folders": "keras_pix2pix.data.pipeline",
    "draw_pairs": "keras_pix2pix.data.inspection",
    # Networks
    "unet_generator": "keras_pix2pix.networks.unet",
    "resnet_generator": "keras_pix2pix.networks.resnet",
    "patchgan_discriminator": "keras_pix2pix.networks.patchgan",
    "pytorch_gan_discriminator": "keras_pix2pix.networks.patchgan",
    "instance_from_batch": "keras_pix2pix.networks.batch_to_instance",
    "receptive_field": "keras_pix2pix.networks.patchgan",
    "serving_model": "keras_pix2pix.networks.serving",
    # Training
    "Pix2Pix": "keras_pix2pix.training.model",
    "fit_on_workers": "keras_pix2pix.training.workers",
    "preset_data": "keras_pix2pix.training.presets",
    # Into the house, and out of it
    "from_pytorch": "keras_pix2pix.convert.pytorch",
    "from_legacy_keras": "keras_pix2pix.convert.legacy_keras",
    "from_tf_tutorial": "keras_pix2pix.convert.tf_tutorial",
    "export_onnx": "keras_pix2pix.deploy.onnx",
    "export_saved_model": "keras_pix2pix.deploy.saved_model",
    "export_tflite": "keras_pix2pix.deploy.tflite",
}
# Modules: `from keras_pix2pix import callbacks`, then `callbacks.ImageSummary`.
_MODULES = {
    "callbacks": "keras_pix2pix.training.callbacks",
    "data": "keras_pix2pix.data",
    "encodings": "keras_pix2pix.encodings",
    "evaluation": "keras_pix2pix.evaluation",
    "images": "keras_pix2pix.images",
}

__all__ = [*_HOMES, *_MODULES, "__version__"]


def __getattr__(name):
    if name not in _HOMES and name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    _require_tensorflow()
    if name in _MODULES:
        return importlib.import_module(_MODULES[name])
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__():
    return sorted(__all__)


def _require_tensorflow():
    if importlib.util.find_spec("tensorflow") is None:
        raise ImportError(
            "keras_pix2pix needs TensorFlow 2.20 or newer, which is not installed. Run `pip install tensorflow`."
        )
    import keras

    if keras.config.backend() != "tensorflow":
        raise ImportError(
            f"keras_pix2pix needs Keras' TensorFlow backend. Received: {keras.config.backend()!r}, from "
            "KERAS_BACKEND or ~/.keras/keras.json. Set KERAS_BACKEND=tensorflow before Python starts."
        )
