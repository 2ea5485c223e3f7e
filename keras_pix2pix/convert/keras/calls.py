"""The calls of layers in a configuration, as Keras 2 or Keras 3 writes them."""

from typing import NamedTuple

__all__ = ["Call", "Tensor", "calls_of", "tensors_in"]

_CONSTANT = "_CONSTANT_VALUE"  # Keras 2 has this for the name of a layer, and the value for the number of a tensor.


class Tensor(NamedTuple):
    """The result of one call of a layer.

    Args:
        layer: Name of the layer.
        call: Number of the call. Some versions count the making of a network as its first call.
    """

    layer: str
    call: int


class Call(NamedTuple):
    """The inputs of one call of a layer.

    Args:
        arguments: List of tensors (`Tensor`) and constants; nested lists are flattened.
        keywords: Dictionary of the same, without those that are None.
    """

    arguments: list
    keywords: dict

    @property
    def tensors(self):
        """The results of other layers that the call uses."""
        return [each for each in (*self.arguments, *self.keywords.values()) if isinstance(each, Tensor)]


def calls_of(layer):
    """Every call of a layer, in order."""
    return [_call_of(node) for node in layer.get("inbound_nodes") or []]


def tensors_in(ends):
    """The inputs or outputs that a network's configuration lists."""
    return [Tensor(name, call) for name, call, *_ in _leaves(ends)]


def _call_of(node):
    if isinstance(node, dict):
        keywords = node.get("kwargs", {})
        arguments = [_value(each) for argument in node["args"] for each in _flat(argument)]
    else:
        leaves = list(_leaves(node))
        keywords = {name: value for leaf in leaves if len(leaf) > 3 for name, value in leaf[3].items()}
        arguments = [leaf[2] if leaf[0] == _CONSTANT else Tensor(*leaf[:2]) for leaf in leaves]
    return Call(arguments, {name: _value(value) for name, value in keywords.items() if value is not None})


def _leaves(node):
    """Each [name, call, tensor, ...] in lists of lists."""
    if node and isinstance(node[0], str):
        yield node
        return
    for each in node:
        yield from _leaves(each)


def _flat(argument):
    return (
        argument
        if isinstance(argument, list) and any(isinstance(_value(each), Tensor) for each in argument)
        else [argument]
    )


def _value(value):
    if isinstance(value, dict) and "keras_history" in value.get("config", {}):
        return Tensor(*value["config"]["keras_history"][:2])
    if isinstance(value, list) and len(value) == 3 and [type(each) for each in value] == [str, int, int]:
        return Tensor(*value[:2])
    return value
