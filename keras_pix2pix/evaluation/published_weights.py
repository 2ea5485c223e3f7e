"""Puts the tensors of a published PyTorch file into a Keras network, all of them or none."""

from collections.abc import Collection, Mapping

import keras
import numpy as np

__all__ = ["assign_published"]

_COUNTER = "num_batches_tracked"  # Of a batch norm; it says nothing about the network.
_NAMED_AT_MOST = 5


def assign_published(
    variables: Mapping[str, keras.Variable],
    tensors: Mapping[str, np.ndarray],
    file: str,
    unused: Collection[str] = (),
) -> None:
    """Assign each tensor to the variable of its name; raise if the names or shapes aren't those of the `file`."""
    arrays = {key: _in_keras_order(tensor) for key, tensor in tensors.items() if not key.endswith(_COUNTER)}
    faults = {
        "missing": variables.keys() - arrays.keys(),
        "belonging to no layer": arrays.keys() - variables.keys() - set(unused),
        "of another shape": {
            key for key in variables.keys() & arrays.keys() if tuple(variables[key].shape) != arrays[key].shape
        },
    }
    words = [f"{_some(keys)} {fault}" for fault, keys in faults.items() if keys]
    if words:
        raise ValueError(
            f"These are other weights. Accepted: the tensors of {file}. Received: {'; '.join(words)}. Use that file."
        )
    for key, variable in variables.items():
        variable.assign(arrays[key])


def _in_keras_order(tensor):
    array = np.asarray(tensor, np.float32)
    return array.transpose(2, 3, 1, 0) if array.ndim == 4 else array


def _some(keys):
    names = sorted(keys)
    more = len(names) - _NAMED_AT_MOST
    return ", ".join(names[:_NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
