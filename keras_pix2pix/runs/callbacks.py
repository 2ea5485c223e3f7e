"""What is measured in a run, what watches it, and the files that they leave in its folder."""

from keras_pix2pix.report.history import better_side
from keras_pix2pix.runs.model import MODEL_FILE

HISTORY_FILE = "history.csv"
BEST_FILE = "best.keras"
AVERAGE_FILE = "average.keras"
HEALTH_FILE = "health.jsonl"
CHECKPOINT_EVERY = 2000  # Steps: of the paper's networks, about a minute of a GPU or 20 of two cores; a file is 0.7 GB.


def run_metrics(image_size):
    """The metrics of a run: less than a hundredth of the paper's training step at 256x256."""
    from keras_pix2pix.metrics import PSNR, SSIM, SSIM_WINDOW

    return [PSNR(), SSIM()] if min(image_size) >= SSIM_WINDOW else [PSNR()]


def monitored_log(config, log_names, validated):
    """The log by which the best model is kept."""
    measured = [*log_names, *(metric.name for metric in run_metrics(config["image_size"]))]
    logs = [*measured, *(f"val_{name}" for name in measured)] if validated else measured
    monitor = config.get("monitor", logs[-1] if validated else None)
    accepted = [name for name in logs if better_side(name)]
    if monitor is not None and monitor not in accepted:
        more = "" if validated else " With --validation there are more."
        raise ValueError(f"--monitor must be one of {', '.join(accepted)}. Received: {monitor!r}.{more}")
    if monitor is None and "patience" in config:
        raise ValueError(
            f"--patience needs a log to go by. Received: --patience {config['patience']} without --validation and "
            "--monitor. Give one of them."
        )
    return monitor


def run_callbacks(config, run_dir, pairs, resume, monitor):
    """What watches a run, in the order in which the callbacks need one another."""
    import keras

    from keras_pix2pix import callbacks
    from keras_pix2pix.runs.progress_bar import ProgressBar

    model_file, history = run_dir / MODEL_FILE, run_dir / HISTORY_FILE
    patience = config.get("patience")
    decay = config.get("average")
    average = [] if decay is None else [callbacks.ExponentialMovingAverage(run_dir / AVERAGE_FILE, decay)]
    best = [callbacks.BestModel(run_dir / BEST_FILE, monitor, patience=patience, history=history)] if monitor else []
    return [
        *average,
        callbacks.Rates(config["batch_size"]),
        callbacks.Health(pairs, checkpoint=model_file, messages=run_dir / HEALTH_FILE),
        *best,
        callbacks.SampleGrid(run_dir / "samples", pairs),
        callbacks.ImageSummary(run_dir / "logs", pairs),
        keras.callbacks.TensorBoard(run_dir / "logs", write_graph=False),
        keras.callbacks.CSVLogger(history, append=resume),
        callbacks.Report(run_dir),
        # After all that it says was done, and before anything is said.
        callbacks.Checkpoint(model_file, every_steps=config.get("checkpoint_every", CHECKPOINT_EVERY)),
        ProgressBar(config["batch_size"]),
    ]
