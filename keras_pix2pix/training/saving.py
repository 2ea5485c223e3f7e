"""How a model's file is written again and again: whole or not at all, and without memory growing."""

import contextlib

from keras_pix2pix.files import whole_file

# What of Keras' kinds of objects a model holds.
KINDS = ("Functional", "Layer", "Loss", "Metric", "Optimizer")


def save_whole(model, path):
    """Write `model.save` to a path, which keeps the file before until the new one is whole."""
    _look_up_once()
    with whole_file(path) as temporary:
        model.save(temporary)


def _look_up_once():
    """Have Keras keep what it looks up at each saving, by making an optimizer whose variables TensorFlow never forgets.

    It means to: Keras 3.15 writes it under one name, and reads it under another.
    """
    with contextlib.suppress(ImportError, AttributeError, ValueError):
        from keras.src.backend.common import global_state
        from keras.src.saving.saving_lib import get_attr_skipset

        for kind in KINDS:
            global_state.set_global_attribute(f"saving_attr_skiplist_{kind}", get_attr_skipset(kind))


def copy_average(model, generator):
    """Give a clone of the model's generator the averaged weights, and as they are those that are not trained."""
    generator.set_weights(model.generator.get_weights())
    for variable, weight in zip(generator.trainable_variables, model.average, strict=True):
        variable.assign(weight)
