"""Saves a model's file repeatedly: completely or not at all, and without growing memory."""

import contextlib
from pathlib import Path

import keras

from keras_pix2pix.files import whole_file
from keras_pix2pix.training.training_state import TrainingState

__all__ = ["copy_average", "save_whole"]

# Keras' kinds of objects in a model.
_KINDS = ("Functional", "Layer", "Loss", "Metric", "Optimizer")


def save_whole(model: keras.Model, path: str | Path, state: TrainingState | None = None) -> None:
    """Write `model.save` to a path; the old file is kept until the new one is complete.

    `state` is a `TrainingState` to write in place of the model's own.
    """
    _look_up_once()
    own = model.training_state
    model.training_state = state or own
    try:
        with whole_file(path) as temporary:
            model.save(temporary)
    finally:
        model.training_state = own


def _look_up_once():
    """Cache a list that Keras rebuilds at each save, with an optimizer whose variables TensorFlow never frees.

    Keras 3.15 has a cache for it, but writes and reads it under different names.
    """
    with contextlib.suppress(ImportError, AttributeError, ValueError):
        from keras.src.backend.common import global_state
        from keras.src.saving.saving_lib import get_attr_skipset

        for kind in _KINDS:
            global_state.set_global_attribute(f"saving_attr_skiplist_{kind}", get_attr_skipset(kind))


def copy_average(model: keras.Model, generator: keras.Model) -> None:
    """Give a clone of the model's generator the averaged weights; those that aren't trained are copied."""
    generator.set_weights(model.generator.get_weights())
    for variable, weight in zip(generator.trainable_variables, model.training_state.average, strict=True):
        variable.assign(weight)
