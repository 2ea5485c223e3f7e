"""How fast: the learning rates, and the images a second."""

import time

import keras
import tensorflow as tf


class Rates(keras.callbacks.Callback):
    """Adds to the logs of each epoch: `g_learning_rate`, `d_learning_rate` and `images_per_second`.

    To be passed before the callbacks that write logs, such as `keras.callbacks.TensorBoard` and `CSVLogger`. The
    learning rates are those that the next step takes. Images a second are those of training alone, without
    validation; in the first epoch also without the first step, which builds the graph.

    Args:
        batch_size: Pairs in a batch. Defaults to 1.

    Raises:
        ValueError: `batch_size` under 1.

    Example:

    ```python
    import keras
    from keras_pix2pix import callbacks

    watch = [callbacks.Rates(batch_size=4), keras.callbacks.CSVLogger("history.csv")]
    ```
    """

    def __init__(self, batch_size=1):
        super().__init__()
        if batch_size < 1:
            raise ValueError(f"`batch_size` must be 1 or more. Received: batch_size={batch_size}.")
        self.batch_size = batch_size
        self.graph_is_built = False

    def on_epoch_begin(self, epoch, logs=None):
        self.begun = self.ended = None

    # With `steps_per_execution`, a batch begins at the first of its steps and ends at the last.
    def on_train_batch_begin(self, batch, logs=None):
        if self.begun is None:
            self.begun = batch, time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self.ended = batch + 1, time.perf_counter()
        if not self.graph_is_built:
            self.begun = self.ended
            self.graph_is_built = True

    def on_epoch_end(self, epoch, logs=None):
        logs["g_learning_rate"] = _number(self.model.generator_optimizer.learning_rate)
        if self.model.discriminator_optimizer is not None:
            logs["d_learning_rate"] = _number(self.model.discriminator_optimizer.learning_rate)
        (first, begun), (last, ended) = self.begun, self.ended
        # An epoch of a single execution, the first one, has no other to go by.
        logs["images_per_second"] = (last - first) * self.batch_size / (ended - begun) if last > first else 0.0


def _number(rate):
    return float(tf.convert_to_tensor(rate))  # Several devices' variable doesn't turn into an array quietly.
