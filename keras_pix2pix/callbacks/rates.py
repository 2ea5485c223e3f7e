"""The learning rates, and the images a second, in the logs."""

import time

import keras
import tensorflow as tf

__all__ = ["Rates"]


class Rates(keras.callbacks.Callback):
    """Adds to the logs of each epoch: `g_learning_rate`, `d_learning_rate` and `images_per_second`.

    Pass it before the callbacks that write logs, such as `keras.callbacks.TensorBoard` and `CSVLogger`. The learning
    rates are those of the next step. Images a second leave out validation, and the first step, which builds the graph.

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

    def __init__(self, batch_size: int = 1) -> None:
        super().__init__()
        if batch_size < 1:
            raise ValueError(f"`batch_size` must be 1 or more. Received: batch_size={batch_size}.")
        self.batch_size = batch_size
        self.graph_is_built = False

    def on_epoch_begin(self, epoch, logs=None):
        self.started = self.ended = None

    # With `steps_per_execution`, a batch begins at the first of its steps and ends at the last.
    def on_train_batch_begin(self, batch, logs=None):
        if self.started is None:
            self.started = batch, time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self.ended = batch + 1, time.perf_counter()
        if not self.graph_is_built:
            self.started = self.ended
            self.graph_is_built = True

    def on_epoch_end(self, epoch, logs=None):
        logs["g_learning_rate"] = _number(self.model.generator_optimizer.learning_rate)
        if self.model.discriminator_optimizer is not None:
            logs["d_learning_rate"] = _number(self.model.discriminator_optimizer.learning_rate)
        (first, started), (last, ended) = self.started, self.ended
        # 0 if the epoch was a single execution that built the graph: nothing else was timed.
        logs["images_per_second"] = (last - first) * self.batch_size / (ended - started) if last > first else 0.0


def _number(rate):
    return float(tf.convert_to_tensor(rate))  # Converting a variable of several devices to an array would warn.
