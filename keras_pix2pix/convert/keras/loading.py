"""Converts generators of Keras 2 and tensorflow-addons from HDF5 files."""

from pathlib import Path

import keras

from keras_pix2pix.convert.conversion import Conversion
from keras_pix2pix.convert.keras.composite import generator_in
from keras_pix2pix.convert.keras.config import layers_with_weights, steps_from_network
from keras_pix2pix.convert.keras.hdf5 import read_hdf5, weights_lookup
from keras_pix2pix.convert.keras.self_check import checked_conversion, largest_difference
from keras_pix2pix.convert.keras.steps import description_of
from keras_pix2pix.convert.keras.weights_only import steps_from_weights

__all__ = ["from_legacy_keras"]


def from_legacy_keras(
    path: str | Path,
    *,
    into: keras.Model | None = None,
    submodel: str | None = None,
    leaky_slope: float | None = None,
    epsilon: float | None = None,
) -> Conversion:
    """Make a Keras 3 network of a generator that Keras 2 saved as HDF5, with or without tensorflow-addons.

    A file of the whole model, `model.save("x.h5")`, tells everything; code in it is never run. A file of weights,
    `model.save_weights("x.h5")`, is read as a U-Net of the common layout, or into your own network, layer by layer
    in order. Instance norm of tensorflow-addons becomes `GroupNormalization(groups=-1)`; batch norm keeps its moving
    averages (`instance_from_batch` makes instance norm of it), but becomes instance norm where the file calls it with
    `training=True`, as some tutorials do: at batch 1 the two are the same.

    The network is run beside a NumPy evaluation of the file's layers, at each layer what Keras 2 computes. For a file
    of weights that evaluation shares what had to be taken as usual, which `recognised` lists: look at a picture.

    Args:
        path: HDF5 file.
        into: Functional network, or an object with one as `generator`, that gets the weights; nothing of it changes
            if they don't fit. Defaults to None: a new network.
        submodel: Name of the network in the file that is the generator, where a file holds generator and discriminator
            as one. Defaults to None: the only one that makes a picture of a picture; `recognised` says which.
        leaky_slope: Slope of leaky ReLU, for a file of weights only. Defaults to None: 0.2, or 0.3 if the layers are
            in blocks as in TensorFlow's tutorial.
        epsilon: Number that the norms add to the variance, for a file of weights only. Defaults to None: 1e-3,
            the default of Keras 2 and tensorflow-addons.

    Returns:
        A `Conversion`: the network, for images of any size that its layers take (or `into`'s generator); a line that
        says what was recognised; the largest difference in the self-check.

    Raises:
        ValueError: Not such a file; layers or settings that are not known; several networks of which none, or more
            than one, may be the generator; weights that don't fit `into`. All are named.
        RuntimeError: The self-check failed.

    Example:

    ```python
    from keras_pix2pix import unet_generator
    from keras_pix2pix.convert.keras.loading import from_legacy_keras

    network = unet_generator((64, 64, 3), filters=8)
    network.save("old.h5")  # Keras 3 still writes the format.
    conversion = from_legacy_keras("old.h5")
    ```
    """
    config, saved_layers = read_hdf5(path)
    given = [name for name, value in (("leaky_slope", leaky_slope), ("epsilon", epsilon)) if value is not None]
    if given and (into is not None or config):
        raise ValueError(
            f"Only files of weights without a network need `{'` and `'.join(given)}`. Received: {path}, which has its "
            "own configuration, or is read `into` a network. Leave them out."
        )
    if submodel is not None and (into is not None or not config):
        raise ValueError(
            f"`submodel` names a network in a file of a whole model. Received: {path}, which is read `into` a "
            "network, or has weights alone. Leave it out."
        )
    if into is not None:
        return _fill(getattr(into, "generator", into), saved_layers, path)
    if config:
        steps, chosen = generator_in(config, weights_lookup(saved_layers), path, submodel)
        return checked_conversion(steps, path, remark=chosen)
    steps, untold = steps_from_weights(saved_layers, path, leaky_slope=leaky_slope, epsilon=epsilon)
    return checked_conversion(steps, path, remark=untold)


def _fill(network, saved_layers, path):
    theirs = [part for saved in saved_layers for part in saved.parts().items()]
    ours = list(layers_with_weights(network))
    problems = list(_misfits(ours, theirs))
    if problems:
        raise ValueError(
            f"{path} does not fit the network {network.name!r}, compared layer by layer in order. Accepted: the same "
            f"weights of the same shapes. Received: {'; '.join(problems)}. Build the network as the file's was."
        )
    weights = {
        names: {weight.name: saved[weight.name] for weight in layer.weights}
        for (names, layer), (_, saved) in zip(ours, theirs, strict=True)
    }
    steps = steps_from_network(network, path, lambda names: weights.get(names, {}))
    before = network.get_weights()
    for names, layer in ours:
        layer.set_weights(list(weights[names].values()))
    try:
        difference = largest_difference(network, steps, path)
    except (RuntimeError, ValueError):
        network.set_weights(before)
        raise
    filled = f"{len(ours)} layers filled in order, the rest as in {network.name!r}"
    return Conversion(network, f"{description_of(steps, network.count_params())}; {filled}", difference)


def _misfits(ours, theirs):
    for (names, layer), (name, weights) in zip(ours, theirs, strict=False):
        expected = {weight.name: tuple(weight.shape) for weight in layer.weights}
        received = {key: weight.shape for key, weight in weights.items()}
        if isinstance(layer, keras.layers.GroupNormalization):
            # Batch norm's moving averages are nothing to an instance norm.
            received = {key: shape for key, shape in received.items() if not key.startswith("moving_")}
        if expected != received:
            yield f"{'/'.join(names)!r} needs {expected}, and {name!r} of the file has {received}"
    yield from (f"{'/'.join(names)!r} gets nothing" for names, _ in ours[len(theirs) :])
    yield from (f"{name!r} of the file is left over" for name, _ in theirs[len(ours) :])
