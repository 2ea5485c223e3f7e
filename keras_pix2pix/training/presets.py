"""The published recipes, and ours for phones, as data."""

import copy
from collections.abc import Mapping
from typing import Any

__all__ = ["FREEZABLE", "PRESETS", "SCHEDULES", "preset", "preset_data"]

FREEZABLE = ("encoder",)  # The parts of a generator that training may leave out.
SCHEDULES = ("constant", "constant_then_linear", "cosine")
_SECTIONS = ("generator", "discriminator", "adam", "compile", "data")
# Isola et al., Section 6.2; the authors' code has "bicubic".
_PAPER_DATA = {
    "batch_size": 1,
    "jitter": 286 / 256,
    "mirror": True,
    "source_interpolation": "bicubic",
    "target_interpolation": "bicubic",
}

# "network" is the name of the builder; the rest are its arguments. "adam" has FusedAdam's, "schedule" says how its
# learning rate changes, and "steps_per_epoch" is that of the facades' 400 pairs at batch 1. Where the authors use
# batch norm on batch statistics at batch 1, we use affine instance norm: the same function there, and the same picture
# at test time.
PRESETS: dict[str, dict[str, Any]] = {
    # Isola et al., Sections 3.2, 3.3, 6.1 and 6.2.
    "paper": {
        "generator": {"network": "unet_generator", "filters": 64, "dropout": 0.5, "dropout_blocks": (1, 2, 3)},
        "discriminator": {"network": "patchgan_discriminator", "filters": 64, "num_layers": 3},
        "adam": {"learning_rate": 2e-4, "beta_1": 0.5, "beta_2": 0.999, "epsilon": 1e-8},
        "schedule": "constant",
        "compile": {"gan_loss": "vanilla", "lambda_l1": 100.0},
        "epochs": 200,
        "steps_per_epoch": 400,
        "data": _PAPER_DATA,
    },
    # github.com/junyanz/pytorch-CycleGAN-and-pix2pix, `--model pix2pix`.
    "junyanz": {
        "generator": {"network": "unet_generator", "filters": 64, "dropout": 0.5, "dropout_blocks": (2, 3, 4)},
        "discriminator": {"network": "patchgan_discriminator", "filters": 64, "num_layers": 3},
        "adam": {"learning_rate": 2e-4, "beta_1": 0.5, "beta_2": 0.999, "epsilon": 1e-8, "corrected_epsilon": True},
        "schedule": "constant_then_linear",
        "compile": {"gan_loss": "vanilla", "lambda_l1": 100.0},
        "epochs": 200,
        "steps_per_epoch": 400,
        "data": _PAPER_DATA,
    },
    # github.com/eriklindernoren/PyTorch-GAN, `pix2pix`, as the article on it prints it.
    "pytorch_gan": {
        "generator": {
            "network": "unet_generator",
            "filters": 64,
            "normalization": "instance_no_affine",
            "skip_activation": "leaky_relu",
            "last_upsampling": "nearest",
            "dropout": 0.5,
            "dropout_blocks": (1, 2, 3, 4),
            "encoder_dropout_blocks": (4, 5, 6, 7, 8),
        },
        "discriminator": {"network": "pytorch_gan_discriminator", "filters": 64},
        "adam": {"learning_rate": 2e-4, "beta_1": 0.5, "beta_2": 0.999, "epsilon": 1e-8, "corrected_epsilon": True},
        "schedule": "constant",
        "compile": {"gan_loss": "vanilla", "lambda_l1": 100.0},
        "epochs": 200,
        "steps_per_epoch": 400,
        "data": {
            "batch_size": 1,
            "jitter": 1.0,
            "mirror": True,
            "source_interpolation": "bicubic",
            "target_interpolation": "bicubic",
        },
    },
    # tensorflow.org/tutorials/generative/pix2pix. 40,000 steps on the 400 facades.
    "tf_tutorial": {
        "generator": {
            "network": "unet_generator",
            "filters": 64,
            "norm_epsilon": 1e-3,
            "normalize_innermost": True,
            "skip_activation": "leaky_relu",
            "leaky_slope": 0.3,
            "dropout": 0.5,
            "dropout_blocks": (1, 2, 3),
        },
        "discriminator": {
            "network": "patchgan_discriminator",
            "filters": 64,
            "num_layers": 3,
            "norm_epsilon": 1e-3,
            "first_use_bias": False,
            "leaky_slope": 0.3,
        },
        "adam": {"learning_rate": 2e-4, "beta_1": 0.5, "beta_2": 0.999, "epsilon": 1e-7},
        "schedule": "constant",
        "compile": {
            "gan_loss": "vanilla",
            "lambda_l1": 100.0,
            "discriminator_loss_weight": 1.0,
            "update_order": "simultaneous",
        },
        "epochs": 100,
        "steps_per_epoch": 400,
        "data": {
            "batch_size": 1,
            "jitter": 286 / 256,
            "mirror": True,
            "source_interpolation": "nearest",
            "target_interpolation": "nearest",
        },
    },
    # Wang et al., "High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs", Section 3, without
    # the VGG loss; github.com/NVIDIA/pix2pixHD. Its losses are sums over the three scales, ours are means.
    "pix2pixhd": {
        "generator": {
            "network": "resnet_generator",
            "filters": 64,
            "num_downsamples": 4,
            "num_blocks": 9,
            "normalization": "instance_no_affine",
            "use_bias": True,
        },
        "discriminator": {
            "network": "patchgan_discriminator",
            "filters": 64,
            "num_layers": 3,
            "num_scales": 3,
            "padding": 2,
            "normalization": "instance_no_affine",
            "use_bias": True,
        },
        "adam": {"learning_rate": 2e-4, "beta_1": 0.5, "beta_2": 0.999, "epsilon": 1e-8, "corrected_epsilon": True},
        "schedule": "constant_then_linear",
        "compile": {
            "gan_loss": "lsgan",
            "lambda_l1": 0.0,
            "lambda_gan": 3.0,
            "lambda_features": 10.0,
            "discriminator_loss_weight": 1.5,
            "update_order": "simultaneous",
        },
        "epochs": 200,
        "steps_per_epoch": 400,
        "data": {
            "batch_size": 1,
            "jitter": 1.0,
            "mirror": True,
            "source_interpolation": "nearest",
            "target_interpolation": "bicubic",
        },
    },
    # Ours, for phones: chosen by benchmarks/mobile.py.
    "mobile": {
        "generator": {
            "network": "unet_generator",
            "filters": 24,
            "upsampling": "nearest",
            "last_upsampling": "depth_to_space",
            "separable": True,
            "separable_kernel_size": 3,
            "dropout": 0.5,
            "dropout_blocks": (1, 2, 3),
        },
        "discriminator": {"network": "patchgan_discriminator", "filters": 64, "num_layers": 3},
        "adam": {"learning_rate": 2e-4, "beta_1": 0.5, "beta_2": 0.999, "epsilon": 1e-8},
        "schedule": "constant",
        "compile": {"gan_loss": "vanilla", "lambda_l1": 100.0},
        "epochs": 200,
        "steps_per_epoch": 400,
        "data": _PAPER_DATA,
    },
}


def preset(name: str, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """One published recipe: the arguments of the functions that build it."""
    if not isinstance(name, str) or name not in PRESETS:
        raise ValueError(f"The preset must be one of {', '.join(map(repr, PRESETS))}. Received: {name!r}.")
    recipe = copy.deepcopy(PRESETS[name])
    # Networks first, because a new network resets its arguments.
    for key, value in sorted((changes or {}).items(), key=lambda change: not change[0].endswith(".network")):
        section, _, argument = key.partition(".")
        if section not in _SECTIONS or not argument:
            raise ValueError(
                f"A preset is changed by SECTION.NAME, where the section is one of {', '.join(_SECTIONS)}. "
                f"Received: {key!r}."
            )
        if section == "data" and argument not in recipe["data"]:
            raise ValueError(f"Unknown: {key}. Accepted in data: {', '.join(recipe['data'])}.")
        if key == "data.mirror" and not isinstance(value, bool):
            raise ValueError(f"`data.mirror` must be True or False. Received: {value!r}.")
        if argument == "network" and value != recipe[section].get("network"):
            recipe[section] = {}
        recipe[section][argument] = value
    return recipe


def preset_data(name: str, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """How a published recipe reads its data: keyword arguments for `paired_dataset`.

    Args:
        name: "paper", "junyanz", "pytorch_gan", "tf_tutorial", "pix2pixhd" or "mobile".
        changes: Dictionary of values to replace, such as {"data.jitter": 1.0}. Defaults to None.

    Returns:
        A dict with batch size, jitter, mirror and the filters of both sides.

    Raises:
        ValueError: An unknown name.

    Example:

    ```python
    from keras_pix2pix import paired_dataset, preset_data
    from keras_pix2pix.data import synthetic

    synthetic.write_facades("pairs", 4)
    dataset = paired_dataset("pairs", **preset_data("paper"))
    ```

    Reference:
        Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", Section 6.2.
    """
    return preset(name, changes)["data"]
