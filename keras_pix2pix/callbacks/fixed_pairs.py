"""The pairs that callbacks show after epochs."""

from collections.abc import Iterable
from typing import TypeAlias

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_pix2pix.callbacks.pace import Pace
from keras_pix2pix.images import beside

__all__ = ["FixedPairs", "Pairs", "first_pairs", "generate_one_by_one"]

Pairs: TypeAlias = tf.data.Dataset | keras.utils.PyDataset | Iterable | tuple


class FixedPairs(keras.callbacks.Callback):
    """Shows the same few pairs before the first epoch and after others, at a `Pace`; subclasses define `show`."""

    def __init__(self, pairs: Pairs, count: int = 4, every: int = 1) -> None:
        super().__init__()
        if count < 1 or every < 1:
            raise ValueError(f"`count` and `every` must be 1 or more. Received: count={count}, every={every}.")
        self.every = every
        self.source, self.target = first_pairs(pairs, count)
        self.has_shown = False
        self.pace = Pace()

    def on_epoch_begin(self, epoch, logs=None):
        self.pace.forget()  # The weights of the last epoch are gone.
        # When an epoch is resumed, the picture of its start exists already.
        if not self.has_shown and not self.model.training_state.first_step(epoch):
            self.show(epoch)
        self.has_shown = True

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every == 0:
            self.pace.run(self.show, epoch + 1)

    def on_train_end(self, logs=None):
        self.pace.finish()

    def show(self, epochs_done: int) -> None:
        raise NotImplementedError

    def generate(self) -> np.ndarray:
        return generate_one_by_one(self.model.generator, self.source)

    def rows(self, generated: np.ndarray) -> np.ndarray:
        """source | generated | target of each pair, as RGB pixels, whatever their encodings."""
        source_encoding, target_encoding = self.model.source_encoding, self.model.target_encoding
        source = _shown(self.source, source_encoding)
        columns = source, _shown(generated, target_encoding), _shown(self.target, target_encoding)
        return np.stack([beside(*row) for row in zip(*columns, strict=True)])


def first_pairs(pairs: Pairs, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The first sources and targets of a data set, each an array `(count, height, width, channels)`."""
    if isinstance(pairs, tf.data.Dataset):
        pairs = pairs.unbatch().filter(lambda source, target, weight=1.0: tf.reduce_max(weight) > 0).take(count)
        source, target, *_ = zip(*pairs.as_numpy_iterator(), strict=True)
        return np.stack(source), np.stack(target)
    if isinstance(pairs, (list, tuple, np.ndarray)):
        source, target, *_ = pairs
        return np.asarray(source[:count]), np.asarray(target[:count])
    batches = (pairs[index] for index in range(len(pairs))) if isinstance(pairs, keras.utils.PyDataset) else pairs
    found: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for batch in batches:
        for images, of_batch in zip(found, batch, strict=False):
            images.extend(np.asarray(of_batch))
        if len(found[0]) >= count:
            break
    sources, targets = found
    return np.stack(sources[:count]), np.stack(targets[:count])


def generate_one_by_one(generator: keras.Model, source: np.ndarray) -> np.ndarray:
    """Generated images `(batch, height, width, channels)`, one by one: training leaves little memory for a batch."""
    return np.concatenate([ops.convert_to_numpy(generator(each, training=False)) for each in source[:, np.newaxis]])


def _shown(images, encoding):
    return [encoding.show(raw) for raw in ops.convert_to_numpy(encoding.to_raw(images))]
