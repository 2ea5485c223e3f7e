"""The configuration of a network, as Keras 2 or 3 wrote it, read as a list of steps. No code of the file runs."""

import keras

from keras_pix2pix.convert.keras.known_layers import ADDONS, INSTEAD, KINDS, name_of, require_known, settings_of
from keras_pix2pix.convert.keras.steps import ALWAYS_DROPPING, DROPPING, Step

NETWORKS = ("Functional", "Model", "Sequential")
BATCH_NORM_IN_TRAINING = "batch norm called with training=True, here instance norm, the same at batch 1"


def steps_from_config(config, weights_of, path):
    """Read a functional or sequential network, and the ones inside it, as one list of steps."""
    try:
        leaves = list(_leaves(config))
        require_known(leaves, path)
        reader = _Reader(weights_of, _channels(leaves, path), path)
        reader.network(config, (), ["source"])
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path}: its configuration is not one that Keras 2 or 3 writes: {type(error).__name__}: {error}. "
            "Accepted: a functional or sequential network. Save the model again."
        ) from error
    return reader.steps


def steps_from_network(network, path, weights_of=None):
    """Read a network of Keras 3 as a list of steps."""
    layers = dict(layers_with_weights(network))
    config = {"class_name": type(network).__name__, "config": network.get_config()}
    own = {names: {weight.name: weight.numpy() for weight in layer.weights} for names, layer in layers.items()}
    return steps_from_config(config, weights_of or (lambda names: own.get(names, {})), path)


def layers_with_weights(network, outer=()):
    """The layers of a network that have weights, those of networks in it too, in order.

    Returns an iterator over (names from the outermost network inwards, layer).
    """
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            yield from layers_with_weights(layer, (*outer, layer.name))
        elif layer.weights:
            yield (*outer, layer.name), layer


class _Reader:
    """Collects the steps of a network and of the networks in it."""

    def __init__(self, weights_of, channels, path):
        self.weights_of = weights_of
        self.path = path
        self.steps = [Step("Input", "source", (), {"channels": channels}, {})]

    def network(self, config, names, inputs, training=None):
        """Read a network called on the results of `inputs`; the name of its own result."""
        if config["class_name"] == "Sequential":
            result = inputs[0]
            for layer in _layers(config):
                result = self.layer(layer, names, [result], training)
            return result
        results, inputs = {}, list(inputs)
        for layer in _layers(config):
            own = inputs if layer["class_name"] == "InputLayer" else [results[name] for name in _references(layer)]
            called = _training_of(layer, self.path)
            results[name_of(layer)] = self.layer(layer, names, own, training if called is None else called)
        ends = _names_in(config["config"]["output_layers"])
        starts = _names_in(config["config"]["input_layers"])
        if len(starts) != 1 or len(ends) != 1:
            raise ValueError(
                f"{self.path}: a generator has one input and one output. Received: the inputs {starts} and the "
                f"outputs {ends}. Save the generator alone."
            )
        return results[ends[0]]

    def layer(self, layer, names, inputs, training):
        """Read a layer called on the results of `inputs`; the name of its own result."""
        kind = layer["class_name"]
        names = (*names, name_of(layer))
        if kind == "InputLayer":
            return inputs[0]
        if kind in NETWORKS:
            return self.network(layer, names, inputs, training)
        known = {step.name for step in self.steps}
        # Keras 3 keeps "/" for itself, and two blocks may have layers of the same name.
        name = next(
            name
            for name in (names[-1].replace("/", "_"), "_".join(names).replace("/", "_"), f"step{len(known)}")
            if name not in known
        )
        weights, settings = self.weights_of(names), settings_of(layer)
        if any(weight.shape == (settings.get("groups"),) for weight in weights.values()):
            settings["groups"] = -1  # Keras and tensorflow-addons write the number of channels instead.
        step = Step(KINDS[kind], name, tuple(inputs), settings, weights, ADDONS.get(kind, ""))
        self.steps.append(_as_in_training(step) if training else step)
        return name


def _layers(config):
    inside = config["config"]
    return inside if isinstance(inside, list) else inside["layers"]


def _leaves(config):
    for layer in _layers(config):
        if layer["class_name"] in NETWORKS:
            yield from _leaves(layer)
        else:
            yield layer


def _channels(leaves, path):
    for layer in leaves:
        shape = layer["config"].get("batch_input_shape") or layer["config"].get("batch_shape")
        if shape:
            if len(shape) != 4 or not shape[-1]:
                break
            return shape[-1]
    raise ValueError(
        f"{path}: the input of a generator is (batch, height, width, channels), channels known. "
        "Received: no such input in the configuration. Save the model after it has been built."
    )


def _training_of(layer, path):
    """What a layer is called with as `training`, which is a part of the network; other arguments are refused."""
    given = {name: value for name, value in _call_arguments(layer.get("inbound_nodes") or []) if value is not None}
    training = given.pop("training", None)
    if given or training not in (None, True, False):
        raise ValueError(
            f"{path}: the layer {name_of(layer)!r} is called with arguments that are not read here. Accepted: tensors "
            f"of other layers, and training=True or False. Received: {', '.join(given) or 'training'}. {INSTEAD}"
        )
    return training


def _call_arguments(nodes):
    """(name, value) of the arguments in Keras 2's [name, node, tensor, arguments] and Keras 3's {"kwargs": ...}."""
    for node in nodes:
        if isinstance(node, dict):
            yield from node.get("kwargs", {}).items()
            continue
        for reference in node:
            yield from (reference[3] if len(reference) > 3 else {}).items()


def _as_in_training(step):
    """The step that computes at any time what a layer does with `training=True`, at batch 1."""
    if step.kind == "BatchNormalization":
        weights = {name: weight for name, weight in step.weights.items() if not name.startswith("moving_")}
        settings = {**step.settings, "groups": -1}
        return step._replace(
            kind="GroupNormalization", settings=settings, weights=weights, recorded_as=BATCH_NORM_IN_TRAINING
        )
    return step._replace(recorded_as=ALWAYS_DROPPING) if step.kind in DROPPING else step


def _references(layer):
    """Names of the layers whose results a layer takes."""
    nodes = layer["inbound_nodes"]
    (node,) = nodes
    return _names_in(node)


def _names_in(node):
    """Layer names in Keras 2's [name, node, tensor, ...] and Keras 3's {"keras_history": [name, node, tensor]}."""
    if isinstance(node, dict):
        if "keras_history" in node:
            return [node["keras_history"][0]]
        return [name for value in node.values() for name in _names_in(value)]
    if isinstance(node, list | tuple):
        if node and isinstance(node[0], str):
            return [node[0]]
        return [name for value in node for name in _names_in(value)]
    return []
