"""Keras' own methods, and attributes that stock callbacks use, for a model with two networks."""

import functools
import inspect
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from keras.src.trainers.compile_utils import MetricsList  # The only class in which Keras looks for directions.

from keras_pix2pix.training.first_batch import check_first_batch, check_validation_data, is_array

__all__ = ["Logs", "OptimizerOfBoth", "StockModel"]

_LOSSES = ("g_", "d_loss", "d_penalty")  # Less is better. The discriminator's probabilities have no better direction.


class Logs(MetricsList):
    """The means of an epoch by name, each with the direction in which it gets better, if there is one."""

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__([keras.metrics.Mean(name=name) for name in names], name="logs")
        for metric in self.metrics:
            if metric.name.startswith(_LOSSES):
                metric._direction = "down"

    def update_state(self, values, sample_weight=None):
        for metric in self.metrics:
            metric.update_state(values[metric.name], sample_weight=sample_weight)

    def result(self):
        return self.get_result()


class OptimizerOfBoth:
    """The generator's optimizer, as `model.optimizer`; changing its learning rate changes the discriminator's, too.

    The two learning rates keep their proportion.
    """

    def __init__(
        self,
        generator_optimizer: keras.optimizers.Optimizer,
        discriminator_optimizer: keras.optimizers.Optimizer | None,
    ) -> None:
        self.generator_optimizer = generator_optimizer
        self.discriminator_optimizer = discriminator_optimizer
        self.proportion = 1.0

    def __getattr__(self, name):
        if name == "generator_optimizer":
            raise AttributeError(name)  # It doesn't exist yet while an object is being copied.
        return getattr(self.generator_optimizer, name)

    @property
    def learning_rate(self) -> Any:
        return self.generator_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if self.discriminator_optimizer is not None:
            rate, other = map(_rate_of, (self.generator_optimizer, self.discriminator_optimizer))
            # At 0, where a warm-up starts, the proportion is undefined: keep the last one.
            self.proportion = other / rate if rate else self.proportion
            self.discriminator_optimizer.learning_rate = value * self.proportion
        self.generator_optimizer.learning_rate = value


class StockModel(keras.Model):
    """A `keras.Model` of two networks with the arguments of stock models, or an error that says what to do instead."""

    _optimizer_of_both: OptimizerOfBoth | None = None

    @property
    def optimizer(self) -> OptimizerOfBoth | None:
        """The generator's optimizer for learning-rate callbacks, which changes the discriminator's rate, too."""
        return self._optimizer_of_both

    @optimizer.setter
    def optimizer(self, optimizer: Any) -> None:
        pass  # Keras' `compile` sets its own, None.

    @functools.wraps(keras.Model.fit)
    def fit(self, *args, **kwargs):
        arguments = _bound(keras.Model.fit, self, args, kwargs)
        if arguments["class_weight"] is not None:
            raise ValueError("`class_weight` is for classifiers. Weigh pairs with `sample_weight`.")
        self._assert_compile_called("fit")
        arguments["x"] = check_first_batch(self, arguments["x"], arguments["y"])
        arguments["validation_data"] = check_validation_data(self, arguments["validation_data"])
        arguments["shuffle"] = _is_shuffled(arguments["x"], arguments["shuffle"])
        arguments["callbacks"] = _completed_callbacks(self, arguments["callbacks"])
        return super().fit(**arguments)

    @functools.wraps(keras.Model.evaluate)
    def evaluate(self, *args, **kwargs):
        arguments = _bound(keras.Model.evaluate, self, args, kwargs)
        if not arguments.get("_use_cached_eval_dataset"):  # `fit` has already checked that one.
            arguments["x"] = check_first_batch(self, arguments["x"], arguments["y"])
        return super().evaluate(**arguments)

    @functools.wraps(keras.Model.predict)
    def predict(self, *args, **kwargs):
        arguments = _bound(keras.Model.predict, self, args, kwargs)
        arguments["x"] = check_first_batch(self, arguments["x"])
        return super().predict(**arguments)

    @functools.wraps(keras.Model.save)
    def save(self, filepath, *args, **kwargs):
        if str(filepath).endswith((".h5", ".hdf5")):
            raise ValueError(
                f"An .h5 file doesn't hold a model with two networks and optimizers. Accepted: a path that ends in "
                f".keras. Received: {filepath}. For the networks' weights alone, `save_weights` takes .weights.h5."
            )
        return super().save(filepath, *args, **kwargs)

    def export(self, filepath: str | Path, format: str = "tf_saved_model", **kwargs: Any) -> None:
        """Write the generator with `keras.Model.export`: images in [-1, 1] in and out, of the size it was built for.

        `export_saved_model`, `export_tflite` and `export_onnx` write files that take and return pixels, and check them.

        Args:
            filepath: File or folder to write.
            format: "tf_saved_model", "onnx" or another that `keras.Model.export` knows. Defaults to "tf_saved_model".
            **kwargs: Further arguments of `keras.Model.export`.

        Example:

        ```python
        from keras_pix2pix import Pix2Pix

        Pix2Pix.from_preset("mobile", (64, 64, 3)).export("exported", verbose=False)
        ```
        """
        self.generator.export(filepath, format=format, **kwargs)


class _ForStockCallbacks(keras.callbacks.Callback):
    """Runs before the user's callbacks: adds a log "loss" for `TerminateOnNaN`, applies averages of `use_ema`."""

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


def _completed_callbacks(model, callbacks):
    """The user's callbacks, preceded by one that Keras' own need for a model with two networks."""
    if isinstance(callbacks, keras.callbacks.CallbackList):
        return callbacks
    callbacks = list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks] if callbacks else []
    looks_at_loss = any(isinstance(each, keras.callbacks.TerminateOnNaN) for each in callbacks)
    optimizers = [each for each in (model.generator_optimizer, model.discriminator_optimizer) if each is not None]
    averages = any(getattr(getattr(each, "inner_optimizer", each), "use_ema", False) for each in optimizers)
    return [_ForStockCallbacks(looks_at_loss), *callbacks] if looks_at_loss or averages else callbacks


def _is_shuffled(data, shuffle):
    """Whether Keras should shuffle: only data that it can, because it warns about all others."""
    return shuffle and (is_array(data) or isinstance(data, keras.utils.PyDataset))


def _bound(method, model, args, kwargs):
    """All arguments of a call to Keras' method by name, defaults included."""
    bound = inspect.signature(method).bind(model, *args, **kwargs)
    bound.apply_defaults()
    named = {name: value for name, value in bound.arguments.items() if name not in ("self", "kwargs")}
    return {**named, **bound.arguments.get("kwargs", {})}


def _rate_of(optimizer):
    return float(tf.convert_to_tensor(optimizer.learning_rate))
