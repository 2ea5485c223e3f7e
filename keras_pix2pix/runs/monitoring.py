"""The metrics of a run, and the log that decides which model is best."""

from keras_pix2pix.report.history import better_side

__all__ = ["monitored_log", "run_metrics"]


def run_metrics(image_size):
    """The metrics of a run, which take less than a hundredth of the paper's training step at 256x256."""
    from keras_pix2pix.metrics import PSNR, SSIM, SSIM_WINDOW

    return [PSNR(), SSIM()] if min(image_size) >= SSIM_WINDOW else [PSNR()]


def monitored_log(config, log_names, validated):
    """The log that decides which model is best; None if none does."""
    measured = [*log_names, *(metric.name for metric in run_metrics(config["image_size"]))]
    logs = [*measured, *(f"val_{name}" for name in measured)] if validated else measured
    monitor = config.get("monitor", logs[-1] if validated else None)
    accepted = [name for name in logs if better_side(name)]
    if monitor is not None and monitor not in accepted:
        more = "" if validated else " With --validation there are more."
        raise ValueError(f"--monitor must be one of {', '.join(accepted)}. Received: {monitor!r}.{more}")
    if monitor is None and "patience" in config:
        raise ValueError(
            f"--patience needs a log to watch. Received: --patience {config['patience']} without --validation and "
            "--monitor. Give one of them."
        )
    return monitor
