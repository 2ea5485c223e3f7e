"""Are the presets the published systems? Each beside its PyTorch twin, on a real pair of facades.

For every preset: the parameters of both networks, the discriminator's receptive field, the losses of one training step
from seed 0, and how far its networks are from their twins in `pytorch_twins.py` with the same weights: forward pass
(largest difference, in proportion to the largest value) and gradient (the same for each parameter; the worst counts).
For the presets of PyTorch code, one whole training step beside the twin's: both losses and all weights after Adam.

    pip install -e .[torch]
    KERAS_PIX2PIX_FACADES=facades python benchmarks/presets.py

The comparisons are in float64, with dropout off, on the first training pair of the facades at 256x256. Twins have
random weights. Left out, and listed: parameters whose largest gradient is under 1e-8. Those are the biases before an
instance norm and what comes before the tutorial's normalised 1x1 bottleneck: their gradient is 0 in truth, and only
rounding noise, which Adam turns into whole steps, would be compared.

Printed: two tables in Markdown. The script fails if a difference exceeds its limit. Without PyTorch or the facades it
exits with code 2.
"""

import gc
import importlib.util
import os
import sys
import textwrap
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

FACADES = "KERAS_PIX2PIX_FACADES"
LIMITS = {"forward": 1e-4, "gradient": 1e-4, "losses": 1e-5, "weights": 1e-4}
SMALLEST_GRADIENT = 1e-8
LONGEST_CELL = 120
AFFINE = {"normalization": "instance_affine"}
SYSTEMS = {
    # preset: (twin of the generator, of the discriminator, the generator's arguments, the discriminator's, name of
    # the twin's step in `pytorch_twins.py` or None)
    "paper": ("UnetGenerator", "NLayerDiscriminator", AFFINE, AFFINE, None),
    "junyanz": ("UnetGenerator", "NLayerDiscriminator", AFFINE, AFFINE, "training_step"),
    "pytorch_gan": ("GeneratorUNet", "Discriminator", {}, {}, "training_step"),
    "tf_tutorial": ("TutorialGenerator", "TutorialDiscriminator", {}, {}, None),
    "pix2pixhd": (
        "ResnetGenerator",
        "MultiscaleDiscriminator",
        {"num_downsamples": 4, "normalization": "instance", "dropout": False},
        {},
        "pix2pixhd_step",
    ),
    "mobile": (None, None, {}, {}, None),  # Ours: it has no twin.
}


def main():
    directory = os.environ.get(FACADES)
    if not directory or importlib.util.find_spec("torch") is None:
        print(
            f"Needed: PyTorch (`pip install -e .[torch]`) and the facades' folder, with train/, in {FACADES}.",
            file=sys.stderr,
        )
        raise SystemExit(2)
    rows, steps, failures = [], [], []
    for name, system in SYSTEMS.items():
        row, step = measured(name, Path(directory) / "train", *system)
        rows.append(row)
        steps += [step] if step else []
        for measures in (row, step or {}):
            failures += [
                f"{name}: {key} {measures[key]:.1e}" for key in LIMITS if exceeds(measures.get(key), LIMITS[key])
            ]
        gc.collect()
    measures = ("preset", "generator", "discriminator", "field", "d_loss", "g_gan", "g_l1", "forward", "gradient")
    print_table(rows, (*measures, "left out"))
    print_table(steps, ("preset", "losses", "weights", "compared", "left out"))
    if failures:
        raise SystemExit(f"Over the limits {LIMITS}: {'; '.join(failures)}")


def exceeds(measure, limit):
    return isinstance(measure, float) and not measure <= limit


def measured(name, directory, generator_twin, discriminator_twin, generator_arguments, discriminator_arguments, step):
    """A row of the first table, and one of the second or None."""
    import keras
    import pytorch_twins

    from keras_pix2pix import Pix2Pix, receptive_field

    pair = first_pair(name, directory)
    losses = losses_of_a_step(name, *pair)
    compute_in("float64")
    model = Pix2Pix.from_preset(name, schedule="constant")
    networks = model.generator, model.discriminator
    row = {
        "preset": f"`{name}`",
        "generator": f"{model.generator.count_params():,}",
        "discriminator": f"{model.discriminator.count_params():,}",
        "field": receptive_field(model.discriminator),
        **{key: f"{losses[key]:.4f}" for key in ("d_loss", "g_gan", "g_l1")},
        **dict.fromkeys(("forward", "gradient", "left out"), "-"),
    }
    if generator_twin is None:
        compute_in("float32")
        return row, None
    twins = [
        getattr(pytorch_twins, generator_twin)(**generator_arguments),
        getattr(pytorch_twins, discriminator_twin)(**discriminator_arguments),
    ]
    twins = [pytorch_twins.randomize(twin).double().train() for twin in twins]
    switch_dropout_off(*networks, *twins)
    pairings = [paired_weights(network, twin) for network, twin in zip(networks, twins, strict=True)]
    for variable, parameter, transposed in (each for pairing in pairings for each in pairing.values()):
        variable.assign(transposed(parameter.detach().numpy()))
    images = [keras.ops.cast(each, "float64") for each in pair]
    row |= compare_passes(model, twins, pairings, images)
    compared = {"preset": row["preset"], **compare_steps(step, model, twins, pairings, images)} if step else None
    compute_in("float32")
    return row, compared


def compute_in(dtype):
    import keras

    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)


def first_pair(name, directory):
    from keras_pix2pix import paired_dataset, preset_data

    filters = {key: value for key, value in preset_data(name).items() if key.endswith("interpolation")}
    source, target, _ = next(iter(paired_dataset(directory, direction="BtoA", training=False, **filters)))
    return source, target


def losses_of_a_step(name, source, target):
    import keras

    from keras_pix2pix import Pix2Pix

    keras.utils.set_random_seed(0)
    return Pix2Pix.from_preset(name, schedule="constant").train_on_batch(source, target, return_dict=True)


def switch_dropout_off(*networks):
    import keras
    import torch

    for network in networks:
        layers = network.modules() if isinstance(network, torch.nn.Module) else network.layers
        for layer in layers:
            if isinstance(layer, keras.layers.Dropout):
                layer.rate = 0.0
            elif isinstance(layer, torch.nn.Dropout):
                layer.p = 0.0


def paired_weights(network, twin):
    """Name -> (Keras variable, PyTorch parameter, function from the latter's array to the former's)."""
    from keras_pix2pix.convert.pytorch.layouts import layout_of

    parameters = dict(twin.named_parameters())
    layout = layout_of({key: value.detach().numpy() for key, value in parameters.items()})
    # The tutorial's twin has our names.
    prefixes = (
        {**layout.convolutions, **layout.norms} if layout else {layer.name: layer.name for layer in network.layers}
    )
    pairing = {}
    for name, prefix in prefixes.items():
        layer = network.get_layer(name)
        for attribute, part in (("kernel", "weight"), ("gamma", "weight"), ("bias", "bias"), ("beta", "bias")):
            variable = getattr(layer, attribute, None)
            if variable is not None:
                transposed = (
                    (lambda array: array.transpose(2, 3, 1, 0)) if attribute == "kernel" else (lambda array: array)
                )
                pairing[f"{name}.{attribute}"] = variable, parameters.pop(f"{prefix}.{part}"), transposed
    if parameters or len(pairing) != len(network.trainable_variables):
        raise SystemExit(f"{network.name} and its twin differ. Without a partner: {', '.join(parameters)}.")
    return pairing


def compare_passes(model, twins, pairings, images):
    """Largest relative difference of the outputs and of the gradients, and the parameters left out."""
    import numpy as np
    import tensorflow as tf
    import torch

    source, target = images
    torch_images = [torch.from_numpy(np.moveaxis(np.asarray(each), -1, 1).copy()) for each in images]
    forward, gradient, left_out = 0.0, 0.0, []
    runs = (
        (lambda: model.generator(source, training=True), lambda: twins[0](torch_images[0])),
        (lambda: model.discriminate(source, target, training=True), lambda: twins[1](*torch_images)),
    )
    for (ours, theirs), pairing in zip(runs, pairings, strict=True):
        with tf.GradientTape() as tape:
            outputs = ours()
            outputs = outputs if isinstance(outputs, list) else [outputs]
            # Any function that weighs every output differently.
            draws = np.random.default_rng(0)
            weights = [draws.normal(size=output.shape) for output in outputs]
            loss = sum(tf.reduce_sum(output * each) for output, each in zip(outputs, weights, strict=True))
        gradients = tape.gradient(loss, [variable.value for variable, _, _ in pairing.values()])
        expected = theirs()
        expected = expected[0] if isinstance(expected, tuple) else [expected]  # The features come second.
        channels_first = [torch.from_numpy(np.moveaxis(each, -1, 1).copy()) for each in weights]
        sum((output * each).sum() for output, each in zip(expected, channels_first, strict=True)).backward()
        for output, other in zip(outputs, expected, strict=True):
            forward = max(forward, relative(output, np.moveaxis(other.detach().numpy(), 1, -1)))
        for (name, (_, parameter, transposed)), ours_gradient in zip(pairing.items(), gradients, strict=True):
            theirs_gradient = transposed(parameter.grad.numpy())
            if np.abs(theirs_gradient).max() < SMALLEST_GRADIENT:
                left_out.append(name)
            else:
                gradient = max(gradient, relative(ours_gradient, theirs_gradient))
    return {"forward": forward, "gradient": gradient, "left out": ", ".join(left_out) or "none"}


def compare_steps(step, model, twins, pairings, images):
    import numpy as np
    import pytorch_twins
    import torch

    logs = model.train_on_batch(*images, return_dict=True)
    torch_images = [torch.from_numpy(np.moveaxis(np.asarray(each), -1, 1).copy()) for each in images]
    expected = getattr(pytorch_twins, step)(*twins)(*torch_images)
    # pix2pixHD sums the adversarial loss over its scales.
    scales = len(model.discriminator.outputs)
    losses = max(
        abs(float(logs[key]) * (scales if key == "g_gan" else 1) - float(value)) for key, value in expected.items()
    )
    weights, left_out = 0.0, []
    for name, (variable, parameter, transposed) in (
        (name, each) for pairing in pairings for name, each in pairing.items()
    ):
        if float(parameter.grad.abs().max()) < SMALLEST_GRADIENT:
            left_out.append(name)
        else:
            difference = np.abs(np.asarray(variable) - transposed(parameter.detach().numpy())).max()
            weights = max(weights, float(difference))
    compared = sum(len(pairing) for pairing in pairings) - len(left_out)
    return {"losses": losses, "weights": weights, "compared": compared, "left out": ", ".join(left_out) or "none"}


def relative(ours, theirs):
    import numpy as np

    return float(np.abs(np.asarray(ours) - theirs).max() / np.abs(theirs).max())


def print_table(rows, columns):
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for row in rows:
        cells = [f"{value:.1e}" if isinstance(value, float) else str(value) for value in (row[key] for key in columns)]
        cells = [textwrap.shorten(cell, LONGEST_CELL, placeholder=" ...") for cell in cells]
        print(f"| {' | '.join(cells)} |")
    print(flush=True)


if __name__ == "__main__":
    main()
