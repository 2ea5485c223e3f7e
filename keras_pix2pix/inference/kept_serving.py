"""The serving model of a generator, kept until the generator's weights change."""

import weakref
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from keras_pix2pix.inference.serving import encodings_of, generator_of, serving_model

__all__ = ["kept_serving_model"]

_BLOCK = 4096  # Weights per number in a signature.
_RAMP = np.linspace(1, 2, _BLOCK, dtype=np.float32)


class _Kept(NamedTuple):
    encodings: tuple
    signature: list
    serving: keras.Model


_kept: weakref.WeakKeyDictionary[keras.Model, _Kept] = weakref.WeakKeyDictionary()


def kept_serving_model(model: keras.Model) -> keras.Model:
    """`serving_model(model)`, or the same object as last time, with its graphs, if the weights haven't changed."""
    generator = generator_of(model)
    encodings, signature = encodings_of(model), _signature(generator)
    kept = _kept.get(generator)
    if kept is None or kept.encodings != encodings or not _equal(kept.signature, signature):
        kept = _kept[generator] = _Kept(encodings, signature, serving_model(model))
    return kept.serving


def _signature(generator):
    """A weighted sum of each block of weights: comparing the weights themselves would take a copy of them."""
    return [_sums(variable) for variable in generator.variables]


def _sums(variable):
    weights = np.asarray(tf.convert_to_tensor(variable)).astype(np.float32, copy=False).ravel()
    full = weights.size // _BLOCK * _BLOCK
    rest = weights[full:]
    return np.append(weights[:full].reshape(-1, _BLOCK) @ _RAMP, rest @ _RAMP[: rest.size])


def _equal(signature, other):
    return all(np.array_equal(one, another, equal_nan=True) for one, another in zip(signature, other, strict=True))
