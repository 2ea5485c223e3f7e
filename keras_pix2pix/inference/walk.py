"""Rebuild a functional network layer by layer, without what only training needs."""

from collections.abc import Callable, Iterator
from typing import Any

import keras
from keras import layers

__all__ = ["is_functional", "leaves", "rebuilt"]

# They return their input, unless called with `training=True`.
_IDLE = (
    layers.ActivityRegularization,
    layers.AlphaDropout,
    layers.Dropout,
    layers.GaussianDropout,
    layers.GaussianNoise,
    layers.Identity,
    layers.SpatialDropout2D,
)


def leaves(network: keras.Model) -> Iterator[layers.Layer]:
    """The layers of a network and of the networks inside it, in order."""
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            yield from leaves(layer)
        else:
            yield layer


def is_functional(layer: Any) -> bool:
    """Whether this is a functional network without a class of its own, which may do more than its graph."""
    return isinstance(layer, keras.Model) and type(layer).__name__ == "Functional"


def rebuilt(network: keras.Model, visit: Callable, source: keras.KerasTensor | None = None) -> keras.Model:
    """Rebuild a network by calling `visit` instead of each layer, in the order of computation.

    Dropout, noise and other layers that do nothing after training are left out. Nested networks are flattened.
    """

    def call(layer, *inputs, **options):
        training = options.get("training") is True
        if type(layer) in _IDLE and not training:
            return inputs[0]
        if type(layer) is keras.Sequential and not training:
            for inner in layer.layers:
                inputs = [call(inner, *inputs)]
            return inputs[0]
        if is_functional(layer) and not training:
            return layer._run_through_graph(inputs, call_fn=call)  # As `clone_model` does for the whole network.
        return visit(layer, *inputs, **options)

    if isinstance(network, keras.Sequential):
        source = keras.Input(network.input_shape[1:]) if source is None else source
        return keras.Model(source, call(network, source), name=network.name)
    return keras.models.clone_model(
        network, input_tensors=source, clone_function=lambda layer: layer, call_function=call
    )
