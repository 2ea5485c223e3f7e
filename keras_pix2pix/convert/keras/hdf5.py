"""Reads HDF5 files of Keras 2: the configuration, if there is one, and the weights layer by layer."""

import json
import math
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from keras_pix2pix.networks.claims import compare_claims

__all__ = ["read_hdf5", "weights_lookup"]

_ACCEPTED = 'Accepted: an HDF5 file from `model.save("x.h5")` or `model.save_weights("x.h5")` of Keras 2.'

# Groups of a file of `save_weights` in Keras 3: of a network; of a `Pix2Pix`.
_PIX2PIX = {"generator", "discriminator"}
_KERAS_3 = {"layers", *_PIX2PIX}
_MOST_COMPRESSED = 100  # The weights may be this many times larger than the file. Keras doesn't compress them.


class _SavedLayer(NamedTuple):
    """The weights of one outermost layer of a file: a layer, or a network of layers.

    Args:
        name: Name of the layer.
        weights: List of (path of the weight, array), the path such as "conv2d/kernel".
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
    """Read an HDF5 file of Keras."""
    path = Path(path).expanduser()
    if not path.is_file():
        raise ValueError(f"{path} is not a file. {_ACCEPTED} Check the path.")
    if not h5py.is_hdf5(path):
        raise ValueError(f"{path} is not an HDF5 file. {_ACCEPTED} Check which file it is.")
    try:
        with h5py.File(path, "r") as file:
            config, saved_layers = _config(file, path), _saved_layers(file, path)
    except _Refused as error:
        raise ValueError(f"{path} {error}") from None
    except Exception as error:  # HDF5 and h5py may raise anything for a damaged file.
        reason = str(error).partition("\n")[0][:200]
        raise ValueError(f"{path} can't be read, it is cut short or damaged: {reason}. Copy it again.") from error
    compare_claims(config, path.stat().st_size, path)
    return config, saved_layers


def weights_lookup(saved_layers):
    """The weights of a file, by layer."""
    by_name = {saved.name: saved for saved in saved_layers}

    def weights_of(names):
        if names[0] not in by_name:
            return {}  # An operation of Keras 3, which is no layer.
        saved = by_name[names[0]]
        if len(names) == 1:
            return {path.rpartition("/")[2]: weight for path, weight in saved.weights}
        return saved.parts().get(names[-1], {})

    return weights_of


class _Refused(Exception):
    """Something that a file must not contain; the message continues after the file's name."""


def _config(file, path):
    text = _attribute(file, "model_config", path) if "model_config" in file.attrs else None
    if text is None:
        return None
    config = json.loads(text)
    if not isinstance(config, dict):
        raise _Refused(f"has a `model_config` that is no configuration, but a {type(config).__name__}. {_ACCEPTED}")
    return config


def _saved_layers(file, path):
    group = _member(file, "model_weights", path) if "model_weights" in file else file
    if not any(name.startswith("layer_names") for name in group.attrs):
        if _KERAS_3 & file.keys():
            raise _Refused(
                "holds weights of Keras 3, which the network that they are of loads itself. Instead of converting it, "
                'write `model = Pix2Pix.from_preset("paper")`, with the preset and image_shape of the training, and '
                f"`{'model' if file.keys() >= _PIX2PIX else 'model.generator'}.load_weights({str(path)!r})`."
            )
        raise _Refused(
            f"has no `layer_names`, where Keras 2 lists its layers. {_ACCEPTED} Received: the keys "
            f"{sorted(file)} and the attributes {sorted(file.attrs)}. Check which file it is."
        )
    saved_layers = [
        _SavedLayer(
            name,
            [
                (weight.split(":")[0], _array(_member(group, f"{name}/{weight}", path), path))
                for weight in _texts(_member(group, name, path), "weight_names", path)
            ],
        )
        for name in _texts(group, "layer_names", path)
    ]
    for saved in saved_layers:
        if sum(map(len, saved.parts().values())) < len(saved.weights):
            raise _Refused(f"has two layers of one name in {saved.name!r}. Accepted: names of their own. Rename one.")
    return saved_layers


def _member(group, name, path):
    """A group or data set of the file itself, as links could point to any other file."""
    for part in name.split("/"):
        if not isinstance(group, h5py.Group) or group.get(part, getlink=True) is None:
            raise _Refused(f"lists {name!r}, which is not in it: it is cut short or damaged. Copy it again.")
        if not isinstance(group.get(part, getlink=True), h5py.HardLink):
            raise _Refused(f"is refused: {name!r} is a link, which could lead to any other file. {_ACCEPTED}")
        group = group[part]
    return group


def _array(dataset, path):
    if not isinstance(dataset, h5py.Dataset):
        raise _Refused(f"lists {dataset.name!r} as a weight, and it is none. {_ACCEPTED}")
    if dataset.is_virtual or dataset.id.get_create_plist().get_external_count():
        raise _Refused(f"is refused: the numbers of {dataset.name!r} are in other files. {_ACCEPTED}")
    _check_size(dataset.name, dataset.shape, dataset.dtype, path)
    if dataset.dtype.kind not in "fiu":
        raise _Refused(f"holds no numbers as {dataset.name!r}, but {dataset.dtype}. {_ACCEPTED}")
    return np.asarray(dataset)


def _attribute(group, name, path):
    described = group.attrs.get_id(name)
    _check_size(name, described.shape, described.dtype, path)
    return group.attrs[name]


def _check_size(name, shape, dtype, path):
    claimed = math.prod(shape or (0,)) * dtype.itemsize
    if claimed > _MOST_COMPRESSED * path.stat().st_size:
        raise _Refused(f"is refused: {name!r} claims {claimed:,} bytes, and the file is far smaller. {_ACCEPTED}")


def _texts(group, attribute, path):
    """An attribute that lists names; long lists are split over several attributes with numbers at the end."""
    parts = [attribute] if attribute in group.attrs else []
    while f"{attribute}{len(parts)}" in group.attrs:
        parts.append(f"{attribute}{len(parts)}")
    texts = [text for part in parts for text in np.ravel(_attribute(group, part, path))]
    if not all(isinstance(text, (bytes, str)) for text in texts):
        raise _Refused(f"has other things than names in {attribute!r} of {group.name!r}. {_ACCEPTED}")
    return [text.decode() if isinstance(text, bytes) else text for text in texts]
