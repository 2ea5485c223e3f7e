"""What the replicas of a training step tell each other."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

__all__ = ["logs_of_all_workers", "number_of_all", "share_of_mean", "update"]


def number_of_all(examples: tf.Tensor) -> tf.Tensor:
    """How many examples all replicas have together."""
    count = tf.cast(tf.shape(examples)[0], keras.config.floatx())
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, count)


def share_of_mean(losses: tf.Tensor, weights: tf.Tensor | None, total: tf.Tensor) -> tf.Tensor:
    """This replica's share of the mean over the batch of all replicas, whose gradients are summed."""
    losses = losses if weights is None else losses * ops.cast(weights, losses.dtype)
    return ops.sum(losses) / ops.cast(total, losses.dtype)


def update(optimizer: keras.optimizers.Optimizer, gradients: Sequence[tf.Tensor | None], network: keras.Model) -> None:
    """Apply the sum of the gradients of all replicas to a network."""
    context = tf.distribute.get_replica_context()
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer) and context.num_replicas_in_sync > 1:
        # It checks only this replica's gradients, but all replicas must skip the same steps.
        finite = [tf.reduce_all(tf.math.is_finite(each)) for each in gradients if each is not None]
        not_finite = context.all_reduce(tf.distribute.ReduceOp.SUM, tf.cast(~tf.reduce_all(finite), tf.float32))
        poison = tf.where(not_finite > 0, math.nan, 0.0)
        gradients = [None if each is None else each + tf.cast(poison, each.dtype) for each in gradients]
    optimizer.apply(gradients, network.trainable_variables)


def logs_of_all_workers(logs: dict[str, Any]) -> dict[str, Any]:
    """The logs of `train_step` or `test_step` in the shape that Keras expects under the current strategy."""
    strategy = tf.distribute.get_strategy()
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return logs
    workers = sum(map(len, strategy.cluster_resolver.cluster_spec().as_dict().values()))
    return {name: value[None] for name, value in logs.items()} if workers > 1 else logs
