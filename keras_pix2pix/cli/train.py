"""`keras-pix2pix train`: a run folder with the model, its configuration, logs and pictures."""

import contextlib
import io
import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from keras_pix2pix.cli.documentation import option
from keras_pix2pix.files import remove_leftovers, whole_file
from keras_pix2pix.report.history import epoch_of, history_fault, lines_of, read_history
from keras_pix2pix.run_folder import RunFolder
from keras_pix2pix.runs.configuration import (
    new_configuration,
    preset_changes,
    resumed_configuration,
    write_configuration,
)
from keras_pix2pix.runs.data import SYNTHETIC, run_dataset, run_encodings, run_folders
from keras_pix2pix.runs.data_record import digest_of, write_record
from keras_pix2pix.runs.header import print_header
from keras_pix2pix.runs.model import height_and_width, load_model, load_weights
from keras_pix2pix.runs.monitoring import monitored_log, run_metrics
from keras_pix2pix.runs.same_run import (
    RUN,
    data_of_this_run,
    new_identity,
    refuse_another_run,
    run_record,
    shared_by_workers,
)
from keras_pix2pix.runs.settings import EXTRA_FOLDERS, FOLDERS
from keras_pix2pix.runs.startup import start_tensorflow
from keras_pix2pix.runs.stopping import stopping_after_a_step
from keras_pix2pix.training.cluster import folder_to_write, is_chief
from keras_pix2pix.training.presets import SCHEDULES

INTERRUPTED = 130  # What a shell expects of a program that Ctrl-C has stopped.
PAIRED = "data.pipeline:paired_dataset"
FROM_PRESET = "training.model:Pix2Pix.from_preset"
SCHEDULE = f"{', '.join(SCHEDULES)}. Default: the preset's."
FILES = RunFolder("")
WATCHED = ("batch_size", "patience", "average", "checkpoint_every")  # What of a configuration is for the callbacks.
# Groups of options in --help.
DATA, MODEL, TRAINING, OUTPUTS, DETERMINISM = "Data", "Model", "Training", "Run and outputs", "Determinism"


def train(
    run_dir: Annotated[
        str,
        typer.Option(
            help="Folder that receives the model, its configuration, logs and pictures.", rich_help_panel=OUTPUTS
        ),
    ],
    data: Annotated[
        str | None,
        typer.Argument(help=f'Folder of side-by-side files; of sources, with --target; or the word "{SYNTHETIC}".'),
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="Folder of targets under the names of the sources.", rich_help_panel=DATA)
    ] = None,
    validation: Annotated[
        str | None, typer.Option(help="Folder like DATA that is not trained on.", rich_help_panel=DATA)
    ] = None,
    validation_target: Annotated[
        str | None, typer.Option(help="Folder of the targets of --validation.", rich_help_panel=DATA)
    ] = None,
    extra_source: Annotated[
        list[str] | None,
        typer.Option(
            help="One more folder of sources, concatenated along the channels; with --target; repeatable.",
            rich_help_panel=DATA,
        ),
    ] = None,
    extra_validation_source: Annotated[
        list[str] | None,
        typer.Option(help="The same for --validation: as many as --extra-source.", rich_help_panel=DATA),
    ] = None,
    preset: Annotated[str | None, option(FROM_PRESET, "name", "--preset", rich_help_panel=MODEL)] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Change the preset: compile.gan_loss=lsgan; repeatable.",
            rich_help_panel=MODEL,
        ),
    ] = None,
    direction: Annotated[str | None, option(PAIRED, "direction", rich_help_panel=DATA)] = None,
    source_encoding: Annotated[str | None, option(PAIRED, "source_encoding", rich_help_panel=DATA)] = None,
    target_encoding: Annotated[str | None, option(PAIRED, "target_encoding", rich_help_panel=DATA)] = None,
    color_jitter: Annotated[float | None, option(PAIRED, "color_jitter", rich_help_panel=DATA)] = None,
    image_size: Annotated[
        str | None,
        typer.Option(
            metavar="HEIGHTxWIDTH", help="256, or HEIGHTxWIDTH, in pixels. Default: 256.", rich_help_panel=DATA
        ),
    ] = None,
    batch_size: Annotated[int | None, option(PAIRED, "batch_size", rich_help_panel=DATA)] = None,
    epochs: Annotated[
        int | None,
        typer.Option(min=1, help="Epochs in all. Defaults to the preset's, 200 for paper.", rich_help_panel=TRAINING),
    ] = None,
    steps_per_epoch: Annotated[
        int | None,
        typer.Option(min=1, help="Batches in an epoch. Defaults to one pass over the data.", rich_help_panel=TRAINING),
    ] = None,
    schedule: Annotated[str | None, typer.Option(help=SCHEDULE, rich_help_panel=MODEL)] = None,
    seed: Annotated[int | None, option(PAIRED, "seed", min=0, max=2**32 - 1, rich_help_panel=TRAINING)] = None,
    precision: Annotated[str | None, option(FROM_PRESET, "precision", rich_help_panel=MODEL)] = None,
    average: Annotated[
        float | None,
        typer.Option(
            metavar="DECAY",
            help=f"Average the generator's weights too, into {FILES.average}: 0.999, say.",
            rich_help_panel=MODEL,
        ),
    ] = None,
    devices: Annotated[
        str | None, option("training.distribution:strategy_for", "devices", rich_help_panel=TRAINING)
    ] = None,
    monitor: Annotated[
        str | None,
        typer.Option(
            metavar="LOG",
            help=f"Log by which {FILES.best} keeps the best model. Defaults to val_ssim, or none without validation.",
            rich_help_panel=OUTPUTS,
        ),
    ] = None,
    patience: Annotated[
        int | None, option("callbacks.best_model:BestModel", "patience", min=1, rich_help_panel=OUTPUTS)
    ] = None,
    checkpoint_every: Annotated[
        int | None,
        option("callbacks.run_callbacks:for_run", "checkpoint_every", min=1, metavar="STEPS", rich_help_panel=OUTPUTS),
    ] = None,
    deterministic: Annotated[
        bool | None,
        typer.Option(
            help="Whether a resumed run ends bit for bit like an uninterrupted one. Defaults to yes without a GPU, "
            "where it costs nothing, and no with one or with compile.jit_compile.",
            rich_help_panel=DETERMINISM,
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Resume the run in --run-dir; only --epochs, --patience and --checkpoint-every can change.",
            rich_help_panel=OUTPUTS,
        ),
    ] = False,
    data_changed: Annotated[
        bool,
        typer.Option(
            "--data-changed",
            help="With --resume: the data have changed since, and that is intended.",
            rich_help_panel=OUTPUTS,
        ),
    ] = False,
):
    """Train on a folder of pairs; --resume continues a run that was stopped."""
    if data_changed and not resume:
        raise ValueError("--data-changed is for a run that is resumed. Add --resume, or leave it out.")
    given = {
        "data": data,
        "target": target,
        "validation": validation,
        "validation_target": validation_target,
        "extra_source": extra_source or None,
        "extra_validation_source": extra_validation_source or None,
        "preset": preset,
        "changes": preset_changes(changes) if changes else None,
        "direction": direction,
        "source_encoding": source_encoding,
        "target_encoding": target_encoding,
        "color_jitter": color_jitter,
        "image_size": image_size and height_and_width(image_size),
        "batch_size": batch_size,
        "epochs": epochs,
        "steps_per_epoch": steps_per_epoch,
        "schedule": schedule,
        "seed": seed,
        "monitor": monitor,
        "patience": patience,
        "checkpoint_every": checkpoint_every,
        "deterministic": deterministic,
        "precision": precision,
        "average": average,
    }
    given = {name: value for name, value in given.items() if value is not None}
    for name in FOLDERS & given.keys():
        # A run may be resumed from another working directory.
        given[name] = SYNTHETIC if given[name] == SYNTHETIC else str(Path(given[name]).resolve())
    for name in EXTRA_FOLDERS & given.keys():
        given[name] = [str(Path(folder).resolve()) for folder in given[name]]
    # Several workers' output is the same, and the chief's is enough.
    output = sys.stdout if is_chief() else io.StringIO()
    with folder_to_write(run_dir) as own_run_dir, contextlib.redirect_stdout(output):
        config = (_resumed if resume else new_configuration)(own_run_dir, given)
        own_run_dir.mkdir(parents=True, exist_ok=True)
        # The copy that another worker than the chief writes to is its own.
        with _only_one_training_in(own_run_dir) if is_chief() else contextlib.nullcontext():
            for folder in (own_run_dir, *filter(Path.is_dir, own_run_dir.iterdir())):
                remove_leftovers(folder)
            _run(config, own_run_dir, resume, devices, data_changed)


def _resumed(run_dir, given):
    config = resumed_configuration(run_dir, given)
    refuse_another_run(config, run_dir)
    fault = history_fault(RunFolder(run_dir).history)
    if fault:
        raise ValueError(f"{fault}. Restore it, or take it out of the folder and resume the run without it.")
    return {"identity": {}, **config}  # Which runs of older versions don't have.


def _run(config, run_dir, resume, devices, data_changed):
    folder = RunFolder(run_dir)
    _refuse_files_for_folders(folder)
    training_data, validation_data = run_folders(config, run_dir, resume)
    data = data_of_this_run(config, (training_data, validation_data), run_dir, data_changed)
    config = {**config, "identity": {**config.get("identity", new_identity()), "data": digest_of(data)}}
    start_tensorflow()
    from keras_pix2pix import callbacks
    from keras_pix2pix.runs.progress_bar import ProgressBar
    from keras_pix2pix.training.workers import one_error_if_a_worker_stops

    _seed(config)
    strategy = _strategy(config, devices)
    validation = run_dataset(config, validation_data, training=False) if validation_data else None
    shown = validation or run_dataset(config, training_data, training=False)
    batches = len(run_dataset(config, training_data))
    steps = config.get("steps_per_epoch", batches)
    _refuse_a_lost_model(run_dir)
    # A run that was stopped before its first checkpoint is resumed from its beginning.
    model = _model(config, run_dir, steps, strategy)
    model.records[RUN] = run_record(config)
    epoch, step = _resume_point(model, run_dir, config["epochs"])
    monitor = monitored_log(config, model.objective.log_names, validation is not None)
    options = {name: config[name] for name in WATCHED if name in config}
    watching = callbacks.for_run(run_dir, shown, monitor=monitor, resume=resume, **options)
    bar = ProgressBar(config["batch_size"])
    write_configuration(run_dir, config)
    write_record(run_dir, data)
    _forget_what_comes_again(folder.history, epoch)
    print_header(config, run_dir, model, steps, validation, monitor, strategy.num_replicas_in_sync)
    # Several workers' `fit` needs the scope; others' has it from the model.
    with (
        _words_for_the_end(run_dir, model, devices),
        strategy.scope(),
        one_error_if_a_worker_stops(),
        contextlib.closing(bar),
        stopping_after_a_step(watching[-1]),
    ):
        model.fit(
            run_dataset(config, training_data, repeat=True, initial_step=step),
            epochs=config["epochs"],
            initial_epoch=epoch,
            steps_per_epoch=steps,
            validation_data=validation,
            verbose=0,  # The bar is ours.
            shuffle=False,  # The data set shuffles, and Keras would warn that it doesn't.
            callbacks=[*watching, bar],
        )
    print(f"The model: {folder.model}")
    print(f"How it came about: {folder.report}, or tensorboard --logdir {folder.logs}")


def _refuse_files_for_folders(folder):
    for wanted in (folder.logs, folder.samples):
        if wanted.exists() and not wanted.is_dir():
            raise ValueError(f"{wanted} is a file, and training needs a folder there. Move it away.")


@contextlib.contextmanager
def _only_one_training_in(run_dir):
    """Holds the folder as long as this process lives, where the system can."""
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
                f"Another process is training in {run_dir}. Wait for its end or stop it, or choose another --run-dir."
            ) from error
        yield
    finally:
        os.close(folder)


def _refuse_a_lost_model(run_dir):
    folder = RunFolder(run_dir)
    if folder.model.exists() or not read_history(folder.history)["epoch"]:
        return
    best = f" {folder.best} is still there." if folder.best.exists() else ""
    raise ValueError(
        f"{run_dir} has epochs behind it, but no {folder.model.name} to resume from.{best} Put the file back, or "
        "start a new run in another folder."
    )


@contextlib.contextmanager
def _words_for_the_end(run_dir, model, devices):
    """Says where a run stands that ended before its time, and how to resume it."""
    from keras_pix2pix.report.page import write_report

    try:
        yield
    except KeyboardInterrupt:
        if is_chief():
            print(
                f"\nStopped. {run_dir} holds the run as of {_place(model.progress)}. {_go_on(run_dir, devices)}",
                file=sys.stderr,
            )
        raise SystemExit(INTERRUPTED) from None
    except RuntimeError:
        write_report(run_dir)  # With what `Health` has said last.
        raise
    except OSError as error:
        file = f": {error.filename}" if error.filename else ""
        raise OSError(error.errno, f"{error.strerror or error}{file}. {_go_on(run_dir, devices)}") from error


def _strategy(config, devices):
    from keras_pix2pix.training.distribution import strategy_for

    strategy = strategy_for(devices, same=shared_by_workers(config))
    replicas, batch_size = strategy.num_replicas_in_sync, config["batch_size"]
    if batch_size % replicas:
        raise ValueError(
            f"Each batch is divided among {replicas} devices: --batch-size must be a multiple of that. "
            f"Received: {batch_size}."
        )
    return strategy


def _model(config, run_dir, steps, strategy):
    import tensorflow as tf

    file = RunFolder(run_dir).model
    if file.exists() and strategy is tf.distribute.get_strategy():
        return load_model(run_dir)
    model = _new_model(config, steps, strategy)
    if file.exists():
        with strategy.scope():
            load_weights(model, run_dir)
    return model


def _seed(config):
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(config["seed"])
    # XLA is off under determinism, and not every operation has a deterministic form on a GPU.
    without_cost = not (tf.config.list_physical_devices("GPU") or config.get("changes", {}).get("compile.jit_compile"))
    if config.get("deterministic", without_cost):
        tf.config.experimental.enable_op_determinism()


def _resume_point(model, run_dir, epochs):
    from keras_pix2pix import callbacks

    epoch, step = callbacks.resume_point(model)
    if not step and int(model.generator_optimizer.iterations.numpy()):
        raise ValueError(
            f"{RunFolder(run_dir).model} doesn't say how far the run has come: it was written by something else than "
            "`keras-pix2pix train`. Put the file back, or start a new run."
        )
    if epoch >= epochs:
        raise ValueError(
            f"The run in {run_dir} has {epoch} epochs behind it, and nothing is left of {epochs}. Pass a larger "
            "--epochs."
        )
    return epoch, step


def _place(progress):
    if progress is None or not progress.seen:
        return "its beginning"
    if progress.step:
        return f"step {progress.step} of epoch {progress.epoch + 1}"
    return f"the end of epoch {progress.epoch}"


def _go_on(run_dir, devices):
    same_devices = ["--devices", str(devices)] if devices is not None else []
    command = shlex.join(["keras-pix2pix", "train", "--run-dir", str(run_dir), "--resume", *same_devices])
    return f"Resume with:\n{command}"


def _new_model(config, steps, strategy):
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
        changes=config.get("changes"),
        metrics=metrics,
        source_encoding=source_encoding,
        target_encoding=target_encoding,
        precision=config.get("precision"),
        strategy=strategy,
        **plan,
    )


def _forget_what_comes_again(history, epoch):
    """Take out of the history what the last checkpoint doesn't know, and a row that was not written whole."""
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
            f"{history} lacks {len(missing)} of the {epoch} epochs that the run has behind it, and so will the report: "
            "put the file back if you have it.",
            file=sys.stderr,
        )
