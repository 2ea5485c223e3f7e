"""Pictures of the same pairs, and the report, after epochs."""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_pix2pix.callbacks.fixed_pairs import FixedPairs, Pairs
from keras_pix2pix.callbacks.pace import Pace
from keras_pix2pix.images import beside, to_pixels, write_png
from keras_pix2pix.report.page import write_report
from keras_pix2pix.report.samples import write_over_time
from keras_pix2pix.training.losses import as_list

__all__ = ["ImageSummary", "Report", "SampleGrid"]

_OVER_TIME_FILE = "over_time.png"


class ImageSummary(FixedPairs):
    """Pictures for TensorBoard: source | generated | target of a few fixed pairs, and the discriminator's view.

    Written before the first epoch, as step 0, and then after every `every`th, but so seldom that it takes a tenth of
    the time at most, beside the scalars of `keras.callbacks.TensorBoard`. The second picture, "patch map", shows the
    discriminator's verdict on each patch of the generated and of the target picture: white is real, black is generated.

    Args:
        log_dir: TensorBoard's folder; the pictures go to its subfolder "images".
        pairs: Data set of (source, target) batches, or a tuple of two arrays of images; the first pairs are kept.
        count: Pairs shown. Defaults to 4.
        every: Epochs between pictures, at least. Defaults to 1.

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

    def __init__(self, log_dir: str | Path, pairs: Pairs, *, count: int = 4, every: int = 1) -> None:
        super().__init__(pairs, count, every)
        self.log_dir = Path(log_dir).expanduser()
        self.writer: tf.summary.SummaryWriter | None = None

    def show(self, epochs_done: int) -> None:
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

    def patch_maps(self, generated: np.ndarray) -> np.ndarray:
        """Probability that each patch is real, for the generated and the target picture, as pixels."""
        maps = []
        for source, image, target in zip(self.source, generated, self.target, strict=True):
            both = [self.model.discriminate(source[np.newaxis], each[np.newaxis]) for each in (image, target)]
            scales = [logits for one in both for logits in as_list(one)]
            maps.append(beside(*[_patch_map(logits, source.shape[:2]) for logits in scales]))
        return np.stack(maps)

    def on_train_end(self, logs=None):
        super().on_train_end(logs)
        if self.writer is not None:  # None if there was no epoch.
            self.writer.close()
            self.writer = None


class SampleGrid(FixedPairs):
    """Pictures in a folder: one PNG file per epoch, with a row source | generated | target for each fixed pair.

    Where an epoch is so short that the picture would take more than a tenth of the time, epochs are left out, but never
    the last. `over_time.png` shows the same pairs at up to ten of the epochs side by side, from the first to the last.

    Args:
        directory: Folder of the files `epoch_0000.png` (before training), `epoch_0001.png` and so on.
        pairs: Data set of (source, target) batches, or a tuple of two arrays of images; the first pairs are kept.
        count: Pairs shown. Defaults to 4.
        every: Epochs between pictures, at least. Defaults to 1.

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

    def __init__(self, directory: str | Path, pairs: Pairs, *, count: int = 4, every: int = 1) -> None:
        super().__init__(pairs, count, every)
        self.directory = Path(directory).expanduser()

    def show(self, epochs_done: int) -> None:
        write_png(self.directory / f"epoch_{epochs_done:04d}.png", np.concatenate(self.rows(self.generate())))
        write_over_time(self.directory, self.directory / _OVER_TIME_FILE)


class Report(keras.callbacks.Callback):
    """Writes the run's report after epochs, so seldom that it takes a tenth of the time at most: `write_report`.

    Pass it after the callbacks whose files it shows: `keras.callbacks.CSVLogger`, `SampleGrid` and `Health`.

    Args:
        run_dir: Folder with `history.csv`, `samples/` and so on, as `keras-pix2pix train` lays it out.

    Example:

    ```python
    import keras
    from keras_pix2pix import callbacks

    watch = [keras.callbacks.CSVLogger("run/history.csv"), callbacks.Report("run")]
    ```
    """

    def __init__(self, run_dir: str | Path) -> None:
        super().__init__()
        self.run_dir = run_dir
        self.pace = Pace()

    def on_epoch_end(self, epoch, logs=None):
        self.pace.run(write_report, self.run_dir)

    def on_train_end(self, logs=None):
        self.pace.finish()


def _patch_map(logits, size):
    # Nearest, so that one square is one logit.
    real = ops.sigmoid(ops.cast(logits, "float32")) * 2 - 1
    return ops.convert_to_numpy(ops.image.resize(to_pixels(real), size, interpolation="nearest"))[0]
