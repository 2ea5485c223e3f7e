"""Paired image-to-image translation (pix2pix, arXiv 1611.07004) for Keras 3 and TensorFlow.

`__init__.pyi` has the public names. Each is imported when it is first used, so that importing this package
takes no time.
"""

import contextlib
import importlib
import importlib.util

import lazy_loader
import wrapt

__version__ = "0.1.0"

_import_public, __dir__, _public = lazy_loader.attach_stub(__name__, __file__)
__all__ = [*_public, "__version__"]

_WITHOUT_TENSORFLOW = ("data", "download_dataset", "draw_pairs", "encodings", "images", "write_report")
# Where classes are registered with Keras.
_SERIALIZABLE = ("metrics", "networks.blocks", "networks.spectral", "training.model", "training.perceptual")


def __getattr__(name):
    if name in _public and name not in _WITHOUT_TENSORFLOW:
        _require_tensorflow()
    return _import_public(name)


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
    layout, floatx = keras.config.image_data_format(), keras.config.floatx()
    if layout != "channels_last" or floatx not in ("float32", "float64"):
        raise ImportError(
            "keras_pix2pix needs Keras' image_data_format channels_last, and its floatx float32 or float64. Received: "
            f"{layout} and {floatx}, mostly from ~/.keras/keras.json. Change them there; 16 bits are a model's own "
            'affair: precision="float16" or "bfloat16".'
        )


@wrapt.when_imported("keras")
def _register_classes(keras):
    """Make our classes known to `keras.saving.load_model` as soon as both packages are imported, in any order."""
    if keras.config.backend() != "tensorflow":
        return
    for module in _SERIALIZABLE:
        # A module of ours that is itself the first to import Keras isn't complete yet.
        with contextlib.suppress(ImportError):
            importlib.import_module(f"{__name__}.{module}")
