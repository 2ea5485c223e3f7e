"""The whole run in one file, from which it continues as if it had never stopped."""

import dataclasses
import errno
from numbers import Integral
from pathlib import Path

import keras
import tensorflow as tf

from keras_pix2pix.callbacks.pace import Pace
from keras_pix2pix.files import remove_leftovers
from keras_pix2pix.training.cluster import worker_count
from keras_pix2pix.training.model import Pix2Pix
from keras_pix2pix.training.saving import save_whole
from keras_pix2pix.training.training_state import Progress, build_metrics, metric_states, set_metric_states

__all__ = ["Checkpoint", "refuse_broken_weights", "resume_point"]

# A value of `model.stop_training` that ends the epoch only. Keras stops at any true value; other callbacks, which end
# the training, put True there.
_END_OF_EPOCH = "end of epoch"


class Checkpoint(keras.callbacks.Callback):
    """The whole run in one file, saved before training, after epochs, and every `every_steps` steps.

    After an epoch it is left out where saving would take more than a tenth of the time, but never after the last.

    The file is an ordinary `.keras` file with networks, both optimizers, dropout state, the place in the data, the
    counts of `Health`, and within an epoch the sums behind its logs. The old file is kept until the new one is
    complete and on disk.

    To resume, pass `fit` the `initial_epoch` that `resume_point` returns, and this callback: within an epoch, it
    restores the logs and ends that epoch after its remaining steps.

    Args:
        path: File ending in `.keras`.
        every_steps: Steps of an epoch between checkpoints, 1 or more; checked after every execution of
            `steps_per_execution` steps. Defaults to None: at the end of epochs only.

    Raises:
        ValueError: Another ending, or `every_steps` under 1.
        RuntimeError: During training: weights are NaN or infinite; the previous file is kept.
        OSError: During training: the file can't be written; the previous one is kept.

    Example:

    ```python
    from keras_pix2pix import callbacks

    callback = callbacks.Checkpoint("run/model.keras", every_steps=1000)
    ```
    """

    def __init__(self, path: str | Path, *, every_steps: int | None = None) -> None:
        super().__init__()
        self.path = Path(path).expanduser()
        if self.path.suffix != ".keras":
            raise ValueError(f"`path` must end in .keras. Received: path={str(path)!r}.")
        if every_steps is not None and (not isinstance(every_steps, Integral) or every_steps < 1):
            raise ValueError(
                f"`every_steps` must be an integer of 1 or more, or None. Received: every_steps={every_steps!r}."
            )
        self.every_steps = every_steps
        self.pace = Pace()
        self.stopping = False

    def stop(self) -> None:
        """Save after the current step, then raise KeyboardInterrupt out of `fit`.

        One of several workers doesn't save: all of them resume from their last common checkpoint.
        """
        self.stopping = True

    def on_train_begin(self, logs=None):
        remove_leftovers(self.path.parent, self.path.name)
        self.resumed = self.model.training_state.progress or Progress(0, 0, 0)
        self.seen = self.resumed.seen
        if self.resumed.step:
            build_metrics(self.model)

    def on_epoch_begin(self, epoch, logs=None):
        self.first_step = 0
        self.pace.forget()
        if self.resumed and self.resumed.is_within(epoch):
            # Here, because `fit` has just reset them.
            set_metric_states(self.model, self.resumed.metric_states)
            self.first_step = self.resumed.step
        self.resumed = None
        self.epoch, self.seen_before = epoch, self.seen - self.first_step
        self.saved_step = self.first_step
        if not self.path.exists():
            self._save(Progress(epoch, 0, self.seen))

    def on_train_batch_end(self, batch, logs=None):
        step = self.first_step + batch + 1
        self.seen = self.seen_before + step
        if self.params["steps"] is not None and step >= self.params["steps"]:
            if self.first_step and not self.model.stop_training:
                self.model.stop_training = _END_OF_EPOCH
            return
        # A worker that stops alone can't save: the others would have to take part.
        if (self.stopping and worker_count() == 1) or (self.every_steps and step - self.saved_step >= self.every_steps):
            self._save(Progress(self.epoch, step, self.seen, metric_states(self.model)))
            self.saved_step = step
        self._stop_if_asked()

    def on_epoch_end(self, epoch, logs=None):
        if self.model.stop_training == _END_OF_EPOCH:
            self.model.stop_training = False
        self.pace.run(self._save, Progress(epoch + 1, 0, self.seen))
        if self.stopping:
            self.pace.finish()
        self._stop_if_asked()

    def on_train_end(self, logs=None):
        self.pace.finish()

    def _save(self, progress):
        refuse_broken_weights(self.model, self.path)
        state = dataclasses.replace(self.model.training_state, progress=progress)
        try:
            save_whole(self.model, self.path, state)
        except (OSError, RuntimeError) as error:  # h5py raises either.
            number = getattr(error, "errno", None) or errno.EIO
            kept = "The previous checkpoint is complete. " if self.path.exists() else ""
            reason = getattr(error, "strerror", None) or error
            raise OSError(
                number,
                f"{self.path} could not be written: {reason}. {kept}There must be space for two such files: free some "
                "space, check the permissions, and resume from the last one",
            ) from error
        self.model.training_state = state

    def _stop_if_asked(self):
        if self.stopping:
            raise KeyboardInterrupt


def resume_point(model: Pix2Pix) -> tuple[int, int]:
    """Where to resume a model that `Checkpoint` saved: `initial_epoch` of `fit`, `initial_step` of its data.

    Args:
        model: A `Pix2Pix`, new or loaded.

    Returns:
        Number of whole epochs done, and number of batches done in all epochs. (0, 0) for a new model, and for one that
        was saved by something else.

    Example:

    ```python
    from keras_pix2pix import Pix2Pix, callbacks

    model = Pix2Pix.from_preset("paper", image_shape=(256, 256, 3))
    epoch, step = callbacks.resume_point(model)  # paired_dataset("pairs", repeat=True, initial_step=step)
    ```
    """
    progress = model.training_state.progress
    return (progress.epoch, progress.seen) if progress else (0, 0)


def refuse_broken_weights(model: keras.Model, path: str | Path) -> None:
    """Raise for weights that are NaN or infinite, so that they don't overwrite good ones."""
    broken = [weight.path for weight in model.weights if not _is_finite(weight)]
    if broken:
        raise RuntimeError(
            f"The model is not saved, because {len(broken)} of its weights are NaN or infinite, {broken[0]} the first. "
            f"{path} is the last good model, if there is one. Look for a NaN in the data first; then lower the "
            "learning rates of both optimizers."
        )


def _is_finite(weight):
    return not weight.dtype.startswith(("float", "bfloat")) or bool(tf.reduce_all(tf.math.is_finite(weight.value)))
