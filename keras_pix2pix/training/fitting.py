"""What Keras' own callbacks look for in a model: one optimizer, directions of its logs, a log called loss."""

import keras
import tensorflow as tf
from keras.src.trainers.compile_utils import MetricsList  # Where Keras looks for directions: in no other class.

from keras_pix2pix.training.first_batch import is_array

__all__ = ["Logs", "OptimizerOfBoth", "completed_callbacks", "is_shuffled"]

LOSSES = ("g_", "d_loss", "d_penalty")  # Less is better; of the discriminator's probabilities neither.


class Logs(MetricsList):
    """The means of an epoch by name, each with the direction in which it gets better, if there is one."""

    def __init__(self, names):
        super().__init__([keras.metrics.Mean(name=name) for name in names], name="logs")
        for metric in self.metrics:
            if metric.name.startswith(LOSSES):
                metric._direction = "down"

    def update_state(self, values, sample_weight=None):
        for metric in self.metrics:
            metric.update_state(values[metric.name], sample_weight=sample_weight)

    def result(self):
        return self.get_result()


class OptimizerOfBoth:
    """The generator's optimizer, as `model.optimizer`; its learning rate takes the discriminator's along.

    The two learning rates keep their proportion.
    """

    def __init__(self, generator_optimizer, discriminator_optimizer):
        self.generator_optimizer = generator_optimizer
        self.discriminator_optimizer = discriminator_optimizer
        self.proportion = 1.0

    def __getattr__(self, name):
        if name == "generator_optimizer":
            raise AttributeError(name)  # While it is copied, there is none.
        return getattr(self.generator_optimizer, name)

    @property
    def learning_rate(self):
        return self.generator_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value):
        if self.discriminator_optimizer is not None:
            rate, other = map(_rate_of, (self.generator_optimizer, self.discriminator_optimizer))
            # From 0, where a warm-up starts, nothing is in proportion any more.
            self.proportion = other / rate if rate else self.proportion
            self.discriminator_optimizer.learning_rate = value * self.proportion
        self.generator_optimizer.learning_rate = value


class _ForStockCallbacks(keras.callbacks.Callback):
    """Comes before the user's callbacks: a log called loss for `TerminateOnNaN`, averages of `use_ema` at the end."""

    def __init__(self, with_loss):
        super().__init__()
        self.with_loss = with_loss

    def on_train_batch_end(self, batch, logs=None):
        if self.with_loss:
            logs["loss"] = logs["g_loss"] + logs.get("d_loss", 0.0)

    def on_train_end(self, logs=None):
        for network in ("generator", "discriminator"):
            optimizer = getattr(self.model, f"{network}_optimizer")
            if optimizer is not None:
                optimizer.finalize_variable_values(getattr(self.model, network).trainable_weights)


def completed_callbacks(model, callbacks):
    """The user's callbacks, and before them what Keras' own ones need of a model with two networks."""
    if isinstance(callbacks, keras.callbacks.CallbackList):
        return callbacks
    callbacks = list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks] if callbacks else []
    looks_at_loss = any(isinstance(each, keras.callbacks.TerminateOnNaN) for each in callbacks)
    optimizers = [each for each in (model.generator_optimizer, model.discriminator_optimizer) if each is not None]
    averages = any(getattr(getattr(each, "inner_optimizer", each), "use_ema", False) for each in optimizers)
    return [_ForStockCallbacks(looks_at_loss), *callbacks] if looks_at_loss or averages else callbacks


def is_shuffled(data, shuffle):
    """Whether Keras is to shuffle: only what it can, as it warns of the rest, asked or not."""
    return shuffle and (is_array(data) or isinstance(data, keras.utils.PyDataset))


def _rate_of(optimizer):
    return float(tf.convert_to_tensor(optimizer.learning_rate))
