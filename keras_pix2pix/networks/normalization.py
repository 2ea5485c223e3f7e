"""The normalisations of the published networks."""

import functools
from collections.abc import Callable

import keras
from keras import layers

from keras_pix2pix.networks.blocks import WEIGHT_STDDEV

__all__ = ["NORM_EPSILON", "normalization_layers"]

NORM_EPSILON = 1e-5  # The authors' code; Keras' default is 1e-3.
_BATCH_NORM_MOMENTUM = 0.9  # The authors' code, in Keras' convention.


def _instance_normalization(epsilon=NORM_EPSILON, affine=True, name=None):
    """Instance normalisation; if affine, the same as the paper's batch norm on batch statistics at batch 1.

    Unlike batch norm it does the same in training, in `predict` and in an exported file, at any batch size.

    Reference:
        Ulyanov et al., "Instance Normalization: The Missing Ingredient for Fast Stylization".
    """
    return layers.GroupNormalization(
        groups=-1, epsilon=epsilon, center=affine, scale=affine, gamma_initializer=_initial_gamma(), name=name
    )


def _batch_normalization(epsilon=NORM_EPSILON, name=None):
    """Batch normalisation over all replicas: batch statistics in training, moving averages otherwise.

    Returns a layer with gamma from N(1, 0.02) and beta.

    Reference:
        Isola et al., Section 6.1.
    """
    return layers.BatchNormalization(
        epsilon=epsilon,
        momentum=_BATCH_NORM_MOMENTUM,
        gamma_initializer=_initial_gamma(),
        synchronized=True,
        name=name,
    )


_NORMALIZATIONS = {
    "instance": _instance_normalization,
    "instance_no_affine": functools.partial(_instance_normalization, affine=False),  # PyTorch's InstanceNorm2d.
    "batch": _batch_normalization,
    None: None,
}


def normalization_layers(
    normalization: str | Callable[[], keras.layers.Layer] | None, epsilon: float = NORM_EPSILON
) -> Callable[[str], keras.layers.Layer] | None:
    """The function that makes a network's normalisation layers."""
    if not epsilon > 0:
        raise ValueError(f"`norm_epsilon` must be greater than 0. Received: norm_epsilon={epsilon!r}.")
    if callable(normalization):
        return lambda name: normalization()
    if normalization not in _NORMALIZATIONS:
        raise ValueError(
            '`normalization` must be "instance", "instance_no_affine", "batch", None, or a function that returns a '
            f"layer. Received: normalization={normalization!r}."
        )
    make = _NORMALIZATIONS[normalization]
    return make and (lambda name: make(epsilon=epsilon, name=name))


def _initial_gamma():
    return keras.initializers.RandomNormal(1.0, WEIGHT_STDDEV)
