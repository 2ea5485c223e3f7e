"""What watches a run and fills its folder: the list of callbacks that `keras-pix2pix train` passes to `fit`."""

import keras

from keras_pix2pix.callbacks.average import ExponentialMovingAverage
from keras_pix2pix.callbacks.best_model import BestModel
from keras_pix2pix.callbacks.checkpoint import Checkpoint
from keras_pix2pix.callbacks.health import Health
from keras_pix2pix.callbacks.pictures import ImageSummary, Report, SampleGrid
from keras_pix2pix.callbacks.rates import Rates
from keras_pix2pix.run_folder import RunFolder


def for_run(
    run_dir,
    pairs,
    *,
    batch_size=1,
    monitor=None,
    patience=None,
    average=None,
    checkpoint_every=2000,
    resume=False,
):
    """The callbacks that `keras-pix2pix train` has, in the order in which they need one another.

    They leave in `run_dir`: `model.keras`, the checkpoint; `history.csv`, `logs/` for TensorBoard, `samples/`,
    `health.jsonl` with what looks wrong, and `report.html`, which shows it all; with `monitor`, `best.keras`, and with
    `average`, `average.keras`.

    Args:
        run_dir: Folder to fill; it is made if it is not there.
        pairs: Data set of (source, target), of which the first are shown: validation data, if there are any.
        batch_size: Pairs in a batch, to count images a second. Defaults to 1.
        monitor: Log by which the best model is kept, as in `BestModel`: "val_ssim", say. Defaults to None: none is.
        patience: Epochs without a better model after which training ends; needs `monitor`. Defaults to None: never.
        average: Decay of a running mean of the generator's weights, 0.999, say. Defaults to None: no mean.
        checkpoint_every: Steps between checkpoints in an epoch, which ends with one too. Defaults to 2000: of the
            paper's networks, about a minute of a GPU; a checkpoint has 0.7 GB.
        resume: Whether a training continues, whose history is kept. Defaults to False.

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
            f"`patience` needs a log to go by. Received: patience={patience} without `monitor`. Give both."
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
        keras.callbacks.TensorBoard(folder.logs, write_graph=False),
        keras.callbacks.CSVLogger(folder.history, append=resume),
        Report(folder.path),
        Checkpoint(folder.model, every_steps=checkpoint_every),  # After all that it says was done.
    ]
