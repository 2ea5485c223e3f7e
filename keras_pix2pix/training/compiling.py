"""Checks the arguments of `Pix2Pix.compile`, and makes optimizers and metrics of them."""

from collections.abc import Callable, Iterable
from typing import Any

import keras
import tensorflow as tf

from keras_pix2pix.inference.walk import leaves
from keras_pix2pix.training.optimizers import FusedAdam
from keras_pix2pix.training.presets import preset

__all__ = ["check_replicas", "check_updates", "metric_of", "optimizer_of", "uses_xla"]

_UPDATE_ORDERS = ("discriminator_first", "simultaneous")


def optimizer_of(network: keras.Model, optimizer: Any, networks: Iterable[keras.Model]) -> keras.optimizers.Optimizer:
    """An optimizer built for a network; None means the paper's. It scales its loss if one of `networks` uses float16.

    Both networks count for the generator, whose gradient comes through the discriminator.
    """
    optimizer = keras.optimizers.get(optimizer) or FusedAdam(**preset("paper")["adam"])
    in_float16 = any(layer.compute_dtype == "float16" for each in networks for layer in leaves(each))
    if in_float16 and not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    # Built here, so that a loaded model finds the variables that its state belongs to.
    optimizer.build(network.trainable_variables)
    return optimizer


def metric_of(metric: str | keras.metrics.Metric | Callable) -> keras.metrics.Metric:
    """A metric object for a metric, a name or a function, created under the current strategy."""
    found = keras.metrics.get(metric)
    if not isinstance(found, keras.metrics.Metric):
        found = keras.metrics.MeanMetricWrapper(found, name=getattr(metric, "__name__", None))
    if isinstance(metric, str):
        found.name = metric  # As Keras does.
    return found


def uses_xla(jit_compile: bool | str, run_eagerly: bool = False) -> bool:
    """Whether XLA compiles the step; "auto" means on one GPU: on a CPU, graphs are a third faster."""
    if jit_compile != "auto":
        return bool(jit_compile)
    alone = tf.distribute.get_strategy().num_replicas_in_sync == 1
    return alone and not run_eagerly and bool(tf.config.list_logical_devices("GPU"))


def check_replicas(
    steps_per_execution: int | str, with_xla: bool, networks: Iterable[keras.Model], *optimizers: Any
) -> None:
    """Raise for options that Keras and TensorFlow don't support on several replicas."""
    strategy = tf.distribute.get_strategy()
    if strategy.num_replicas_in_sync == 1:
        return
    accumulated = max(getattr(each, "gradient_accumulation_steps", None) or 1 for each in optimizers)
    impossible = {"gradient_accumulation_steps": accumulated}
    if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        impossible["steps_per_execution"] = steps_per_execution
    for name, value in impossible.items():
        if value > 1:
            raise ValueError(
                f"`{name}` doesn't work on several replicas. Received: {name}={value} with "
                f"{strategy.num_replicas_in_sync} of them. Leave it out, or train on one device."
            )
    layers = [layer for network in networks for layer in leaves(network)] if with_xla else []
    for layer in layers:
        aggregated = any(each.aggregation != "none" for each in layer.non_trainable_variables)
        if aggregated or getattr(layer, "synchronized", False):
            raise ValueError(
                "`jit_compile=True` on several replicas needs networks whose layers keep no means over all replicas, "
                f"because XLA can't compile their communication. Received: the layer {layer.name!r}, a "
                f"{type(layer).__name__}. Leave out `jit_compile`, or use instance norm."
            )


def check_updates(generator_optimizer: Any, discriminator_optimizer: Any, update_order: str) -> None:
    """Raise for one optimizer for both networks, or an unknown order."""
    if isinstance(generator_optimizer, keras.optimizers.Optimizer) and generator_optimizer is discriminator_optimizer:
        raise ValueError(
            "`generator_optimizer` and `discriminator_optimizer` must be two objects, because each keeps the state "
            f"of its network. Received: the same {type(generator_optimizer).__name__} for both. Make a second one."
        )
    if update_order not in _UPDATE_ORDERS:
        raise ValueError(
            f"`update_order` must be one of {', '.join(map(repr, _UPDATE_ORDERS))}. "
            f"Received: update_order={update_order!r}."
        )
