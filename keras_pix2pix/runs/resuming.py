"""Prepares --resume: configuration, model and history of a run."""

import sys

from keras_pix2pix.files import whole_file
from keras_pix2pix.report.history import epoch_of, history_fault, lines_of, read_history
from keras_pix2pix.run_folder import RunFolder
from keras_pix2pix.runs.configuration import resumed_configuration
from keras_pix2pix.runs.same_run import refuse_another_run
from keras_pix2pix.training.cluster import is_chief

__all__ = ["forget_what_comes_again", "refuse_a_lost_model", "resume_point_of_run", "resumed"]


def resumed(run_dir, given):
    """The configuration of a run that may be resumed."""
    config = resumed_configuration(run_dir, given)
    refuse_another_run(config, run_dir)
    fault = history_fault(RunFolder(run_dir).history)
    if fault:
        raise ValueError(f"{fault}. Restore it, or take it out of the folder and resume the run without it.")
    return {"identity": {}, **config}  # Runs of older versions have no identity.


def refuse_a_lost_model(run_dir):
    """Raise for a run with a history, but without a model."""
    folder = RunFolder(run_dir)
    if folder.model.exists() or not read_history(folder.history)["epoch"]:
        return
    best = f" {folder.best} is still there." if folder.best.exists() else ""
    raise ValueError(
        f"There is no {folder.model} to resume from, though {folder.history.name} has epochs.{best} Put it back, or "
        "start a new run in another folder."
    )


def resume_point_of_run(model, run_dir, epochs):
    """Epochs and steps done; raises if they are unknown, or if no epochs are left."""
    from keras_pix2pix import callbacks

    epoch, step = callbacks.resume_point(model)
    if not step and int(model.generator_optimizer.iterations.numpy()):
        raise ValueError(
            f"{RunFolder(run_dir).model} doesn't record how far the run has come: `keras-pix2pix train` didn't write "
            "it. Put the right file back, or start a new run."
        )
    if epoch >= epochs:
        raise ValueError(
            f"The run in {run_dir} has done {epoch} epochs, and --epochs is {epochs}. Pass a larger --epochs."
        )
    return epoch, step


def forget_what_comes_again(history, epoch):
    """Remove the epochs after the last checkpoint from the history, and a half-written row."""
    header, *rows = lines_of(history, errors="surrogateescape") or [""]
    epochs = [epoch_of(row.split(",")[0]) if row.endswith("\n") else None for row in rows]
    kept = [row for row, number in zip(rows, epochs, strict=True) if number is not None and number < epoch]
    if history.exists():
        with whole_file(history) as temporary:
            lines = [header if header.endswith("\n") else "", *kept]
            temporary.write_text("".join(lines), encoding="utf-8", errors="surrogateescape")
    missing = set(range(epoch)) - set(epochs)
    if missing and is_chief():
        print(
            f"{history} lacks {len(missing)} of the run's {epoch} epochs, and so will the report. Put the file back if "
            "you have it.",
            file=sys.stderr,
        )
