"""Reads PyTorch weight files as NumPy arrays, without running code in them."""

import importlib.util
import pickle
import re
import warnings
from pathlib import Path

import numpy as np

__all__ = ["PYTORCH_FILES", "read_state_dict"]

_OLDEST_TORCH = (2, 6)  # Before it, `weights_only=True` could be bypassed (CVE-2025-32434).
_WRAPPERS = ("state_dict", "model_state_dict")
_DATA_PARALLEL = "module."
_COUNTER = ".num_batches_tracked"


def read_state_dict(path):
    """Read the tensors of a `.pth` or `.safetensors` file, by key.

    A `.pth` file is a pickle, which can hold code; it is read by `torch.load` with `weights_only=True`, which refuses
    code and runs none. A `.safetensors` file holds no code. Left out, as they say nothing about the network: a
    dictionary around the tensors ("state_dict"), the prefix "module." of `DataParallel`, the counters of batch norms.
    """
    path = Path(path).expanduser()
    if path.suffix not in _READERS:
        raise ValueError(f"A PyTorch file ends in {', '.join(_READERS)}. Received: {path}. Choose another file.")
    if not path.is_file():
        raise ValueError(f"There is no file {path}. Check the path.")
    state = _READERS[path.suffix](path)
    if not state:
        raise ValueError(f"{path} holds no tensors. Accepted: a state dict of a network. Choose another file.")
    if all(key.startswith(_DATA_PARALLEL) for key in state):
        state = {key.removeprefix(_DATA_PARALLEL): value for key, value in state.items()}
    return {key: np.asarray(value, "float32") for key, value in state.items() if not key.endswith(_COUNTER)}


def _read_safetensors(path):
    _require("safetensors", path)
    from safetensors.numpy import load_file

    try:
        return {key: value.astype("float32") for key, value in load_file(path).items()}
    except Exception as error:  # It may raise anything for types that NumPy lacks.
        raise ValueError(
            f"Can't read {path}: {_reason(error)}. Accepted: a whole .safetensors file of float32 or float16 tensors. "
            "Replace the file, or save it again."
        ) from error


def _read_pickle(path):
    _require("torch", path)
    import torch

    if tuple(int(number) for number in re.findall(r"\d+", torch.__version__)[:2]) < _OLDEST_TORCH:
        raise ImportError(
            f"Reading {path} safely needs torch {'.'.join(map(str, _OLDEST_TORCH))} or newer. "
            f"Received: torch {torch.__version__}. Run `pip install --upgrade torch`."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Of old or odd pickles; what matters is an error.
            contents = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ValueError(
            f"{path} is refused: it holds other things than tensors, and reading those could run code. Nothing of it "
            "was run. Accepted: a state dict. If you trust the file, load it in PyTorch and save "
            f"`network.state_dict()`. Received: {_pickled_code(error)}."
        ) from error
    except Exception as error:  # The unpickler may raise anything for other bytes.
        raise ValueError(
            f"Can't read {path}: {_reason(error)}. Accepted: a whole file of "
            "`torch.save(network.state_dict(), path)`. Replace the file."
        ) from error
    return {key: value.float().numpy() for key, value in _tensors(contents, path).items()}


_READERS = {".pth": _read_pickle, ".pt": _read_pickle, ".safetensors": _read_safetensors}
PYTORCH_FILES = tuple(_READERS)  # Their endings.


def _tensors(contents, path):
    import torch

    for wrapper in _WRAPPERS:
        if isinstance(contents, dict) and isinstance(contents.get(wrapper), dict):
            contents = contents[wrapper]
    if not isinstance(contents, dict):
        raise ValueError(
            f"{path} must hold a state dict, which is a dictionary from names to tensors. Received: a "
            f"{type(contents).__name__}. Save `network.state_dict()`."
        )
    others = [
        str(key)
        for key, value in contents.items()
        if not isinstance(key, str)
        or not isinstance(value, torch.Tensor)
        or value.layout != torch.strided
        or value.is_complex()
        or value.is_quantized
        or value.is_meta
    ]
    if others:
        raise ValueError(
            f"{path} must hold a state dict, which is a dictionary from names to dense, real tensors. "
            f"Received: others under {', '.join(others[:5])}. Save `network.state_dict()`."
        )
    return contents


def _require(package, path):
    if importlib.util.find_spec(package) is None:
        raise ImportError(
            f"Reading {path} needs {package}, which is not installed. Run `pip install .[{package}]` in a checkout of "
            f"keras_pix2pix, or `pip install {package}`."
        )


def _pickled_code(error):
    named = re.search(r"GLOBAL (\S+)", str(error))
    return named[1] if named else _reason(error)


def _reason(error):
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0].partition('. ')[0]}".rstrip(".: ")
