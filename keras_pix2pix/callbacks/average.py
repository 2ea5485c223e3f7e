"""An exponential moving average of the generator's weights."""

import math
from pathlib import Path

import keras
import tensorflow as tf

from keras_pix2pix.callbacks.pace import Pace
from keras_pix2pix.training.saving import copy_average, save_whole

__all__ = ["ExponentialMovingAverage"]


class ExponentialMovingAverage(keras.callbacks.Callback):
    """A second generator whose weights are the running mean of the trained one's: steadier, and often better.

    Training, logs, validation and samples are those of the trained generator. The averaged one gets its own file, a
    `Pix2Pix` without a discriminator that translates and exports like any other. `model.save` keeps the average in the
    model's file too, so that a resumed run continues it: put this callback before `Checkpoint`.

    Args:
        path: File ending in `.keras` for the averaged generator, written after epochs, so seldom that it takes a tenth
            of the time at most.
        decay: Share of the average kept at each step, above 0 and below 1; with `steps_per_execution`, all steps
            of an execution count with the weights after the last one. Defaults to 0.999.

    Raises:
        ValueError: Another ending, or `decay` out of range.

    Example:

    ```python
    from keras_pix2pix import callbacks

    watch = [callbacks.ExponentialMovingAverage("run/average.keras"), callbacks.Checkpoint("run/model.keras")]
    ```

    Reference:
        Yazıcı et al., "The Unusual Effectiveness of Averaging in GAN Training", arXiv 1806.04498.
    """

    def __init__(self, path: str | Path, decay: float = 0.999) -> None:
        super().__init__()
        if not str(path).endswith(".keras"):
            raise ValueError(f"`path` must end in .keras. Received: path={str(path)!r}.")
        if not 0 < decay < 1:
            raise ValueError(f"`decay` must be above 0 and below 1. Received: decay={decay!r}.")
        self.path, self.decay = path, decay
        self.pace = Pace()

    def on_train_begin(self, logs=None):
        self.averaged = None
        if self.model.training_state.average is None:
            self.model.training_state.average = self._weights()

    def on_epoch_begin(self, epoch, logs=None):
        self.steps = 0

    def on_train_batch_end(self, batch, logs=None):
        # Keras counts the last execution of an epoch as a whole one.
        steps = min(batch + 1, self.params["steps"] or math.inf)
        share = 1 - self.decay ** (steps - self.steps)
        self.steps = steps
        # Tensors, not variables: those would belong to the strategy in force.
        pairs = zip(self.model.training_state.average, self._weights(), strict=True)
        self.model.training_state.average = tuple(average + share * (weight - average) for average, weight in pairs)

    def on_epoch_end(self, epoch, logs=None):
        self.pace.run(self._write)

    def on_train_end(self, logs=None):
        self.pace.finish()

    def _write(self):
        # Made once, because TensorFlow never frees the names of variables.
        if self.averaged is None:
            self.averaged = self.model.averaged()
        copy_average(self.model, self.averaged.generator)
        save_whole(self.averaged, self.path)

    def _weights(self):
        return tuple(tf.convert_to_tensor(each) for each in self.model.generator.trainable_variables)
