"""Checks of the data for `fit`, `evaluate` and `predict`, before hours of training."""

import itertools
import types
import warnings
import weakref
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_pix2pix.inference.lean import size_multiple

__all__ = ["check_first_batch", "check_validation_data", "is_array"]

_TOLERANCE = 0.01  # Resizing filters with negative lobes may slightly exceed [-1, 1].
# For each generator of any size, because tracing takes seconds.
_suitable_sizes: weakref.WeakKeyDictionary[keras.Model, set] = weakref.WeakKeyDictionary()


def check_first_batch(model: Any, inputs: Any, targets: Any = None) -> Any:
    """Raise, or warn once, for a batch that the networks can't learn from; return the inputs, complete."""
    inputs, (source, target) = _first_batch(inputs, targets)
    if source is None:
        return inputs
    for name, images, shape in (
        ("source", source, model.generator.input_shape),
        ("target", target, model.generator.output_shape),
    ):
        if images is not None:
            _check_shape(name, tuple(images.shape), shape, tuple(source.shape))
            _check_values(name, images)
    if model.generator.input_shape[1] is None:
        _check_multiple(model.generator, tuple(source.shape[1:]))
    return inputs


def check_validation_data(model: Any, data: Any) -> Any:
    """The same for the `validation_data` of `fit`: arrays, or a source of batches."""
    if isinstance(data, (tuple, list)) and len(data) > 1:
        return (check_first_batch(model, *data[:2]), *data[1:])
    return data if data is None else check_first_batch(model, data)


def is_array(data: Any) -> bool:
    """Whether data are arrays in memory, which Keras splits into batches."""
    return isinstance(data, np.ndarray) or tf.is_tensor(data)


def _first_batch(inputs, targets):
    """The inputs, and (source, target) of their first batch; None if reading it would lose it."""
    if is_array(inputs):
        return inputs, (inputs[:1], targets[:1] if is_array(targets) else None)
    if isinstance(inputs, keras.utils.PyDataset):
        return inputs, _pair(inputs[0])
    if isinstance(inputs, types.GeneratorType):
        first = list(itertools.islice(inputs, 1))
        return _restored(first, inputs), _pair(*first)
    if not isinstance(inputs, tf.data.Dataset):
        return inputs, (None, None)
    # Our own data sets are known to be in range, and count how often they are read.
    made_here = getattr(inputs, "is_paired_dataset", False)
    return inputs, _pair(inputs.element_spec if made_here else next(iter(inputs.take(1)), None))


def _restored(first, others):
    # A generator, because Keras accepts no other iterator.
    yield from first
    yield from others


def _pair(batch=None):
    source, target, *_ = (*batch, None) if isinstance(batch, (list, tuple)) else (batch, None)
    known = [each if hasattr(each, "shape") and each.shape is not None else None for each in (source, target)]
    return [None if each is None or None in tuple(each.shape)[1:] else each for each in known]


def _check_shape(name, received, expected, source):
    if len(received) != 4:
        unbatched = " Batch the data set: `dataset.batch(1)`." if received == expected[1:] else ""
        raise ValueError(
            f"A batch of {name} images must be (batch, height, width, channels). Received: shape {received}.{unbatched}"
        )
    channels, (height, width) = expected[-1], expected[1:3]
    size = source[1:3] if height is None else (height, width)
    if received[1:] != (*size, channels):
        raise ValueError(
            f"The networks take {name} images of shape {(*size, channels)}. Received: {received[1:]}. Resize the "
            "images, or build the model for their size. A trained generator takes pictures of any size by "
            "`model.translate`; `unet_generator((None, None, 3))` makes one that trains on several sizes."
        )


def _check_values(name, images):
    if isinstance(images, tf.TensorSpec):
        return
    if not images.dtype.kind == "f" if isinstance(images, np.ndarray) else not images.dtype.is_floating:
        raise ValueError(
            f"The {name} images must be float32 in [-1, 1]. Received: {images.dtype}. Scale pixels with "
            "`keras_pix2pix.images.to_image`."
        )
    values = np.asarray(images, np.float32)
    low, high = float(values.min()), float(values.max())
    outside = low < -1 - _TOLERANCE or high > 1 + _TOLERANCE
    if outside or 0 <= low < high:
        warnings.warn(
            f"The {name} images should fill [-1, 1], as the generator's tanh does. Received: {low:g} to {high:g} in "
            "the first batch. Scale 0..255 with `keras_pix2pix.images.to_image`, and 0..1 by `2 * image - 1`.",
            stacklevel=4,
        )


def _check_multiple(generator, shape):
    known = _suitable_sizes.setdefault(generator, set())
    if shape not in known and not _suits(generator, shape):
        raise ValueError(
            f"Height and width must be multiples of {size_multiple(generator)} for the generator {generator.name!r}. "
            f"Received: {shape[0]}x{shape[1]} (height x width). Resize the images, or build a generator with fewer "
            "halvings."
        )
    known.add(shape)


def _suits(generator, shape):
    generate = tf.function(lambda source: generator(source, training=False))
    try:
        return generate.get_concrete_function(tf.TensorSpec((1, *shape))).output_shapes[1:3] == shape[:2]
    except ValueError:
        return False  # Each network fails in its own way, mostly by skips of unequal size.
