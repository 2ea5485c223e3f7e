"""Converts networks of PyTorch implementations of pix2pix and pix2pixHD from their weight files."""

from pathlib import Path

import keras
import numpy as np

from keras_pix2pix.convert.conversion import Conversion
from keras_pix2pix.convert.pytorch.layouts import JUNYANZ, layout_of
from keras_pix2pix.convert.pytorch.modules import forward_pass
from keras_pix2pix.convert.pytorch.state_dicts import read_state_dict

__all__ = ["from_pytorch"]

# How a file's batch norm is read: our word, and the description.
_NORMS = {
    "instance": ("instance", "batch norm on batch statistics, which is affine instance norm"),
    "moving": ("batch", "batch norm with its moving averages"),
}
_LARGEST_DIFFERENCE = 1e-5  # In double precision, but for constants: slopes and epsilons are float32 in TensorFlow.
_NAMED_KEYS = 5
_MOVING_AVERAGES = {"running_mean": "moving_mean", "running_var": "moving_variance"}


def from_pytorch(path: str | Path, *, norm: str = "instance") -> Conversion:
    """A network of pytorch-CycleGAN-and-pix2pix, PyTorch-GAN or pix2pixHD, read from its file of weights.

    Read are junyanz's `UnetGenerator`, `ResnetGenerator`, `NLayerDiscriminator` and `PixelDiscriminator`, with batch
    or instance norm, PyTorch-GAN's `GeneratorUNet` and `Discriminator`, and pix2pixHD's `GlobalGenerator` and
    `LocalEnhancer`, of any depth and width. Which it is, is read off the file. A copy in double precision of the
    network made is run beside the file's own layers, computed in NumPy, on random images.

    Dropout has no weights: the network gets what the repository trains with. A discriminator of more than 3 channels
    is taken to have a target of 3.

    Args:
        path: File, `.pth` or `.pt` (needs torch), or `.safetensors` (needs safetensors).
        norm: What becomes of batch norm. "instance": affine instance norm with the same gamma, beta and epsilon,
            which is what junyanz's test.py computes without --eval; "moving": batch norm with the moving averages.
            Defaults to "instance".

    Returns:
        A `Conversion`: the functional `keras.Model`, a line that says what the file was taken for, and the largest
        difference from the file's own layers. A U-Net takes images of the size that its depth tells, a
        residual generator images of any size that its halvings divide, a discriminator [source, target] of any size.

    Raises:
        ValueError: An unknown `norm`, a file that can't be read safely, or keys or shapes of no known network.
        ImportError: The package that reads the format is not installed.
        RuntimeError: The network made differs from the file's own layers by more than 1e-5.

    Example:

    ```python
    import numpy as np
    from safetensors.numpy import save_file
    from keras_pix2pix import from_pytorch

    kernels = {0: (2, 6, 1, 1), 2: (4, 2, 1, 1), 5: (1, 4, 1, 1)}
    state = {f"net.{index}.weight": np.ones(shape, "float32") for index, shape in kernels.items()}
    state |= {f"net.{index}.bias": np.zeros(shape[0], "float32") for index, shape in kernels.items()}
    save_file(state, "net_D.safetensors")
    discriminator, recognised, difference = from_pytorch("net_D.safetensors")
    ```

    Reference:
        https://github.com/junyanz/pytorch-CycleGAN-and-pix2pix; https://github.com/eriklindernoren/PyTorch-GAN;
        https://github.com/NVIDIA/pix2pixHD
    """
    if norm not in _NORMS:
        raise ValueError(f"`norm` must be one of {', '.join(map(repr, _NORMS))}. Received: norm={norm!r}.")
    path = Path(path).expanduser()
    state = read_state_dict(path)
    layout = _layout(state, path)
    normalization, words = _normalization(state, layout, norm, path)
    try:
        network = layout.build(normalization, _has_biases(state, layout))
    except ValueError as error:
        raise ValueError(f"{path}, {layout.facts}, can't be built: {error}") from error
    _fill(network, layout, state, path)
    difference = _largest_difference(network, layout, state, normalization == "batch")
    if not difference <= _LARGEST_DIFFERENCE:
        raise RuntimeError(
            f"The network made of {path} must be within {_LARGEST_DIFFERENCE} of the file's own layers. "
            f"Received: {difference:.1e}. It is not to be trusted; please report it, with the file's origin."
        )
    about = f"{layout.kind} of {layout.repository}: {layout.facts}, {words}, {network.count_params():,} parameters"
    return Conversion(network, about, difference)


def _layout(state, path):
    try:
        layout = layout_of(state)
    except ValueError as error:
        raise ValueError(f"{path} is not whole. {error} Choose another file.") from error
    if layout is None:
        raise ValueError(
            f"{path} doesn't match any known network. Accepted: UnetGenerator, ResnetGenerator, NLayerDiscriminator "
            f"and PixelDiscriminator of {JUNYANZ}, GeneratorUNet and Discriminator of PyTorch-GAN, GlobalGenerator and "
            f"LocalEnhancer of pix2pixHD. Received: unknown keys {_some(state)}."
        )
    return layout


def _normalization(state, layout, norm, path):
    """The norm that the keys show, and a description for the user."""
    keys = {part for prefix in layout.norms.values() for part in _parts(state, prefix)}
    if {"weight", "bias"} <= keys and keys & _MOVING_AVERAGES.keys():
        return _NORMS[norm]
    if norm == "moving":
        raise ValueError(
            f'`norm="moving"` needs a file of batch norms, with their moving averages. Received: {path}, which has '
            'none. Leave `norm` at "instance".'
        )
    if keys & {"weight", "bias"}:
        return "instance", "affine instance norm"
    # PyTorch-GAN has instance norms without biases; junyanz's code has them only where there is no norm at all.
    if layout.repository == JUNYANZ and not _has_biases(state, layout):
        raise ValueError(
            f"A {layout.kind} must have been trained with batch or instance norm. Received: {path}, with neither keys "
            "of norms nor biases, as after --norm none. Choose another file."
        )
    return "instance_no_affine", "instance norm"


def _has_biases(state, layout):
    """Of the convolutions before a norm; those at the ends have biases by other rules."""
    names = (name.replace("normalization", "convolution") for name in layout.norms)
    return any(f"{layout.convolutions[name]}.bias" in state for name in names)


def _fill(network, layout, state, path):
    variables = dict(_variables(network, layout))
    unused = {f"{prefix}.{part}" for prefix in layout.norms.values() for part in _MOVING_AVERAGES}
    missing, unknown = variables.keys() - state.keys(), state.keys() - variables.keys() - unused
    for kind, keys in (("lacks", missing), ("has unknown", unknown)):
        if keys:
            raise ValueError(
                f"{path} {kind} keys, for a {layout.kind} of {layout.repository} with {layout.facts}. "
                f"Received: {kind} {_some(keys)}. Nothing was read; choose another file."
            )
    for key, variable in variables.items():
        # Kernels are (out, in, height, width), or (in, out, height, width) where transposed; here the other way round.
        value = state[key].transpose(2, 3, 1, 0) if state[key].ndim == 4 else state[key]
        if value.shape != tuple(variable.shape):
            raise ValueError(
                f"{path} must have {key} of shape {_torch_shape(variable)}, for a {layout.kind} of "
                f"{layout.repository} with {layout.facts}. Received: shape {state[key].shape}. Choose another file."
            )
        if not np.isfinite(value).all():
            raise ValueError(f"{path} must hold finite numbers. Received: NaN or infinity in {key}. Train again.")
        variable.assign(value)


def _variables(network, layout):
    for name, prefix in layout.convolutions.items():
        layer = network.get_layer(name)
        yield f"{prefix}.weight", layer.kernel
        if layer.use_bias:
            yield f"{prefix}.bias", layer.bias
    for name, prefix in layout.norms.items():
        layer = network.get_layer(name)
        if layer.scale:
            yield f"{prefix}.weight", layer.gamma
            yield f"{prefix}.bias", layer.beta
        for part, attribute in _MOVING_AVERAGES.items():
            if hasattr(layer, attribute):
                yield f"{prefix}.{part}", getattr(layer, attribute)


def _largest_difference(network, layout, state, moving):
    """On random images; for logits, which have no bounds, in proportion to the largest."""
    side = layout.smallest
    draws = np.random.default_rng(0)
    images = [draws.uniform(-1, 1, (side, side, tensor.shape[-1])) for tensor in network.inputs]
    inputs = [keras.Input(image.shape, dtype="float64") for image in images]
    # A network with one input isn't given a list.
    clone = keras.models.clone_model(
        network,
        input_tensors=inputs if isinstance(network.input, list) else inputs[0],
        clone_function=_in_double_precision,
    )
    clone.set_weights(network.get_weights())
    batches = [image[None] for image in images]
    ours = np.asarray(clone(batches if isinstance(network.input, list) else batches[0], training=False))[0]
    theirs = forward_pass(layout.kind, {key: value.astype("float64") for key, value in state.items()}, images, moving)
    return float(np.abs(ours - theirs).max() / max(1.0, np.abs(theirs).max()))


def _in_double_precision(layer):
    if not isinstance(layer, keras.layers.Layer):
        return layer
    config = {**layer.get_config(), "dtype": "float64"}
    if "kernel_initializer" in config:
        config["kernel_initializer"] = "zeros"  # Drawing 54 million numbers takes seconds, and they are replaced.
    return layer.__class__.from_config(config)


def _parts(state, prefix):
    return [part for part in ("weight", "bias", *_MOVING_AVERAGES) if f"{prefix}.{part}" in state]


def _torch_shape(variable):
    shape = tuple(variable.shape)
    return (shape[3], shape[2], *shape[:2]) if len(shape) == 4 else shape


def _some(keys):
    more = len(keys) - _NAMED_KEYS
    return ", ".join(sorted(keys)[:_NAMED_KEYS]) + (f" and {more} more" if more > 0 else "")
