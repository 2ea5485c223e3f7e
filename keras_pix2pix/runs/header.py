"""The summary that `keras-pix2pix train` prints before it starts."""

import contextlib
import math
import os
import subprocess

from keras_pix2pix.run_folder import RunFolder

__all__ = ["print_header"]

_NVIDIA_SMI = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
_CONVOLUTIONS = ("Conv2D", "DepthwiseConv2dNative")


def print_header(config, run_dir, model, steps, validation, monitor, replicas=1):
    """Print data, devices, networks, and what the run folder will hold."""
    from keras_pix2pix import receptive_field

    perceptual = _perceptual(model)  # It reads an extractor, which may be gone.
    height, width = config["image_size"]
    layout = "two folders" if "target" in config else f"direction {config['direction']}"
    if "extra_source" in config:
        layout = f"{1 + len(config['extra_source'])} folders of sources, one of targets"
    batch_size = config["batch_size"]
    validated = f"{len(validation)} batches of validation" if validation else "no validation data"
    size = f"{height}x{width}{_fitted(config)}"
    print(f"Data     {steps} batches of {batch_size} pair(s) an epoch, {size}, {layout}; {validated}")
    shared = f"; {replicas} replicas share each batch" if replicas > 1 else ""
    with_xla = model.jit_compile or model.compiles_parts
    xla = "; XLA compiles the training step, which takes half a minute once" if with_xla else ""
    print(f"Device   {_devices()}{shared}{xla}")
    patch = receptive_field(model.discriminator)
    print(
        f"Networks {config['preset']}: generator of {model.generator.count_params():,} parameters"
        f"{_innermost(model.generator)}, discriminator of {model.discriminator.count_params():,} with a receptive "
        f"field of {patch}x{patch} pixels"
    )
    print(perceptual, end="")
    if "teacher" in config:
        print(f"Teacher  {config['teacher']}, weight {model.objective.lambda_teacher:g}")
    if "start" in model.training_state.records:
        print(f"Start    {config.get('start_from')}: {model.training_state.records['start']}{_frozen(model.generator)}")
    best = f"; {RunFolder(run_dir).best.name} keeps the best {monitor}" if monitor else ""
    patience = (
        f", and training ends after {config['patience']} epochs without a better one" if "patience" in config else ""
    )
    print(f"Run      {run_dir}, {config['epochs']} epochs in all{best}{patience}", flush=True)


def _perceptual(model):
    """What a perceptual loss costs, as a line; empty without one."""
    from keras_pix2pix import PerceptualLoss

    loss = model.objective.reconstruction_loss_given
    if not isinstance(loss, PerceptualLoss):
        return ""
    with model.distribute_strategy.scope():
        loss.read()
    of_loss = _multiplications(loss, *model.generator.outputs * 2)
    of_generator = _multiplications(model.generator, *model.generator.inputs)
    return (
        f"Loss     {loss.name} by {loss.extractor_name}, weight {model.objective.lambda_l1:g}: forward, it takes "
        f"{of_loss / of_generator:.1f} times the generator's arithmetic\n"
    )


def _multiplications(function, *tensors):
    """Multiplications in the convolutions of a function of images like these, one of each."""
    import tensorflow as tf

    specs = [tf.TensorSpec((1, *tensor.shape[1:])) for tensor in tensors]
    graph = tf.function(lambda *images: function(*images)).get_concrete_function(*specs).graph
    # Each pixel of the result, or of a transposed convolution's input, takes the whole kernel.
    convolutions = [(op.inputs[1], op.outputs[0]) for op in graph.get_operations() if op.type in _CONVOLUTIONS]
    convolutions += [op.inputs[1:3] for op in graph.get_operations() if op.type == "Conv2DBackpropInput"]
    return sum(kernel.shape.num_elements() * math.prod(image.shape[1:3]) for kernel, image in convolutions)


def _fitted(config):
    """How pictures of other sizes are fitted, as text; empty if they are only stretched."""
    fit = f' by fit "{config["fit"]}"' if "fit" in config else ""
    return f"{fit}, turned at random" if config.get("rotate") else fit


def _frozen(generator):
    """How much of a generator isn't trained, as text."""
    counts = [sum(math.prod(each.shape) for each in layer.weights) for layer in generator.layers if not layer.trainable]
    return f"; {sum(counts):,} of the generator's parameters stay as they are" if sum(counts) else ""


def _innermost(generator):
    """The size of a generator's smallest layer, as text."""
    shapes = [layer.output.shape for layer in generator.layers if len(layer.output.shape) == 4]
    _, height, width, _ = min(shapes, key=lambda shape: shape[1] * shape[2])
    return f" that encodes a picture in {height}x{width} pixels"


def _devices():
    """The devices that TensorFlow uses, as text."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    names = [tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name) for gpu in gpus]
    return ", ".join(names) or f"CPU, {os.cpu_count()} cores{_idle_gpu()}"


def _idle_gpu():
    """A note on a GPU that TensorFlow doesn't use; empty if there is none."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        listed = subprocess.run(_NVIDIA_SMI, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
        if listed and os.environ.get("CUDA_VISIBLE_DEVICES", listed) not in ("", "-1"):
            return (
                f". TensorFlow doesn't see this machine's GPU, {listed.splitlines()[0]}: install what it needs with "
                "`pip install tensorflow[and-cuda]`"
            )
    return ""
