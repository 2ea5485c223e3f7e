"""Train in a run folder: a new run, or one that is resumed."""

import contextlib
import io
import math
import os
import shlex
import sys
from pathlib import Path

from keras_pix2pix.files import remove_leftovers
from keras_pix2pix.run_folder import RunFolder
from keras_pix2pix.runs.configuration import new_configuration, write_configuration
from keras_pix2pix.runs.data import check_labels, run_dataset, run_encodings, run_folders, with_found_encodings
from keras_pix2pix.runs.data_record import digest_of, write_record
from keras_pix2pix.runs.header import print_header
from keras_pix2pix.runs.model import load_model, load_weights, refuse_missing_start, start_weights
from keras_pix2pix.runs.monitoring import monitored_log, run_metrics
from keras_pix2pix.runs.resuming import forget_what_comes_again, refuse_a_lost_model, resume_point_of_run, resumed
from keras_pix2pix.runs.same_run import (
    RUN,
    data_of_this_run,
    new_identity,
    run_record,
    shared_by_workers,
    teacher_of_this_run,
)
from keras_pix2pix.runs.startup import start_tensorflow
from keras_pix2pix.runs.stopping import stopping_after_a_step
from keras_pix2pix.training.cluster import folder_to_write, is_chief

__all__ = ["start_or_resume"]

_INTERRUPTED = 130  # The exit code that shells expect after Ctrl-C.
_MOST_AT_A_TIME = 10  # More steps in one execution are no faster.
_WATCHED = ("batch_size", "patience", "average", "checkpoint_every")  # The settings that the callbacks take.


def start_or_resume(run_dir, given, *, resume=False, data_changed=False, devices=None):
    """Train in a run folder with the settings in `given`, and defaults for the rest."""
    # All workers would print the same, so only the chief prints.
    output = sys.stdout if is_chief() else io.StringIO()
    with folder_to_write(run_dir) as own_run_dir, contextlib.redirect_stdout(output):
        config = (resumed if resume else new_configuration)(own_run_dir, given)
        own_run_dir.mkdir(parents=True, exist_ok=True)
        # Workers other than the chief write to their own copy.
        with _only_one_training_in(own_run_dir) if is_chief() else contextlib.nullcontext():
            for folder in (own_run_dir, *filter(Path.is_dir, own_run_dir.iterdir())):
                remove_leftovers(folder)
            _run(config, own_run_dir, resume, devices, data_changed)


def _run(config, run_dir, resume, devices, data_changed):
    folder = RunFolder(run_dir)
    _refuse_files_for_folders(folder)
    # From its first checkpoint on, a run doesn't need what it started from.
    if "start_from" in config and not folder.model.exists():
        refuse_missing_start(config["start_from"])
    training_data, validation_data = folders = run_folders(config, run_dir, resume)
    config = config if resume else with_found_encodings(config, folders)
    config, data = _with_identity(config, folders, run_dir, data_changed)
    start_tensorflow()
    from keras_pix2pix import callbacks
    from keras_pix2pix.training.workers import one_error_if_a_worker_stops

    _seed(config)
    strategy = _strategy(config, devices)
    validation = run_dataset(config, validation_data, training=False) if validation_data else None
    shown = validation or run_dataset(config, training_data, "training", training=False)
    batches = len(run_dataset(config, training_data))
    steps = config.get("steps_per_epoch", batches)
    refuse_a_lost_model(run_dir)
    # A run stopped before its first checkpoint is resumed from its start.
    model = _model(config, run_dir, steps, strategy)
    model.training_state.records[RUN] = run_record(config)
    epoch, step = resume_point_of_run(model, run_dir, config["epochs"])
    monitor = monitored_log(config, model.objective.log_names, validation is not None)
    options = {name: config[name] for name in _WATCHED if name in config}
    watching = callbacks.for_run(run_dir, shown, monitor=monitor, resume=resume, **options)
    write_configuration(run_dir, config)
    write_record(run_dir, data)
    forget_what_comes_again(folder.history, epoch)
    print_header(config, run_dir, model, steps, validation, monitor, strategy.num_replicas_in_sync)
    # Several workers' `fit` needs the scope; others' has it from the model.
    with _stopped_with_words(run_dir, model, devices), strategy.scope(), one_error_if_a_worker_stops():
        _fit(
            model,
            run_dataset(config, training_data, repeat=True, initial_step=step),
            watching,
            batch_size=config["batch_size"],
            epochs=config["epochs"],
            initial_epoch=epoch,
            steps_per_epoch=steps,
            validation_data=validation,
        )
    print(f"The model: {folder.model}")
    print(f"How training went: {folder.report}, or tensorboard --logdir {folder.logs}")


def _with_identity(config, folders, run_dir, data_changed):
    """The configuration with what identifies the data and the teacher, both compared, and the record of the data."""
    data = data_of_this_run(config, folders, run_dir, data_changed)
    identity = {**config.get("identity", new_identity()), **teacher_of_this_run(config)}
    if identity.get("data") != digest_of(data):
        check_labels(config, folders)
    return {**config, "identity": {**identity, "data": digest_of(data)}}, data


def _fit(model, data, watching, batch_size, **arguments):
    """Train with our progress bar, and stop after the current step on Ctrl-C."""
    from keras_pix2pix.runs.progress_bar import ProgressBar

    with contextlib.closing(ProgressBar(batch_size)) as bar, stopping_after_a_step(watching[-1]):
        model.fit(data, verbose=0, callbacks=[*watching, bar], **arguments)


def _refuse_files_for_folders(folder):
    for wanted in (folder.logs, folder.samples):
        if wanted.exists() and not wanted.is_dir():
            raise ValueError(f"{wanted} is a file, and training needs a folder there. Move it away.")


@contextlib.contextmanager
def _only_one_training_in(run_dir):
    """Lock the folder for this process, if the system supports it."""
    try:
        import fcntl
    except ImportError:  # Windows.
        yield
        return
    folder = os.open(run_dir, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ValueError(
                f"Another process is training in {run_dir}. Wait until it ends or stop it, or choose another --run-dir."
            ) from error
        yield
    finally:
        os.close(folder)


@contextlib.contextmanager
def _stopped_with_words(run_dir, model, devices):
    """When a run is stopped, say how far it has come and how to resume it."""
    from keras_pix2pix.report.page import write_report

    try:
        yield
    except KeyboardInterrupt:
        if is_chief():
            place = _place(model.training_state.progress)
            print(
                f"\nStopped. {run_dir} holds the run as of {place}. {_how_to_resume(run_dir, devices)}", file=sys.stderr
            )
        raise SystemExit(_INTERRUPTED) from None
    except RuntimeError:
        write_report(run_dir)  # With the last message of `Health`.
        raise
    except OSError as error:
        file = f": {error.filename}" if error.filename else ""
        raise OSError(error.errno, f"{error.strerror or error}{file}. {_how_to_resume(run_dir, devices)}") from error


def _strategy(config, devices):
    from keras_pix2pix.training.distribution import strategy_for

    strategy = strategy_for(devices, same=shared_by_workers(config))
    replicas, batch_size = strategy.num_replicas_in_sync, config["batch_size"]
    if batch_size % replicas:
        raise ValueError(
            f"Each batch is divided among {replicas} devices, so --batch-size must be a multiple of that. "
            f"Received: {batch_size}."
        )
    return strategy


def _model(config, run_dir, steps, strategy):
    """The model of the run, new or as its checkpoint has it, with its teacher."""
    model = _learning_model(config, run_dir, steps, strategy)
    if "teacher" in config:
        with strategy.scope():
            model.set_teacher(load_model(config["teacher"]))
    return model


def _learning_model(config, run_dir, steps, strategy):
    import tensorflow as tf

    file = RunFolder(run_dir).model
    if file.exists() and strategy is tf.distribute.get_strategy():
        return load_model(run_dir)
    if not file.exists():
        start = start_weights(config["start_from"]) if "start_from" in config else None
        return _new_model(config, steps, strategy, start)
    model = _new_model(config, steps, strategy)
    with strategy.scope():
        load_weights(model, run_dir)
    return model


def _new_model(config, steps, strategy, start=None):
    from keras_pix2pix import Pix2Pix

    source_encoding, target_encoding = run_encodings(config)
    with strategy.scope():
        metrics = run_metrics(config["image_size"])
    plan = {name: config[name] for name in ("epochs", "schedule", "direction")}
    return Pix2Pix.from_preset(
        config["preset"],
        (*config["image_size"], source_encoding.channels),
        target_channels=target_encoding.channels,
        steps_per_epoch=steps,
        changes={**_faster_on_gpus(config, steps, strategy), **config.get("changes", {})},
        metrics=metrics,
        source_encoding=source_encoding,
        target_encoding=target_encoding,
        precision=config.get("precision"),
        strategy=strategy,
        weights=start,
        freeze=config.get("freeze"),
        **plan,
    )


def _faster_on_gpus(config, steps, strategy):
    """Settings that depend on the machine: on one GPU, up to ten steps are executed at a time."""
    import tensorflow as tf

    if not tf.config.list_logical_devices("GPU") or strategy.num_replicas_in_sync > 1:
        return {}
    if config.get("deterministic"):
        return {"compile.jit_compile": False}  # XLA is off under determinism.
    # Epochs and checkpoints must fall between two executions.
    shared = math.gcd(steps, config.get("checkpoint_every", steps))
    return {"compile.steps_per_execution": max(each for each in range(1, _MOST_AT_A_TIME + 1) if shared % each == 0)}


def _seed(config):
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(config["seed"])
    # XLA is off under determinism, and not every operation has a deterministic form on a GPU.
    without_cost = not (tf.config.list_physical_devices("GPU") or config.get("changes", {}).get("compile.jit_compile"))
    if config.get("deterministic", without_cost):
        tf.config.experimental.enable_op_determinism()


def _place(progress):
    if progress is None or not progress.seen:
        return "its start"
    if progress.step:
        return f"step {progress.step} of epoch {progress.epoch + 1}"
    return f"the end of epoch {progress.epoch}"


def _how_to_resume(run_dir, devices):
    same_devices = ["--devices", str(devices)] if devices is not None else []
    command = shlex.join(["keras-pix2pix", "train", "--run-dir", str(run_dir), "--resume", *same_devices])
    return f"Resume with:\n{command}"
