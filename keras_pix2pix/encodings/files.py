"""Files that are no 8-bit pictures: arrays on disk, and resizing what Pillow can't as a whole."""

import os
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from keras_pix2pix import images
from keras_pix2pix.encodings.rasters import TIFF_EXTENSIONS
from keras_pix2pix.files import regular_file
from keras_pix2pix.images import INTERPOLATIONS

__all__ = ["EXTENSIONS", "is_array_file", "open_array", "resize_channels"]

_ARRAY = ".npy"
EXTENSIONS = (*images.EXTENSIONS, _ARRAY, *TIFF_EXTENSIONS)


def is_array_file(path):
    """Whether a file is a NumPy array by its name."""
    return Path(path).suffix.lower() == _ARRAY


def open_array(path, channels, kinds="uifb"):
    """Open a `.npy` file, and check its header; the numbers are read when they are used.

    Returns an array of shape `(height, width, channels)`, mapped from the file.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # NumPy's, of headers that Python 2 wrote.
            array = np.lib.format.open_memmap(_regular(path), mode="r")
    except Exception as error:  # NumPy evaluates the header, which may raise anything.
        reason = str(error).strip().partition("\n")[0][:200] or type(error).__name__
        raise ValueError(
            f"Can't read the array {path}: {reason}. Accepted: a .npy file of numbers. Replace the file, or take it "
            "out of the folder."
        ) from error
    shape = array.shape if array.ndim == 3 else (*array.shape, 1)
    if len(shape) != 3 or shape[-1] != channels or not array.size or array.dtype.kind not in kinds:
        flat = " or (height, width)" if channels == 1 else ""
        numbers = "real numbers" if "f" in kinds else "integers"
        raise ValueError(
            f"{path} does not suit its encoding. Accepted: {numbers} of shape (height, width, {channels}){flat}. "
            f"Received: {array.dtype} of shape {array.shape}. Convert the file, or declare another encoding."
        )
    return array.reshape(shape)


def _regular(path):
    if os.path.exists(path) and not regular_file(path):
        raise ValueError("it is not a regular file")
    return path


def resize_channels(array, size, interpolation):
    """Resize each channel by itself, as real numbers. Returns a float32 array of shape `(*size, channels)`."""
    array = np.asarray(array, np.float32)
    if array.shape[:2] == tuple(size):
        return array
    height, width = size
    channels = [Image.fromarray(np.ascontiguousarray(channel)) for channel in np.moveaxis(array, -1, 0)]
    return np.stack(
        [np.asarray(channel.resize((width, height), INTERPOLATIONS[interpolation])) for channel in channels], axis=-1
    )
