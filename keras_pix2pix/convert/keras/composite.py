"""The generator in a file of several networks, such as a tutorial's generator and discriminator trained as one."""

from keras_pix2pix.convert.keras.calls import calls_of, tensors_in
from keras_pix2pix.convert.keras.config import NETWORKS, layers_in, steps_from_config, written_by_keras
from keras_pix2pix.convert.keras.known_layers import name_of
from keras_pix2pix.convert.keras.steps import build_network

__all__ = ["generator_in"]

_TRIED_SIDE = 1024  # Of pictures that no network of the common depths has to cut.


def generator_in(config, weights_of, path, submodel=None):
    """The steps of the generator in a file, and which of its networks it is, in words."""
    with written_by_keras(path):
        nested = {name_of(layer): layer for layer in layers_in(config) if layer["class_name"] in NETWORKS}
        if submodel is None and not _is_composite(config, nested):
            return steps_from_config(config, weights_of, path), ""
    listed = ", ".join(map(repr, nested)) or "none"
    if submodel is None:
        found = [name for name, each in nested.items() if _maps_pictures(each, weights_of, path)]
        if len(found) != 1:
            raise ValueError(
                f"{path}: holds several networks, and {len(found)} of them make a picture of a picture of the same "
                f"size. Accepted: one that does, or its name as `submodel`. Received: the networks {listed}. Name one."
            )
        (submodel,) = found
    elif submodel not in nested:
        raise ValueError(f"{path}: `submodel` must be one of the networks in it: {listed}. Received: {submodel!r}.")
    return steps_from_config(
        nested[submodel], weights_of, path, (submodel,)
    ), f"; {submodel!r} of the networks {listed}"


def _is_composite(config, nested):
    """Whether a network contains a generator instead of being one, judged by its inputs and outputs."""
    if config["class_name"] == "Sequential":
        return False
    ends = [tensors_in(config["config"][name]) for name in ("input_layers", "output_layers")]
    takes_several = any(len(call.tensors) > 1 for layer in nested.values() for call in calls_of(layer))
    return bool(nested) and (takes_several or any(len(tensors) != 1 for tensors in ends))


def _maps_pictures(network, weights_of, path):
    try:
        built = build_network(steps_from_config(network, weights_of, path, (name_of(network),)), path)
        size = (1, _TRIED_SIDE, _TRIED_SIDE)
        return built.compute_output_shape((*size, built.input_shape[-1]))[:3] == size
    except ValueError:
        return False
