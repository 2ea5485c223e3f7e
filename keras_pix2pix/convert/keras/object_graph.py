"""Reads TensorFlow checkpoints and SavedModels: a network's weights layer by layer, without its code."""

import re

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

__all__ = ["read_object_graph"]

_GRAPH_KEY = "_CHECKPOINTABLE_OBJECT_GRAPH"
_WEIGHTS = {"_kernel": "kernel"} | {
    name: name for name in ("kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance")
}
# Where Keras 3 and Keras 2 keep the layers of a network, in order.
_CONTAINERS = re.compile(r"_functional|_operations|_layers|layer-\d+|\d+")
_STATISTICS = ["gamma", "beta", "moving_mean", "moving_variance"]


def read_object_graph(prefix, name=None):
    """Read the layers of a network from a checkpoint of TensorFlow's objects."""
    try:
        reader = tf.train.load_checkpoint(str(prefix))
        graph = TrackableObjectGraph.FromString(reader.get_tensor(_GRAPH_KEY))
    except (tf.errors.OpError, ValueError) as error:
        raise ValueError(
            f"{prefix} can't be read as a checkpoint of TensorFlow: {error}. Accepted: an .index file and all .data "
            "files beside it. Copy it again."
        ) from error
    root, others = 0, []
    if name is not None:
        children = _children(graph, 0)
        if name not in children:
            raise ValueError(
                f"{prefix} has no {name!r}. Received: {', '.join(map(repr, children)) or 'nothing'}. "
                f"Accepted: a checkpoint of `tf.train.Checkpoint({name}=...)`."
            )
        root, others = children.pop(name), list(children)
    layers = list(_layers(graph, reader, root, set()))
    if not layers and "variables" in _children(graph, root):
        layers = _grouped(_listed(graph, reader, _children(graph, root)["variables"]))
    return layers, others


def _children(graph, node):
    return {child.local_name: child.node_id for child in graph.nodes[node].children}


def _layers(graph, reader, node, seen):
    if node in seen:
        return
    seen.add(node)
    children = _children(graph, node)
    weights = {_WEIGHTS[name]: _value(graph, reader, child) for name, child in children.items() if name in _WEIGHTS}
    weights = {name: value for name, value in weights.items() if value is not None}
    if weights:
        yield weights
        return
    for name in sorted(filter(_CONTAINERS.fullmatch, children), key=_number):
        yield from _layers(graph, reader, children[name], seen)


def _number(name):
    digits = re.sub(r"\D", "", name)
    return int(digits) if digits else 0


def _value(graph, reader, node):
    for attribute in graph.nodes[node].attributes:
        if attribute.name == "VARIABLE_VALUE":
            return np.asarray(reader.get_tensor(attribute.checkpoint_key))
    return None


def _listed(graph, reader, node):
    children = _children(graph, node)
    values = [_value(graph, reader, children[name]) for name in sorted(children, key=_number)]
    # Dropout's seeds are integers.
    return [value for value in values if value is not None and np.issubdtype(value.dtype, np.floating)]


def _grouped(values):
    """A plain list of variables, as `network.export` leaves it: kernels tell where layers begin."""
    layers = []
    for value in values:
        if value.ndim == 1 and layers:
            layers[-1].append(value)
        else:
            layers.append([value])
    grouped = []
    for kernel, *rest in layers:
        if len(rest) == len(_STATISTICS):
            grouped += [{"kernel": kernel}, dict(zip(_STATISTICS, rest, strict=True))]
        else:
            grouped.append({"kernel": kernel} | ({"bias": rest[0]} if len(rest) == 1 else dict(enumerate(rest))))
    return grouped
