"""Training that starts from trained networks: their weights, and which layers keep them."""

from pathlib import Path

import keras
import numpy as np

from keras_pix2pix.inference.serving import check_generator
from keras_pix2pix.networks.claims import load_checked
from keras_pix2pix.pretrained import model_file
from keras_pix2pix.training.presets import FREEZABLE

__all__ = ["freeze", "set_pretrained_weights"]

_FIRST_CONVOLUTION = "down1_convolution"  # Of both generators, each with its own decoder.
_DECODERS = ("up1_", "block1_")
_ENHANCER = "enhancer_sum"
_MOST_NAMED = 8


def set_pretrained_weights(
    generator: keras.Model, discriminator: keras.Model, weights: str | Path | keras.Model
) -> str:
    """Give two networks the weights of trained ones, and say which were taken, as text for the run's header.

    `weights` is a word, a file, a run folder or a model. A generator by itself leaves the discriminator as it is. A
    first convolution of another number of source channels is adapted.
    """
    trained = _loaded(weights)
    own = getattr(trained, "generator", trained)
    check_generator(own)
    pairs = {"generator": (generator, own), "discriminator": (discriminator, getattr(trained, "discriminator", None))}
    taken = {name: pair for name, pair in pairs.items() if pair[1] is not None}
    values = {name: _fitting_weights(*pair) for name, pair in taken.items()}
    differences = [each for name, pair in taken.items() for each in _differences(name, pair[0], values[name])]
    if differences:
        shown = repr(own.name if trained is weights else weights)
        raise ValueError(
            _mismatch(f"{shown}, from {_sides(own)}, for a generator from {_sides(generator)}", differences)
        )
    for name, (network, _) in taken.items():
        network.set_weights(values[name])
    channels = [network.input_shape[-1] for network in (own, generator)]
    adapted = f"; first convolutions adapted from {channels[0]} source channels to {channels[1]}"
    anew = "" if "discriminator" in taken else "; the discriminator starts anew"
    return " and ".join(taken) + (adapted if channels[0] != channels[1] else "") + anew


def freeze(generator: keras.Model, part: str | None) -> None:
    """Exclude a part of a generator from training: its layers' `trainable` becomes False."""
    if part is None:
        return
    if part not in FREEZABLE:
        raise ValueError(f"`freeze` must be one of {', '.join(map(repr, FREEZABLE))}. Received: freeze={part!r}.")
    names = [layer.name for layer in generator.layers]
    decoder = [index for index, name in enumerate(names) if name.startswith(_DECODERS)]
    if _FIRST_CONVOLUTION not in names or not decoder:
        raise ValueError(
            '`freeze="encoder"` is for the generators of `unet_generator` and `resnet_generator`. Received: '
            f"{generator.name!r}. Set `layer.trainable = False` for the layers of another before `compile`."
        )
    for layer in generator.layers[: decoder[0]]:
        layer.trainable = False


def _loaded(weights):
    return load_checked(model_file(weights)) if isinstance(weights, (str, Path)) else weights


def _fitting_weights(network, trained):
    """The weights of a trained network, with first convolutions for the source channels of another network."""
    if _is_enhanced(network) and not _is_enhanced(trained):
        known = {weight.path: weight for weight in trained.weights}
        return [known.get(weight.path, weight).numpy() for weight in network.weights]
    old, new = (each.inputs[0].shape[-1] for each in (trained, network))
    wanted = [sum(tensor.shape[-1] for tensor in each.inputs) for each in (trained, network)]
    if old == new or len(network.weights) != len(trained.weights):
        return trained.get_weights()
    return [
        _adapted(value, old, new, _starts_with_source(network))
        if [value.shape[2:3], tuple(weight.shape[2:3])] == [(channels,) for channels in wanted]
        else value
        for value, weight in zip(trained.get_weights(), network.weights, strict=True)
    ]


def _is_enhanced(network):
    """Whether it is pix2pixHD's second step, whose global part has the layers of the first step's generator."""
    return any(layer.name == _ENHANCER for layer in network.layers)


def _adapted(kernel, old, new, source_first):
    """A kernel `(height, width, channels, filters)` for other source channels: equal ones give the same activations."""
    parts = np.split(kernel, [old if source_first else kernel.shape[2] - old], axis=2)
    source, rest = parts if source_first else parts[::-1]
    source = np.repeat(source.mean(axis=2, keepdims=True) * old / new, new, axis=2)
    return np.concatenate([source, rest] if source_first else [rest, source], axis=2)


def _starts_with_source(network):
    """Whether the source comes first where a discriminator concatenates its inputs; PyTorch-GAN has it last."""
    return len(network.inputs) == 1 or network.get_layer("pair").input[0].name == network.inputs[0].name


def _differences(name, network, values):
    """What doesn't fit, as texts."""
    weights = network.weights
    if len(weights) != len(values):
        return [f"the {name} has {len(weights)} weights, the trained one {len(values)}"]
    return [
        f"the {name}'s {weight.path} is {tuple(weight.shape)}, the trained one's {value.shape}"
        for weight, value in zip(weights, values, strict=True)
        if tuple(weight.shape) != value.shape
    ]


def _mismatch(received, differences):
    more = len(differences) - _MOST_NAMED
    return (
        f"`weights` must be of networks built like the new ones. Received: {received}: "
        f"{'; '.join(differences[:_MOST_NAMED])}{f'; and {more} more' if more > 0 else ''}. Build with the same "
        "preset, changes and target channels, and for a U-Net as many halvings, or leave `weights` out."
    )


def _sides(generator):
    return " to ".join(str(shape[1:]) for shape in (generator.input_shape, generator.output_shape))
