"""Fold batch norm and cropping into the preceding convolution, and compute its new weights."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import keras
import numpy as np
from keras import layers

from keras_pix2pix.inference.subpixel import is_croppable, is_subpixel, subpixel_cropping
from keras_pix2pix.inference.walk import rebuilt

__all__ = ["folded_weights", "followers"]

# How to shape one factor per output channel so that it broadcasts over a layer's last kernel.
_FACTORS = {
    layers.Conv2D: lambda factors, kernel: factors,
    layers.Conv2DTranspose: lambda factors, kernel: factors[:, np.newaxis],
    layers.DepthwiseConv2D: lambda factors, kernel: factors.reshape(kernel.shape[2:]),
    layers.SeparableConv2D: lambda factors, kernel: factors,
}


def followers(network: keras.Model) -> dict[int, list[layers.Layer]]:
    """The layers that can be merged into each layer of a network without changing the result.

    Any convolution can absorb a batch norm on moving averages, and a transposed convolution that becomes a
    `SubpixelConvolution` also a cropping, if nothing else uses its output.
    """
    calls: list[_Call] = []
    # It has shapes only: no weights, no computation.
    outline = rebuilt(network, lambda *inputs, **options: _outlined(calls, *inputs, **options))
    visits = Counter(id(call.layer) for call in calls)
    uses = Counter(id(tensor) for call in calls for tensor in call.inputs)
    uses.update(id(tensor) for tensor in outline.outputs)
    next_calls = {id(call.inputs[0]): call for call in calls if len(call.inputs) == 1}
    found = {}
    for call in calls:
        taken: list[layers.Layer] = []
        output = call.output
        while visits[id(call.layer)] == 1 and uses[id(output)] == 1 and id(output) in next_calls:
            following = next_calls[id(output)]
            if visits[id(following.layer)] > 1 or not _takes_up(call.layer, taken, following):
                break
            taken.append(following.layer)
            output = following.output
        if taken:
            found[id(call.layer)] = taken
    return found


def folded_weights(layer: layers.Layer, norms: Sequence[layers.BatchNormalization]) -> list[np.ndarray]:
    """The weights of a convolution that includes the batch norms after it."""
    weights = layer.get_weights()
    for norm in norms:
        *kernels, kernel = weights[:-1] if len(weights) > _kernels(layer) else weights
        bias = weights[-1] if len(weights) > _kernels(layer) else 0.0
        mean, variance = (np.asarray(each, "float64") for each in (norm.moving_mean, norm.moving_variance))
        factors = (np.asarray(norm.gamma) if norm.scale else 1.0) / np.sqrt(variance + norm.epsilon)
        bias = (np.asarray(norm.beta) if norm.center else 0.0) + (bias - mean) * factors
        kernel = kernel * _FACTORS[type(layer)](factors, kernel)
        weights = [*kernels, kernel, bias]
    return weights


class _Call(NamedTuple):
    layer: object
    inputs: list
    options: dict
    output: object


class _Outline(layers.Layer):
    """Stands for a layer, with its shapes only."""

    def __init__(self, output_spec):
        super().__init__()
        self._output_spec = output_spec

    def compute_output_spec(self, *inputs, **options):
        return self._output_spec(*inputs, **options)

    def call(self, *inputs, **options):
        raise NotImplementedError("An outline has shapes only.")


def _outlined(calls, layer, *inputs, **options):
    output = _Outline(layer.compute_output_spec)(*inputs, **options)
    tensors = [each for each in keras.tree.flatten((inputs, options)) if isinstance(each, keras.KerasTensor)]
    calls.append(_Call(layer, tensors, options, output))
    return output


def _takes_up(layer, taken, following):
    if type(following.layer) is layers.Cropping2D:
        if not is_subpixel(layer) or following.layer.data_format != "channels_last":
            return False
        crops = [each for each in [*taken, following.layer] if type(each) is layers.Cropping2D]
        return is_croppable(layer.kernel_size, layer.strides[0], subpixel_cropping(layer, crops))
    return (
        type(following.layer) is layers.BatchNormalization
        and following.layer.axis in (-1, 3, [-1], [3])
        and following.options.get("training") is not True
        and type(layer) in _FACTORS
        and layer.data_format == "channels_last"
        and layer.activation is keras.activations.linear
        and len(layer.get_weights()) == _kernels(layer) + layer.use_bias
    )


def _kernels(layer):
    return 2 if type(layer) is layers.SeparableConv2D else 1
