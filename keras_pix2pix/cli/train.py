"""`keras-pix2pix train`: a run folder with the model, its configuration, logs and pictures."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from keras_pix2pix.cli.configuration import (
    new_configuration,
    preset_changes,
    resumed_configuration,
    write_configuration,
)
from keras_pix2pix.cli.documentation import option
from keras_pix2pix.cli.models import MODEL_FILE, height_and_width, load
from keras_pix2pix.cli.run_data import SYNTHETIC, run_dataset, run_encodings, run_folders
from keras_pix2pix.cli.startup import start_tensorflow
from keras_pix2pix.cli.stopping import stopping_after_a_step
from keras_pix2pix.images import whole_file

HISTORY_FILE = "history.csv"
CHECKPOINT_EVERY = 2000  # Steps: of the paper's networks, about a minute of a GPU or 20 of two cores; a file is 0.7 GB.
INTERRUPTED = 130  # What a shell expects of a program that Ctrl-C has stopped.
PAIRED = "data.pipeline:paired_dataset"
FROM_PRESET = "training.model:Pix2Pix.from_preset"
FOLDERS = {"data", "target", "validation", "validation_target"}
EXTRA_FOLDERS = {"extra_source", "extra_validation_source"}


def train(
    run_dir: Annotated[str, typer.Option(help="Folder that receives the model, its configuration, logs and pictures.")],
    data: Annotated[
        str | None,
        typer.Argument(help=f'Folder of side-by-side files; of sources, with --target; or the word "{SYNTHETIC}".'),
    ] = None,
    target: Annotated[str | None, typer.Option(help="Folder of targets under the names of the sources.")] = None,
    validation: Annotated[str | None, typer.Option(help="Folder like DATA that is not trained on.")] = None,
    validation_target: Annotated[str | None, typer.Option(help="Folder of the targets of --validation.")] = None,
    extra_source: Annotated[
        list[str] | None,
        typer.Option(help="One more folder of sources, concatenated along the channels; with --target; repeatable."),
    ] = None,
    extra_validation_source: Annotated[
        list[str] | None, typer.Option(help="The same for --validation: as many as --extra-source.")
    ] = None,
    preset: Annotated[str | None, option(FROM_PRESET, "name", "--preset")] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Change the preset: compile.gan_loss=lsgan; repeatable."),
    ] = None,
    direction: Annotated[str | None, option(PAIRED, "direction")] = None,
    source_encoding: Annotated[str | None, option(PAIRED, "source_encoding")] = None,
    target_encoding: Annotated[str | None, option(PAIRED, "target_encoding")] = None,
    color_jitter: Annotated[float | None, option(PAIRED, "color_jitter")] = None,
    image_size: Annotated[str | None, option(PAIRED, "image_size", metavar="HEIGHTxWIDTH")] = None,
    batch_size: Annotated[int | None, option(PAIRED, "batch_size")] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Epochs in all. Defaults to the preset's, 200 for paper.")
    ] = None,
    steps_per_epoch: Annotated[
        int | None, typer.Option(min=1, help="Batches in an epoch. Defaults to one pass over the data.")
    ] = None,
    schedule: Annotated[str | None, option(FROM_PRESET, "schedule")] = None,
    seed: Annotated[int | None, option(PAIRED, "seed", min=0, max=2**32 - 1)] = None,
    checkpoint_every: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="STEPS",
            help=f"Steps between checkpoints in an epoch, which ends with one too. Defaults to {CHECKPOINT_EVERY}.",
        ),
    ] = None,
    deterministic: Annotated[
        bool | None,
        typer.Option(
            help="Whether a resumed run ends bit for bit like an uninterrupted one. Defaults to yes without a GPU, "
            "where it costs nothing, and no with one or with compile.jit_compile."
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on with the run in --run-dir as it was begun; only --epochs and --checkpoint-every may change.",
        ),
    ] = False,
):
    """Train on a folder of pairs; --resume goes on with a run that was stopped."""
    run_dir = Path(run_dir)
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
        "checkpoint_every": checkpoint_every,
        "deterministic": deterministic,
    }
    given = {name: value for name, value in given.items() if value is not None}
    for name in FOLDERS & given.keys():
        # A run may be resumed from another working directory.
        given[name] = SYNTHETIC if given[name] == SYNTHETIC else str(Path(given[name]).resolve())
    for name in EXTRA_FOLDERS & given.keys():
        given[name] = [str(Path(folder).resolve()) for folder in given[name]]
    config = (resumed_configuration if resume else new_configuration)(run_dir, given)
    _run(config, run_dir, resume)


def _run(config, run_dir, resume):
    run_dir.mkdir(parents=True, exist_ok=True)
    training_data, validation_data = run_folders(config, run_dir, resume)
    start_tensorflow()
    _seed(config)
    validation = run_dataset(config, validation_data, training=False) if validation_data else None
    shown = validation or run_dataset(config, training_data, training=False)
    batches = len(run_dataset(config, training_data))
    steps = config.get("steps_per_epoch", batches)
    # A run that was stopped before its first checkpoint is resumed from its beginning.
    model = load(run_dir) if (run_dir / MODEL_FILE).exists() else _new_model(config, steps)
    epoch, step = _resume_point(model, run_dir, config["epochs"])
    write_configuration(run_dir, config)
    _forget_what_comes_again(run_dir / HISTORY_FILE, epoch)
    _print_header(config, run_dir, model, steps, validation)
    *watching, checkpoint = _callbacks(config, run_dir, shown, resume)
    try:
        with stopping_after_a_step(checkpoint):
            model.fit(
                run_dataset(config, training_data, repeat=True, initial_step=step),
                epochs=config["epochs"],
                initial_epoch=epoch,
                steps_per_epoch=steps,
                validation_data=validation,
                verbose=1 if sys.stdout.isatty() else 2,
                shuffle=False,  # The data set shuffles, and Keras would warn that it doesn't.
                callbacks=[*watching, checkpoint],
            )
    except KeyboardInterrupt:
        print(
            f"\nStopped. {run_dir} holds the run as of {_place(model.progress)}. {_go_on(run_dir)}",
            file=sys.stderr,
        )
        raise SystemExit(INTERRUPTED) from None
    except OSError as error:
        file = f": {error.filename}" if error.filename else ""
        raise OSError(error.errno, f"{error.strerror or error}{file}. {_go_on(run_dir)}") from error
    print(f"The model: {run_dir / MODEL_FILE}\nHow it came about: tensorboard --logdir {run_dir / 'logs'}")


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
            f"{run_dir / MODEL_FILE} doesn't say how far the run has come: it was written by something else than "
            "`keras-pix2pix train`. Put the file back, or begin a new run."
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


def _go_on(run_dir):
    return f"Go on with:\nkeras-pix2pix train --run-dir {run_dir} --resume"


def _new_model(config, steps):
    from keras_pix2pix import Pix2Pix

    source_encoding, target_encoding = run_encodings(config)
    plan = {name: config[name] for name in ("epochs", "schedule", "direction")}
    return Pix2Pix.from_preset(
        config["preset"],
        (*config["image_size"], source_encoding.channels),
        target_channels=target_encoding.channels,
        steps_per_epoch=steps,
        changes=config.get("changes"),
        source_encoding=source_encoding,
        target_encoding=target_encoding,
        **plan,
    )


def _callbacks(config, run_dir, shown, resume):
    import keras

    from keras_pix2pix import callbacks

    return [
        callbacks.SampleGrid(run_dir / "samples", shown),
        callbacks.ImageSummary(run_dir / "logs", shown),
        keras.callbacks.TensorBoard(run_dir / "logs", write_graph=False),
        keras.callbacks.CSVLogger(run_dir / HISTORY_FILE, append=resume),
        # The last, so that what it says was done is done.
        callbacks.Checkpoint(run_dir / MODEL_FILE, every_steps=config.get("checkpoint_every", CHECKPOINT_EVERY)),
    ]


def _forget_what_comes_again(history, epoch):
    """Take out of the history what the last checkpoint doesn't know, and a row that was not written whole."""
    if history.exists():
        header, *rows = history.read_text(encoding="utf-8").splitlines(keepends=True) or [""]
        kept = [row for row in rows if row.endswith("\n") and int(row.split(",")[0]) < epoch]
        with whole_file(history) as temporary:
            temporary.write_text("".join([header if header.endswith("\n") else "", *kept]), encoding="utf-8")


def _print_header(config, run_dir, model, steps, validation):
    from keras_pix2pix import receptive_field

    height, width = config["image_size"]
    layout = "two folders" if "target" in config else f"direction {config['direction']}"
    if "extra_source" in config:
        layout = f"{1 + len(config['extra_source'])} folders of sources, one of targets"
    batch_size = config["batch_size"]
    validated = f"{len(validation)} batches of validation" if validation else "no validation data"
    print(f"Data     {steps} batches of {batch_size} pair(s) an epoch, {height}x{width}, {layout}; {validated}")
    patch = receptive_field(model.discriminator)
    print(
        f"Networks {config['preset']}: generator of {model.generator.count_params():,} parameters, discriminator of "
        f"{model.discriminator.count_params():,}, which judges patches of {patch}x{patch} pixels"
    )
    print(f"Run      {run_dir}, {config['epochs']} epochs in all", flush=True)
