"""The best model of a run, kept in addition to the last."""

import dataclasses
import math
from pathlib import Path

import keras

from keras_pix2pix.callbacks.checkpoint import refuse_broken_weights
from keras_pix2pix.report.history import best_of, better_side, read_history
from keras_pix2pix.training.saving import save_whole
from keras_pix2pix.training.training_state import read_records

__all__ = ["BestModel"]


class BestModel(keras.callbacks.Callback):
    """Keeps the model of the best epoch by one of the logs, and can end training when it stops improving.

    Like `keras.callbacks.ModelCheckpoint(save_best_only=True)` and `EarlyStopping`, but the file is written
    completely or not at all, and records its value and epoch, so that after resuming only a better model replaces it.
    A new model starts a new file.

    Args:
        path: File ending in `.keras`.
        monitor: Key of the logs, such as "val_ssim".
        mode: "max" or "min". Defaults to None: by the name, "max" for names with psnr, ssim, accuracy or iou, "min"
            for losses and errors.
        patience: Epochs without a better one after which training ends, 1 or more. Defaults to None: never.
        history: CSV file of `keras.callbacks.CSVLogger` with the epochs before this `fit`, used if the file at `path`
            doesn't record its value. Defaults to None.

    Raises:
        ValueError: Another ending, a missing or unknown mode, `patience` under 1; when training starts, if it
            already ended early before; after the first epoch, if there is no such log.

    Example:

    ```python
    from keras_pix2pix import callbacks

    callback = callbacks.BestModel("run/best.keras", "val_g_l1", patience=20)
    ```
    """

    def __init__(
        self,
        path: str | Path,
        monitor: str,
        *,
        mode: str | None = None,
        patience: int | None = None,
        history: str | Path | None = None,
    ) -> None:
        super().__init__()
        self.path = Path(path).expanduser()
        if self.path.suffix != ".keras":
            raise ValueError(f"`path` must end in .keras. Received: path={str(path)!r}.")
        self.monitor = monitor
        self.mode = mode or better_side(monitor)
        if self.mode not in ("max", "min"):
            raise ValueError(
                f"The name doesn't say whether a larger or a smaller {monitor!r} is better. Accepted: "
                f'mode="max" or mode="min". Received: mode={mode!r}.'
            )
        if patience is not None and patience < 1:
            raise ValueError(f"`patience` must be 1 or more, or None. Received: patience={patience}.")
        self.patience = patience or math.inf
        self.history = history
        self.record = f"best: {self.mode} {monitor}"  # Key in the model's records.

    def on_train_begin(self, logs=None):
        self.best, self.best_epoch, last = self._best_before()
        if self.best is not None and last - self.best_epoch >= self.patience:
            raise ValueError(
                f"Training has ended early: {self.monitor} was best, {self.best:.4g}, in epoch {self.best_epoch + 1}, "
                f"and no better in the {last - self.best_epoch} epochs since. Pass a larger patience to continue."
            )

    def on_epoch_end(self, epoch, logs=None):
        if self.monitor not in logs:
            raise ValueError(f"There is no log {self.monitor!r} to monitor. Accepted: {', '.join(logs)}.")
        if self._is_best(logs[self.monitor]):
            self.best, self.best_epoch = float(logs[self.monitor]), epoch
            self._save()
        elif self.best is not None and epoch - self.best_epoch >= self.patience:
            self.model.stop_training = True
            print(
                f"Training ends early: {self.monitor} was best, {self.best:.4g}, in epoch {self.best_epoch + 1}, and "
                f"no better in the {epoch - self.best_epoch} epochs since. The model of that epoch: "
                f"{self.path}"
            )

    def _best_before(self):
        """Value and epoch of the best before this `fit`, and the last epoch before it; None where there are none."""
        past = read_history(self.history) if self.history is not None else {"epoch": []}
        index, best = best_of(past.get(self.monitor, []), self.mode)
        epoch, last = (None, None) if index is None else (past["epoch"][index], past["epoch"][-1])
        kept = read_records(self.path).get(self.record) if self._was_trained() else None
        if kept:
            best, epoch = kept["value"], kept["epoch"]
            progress = self.model.training_state.progress
            last = progress.epoch - 1 if progress else epoch
        return best, epoch, last

    def _was_trained(self):
        progress = self.model.training_state.progress
        return progress is not None or int(self.model.generator_optimizer.iterations.numpy()) > 0

    def _is_best(self, value):
        if self.best is None:
            return math.isfinite(value)
        return value > self.best if self.mode == "max" else value < self.best

    def _save(self):
        refuse_broken_weights(self.model, self.path)
        state = self.model.training_state
        records = {**state.records, self.record: {"value": self.best, "epoch": self.best_epoch}}
        # Without progress: the epoch hasn't ended yet.
        save_whole(self.model, self.path, dataclasses.replace(state, progress=None, records=records))
