"""The callbacks of a run folder, in order."""

from pathlib import Path

import keras

from keras_pix2pix.callbacks.average import ExponentialMovingAverage
from keras_pix2pix.callbacks.best_model import BestModel
from keras_pix2pix.callbacks.checkpoint import Checkpoint
from keras_pix2pix.callbacks.fixed_pairs import Pairs
from keras_pix2pix.callbacks.health import Health
from keras_pix2pix.callbacks.pictures import ImageSummary, Report, SampleGrid
from keras_pix2pix.callbacks.rates import Rates
from keras_pix2pix.callbacks.tensorboard import TensorBoard
from keras_pix2pix.run_folder import RunFolder

__all__ = ["for_run"]


def for_run(
    run_dir: str | Path,
    pairs: Pairs,
    *,
    batch_size: int = 1,
    monitor: str | None = None,
    patience: int | None = None,
    average: float | None = None,
    checkpoint_every: int = 2000,
    resume: bool = False,
) -> list[keras.callbacks.Callback]:
    """The callbacks of `keras-pix2pix train`, in the order in which they depend on each other.

    They write to `run_dir`: the checkpoint `model.keras`, `history.csv`, `logs/` for TensorBoard, `samples/`,
    `health.jsonl` with warnings, and `report.html`, which shows all of it; with `monitor` also `best.keras`, with
    `average` also `average.keras`.

    Args:
        run_dir: Run folder; it is made if it doesn't exist.
        pairs: Data set of (source, target); its first pairs are shown. Pass validation data if you have some.
        batch_size: Pairs in a batch, to count images a second. Defaults to 1.
        monitor: Log by which to keep the best model, such as "val_ssim"; see `BestModel`. Defaults to None: not kept.
        patience: Epochs without a better model after which training ends; needs `monitor`. Defaults to None: never.
        average: Decay of a running mean of the generator's weights, such as 0.999. Defaults to None: no mean.
        checkpoint_every: Steps between checkpoints within an epoch; epochs end with one, too. Defaults to
            2000, about a minute of the paper's networks on a GPU; a checkpoint has 0.7 GB.
        resume: Whether this continues an earlier training, and so keeps its history. Defaults to False.

    Returns:
        A list of `keras.callbacks.Callback`, for `fit`. Your own callbacks go before it.

    Raises:
        ValueError: `patience` without `monitor`, or a number that one of the callbacks can't use.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix import callbacks

    images = np.zeros((2, 64, 64, 3), "float32")
    watch = callbacks.for_run("run", (images, images), average=0.999)
    ```
    """
    if patience is not None and monitor is None:
        raise ValueError(
            f"`patience` needs a log to monitor. Received: patience={patience} without `monitor`. Give both."
        )
    folder = RunFolder(run_dir)
    folder.path.mkdir(parents=True, exist_ok=True)
    mean = [] if average is None else [ExponentialMovingAverage(folder.average, average)]
    best = [BestModel(folder.best, monitor, patience=patience, history=folder.history)] if monitor else []
    return [
        *mean,
        Rates(batch_size),
        Health(pairs, checkpoint=folder.model, messages=folder.health),
        *best,
        SampleGrid(folder.samples, pairs),
        ImageSummary(folder.logs, pairs),
        TensorBoard(folder.logs, write_graph=False),
        keras.callbacks.CSVLogger(folder.history, append=resume),
        Report(folder.path),
        Checkpoint(folder.model, every_steps=checkpoint_every),  # Last, so that it saves the state of the others.
    ]
