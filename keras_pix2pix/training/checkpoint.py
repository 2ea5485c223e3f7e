"""The model in a file, from which training goes on."""

from pathlib import Path

import keras

from keras_pix2pix.images import whole_file
from keras_pix2pix.training.health import refuse_broken_weights


class Checkpoint(keras.callbacks.Callback):
    """The whole model in one file, before training and after every epoch; the old file stays until the new is whole.

    Weights that are NaN or infinite are not saved: training ends with a RuntimeError that names the file.

    Args:
        path: File ending in `.keras`.

    Raises:
        ValueError: Another ending.

    Example:

    ```python
    from keras_pix2pix import callbacks

    callback = callbacks.Checkpoint("run/model.keras")
    ```
    """

    def __init__(self, path):
        super().__init__()
        self.path = Path(path)
        if self.path.suffix != ".keras":
            raise ValueError(f"`path` must end in .keras. Received: path={str(path)!r}.")

    def on_train_begin(self, logs=None):
        if not self.path.exists():
            self.save()

    def on_epoch_end(self, epoch, logs=None):
        self.save()

    def save(self):
        refuse_broken_weights(self.model, self.path)
        with whole_file(self.path) as temporary:
            self.model.save(temporary)
