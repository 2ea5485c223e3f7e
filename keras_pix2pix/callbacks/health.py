"""Warnings about a training that goes wrong."""

import json
import math
import sys
from pathlib import Path

import keras
import numpy as np

from keras_pix2pix.callbacks.fixed_pairs import Pairs, first_pairs, generate_one_by_one
from keras_pix2pix.files import whole_file
from keras_pix2pix.report.history import read_messages

__all__ = ["Health"]

_RECORD = "health"  # Among the model's records: the epochs in a row, so that a resumed run continues to count.
_ADVICE = {
    "won": (
        "The discriminator has won: it was all but certain what is real ({d_real:.3f}) and what is generated "
        "({d_fake:.3f}) in each of the last {patience} epochs, and the generator learns little from it. Lower its "
        "learning rate, compile with label_smoothing=0.1 or a smaller discriminator_loss_weight, or give it fewer "
        "filters; a larger lambda_l1 holds on to the targets meanwhile."
    ),
    "lost": (
        "The discriminator doesn't tell real from generated: it gave both the same probability (real {d_real:.3f}, "
        "generated {d_fake:.3f}) in each of the last {patience} epochs, so the generator learns from the L1 term "
        "alone, which blurs. If d_loss, now {d_loss:.3g}, has grown, lower the discriminator's learning rate; if not, "
        "raise it, or compile with discriminator_steps=2 or label_smoothing=0."
    ),
    "ignores": (
        "The generator ignores its source: for different sources its pictures differ {variety:.1%} as much as the "
        "targets do, in each of the last {patience} epochs. Raise lambda_l1, lower both learning rates, and check "
        "whether sources and targets belong together: keras-pix2pix inspect DATA, with the same --direction."
    ),
}


class Health(keras.callbacks.Callback):
    """Notices when training goes wrong, and says what is happening and what to change.

    A log that is NaN or infinite, checked after every step, ends training with a RuntimeError that names the last good
    model; so pass this callback before those that save files. Three states that don't end a run are reported once
    each: a discriminator that has won, one that can't tell real from generated, and a generator that ignores its
    source. The logits of a "wgangp" discriminator aren't probabilities, so the first two aren't reported there.

    Args:
        pairs: Data set of (source, target) batches, or a tuple of two arrays of images; its first pairs show whether
            the generator uses its source. Defaults to None: not checked.
        checkpoint: File that `Checkpoint` writes, for the message. Defaults to None.
        messages: File for the messages, a JSON object per line, read by the report; messages already in it
            aren't repeated when a run is resumed. Defaults to None.
        patience: Epochs in a row that show a state before it is reported, counted across restarts. Defaults to 3.
        after_steps: Updates of the generator before anything is reported: an untrained discriminator can't tell real
            from generated. Defaults to 1000.
        won_gap: `d_real - d_fake` from which the discriminator has won. Defaults to 0.96: on the facades it is 0.6, and
            at 0.96 the "vanilla" loss is so close to 0 that nothing is left to learn.
        lost_gap: `d_real - d_fake` below which it can't tell real from generated. Defaults to 0.02.
        least_variety: Standard deviation of the generated pictures over the pairs, relative to that of the targets,
            below which the generator ignores its source. Defaults to 0.05: skips give an untrained U-Net 0.3.
        count: Number of pairs, 2 or more. Defaults to 4.

    Raises:
        ValueError: `count` under 2 or `patience` under 1.

    Example:

    ```python
    from keras_pix2pix import callbacks

    watch = [callbacks.Health(checkpoint="model.keras"), callbacks.Checkpoint("model.keras")]
    ```
    """

    def __init__(
        self,
        pairs: Pairs | None = None,
        *,
        checkpoint: str | Path | None = None,
        messages: str | Path | None = None,
        patience: int = 3,
        after_steps: int = 1000,
        won_gap: float = 0.96,
        lost_gap: float = 0.02,
        least_variety: float = 0.05,
        count: int = 4,
    ) -> None:
        super().__init__()
        if count < 2 or patience < 1:
            raise ValueError(
                f"`count` must be 2 or more, `patience` 1 or more. Received: count={count}, patience={patience}."
            )
        self.pairs = None if pairs is None else first_pairs(pairs, count)
        self.checkpoint = checkpoint
        self.messages = None if messages is None else Path(messages)
        self.patience = patience
        self.after_steps = after_steps
        self.won_gap = won_gap
        self.lost_gap = lost_gap
        self.least_variety = least_variety
        self.in_a_row = dict.fromkeys(_ADVICE, 0)
        self.epoch = 0
        self.said = read_messages(self.messages) if self.messages else []

    def on_train_begin(self, logs=None):
        self.in_a_row |= self.model.training_state.records.get(_RECORD, {})

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch
        self.first_step = self.model.training_state.first_step(epoch)

    def on_train_batch_end(self, batch, logs=None):
        self._refuse_broken_logs(logs, f"step {self.first_step + batch + 1} of epoch {self.epoch + 1}")

    def on_epoch_end(self, epoch, logs=None):
        self._refuse_broken_logs(logs, f"epoch {epoch + 1}")
        if int(self.model.generator_optimizer.iterations.numpy()) < self.after_steps:
            return
        variety = self._variety()
        shown = {"ignores": variety is not None and variety < self.least_variety}
        if "d_real" in logs and "d_penalty" not in logs:
            gap = logs["d_real"] - logs["d_fake"]
            shown |= {"won": gap >= self.won_gap, "lost": gap < self.lost_gap}
        for state, is_shown in shown.items():
            self.in_a_row[state] = self.in_a_row[state] + 1 if is_shown else 0
            if self.in_a_row[state] >= self.patience and state not in (each["state"] for each in self.said):
                self._say(state, _ADVICE[state].format(patience=self.patience, variety=variety, **logs))
        self.model.training_state.records[_RECORD] = dict(self.in_a_row)

    def _variety(self):
        """How much the generated pictures of different sources differ, relative to their targets; None if unknown."""
        if self.pairs is None:
            return None
        source, target = self.pairs
        generated = generate_one_by_one(self.model.generator, source)
        of_generated, of_targets = (float(np.mean(np.std(images, axis=0))) for images in (generated, target))
        return of_generated / of_targets if of_targets else None

    def _refuse_broken_logs(self, logs, when):
        broken = [f"{name} is {value}" for name, value in logs.items() if not math.isfinite(value)]
        if not broken:
            return
        last_good = "No model was saved."
        if self.checkpoint is not None and Path(self.checkpoint).exists():
            last_good = f"The last good model is {self.checkpoint}."
        message = (
            f"Training has broken down: {', '.join(broken)} in {when}. {last_good} Look for a NaN in the data first; "
            "then lower the learning rates of both optimizers, or, with float16, train in bfloat16 or float32."
        )
        self._say("broken", message)
        raise RuntimeError(message)

    def _say(self, state, message):
        self.said.append({"epoch": self.epoch + 1, "state": state, "message": message})
        if self.messages:
            with whole_file(self.messages) as temporary:
                temporary.write_text("".join(json.dumps(each) + "\n" for each in self.said), encoding="utf-8")
        if state != "broken":  # That one is in the error.
            print(f"Epoch {self.epoch + 1}: {message}", file=sys.stderr)
