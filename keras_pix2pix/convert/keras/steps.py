"""A foreign network as a list of steps, one for each layer, and the Keras 3 network built from them."""

from typing import NamedTuple

import keras
import numpy as np
from keras import layers, ops

from keras_pix2pix.networks.claims import reason

__all__ = ["ALWAYS_DROPPING", "DROPPING", "SETTINGS", "Step", "build_network", "description_of"]

# In the order in which every Keras layer below holds them.
_WEIGHTS = ("depthwise_kernel", "pointwise_kernel", "kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance")
# The settings read from a layer's configuration, and their values if an old file leaves them out.
_CONVOLUTION = {"filters": None, "kernel_size": None, "strides": (1, 1), "padding": "valid", "dilation_rate": (1, 1)}
_NORMALIZATION = {"epsilon": 1e-3, "center": True, "scale": True}
SETTINGS = {
    "Conv2D": {**_CONVOLUTION, "activation": "linear", "use_bias": True},
    "Conv2DTranspose": {**_CONVOLUTION, "activation": "linear", "use_bias": True},
    "SeparableConv2D": {**_CONVOLUTION, "depth_multiplier": 1, "activation": "linear", "use_bias": True},
    "UpSampling2D": {"size": (2, 2), "interpolation": "nearest"},
    "ZeroPadding2D": {"padding": None},
    "Cropping2D": {"cropping": None},
    "MaxPooling2D": {"pool_size": (2, 2)},
    "AveragePooling2D": {"pool_size": (2, 2)},
    "ReLU": {"max_value": None, "negative_slope": 0.0, "threshold": 0.0},
    "LeakyReLU": {"negative_slope": 0.3},
    "Activation": {"activation": None},
    "Rescaling": {"scale": None, "offset": 0.0},
    "Dropout": {"rate": None},
    "SpatialDropout2D": {"rate": None},
    "Pad": {"pad_width": None, "mode": "constant"},  # `keras.ops.pad`, an operation of Keras 3.
    "Concatenate": {},
    "Add": {},
    "BatchNormalization": _NORMALIZATION,
    "GroupNormalization": {"groups": None, **_NORMALIZATION},
}
_MERGING = ("Concatenate", "Add")
DROPPING = ("Dropout", "SpatialDropout2D")
ALWAYS_DROPPING = "dropout called with training=True"


class Step(NamedTuple):
    """One layer of a foreign network.

    Args:
        kind: "Input", or a layer class of Keras 3 that `SETTINGS` names.
        name: Name of the step, and of the Keras layer.
        inputs: Names of the steps whose results it uses.
        settings: Keras 3's arguments; for "Input" the number of `channels`.
        weights: Name of the weight -> array.
        recorded_as: What the file calls the layer, for messages. Defaults to "".
        is_copy: Whether an earlier step has the same weights, because the layer is called again. Defaults to False.
    """

    kind: str
    name: str
    inputs: tuple
    settings: dict
    weights: dict
    recorded_as: str = ""
    is_copy: bool = False


def build_network(steps, path):
    """Build a Keras 3 network from the steps, with their weights."""
    first, *rest = steps
    source = keras.Input((None, None, first.settings["channels"]), dtype="float32", name="source")
    results = {first.name: source}
    for step in rest:
        inputs = [results[name] for name in step.inputs]
        results[step.name] = _layer_result(step, inputs, path)
    return keras.Model(source, results[steps[-1].name], name="generator")


def _layer_result(step, inputs, path):
    try:
        if step.kind == "Pad":
            return ops.pad(inputs[0], **step.settings)
        layer = getattr(layers, step.kind)(**step.settings, name=step.name, dtype="float32")
        result = layer(inputs if step.kind in _MERGING else inputs[0])
    except (AttributeError, IndexError, OverflowError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path}: the layer {step.name!r} ({step.recorded_as or step.kind}) can't be built as the file says: "
            f"{reason(error)}. The file is damaged, or another program's; save it again."
        ) from error
    _set_weights(layer, step, path)
    return result


def description_of(steps, parameters):
    """Describe a list of steps in words."""
    convolutions = [step for step in steps if step.kind in ("Conv2D", "SeparableConv2D")]
    halvings = [step for step in convolutions if tuple(step.settings["strides"]) == (2, 2)]
    joins = sum(step.kind == "Concatenate" for step in steps)
    words = [f"network of {len(steps) - 1} layers"]
    if len(halvings) > 1 and joins == len(halvings) - 1:
        words = [f"U-Net of {len(halvings)} downsamples"]
    if convolutions:
        words.append(f"{convolutions[0].settings['filters']} filters")
    norms = {
        f"{step.recorded_as or _norm(step.settings.get('groups'))} (epsilon {step.settings['epsilon']:.4g})"
        for step in steps
        if step.kind in ("BatchNormalization", "GroupNormalization")
    }
    dropping = sum(step.recorded_as == ALWAYS_DROPPING for step in steps)
    copies = sum(step.is_copy for step in steps)
    remarks = {
        f"{dropping} layers of {ALWAYS_DROPPING}, left out of what translate and exports run": dropping,
        f"{copies} of its layers copies, where the file calls a layer again": copies,
    }
    said = [text for text, count in remarks.items() if count]
    return ", ".join([*words, *sorted(norms), f"{parameters:,} parameters", *said])


def _norm(groups):
    return {None: "batch norm", -1: "instance norm"}.get(groups, "group norm")


def _set_weights(layer, step, path):
    expected = {variable.name: tuple(variable.shape) for variable in layer.weights}
    received = {name: step.weights[name].shape for name in _WEIGHTS if name in step.weights}
    if expected != received:
        raise ValueError(
            f"{path}: the layer {step.name!r} ({step.recorded_as or step.kind}) needs the weights {expected}. "
            f"Received: {received}. The file is damaged, or not what its configuration says; save it again."
        )
    values = [np.asarray(step.weights[name], "float32") for name in received]
    if not all(np.isfinite(value).all() for value in values):
        raise ValueError(
            f"{path}: weights must be finite numbers. Received: NaN or infinity in the layer {step.name!r}. "
            "The run that wrote it had failed; take an earlier file."
        )
    layer.set_weights(values)
