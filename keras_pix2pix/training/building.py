"""Builds the networks and optimizers of a preset."""

import contextlib
import inspect
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import keras
import tensorflow as tf

from keras_pix2pix.networks.patchgan import patchgan_discriminator, pytorch_gan_discriminator
from keras_pix2pix.networks.resnet import enhanced_resnet_generator, resnet_generator
from keras_pix2pix.networks.unet import unet_generator
from keras_pix2pix.training.optimizers import FusedAdam, check_accumulation, check_numbers
from keras_pix2pix.training.schedules import learning_rate_schedule

__all__ = ["build_network", "build_optimizers", "called", "check_steps", "dtype_policy"]

_BUILDERS: dict[str, dict[str, Callable]] = {
    "generator": {
        "unet_generator": unet_generator,
        "resnet_generator": resnet_generator,
        "enhanced_resnet_generator": enhanced_resnet_generator,
    },
    "discriminator": {
        "patchgan_discriminator": patchgan_discriminator,
        "pytorch_gan_discriminator": pytorch_gan_discriminator,
    },
}
_FLAGS = {"use_bias"}  # Must be True or False, although their default is None.
_MOST_OF_A_NETWORK = 1024  # Filters, layers, blocks, halvings: a U-Net with 1024 filters has 14 billion weights.
_MOST_STEPS = {"discriminator_steps": 100, "steps_per_execution": 10_000}  # Repeated in one graph.
_PRECISIONS = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}


def build_network(
    recipe: Mapping[str, Any], network: str, image_shape: tuple[int, int, int], target_channels: int
) -> keras.Model:
    """Build the generator or the discriminator of a recipe."""
    builders = _BUILDERS[network]
    arguments = {name: value for name, value in recipe[network].items() if name != "network"}
    builder = recipe[network]["network"]
    if not isinstance(builder, str) or builder not in builders:
        raise ValueError(f"`{network}.network` must be one of {', '.join(builders)}. Received: {builder!r}.")
    return called(builders[builder], network, image_shape, target_channels, **arguments)


def build_optimizers(recipe: Mapping[str, Any], steps_per_epoch: int, *, epochs: int, schedule: str) -> list[FusedAdam]:
    """Make the two optimizers of a recipe, each with its own learning-rate schedule."""
    adam = {name: value for name, value in recipe["adam"].items() if name != "learning_rate"}
    rate = recipe["adam"]["learning_rate"]
    discriminator_steps = recipe["compile"].get("discriminator_steps", 1)
    if not callable(rate):  # A schedule is callable.
        check_numbers(learning_rate=(rate, math.inf))
    check_steps(discriminator_steps=discriminator_steps)
    check_accumulation(adam.get("gradient_accumulation_steps"))
    # An optimizer's schedule counts its own updates.
    accumulated = adam.get("gradient_accumulation_steps") or 1
    updates = [steps_per_epoch * each for each in (1, discriminator_steps)]
    plans: list[dict[str, Any]] = [
        {"steps_per_epoch": -(-each // accumulated), "epochs": epochs, "schedule": schedule} for each in updates
    ]
    return [called(FusedAdam, "adam", learning_rate_schedule(learning_rate=rate, **plan), **adam) for plan in plans]


@contextlib.contextmanager
def dtype_policy(precision: str | None) -> Iterator[None]:
    """Within this context, new layers compute in the given precision."""
    if precision is None:
        yield
        return
    if precision not in _PRECISIONS:
        raise ValueError(f"`precision` must be one of {', '.join(_PRECISIONS)}. Received: precision={precision!r}.")
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(_PRECISIONS[precision])
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def called(function: Callable, section: str, *arguments: Any, **named: Any) -> Any:
    """Call a function, and report wrong arguments as mistakes in the changes to a preset."""
    parameters = inspect.signature(function).parameters
    accepted = [name for name in list(parameters)[len(arguments) :] if name != "kwargs"]
    unknown = sorted(named.keys() - set(accepted))
    if unknown:
        raise ValueError(
            f"Unknown: {', '.join(f'{section}.{name}' for name in unknown)}. Accepted in {section}: "
            f"{', '.join(accepted)}."
        )
    for name, value in named.items():
        _check_value(section, name, value, parameters[name].default)
    try:
        return function(*arguments, **named)
    except (TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"Wrong type in {section}: {error}. Received: {named}.") from error
    except (MemoryError, tf.errors.ResourceExhaustedError) as error:
        raise ValueError(f"Not enough memory for {section}. Received: {named}.") from error


def check_steps(**steps: Any) -> None:
    """Raise for step counts that aren't positive integers, or too large for one graph; Keras also accepts "auto"."""
    for name, value in steps.items():
        if name == "steps_per_execution" and value == "auto":
            continue
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"`{name}` must be an integer of 1 or more. Received: {name}={value!r}.")
        if value > _MOST_STEPS[name]:
            raise ValueError(f"`{name}` must be at most {_MOST_STEPS[name]}. Received: {name}={value!r}.")


def _check_value(section, name, value, default):
    # Python treats nearly anything else as True, even the string "False".
    if (isinstance(default, bool) or name in _FLAGS) and not isinstance(value, bool) and value is not default:
        raise ValueError(f"`{section}.{name}` must be True or False. Received: {value!r}.")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"`{section}.{name}` must be finite. Received: {value!r}.")
    if section in _BUILDERS and isinstance(value, int) and value > _MOST_OF_A_NETWORK:
        raise ValueError(f"`{section}.{name}` must be at most {_MOST_OF_A_NETWORK}. Received: {value!r}.")
