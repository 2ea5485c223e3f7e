"""TensorBoard by epoch, without memory that grows with every step."""

import keras

__all__ = ["TensorBoard"]


class TensorBoard(keras.callbacks.TensorBoard):
    """`keras.callbacks.TensorBoard` that leaves out the logs of single steps where it writes by epoch.

    Keras' own makes a summary of each log at every step, which is never written with `update_freq="epoch"`, and takes
    some KB of memory each time. Arguments and files are Keras'.

    Example:

    ```python
    from keras_pix2pix import callbacks

    watch = [callbacks.TensorBoard("logs", write_graph=False)]
    ```
    """

    def on_train_batch_end(self, batch, logs=None):
        super().on_train_batch_end(batch, None if self.update_freq == "epoch" else logs)
