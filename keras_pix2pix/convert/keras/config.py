"""Reads the configuration of a network, written by Keras 2 or 3, as a list of steps. No code in the file runs."""

import contextlib

import keras

from keras_pix2pix.convert.keras.calls import Call, Tensor, calls_of, tensors_in
from keras_pix2pix.convert.keras.known_layers import (
    ADDONS,
    INSTEAD,
    KINDS,
    is_operation,
    name_of,
    operation_as_layer,
    parts_of,
    require_known,
    settings_of,
    training_of,
)
from keras_pix2pix.convert.keras.steps import ALWAYS_DROPPING, DROPPING, Step

__all__ = [
    "NETWORKS",
    "layers_in",
    "layers_with_weights",
    "steps_from_config",
    "steps_from_network",
    "written_by_keras",
]

# Networks within networks, each called twice, soon exceed any memory.
_MOST_STEPS = 10_000
NETWORKS = ("Functional", "Model", "Sequential")
_BATCH_NORM_IN_TRAINING = "batch norm called with training=True, here instance norm, the same at batch 1"


def steps_from_config(config, weights_of, path, outer=()):
    """Read a functional or sequential network, and the ones inside it, as one list of steps.

    `outer` holds the names of the enclosing networks and its own, as `weights_of` expects them.
    """
    with written_by_keras(path):
        leaves = list(_leaves(config))
        require_known(leaves, path)
        reader = _Reader(weights_of, _channels(leaves, path), path)
        reader.network(config, outer, "source")
    return reader.steps


@contextlib.contextmanager
def written_by_keras(path):
    """A context in which a malformed configuration raises a `ValueError` that says so."""
    try:
        yield
    except (AttributeError, IndexError, KeyError, RecursionError, TypeError) as error:
        raise ValueError(
            f"{path}: its configuration is not one that Keras 2 or 3 writes: {type(error).__name__}: {error}. "
            "Accepted: a functional or sequential network. Save the model again."
        ) from error


def steps_from_network(network, path, weights_of=None):
    """Read a network of Keras 3 as a list of steps."""
    layers = dict(layers_with_weights(network))
    config = {"class_name": type(network).__name__, "config": network.get_config()}
    own = {names: {weight.name: weight.numpy() for weight in layer.weights} for names, layer in layers.items()}
    return steps_from_config(config, weights_of or (lambda names: own.get(names, {})), path)


def layers_with_weights(network, outer=()):
    """The layers of a network that have weights, including those of nested networks, in order.

    Returns an iterator over (names from the outermost network inwards, layer).
    """
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            yield from layers_with_weights(layer, (*outer, layer.name))
        elif layer.weights:
            yield (*outer, layer.name), layer


class _Reader:
    """Collects the steps of a network and its nested networks."""

    def __init__(self, weights_of, channels, path):
        self.weights_of = weights_of
        self.path = path
        self.steps = [Step("Input", "source", (), {"channels": channels}, {})]
        self.read = set()

    def network(self, config, names, source, training=None):
        """Read a network called on the result named `source`; returns the name of its result."""
        layers = layers_in(config)
        if config["class_name"] == "Sequential":
            for layer in layers:
                source = self.layer(layer, names, Call([Tensor(source, 0)], {}), [source], training)
            return source
        start, end = self._ends(config)
        results, number = {(start.layer, 0): source}, _numbering(layers, end, self.path)
        waiting = [(layer, place, call) for layer in layers for place, call in enumerate(calls_of(layer))]
        while waiting:
            late = []
            for layer, place, call in waiting:
                tensors = [number(tensor) for tensor in call.tensors]
                if results.keys() >= set(tensors):
                    inputs = [results[tensor] for tensor in tensors]
                    results[name_of(layer), place] = self.layer(layer, names, call, inputs, training)
                else:
                    late.append((layer, place, call))
            if len(late) == len(waiting):
                raise KeyError(f"what the layer {name_of(late[0][0])!r} takes")
            waiting = late
        return results[number(end)]

    def _ends(self, config):
        starts, ends = (tensors_in(config["config"][name]) for name in ("input_layers", "output_layers"))
        if len(starts) != 1 or len(ends) != 1:
            names = ([tensor.layer for tensor in tensors] for tensors in (starts, ends))
            raise ValueError(
                f"{self.path}: a generator has one input and one output. Received: the inputs {next(names)} and the "
                f"outputs {next(names)}. Save the generator alone."
            )
        return starts[0], ends[0]

    def layer(self, layer, names, call, inputs, training):
        """Read a call of a layer on the results of `inputs`; returns the name of its result."""
        names = (*names, name_of(layer))
        if layer["class_name"] == "InputLayer":
            return inputs[0]
        if is_operation(layer, call):
            kind, settings = operation_as_layer(layer, call, self.path)
            return self._append(names, Step(kind, "", tuple(inputs), settings, {}))
        own = training_of(layer, call, self.path)
        training = training if own is None else own
        if layer["class_name"] in NETWORKS:
            if len(inputs) != 1:
                raise ValueError(
                    f"{self.path}: the network {name_of(layer)!r} in it takes {len(inputs)} inputs. Accepted: one. "
                    f"{INSTEAD}"
                )
            return self.network(layer, names, inputs[0], training)
        for part in parts_of(layer):
            inputs = [self._append((*names[:-1], name_of(part)), self._step(part, names, inputs, training))]
        return inputs[0]

    def _step(self, layer, names, inputs, training):
        kind = layer["class_name"]
        weights, settings = self.weights_of((*names[:-1], name_of(layer))), settings_of(layer)
        if any(weight.shape == (settings.get("groups"),) for weight in weights.values()):
            settings["groups"] = -1  # Keras and tensorflow-addons write the number of channels instead.
        step = Step(KINDS[kind], "", tuple(inputs), settings, weights, ADDONS.get(kind, ""))
        return _as_in_training(step) if training else step

    def _append(self, names, step):
        if len(self.steps) >= _MOST_STEPS:
            raise ValueError(f"{self.path}: has {_MOST_STEPS:,} layers or more. Accepted: fewer. Take another file.")
        known = {step.name for step in self.steps}
        # Keras 3 keeps "/" for itself, and two blocks may have layers of the same name.
        name = next(
            name
            for name in (names[-1].replace("/", "_"), "_".join(names).replace("/", "_"), f"step{len(known)}")
            if name not in known
        )
        self.steps.append(step._replace(name=name, is_copy=bool(step.weights) and names in self.read))
        self.read.add(names)
        return name


def layers_in(config):
    """The configurations of the layers of a network."""
    inside = config["config"]
    return inside if isinstance(inside, list) else inside["layers"]


def _numbering(layers, end, path):
    """A function from a tensor to (layer name, index of the call that produces it)."""
    used = {}
    for tensor in [end, *(tensor for layer in layers for call in calls_of(layer) for tensor in call.tensors)]:
        used.setdefault(tensor.layer, set()).add(tensor.call)
    for layer in layers:
        calls, results = max(1, len(calls_of(layer))), len(used.get(name_of(layer), ()))
        if results > calls or results < calls > 1:
            raise ValueError(
                f"{path}: the layer {name_of(layer)!r} is called {calls} times, and {results} of its results are used. "
                "Accepted: as many. Save the model again."
            )
    return lambda tensor: (tensor.layer, sorted(used[tensor.layer]).index(tensor.call))


def _leaves(config):
    for layer in layers_in(config):
        if layer["class_name"] in NETWORKS:
            yield from _leaves(layer)
        else:
            yield from parts_of(layer)


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


def _as_in_training(step):
    """The step that always computes what a layer does with `training=True` at batch 1."""
    if step.kind == "BatchNormalization":
        weights = {name: weight for name, weight in step.weights.items() if not name.startswith("moving_")}
        settings = {**step.settings, "groups": -1}
        return step._replace(
            kind="GroupNormalization", settings=settings, weights=weights, recorded_as=_BATCH_NORM_IN_TRAINING
        )
    return step._replace(recorded_as=ALWAYS_DROPPING) if step.kind in DROPPING else step
