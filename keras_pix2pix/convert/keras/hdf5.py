"""HDF5 files as Keras 2 wrote them: a configuration, where there is one, and the weights layer by layer."""

import json
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

ACCEPTED = 'Accepted: an HDF5 file from `model.save("x.h5")` or `model.save_weights("x.h5")` of Keras 2.'


class SavedLayer(NamedTuple):
    """The weights of one outermost layer of a file: a layer, or a network of layers.

    Args:
        name: Name of the layer.
        weights: List of (path of the weight, array), the path such as "conv2d/kernel".

    Example:

    ```python
    import numpy as np
    from keras_pix2pix.convert.keras.hdf5 import SavedLayer

    layer = SavedLayer("conv2d", [("conv2d/bias", np.zeros(3))])
    ```
    """

    name: str
    weights: list

    def parts(self):
        """Name of each layer inside -> dictionary of its weights, in the order of the file."""
        parts = {}
        for path, weight in self.weights:
            *outer, name = path.split("/")
            parts.setdefault(outer[-1] if outer else self.name, {})[name] = weight
        return parts


def read_hdf5(path):
    """Read an HDF5 file of Keras.

    Args:
        path: The file.

    Returns:
        The model's configuration, a dictionary, or None if the file holds weights only; and the list of its
        `SavedLayer`.

    Raises:
        ValueError: The file is not there, no HDF5 file, cut short, or written by something else; its keys are named.

    Example:

    ```python
    import keras
    from keras_pix2pix.convert.keras.hdf5 import read_hdf5

    keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Conv2D(3, 4)]).save("network.h5")
    config, saved_layers = read_hdf5("network.h5")
    ```
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"{path} is not a file. {ACCEPTED} Check the path.")
    if not h5py.is_hdf5(path):
        raise ValueError(f"{path} is not an HDF5 file. {ACCEPTED} Check which file it is.")
    try:
        with h5py.File(path, "r") as file:
            config = file.attrs.get("model_config")
            return config and json.loads(config), _saved_layers(file, path)
    except (OSError, KeyError, RuntimeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} can't be read, it is cut short or damaged: {error}. Copy it again.") from error


def weights_lookup(saved_layers):
    """The weights of a file by the layers that they belong to.

    Args:
        saved_layers: List of `SavedLayer`.

    Returns:
        A function: layer names from the outermost network inwards, a tuple -> dictionary of weights.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix.convert.keras.hdf5 import SavedLayer, weights_lookup

    lookup = weights_lookup([SavedLayer("block", [("conv2d/bias", np.zeros(3))])])
    weights = lookup(("block", "conv2d"))
    ```
    """
    by_name = {saved.name: saved for saved in saved_layers}

    def weights_of(names):
        if names[0] not in by_name:
            return {}  # An operation of Keras 3, which is no layer.
        saved = by_name[names[0]]
        if len(names) == 1:
            return {path.rpartition("/")[2]: weight for path, weight in saved.weights}
        return saved.parts().get(names[-1], {})

    return weights_of


def _saved_layers(file, path):
    group = file.get("model_weights", file)
    if not any(name.startswith("layer_names") for name in group.attrs):
        keras_3 = " It is a weights file of Keras 3: `network.load_weights` reads those." if "layers" in file else ""
        raise ValueError(
            f"{path} has no `layer_names`, where Keras 2 lists its layers. {ACCEPTED} Received: the keys "
            f"{sorted(file)} and the attributes {sorted(file.attrs)}.{keras_3} Check which file it is."
        )
    return [
        SavedLayer(
            name,
            [(weight.split(":")[0], np.asarray(group[name][weight])) for weight in _texts(group[name], "weight_names")],
        )
        for name in _texts(group, "layer_names")
    ]


def _texts(group, attribute):
    """An attribute that is a list of names; a long one is split over several, with a number at the end."""
    parts = [attribute] if attribute in group.attrs else []
    while f"{attribute}{len(parts)}" in group.attrs:
        parts.append(f"{attribute}{len(parts)}")
    return [text.decode() if isinstance(text, bytes) else str(text) for part in parts for text in group.attrs[part]]
