"""The self-check of a conversion: the Keras network beside the file's layers in NumPy."""

import numpy as np

from keras_pix2pix.convert.conversion import Conversion
from keras_pix2pix.convert.keras.steps import build_network, description_of
from keras_pix2pix.convert.numpy_layers import evaluate
from keras_pix2pix.inference.lean import size_multiple

__all__ = ["checked_conversion", "largest_difference"]

_TOLERANCE = 1e-4  # float32 against float64, on images in [-1, 1].
_SMALLEST_SIDE = 16


def checked_conversion(steps, path, *, original=None, remark=""):
    """Build a network from steps, and compare it with a NumPy evaluation of the file."""
    network = build_network(steps, path)
    difference = largest_difference(network, original or steps, path, batch_statistics=original is not None)
    recognised = description_of(original or steps, sum(np.size(weight) for weight in network.trainable_weights))
    return Conversion(network, f"{recognised}{remark}", difference)


def largest_difference(network, steps, path, *, batch_statistics=False):
    """The largest difference between a network and the evaluation of its steps, on one random image."""
    height, width, channels = network.input_shape[1:]
    if height is None:
        multiple = size_multiple(network)
        height = -(-_SMALLEST_SIDE // multiple) * multiple
        width = 2 * height  # Instance norm over a single position would hide everything before it.
    images = np.random.default_rng(0).uniform(-1, 1, (1, height, width, channels)).astype("float32")
    expected = _forward_pass(steps, images, batch_statistics=batch_statistics)
    difference = float(np.abs(network(images, training=False).numpy() - expected).max())
    if not difference <= _TOLERANCE:
        raise RuntimeError(
            f"{path}: the converted network differs from the file's layers, evaluated one by one, by {difference:.2g}; "
            f"at most {_TOLERANCE} is accepted. The reader is at fault, or the weights are too large for float32; "
            "don't use the network."
        )
    return difference


def _forward_pass(steps, images, *, batch_statistics=False):
    """Compute the images of a list of steps in NumPy and float64, without Keras.

    Returns a float64 array, `(batch, height, width, channels)`.
    """
    results = {steps[0].name: np.asarray(images, "float64")}
    for step in steps[1:]:
        inputs = [results[name] for name in step.inputs]
        weights = {name: np.asarray(weight, "float64") for name, weight in step.weights.items()}
        if step.kind == "BatchNormalization" and batch_statistics:
            weights["moving_mean"] = inputs[0].mean(axis=(0, 1, 2))
            weights["moving_variance"] = inputs[0].var(axis=(0, 1, 2))
        results[step.name] = evaluate(step.kind, *inputs, **step.settings, **weights)
    return results[steps[-1].name]
