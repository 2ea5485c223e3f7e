"""Recognises U-Nets by the weights and names of their layers, for files without a configuration."""

import re
from typing import NamedTuple

from keras_pix2pix.convert.keras.known_layers import INSTEAD
from keras_pix2pix.convert.keras.unet_steps import UNetSteps

__all__ = ["steps_from_weights"]

_ACTIVATIONS = ("LeakyReLU", "ReLU", "Activation")
# What Keras 2 calls layers without weights, before the number.
_WEIGHTLESS = {
    "leaky_re_lu": "LeakyReLU",
    "re_lu": "ReLU",
    "activation": "Activation",
    "dropout": "Dropout",
    "spatial_dropout2d": "SpatialDropout2D",
    "up_sampling2d": "UpSampling2D",
    "concatenate": "Concatenate",
}
# By their weights alone they could be instance norms.
_OTHER_NORMS = ("group_normalization", "layer_normalization")
_FLAT_SLOPE = 0.2  # The paper's, set in code; the file doesn't store it.
_BLOCK_SLOPE = 0.3  # Keras 2's default, and so TensorFlow's tutorial's, which is made of blocks.
_EPSILON = 1e-3  # Default of Keras 2 and of tensorflow-addons.


class _Layer(NamedTuple):
    kind: str  # "convolution", "normalization", or a class of Keras 3
    name: str
    weights: dict
    in_block: bool = False
    ends_block: bool = False


def steps_from_weights(saved_layers, path, *, leaky_slope=None, epsilon=None):
    """Read the layers of a file without a configuration as a U-Net of the common layout.

    The first half of the convolutions halve the size, the second half double it, and norms follow convolutions.
    Activations, dropout and concatenations are placed by their names; inside blocks, which hide them, they are placed
    as in TensorFlow's tutorial.
    """
    found = _flat_layers(saved_layers, path)
    convolutions = [place for place, layer in enumerate(found) if layer.kind == "convolution"]
    half = len(convolutions) // 2
    if half < 2 or len(convolutions) % 2:
        raise _not_a_unet(path, f"{len(convolutions)} convolutions")
    if leaky_slope is None:
        leaky_slope = _BLOCK_SLOPE if any(layer.in_block for layer in found) else _FLAT_SLOPE
    epsilon = _EPSILON if epsilon is None else epsilon
    first, middle, last = convolutions[0], convolutions[half], convolutions[-1]
    unet = UNetSteps(found[first].weights["kernel"].shape[2], leaky_slope, epsilon)
    _append_half(unet, found[:middle], "LeakyReLU", path)
    _append_half(unet, found[middle:last], "ReLU", path)
    _append_last(unet, found[last:], path)
    return unet.steps, (
        f"; not in a file of weights, and so taken as usual: leaky ReLU with slope {leaky_slope:g}, epsilon "
        f"{epsilon:g}, strides of 2, skips concatenated behind the decoder's channels, tanh at the end"
    )


def _flat_layers(saved_layers, path):
    layers, unknown = [], []
    for saved in saved_layers:
        parts = saved.parts()
        name = re.sub(r"_\d+$", "", saved.name)
        if sum(_kind(part, weights) == "convolution" for part, weights in parts.items()) > 1:
            # A file of weights doesn't store the activations between them.
            unknown.append(f"{saved.name!r} (a network of several convolutions)")
        if name in _WEIGHTLESS and not parts:
            layers.append(_Layer(_WEIGHTLESS[name], saved.name, {}))
        elif not parts and not name.startswith("input"):
            unknown.append(f"{saved.name!r} (no weights)")
        for part, weights in parts.items():
            kind = _kind(part, weights)
            if kind is None:
                unknown.append(f"{part!r} ({', '.join(f'{key} {value.shape}' for key, value in weights.items())})")
            in_block = list(parts) != [saved.name]
            layers.append(_Layer(kind, part, weights, in_block, ends_block=in_block and part == list(parts)[-1]))
    if unknown:
        raise _not_a_unet(path, f"layers that are not known: {', '.join(unknown)}")
    return layers


def _kind(name, weights):
    if "kernel" in weights and weights.keys() <= {"kernel", "bias"} and weights["kernel"].ndim == 4:
        return "convolution"
    averages = {"moving_mean", "moving_variance"}
    if weights.keys() & averages not in (set(), averages) or name.startswith(_OTHER_NORMS):
        return None
    return "normalization" if weights.keys() - averages <= {"gamma", "beta"} else None


def _append_half(unet, found, activation, path):
    """Add the layers of the encoder or decoder; `activation` where the file can't show any."""
    hidden = not any(layer.kind in _ACTIVATIONS for layer in found)
    inline = hidden and not any(layer.in_block for layer in found)
    if inline and activation == "LeakyReLU":
        raise _not_a_unet(path, "no activation among the layers of the encoder")
    for layer in found:
        if layer.kind == "convolution":
            # An activation that is no layer of its own is an argument of the convolution.
            _append_convolution(unet, layer, activation, "relu" if inline else "linear", path)
        elif layer.kind == "normalization":
            _append_normalization(unet, layer, path)
        elif layer.kind == "Concatenate" and not unet.has_skip:
            raise _not_a_unet(path, f"no skip of the encoder for {layer.name!r}")
        else:
            unet.append(layer.kind, layer.name)
        if hidden and layer.ends_block:
            unet.append(activation, f"{layer.name}_activation")


def _append_last(unet, found, path):
    convolution, *rest = found
    unexpected = [layer.name for layer in rest if layer.kind != "Activation"]
    if unexpected:
        raise _not_a_unet(path, f"after the last convolution {', '.join(map(repr, unexpected))}")
    _append_convolution(unet, convolution, "ReLU", "tanh", path)


def _append_convolution(unet, layer, half, activation, path):
    shape = layer.weights["kernel"].shape
    follows, follows_transposed = shape[2] == unet.channels, shape[3] == unet.channels
    resized = unet.steps[-1].kind == "UpSampling2D"
    given = {"activation": activation}
    if half == "LeakyReLU" and follows and not resized:
        unet.convolution("Conv2D", layer.name, layer.weights, strides=2, **given)
    elif half == "ReLU" and follows and resized:
        unet.convolution("Conv2D", layer.name, layer.weights, strides=1, **given)
    elif half == "ReLU" and follows_transposed and not resized and not (follows and _is_plain(layer.name)):
        unet.convolution("Conv2DTranspose", layer.name, layer.weights, strides=2, **given)
    elif half == "ReLU" and follows and layer.in_block:
        unet.append("UpSampling2D", f"{layer.name}_upsampling")
        unet.convolution("Conv2D", layer.name, layer.weights, strides=1, **given)
    else:
        raise _not_a_unet(path, f"{layer.name!r} with a kernel {shape} on {unet.channels} channels")


def _append_normalization(unet, layer, path):
    wrong = [f"{name} {weight.shape}" for name, weight in layer.weights.items() if weight.shape != (unet.channels,)]
    if wrong:
        raise _not_a_unet(path, f"{layer.name!r} with {', '.join(wrong)} on {unet.channels} channels")
    unet.normalization(layer.name, layer.weights)


def _is_plain(name):
    return name.startswith("conv2d") and "transpose" not in name


def _not_a_unet(path, received):
    return ValueError(
        f"{path} has weights and no configuration, and they are not those of a U-Net of the common layout. "
        "Accepted: as many convolutions up as down, four or more, norms after them, activations and concatenations "
        f"under Keras' names. Received: {received}. Save the whole model. {INSTEAD}"
    )
