"""Converts the generator of TensorFlow's pix2pix tutorial from any format it can be saved in."""

from itertools import zip_longest
from pathlib import Path

import h5py
import keras
import tensorflow as tf

from keras_pix2pix.convert.conversion import Conversion
from keras_pix2pix.convert.keras.config import steps_from_config, steps_from_network
from keras_pix2pix.convert.keras.hdf5 import read_hdf5, weights_lookup
from keras_pix2pix.convert.keras.object_graph import read_object_graph
from keras_pix2pix.convert.keras.self_check import checked_conversion
from keras_pix2pix.convert.keras.unet_steps import UNetSteps
from keras_pix2pix.convert.keras.weights_only import steps_from_weights
from keras_pix2pix.networks.claims import reason, refuse_false_claims

__all__ = ["from_tf_tutorial"]

_LEAKY_SLOPE = 0.3  # The notebook takes Keras' defaults, for this and for epsilon.
_EPSILON = 1e-3
_DROPOUT_BLOCKS = 3
_BATCH_NORM = {"gamma", "beta", "moving_mean", "moving_variance"}
_MOST_NAMED = 3
_ACCEPTED = (
    "Accepted: a .keras or .h5 file, a SavedModel folder, or a checkpoint of `tf.train.Checkpoint(generator=...)` by "
    'its folder or its prefix, such as "training_checkpoints/ckpt-7"'
)


def from_tf_tutorial(path: str | Path) -> Conversion:
    """Make a network of TensorFlow's tutorial's generator whose `predict` gives what the notebook showed.

    The notebook generates with `training=True`: its batch norm always ran on the statistics of the one picture,
    never on its moving averages. So each becomes instance norm with the same gamma, beta and epsilon. Dropout, which
    the notebook left on, is the one difference: `predict` is without it.

    Args:
        path: `.keras` or `.h5` file, SavedModel folder, or checkpoint: its folder, or its prefix.

    Returns:
        A `Conversion`: the network, for images of any size that it can halve; a line that says what was recognised
        and what of a checkpoint was not read; the largest difference between the network and a NumPy evaluation of
        the file's layers on batch statistics.

    Raises:
        ValueError: Not such a file, or a network other than the tutorial's; what differs is named.
        RuntimeError: The self-check failed.

    Example:

    ```python
    from keras_pix2pix import unet_generator
    from keras_pix2pix.convert.keras.tf_tutorial import from_tf_tutorial

    blocks = {"normalization": "batch", "normalize_innermost": True, "skip_activation": "leaky_relu"}
    tutorial = unet_generator((32, 32, 3), filters=8, norm_epsilon=1e-3, leaky_slope=0.3, **blocks)
    tutorial.save("tutorial.keras")
    network = from_tf_tutorial("tutorial.keras").network
    ```

    Reference:
        "pix2pix: Image-to-image translation with a conditional GAN", TensorFlow's tutorials.
    """
    path = Path(path).expanduser()
    original, kind, others = _read(path)
    replaced = [_with_instance_norm(step) for step in original]
    remark = f"; {kind} of TensorFlow's tutorial, its batch norm on each picture's own statistics now instance norm"
    if others:
        remark += f"; not read: {', '.join(others)}"
    return checked_conversion(replaced, path, original=original, remark=f"{remark}; dropout is off in `predict`")


def _read(path):
    """The steps, the kind of file, and what else is in it."""
    if (path / "saved_model.pb").is_file():
        layers, _ = read_object_graph(path / "variables" / "variables")
        return _tutorial_steps(layers, path), "a SavedModel", []
    prefix = tf.train.latest_checkpoint(str(path)) if path.is_dir() else str(path).removesuffix(".index")
    if prefix and Path(f"{prefix}.index").is_file():
        layers, others = read_object_graph(prefix, "generator")
        return _tutorial_steps(layers, path), "a checkpoint", others
    if not path.is_file():
        raise ValueError(f"{path} is no generator of TensorFlow's tutorial. {_ACCEPTED}. Received: no such file.")
    steps = _hdf5_steps(path) if h5py.is_hdf5(path) else _keras_steps(path)
    _require_outline(steps, _tutorial_steps([step.weights for step in steps if step.weights], path), path)
    return steps, "a file", []


def _hdf5_steps(path):
    config, saved_layers = read_hdf5(path)
    if config:
        return steps_from_config(config, weights_lookup(saved_layers), path)
    return steps_from_weights(saved_layers, path)[0]


def _keras_steps(path):
    refuse_false_claims(path)
    try:
        network = keras.saving.load_model(path, compile=False)
        return steps_from_network(getattr(network, "generator", network), path)
    except (AttributeError, ValueError, TypeError, OSError, KeyError, RecursionError) as error:
        raise ValueError(f"{path} can't be loaded: {reason(error)}. {_ACCEPTED}.") from error


def _tutorial_steps(layers, path):
    """The tutorial's network with these weights, in the notebook's order."""
    kinds = ["kernel" if "kernel" in layer else "norm" for layer in layers]
    half = kinds.count("kernel") // 2
    expected = ["kernel", *["kernel", "norm"] * (2 * half - 2), "kernel"]
    if half < 2 or kinds != expected:
        raise _other_network(path, f"the layers with weights {', '.join(map(_shapes, layers)) or 'none'}")
    unet = UNetSteps(layers[0]["kernel"].shape[2], _LEAKY_SLOPE, _EPSILON)
    remaining = iter(layers)
    for depth in range(1, half + 1):
        _append_convolution(unet, "Conv2D", f"down{depth}", next(remaining), path)
        if depth > 1:
            _append_normalization(unet, f"down{depth}", next(remaining), path)
        unet.append("LeakyReLU", f"down{depth}_activation")
    for block in range(1, half):
        _append_convolution(unet, "Conv2DTranspose", f"up{block}", next(remaining), path)
        _append_normalization(unet, f"up{block}", next(remaining), path)
        if block <= _DROPOUT_BLOCKS:
            unet.append("Dropout", f"up{block}_dropout")
        unet.append("ReLU", f"up{block}_activation")
        unet.append("Concatenate", f"up{block}_skip")
    _append_convolution(unet, "Conv2DTranspose", f"up{half}", next(remaining), path, activation="tanh")
    return unet.steps


def _append_convolution(unet, kind, block, weights, path, **settings):
    shape = weights["kernel"].shape
    if len(shape) != 4 or shape[2 if kind == "Conv2D" else 3] != unet.channels or weights.keys() - {"kernel", "bias"}:
        raise _other_network(path, f"{_shapes(weights)} as the convolution of {block}, on {unet.channels} channels")
    unet.convolution(kind, f"{block}_convolution", weights, strides=2, **settings)


def _append_normalization(unet, block, weights, path):
    if weights.keys() != _BATCH_NORM or any(weight.shape != (unet.channels,) for weight in weights.values()):
        raise _other_network(path, f"{_shapes(weights)} as the batch norm of {block}, on {unet.channels} channels")
    unet.normalization(f"{block}_normalization", weights)


def _shapes(weights):
    return " + ".join(f"{name} {tuple(weight.shape)}" for name, weight in weights.items())


def _require_outline(steps, expected, path):
    """Refuse a configuration that differs from the tutorial's."""
    differences = [
        f"{ours[0]} {dict(ours[1])} after {ours[2]}, instead of {theirs[0]} {dict(theirs[1])} after {theirs[2]}"
        for ours, theirs in zip_longest(_outline(steps), _outline(expected), fillvalue=("nothing", (), ()))
        if ours != theirs
    ]
    if differences:
        raise _other_network(path, "; ".join(differences[:_MOST_NAMED]))


def _outline(steps):
    """What each step computes and from which inputs, without dropout, with activations as steps of their own."""
    outline, places = [("Input", (), ())], {steps[0].name: 0}
    for step in steps[1:]:
        inputs = tuple(places[name] for name in step.inputs)
        settings = {name: _plain(value) for name, value in step.settings.items()}
        activation = settings.pop("activation", "linear")
        if step.kind not in ("Dropout", "Activation"):
            outline.append((step.kind, tuple(sorted(settings.items())), inputs))
            inputs = (len(outline) - 1,)
        if activation != "linear":
            outline.append(("Activation", (("activation", activation),), inputs))
            inputs = (len(outline) - 1,)
        places[step.name] = inputs[0]
    return outline


def _plain(value):
    # Files have lists for tuples, and float32's 0.3.
    return tuple(value) if isinstance(value, list) else round(value, 6) if isinstance(value, float) else value


def _with_instance_norm(step):
    if step.kind != "BatchNormalization":
        return step
    weights = {name: weight for name, weight in step.weights.items() if name in ("gamma", "beta")}
    return step._replace(kind="GroupNormalization", settings={"groups": -1, **step.settings}, weights=weights)


def _other_network(path, received):
    return ValueError(
        f"{path} is not the generator of TensorFlow's tutorial: halvings with batch norm on all but the first, "
        f"doublings with batch norm and skips, one more to tanh. Received: {received}. "
        "Load it with Keras and try `instance_from_batch`, or `from_legacy_keras` for an HDF5 file."
    )
