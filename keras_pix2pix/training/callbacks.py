"""What to watch during training, and what is left when it stops."""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_pix2pix.images import beside, to_pixels, write_png
from keras_pix2pix.training.average import ExponentialMovingAverage
from keras_pix2pix.training.checkpoint import Checkpoint, is_under_way, resume_point
from keras_pix2pix.training.losses import as_list

__all__ = ["Checkpoint", "ExponentialMovingAverage", "ImageSummary", "SampleGrid", "resume_point"]


class _FixedPairs(keras.callbacks.Callback):
    """Shows the same few pairs before the first epoch and after every `every`th; subclasses say where."""

    def __init__(self, pairs, count, every):
        super().__init__()
        if count < 1 or every < 1:
            raise ValueError(f"`count` and `every` must be 1 or more. Received: count={count}, every={every}.")
        self.every = every
        self.source, self.target = _first_pairs(pairs, count)
        self.begun = False

    def on_epoch_begin(self, epoch, logs=None):
        # In the middle of an epoch, the picture of its beginning is there already.
        if not self.begun and not is_under_way(getattr(self.model, "progress", None), epoch):
            self.show(epoch)
        self.begun = True

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every == 0:
            self.show(epoch + 1)

    def show(self, epochs_done):
        raise NotImplementedError

    def generate(self):
        # One by one: a few pairs may be more than the memory that a training step of batch 1 leaves.
        sources = self.source[:, np.newaxis]
        return np.concatenate([ops.convert_to_numpy(self.model.generator(each, training=False)) for each in sources])

    def rows(self, generated):
        """source | generated | target of each pair, as RGB pixels, whatever their encodings."""
        source_encoding, target_encoding = self.model.source_encoding, self.model.target_encoding
        source = _shown(self.source, source_encoding)
        columns = source, _shown(generated, target_encoding), _shown(self.target, target_encoding)
        return np.stack([beside(*row) for row in zip(*columns, strict=True)])


class ImageSummary(_FixedPairs):
    """Pictures for TensorBoard: source | generated | target of a few fixed pairs, and the discriminator's view.

    Written before the first epoch, as step 0, and then after every `every`th, beside the scalars of
    `keras.callbacks.TensorBoard`. The second picture, "patch map", shows the discriminator's verdict on each patch
    of the generated and of the target picture: white for real, black for generated.

    Args:
        log_dir: TensorBoard's folder; the pictures go to its subfolder "images".
        pairs: Data set of (source, target) batches, or a tuple of two arrays of images; the first pairs are kept.
        count: Pairs shown. Defaults to 4.
        every: Epochs between pictures. Defaults to 1.

    Raises:
        ValueError: `count` or `every` under 1.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix import callbacks

    images = np.zeros((1, 64, 64, 3), "float32")
    callback = callbacks.ImageSummary("logs", (images, images))
    ```
    """

    def __init__(self, log_dir, pairs, *, count=4, every=1):
        super().__init__(pairs, count, every)
        self.log_dir = Path(log_dir)
        self.writer = None

    def show(self, epochs_done):
        if self.writer is None:
            self.writer = tf.summary.create_file_writer(str(self.log_dir / "images"))
        generated = self.generate()
        with self.writer.as_default(step=epochs_done):
            tf.summary.image("source | generated | target", self.rows(generated), max_outputs=len(generated))
            if self.model.discriminator is not None:
                tf.summary.image(
                    "patch map: generated | target", self.patch_maps(generated), max_outputs=len(generated)
                )
        self.writer.flush()

    def patch_maps(self, generated):
        """Probability that each patch is real, for the generated and the target picture, as pixels."""
        maps = []
        for source, image, target in zip(self.source, generated, self.target, strict=True):
            verdicts = [self.model.judge(source[np.newaxis], each[np.newaxis]) for each in (image, target)]
            scales = [logits for verdict in verdicts for logits in as_list(verdict)]
            maps.append(beside(*[_patch_map(logits, source.shape[:2]) for logits in scales]))
        return np.stack(maps)

    def on_train_end(self, logs=None):
        if self.writer is not None:  # It is where there was no epoch to train.
            self.writer.close()
            self.writer = None


class SampleGrid(_FixedPairs):
    """Pictures in a folder: one PNG file for an epoch, a row source | generated | target for each fixed pair.

    Args:
        directory: Folder of the files `epoch_0000.png` (before training), `epoch_0001.png` and so on.
        pairs: Data set of (source, target) batches, or a tuple of two arrays of images; the first pairs are kept.
        count: Pairs shown. Defaults to 4.
        every: Epochs between pictures. Defaults to 1.

    Raises:
        ValueError: `count` or `every` under 1.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix import callbacks

    images = np.zeros((1, 64, 64, 3), "float32")
    callback = callbacks.SampleGrid("samples", (images, images))
    ```
    """

    def __init__(self, directory, pairs, *, count=4, every=1):
        super().__init__(pairs, count, every)
        self.directory = Path(directory)

    def show(self, epochs_done):
        write_png(self.directory / f"epoch_{epochs_done:04d}.png", np.concatenate(self.rows(self.generate())))


def _first_pairs(pairs, count):
    if isinstance(pairs, tf.data.Dataset):
        # Not those of weight 0, which only fill up a batch.
        pairs = pairs.unbatch().filter(lambda source, target, weight=1.0: weight > 0).take(count)
        source, target, *_ = zip(*pairs.as_numpy_iterator(), strict=True)
        return np.stack(source), np.stack(target)
    source, target = pairs
    return np.asarray(source[:count]), np.asarray(target[:count])


def _shown(images, encoding):
    return [encoding.show(raw) for raw in ops.convert_to_numpy(encoding.to_raw(images))]


def _patch_map(logits, size):
    # Nearest, so that one square is one logit.
    real = ops.sigmoid(ops.cast(logits, "float32")) * 2 - 1
    return ops.convert_to_numpy(ops.image.resize(to_pixels(real), size, interpolation="nearest"))[0]
