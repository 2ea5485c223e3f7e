"""`keras-pix2pix train`: a run folder with the model, its configuration, logs and pictures."""

import json
import platform
import shutil
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from keras_pix2pix import __version__
from keras_pix2pix.cli.documentation import option
from keras_pix2pix.cli.models import MODEL_FILE, height_and_width, load
from keras_pix2pix.cli.startup import start_tensorflow
from keras_pix2pix.data.synthetic import write_facades
from keras_pix2pix.images import whole_file
from keras_pix2pix.training.presets import SCHEDULES
from keras_pix2pix.training.presets import preset as recipe_of

CONFIG_FILE = "config.json"
HISTORY_FILE = "history.csv"
DRAWN_FOLDER = "data"
NEEDED = {"data", "preset", "direction", "image_size", "batch_size", "epochs", "seed"}
INTERRUPTED = 130  # What a shell expects of a program that Ctrl-C has stopped.
PAIRED = "data.pipeline:paired_dataset"
FROM_PRESET = "training.model:Pix2Pix.from_preset"
FOLDERS = {"data", "target", "validation", "validation_target"}
EXTRA_FOLDERS = {"extra_source", "extra_validation_source"}
ENCODINGS = ("source_encoding", "target_encoding")
SYNTHETIC = "synthetic"
SYNTHETIC_PAIRS = {"train": (400, 0), "validation": (16, 1_000_000)}  # Pairs, first seed.
# The only repetitions of defaults that live elsewhere; a test compares them.
DEFAULTS = {"preset": "paper", "direction": "AtoB", "image_size": (256, 256), "seed": 0}


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
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on with the run in --run-dir as it was begun; only --epochs may change."),
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
    }
    given = {name: value for name, value in given.items() if value is not None}
    for name in FOLDERS & given.keys():
        # A run may be resumed from another working directory.
        given[name] = SYNTHETIC if given[name] == SYNTHETIC else str(Path(given[name]).resolve())
    for name in EXTRA_FOLDERS & given.keys():
        given[name] = [str(Path(folder).resolve()) for folder in given[name]]
    config = _resumed(run_dir, given) if resume else _new(run_dir, given)
    _run(config, run_dir, resume)


def _new(run_dir, given):
    if "data" not in given:
        raise ValueError(f'DATA is missing. Accepted: a folder of pairs, or the word "{SYNTHETIC}".')
    if given["data"] == SYNTHETIC and "target" in given:
        raise ValueError(
            f"--target needs a folder of sources. Received: DATA={SYNTHETIC}, which is drawn side by side."
        )
    if "target" in given and "direction" in given:
        raise ValueError(
            "--direction is for side-by-side files; with --target the two folders say which side is which."
        )
    if ("target" in given and "validation" in given) != ("validation_target" in given):
        raise ValueError("--validation-target goes with --target and --validation, and they with it: give all three.")
    _check_extra_sources(given)
    # What an earlier try has drawn is no run yet.
    if run_dir.exists() and (not run_dir.is_dir() or {path.name for path in run_dir.iterdir()} - {DRAWN_FOLDER}):
        raise ValueError(
            f"{run_dir} exists and is not empty. Choose another --run-dir, or go on with the run in it: "
            f"keras-pix2pix train --run-dir {run_dir} --resume"
        )
    config = {**DEFAULTS, **given}
    recipe = recipe_of(config["preset"])
    defaults = {name: recipe[name] for name in ("epochs", "schedule")}
    config = {**defaults, "batch_size": recipe["data"]["batch_size"], **config}
    if config["schedule"] not in SCHEDULES:
        raise ValueError(f"--schedule must be one of {', '.join(SCHEDULES)}. Received: {config['schedule']!r}.")
    return config


def _check_extra_sources(given):
    if "extra_source" in given and "target" not in given:
        raise ValueError("--extra-source needs folders. Accepted: DATA and --extra-source with --target. Give it too.")
    wanted = len(given.get("extra_source", [])) if "validation" in given else 0
    received = len(given.get("extra_validation_source", []))
    if received != wanted:
        raise ValueError(
            "--extra-validation-source goes with --extra-source and --validation: as many folders of sources for "
            f"validation as for training. Accepted: {wanted}. Received: {received}."
        )


def _resumed(run_dir, given):
    file = run_dir / CONFIG_FILE
    if not file.is_file():
        raise ValueError(f"There is no run to resume in {run_dir}: it has no {CONFIG_FILE}. Check the path.")
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
        config = {**config, "image_size": height_and_width("x".join(map(str, config["image_size"])))}
        missing = sorted(NEEDED - config.keys())
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{file} is damaged: {error!r}. Restore it, or begin a new run in another folder.") from error
    if missing:
        raise ValueError(f"{file} lacks {', '.join(missing)}. Restore it, or begin a new run in another folder.")
    for name, value in given.items():
        if name != "epochs" and value != config.get(name):
            raise ValueError(
                f"A run is resumed as it was begun. Received: {name}={value!r}; {run_dir / CONFIG_FILE} says "
                f"{config.get(name)!r}. Leave the option out, or begin a new run in another --run-dir."
            )
    epochs = given.get("epochs", config["epochs"])
    if epochs != config["epochs"] and config.get("schedule", "constant") != "constant":
        raise ValueError(
            f"The learning rate of the run in {run_dir} was planned for {config['epochs']} epochs "
            f"({config['schedule']}). Received: --epochs {epochs}. Leave --epochs out, or begin a new run."
        )
    return {**config, "epochs": epochs}


def _run(config, run_dir, resume):
    run_dir.mkdir(parents=True, exist_ok=True)
    training_data, validation_data = _folders(config, run_dir, resume)
    start_tensorflow()
    dataset = _dataset(config, training_data)
    validation = _dataset(config, validation_data, training=False) if validation_data else None
    shown = validation or _dataset(config, training_data, training=False)
    batches = len(dataset)
    steps = config.get("steps_per_epoch", batches)
    # A run that was stopped before its first checkpoint is resumed from its beginning.
    model = load(run_dir) if (run_dir / MODEL_FILE).exists() else _new_model(config, steps)
    done = int(model.generator_optimizer.iterations)
    if done // steps >= config["epochs"]:
        raise ValueError(
            f"The run in {run_dir} has {done // steps} epochs behind it, and nothing is left of {config['epochs']}. "
            "Pass a larger --epochs."
        )
    if done:
        dataset = _dataset(config, training_data, initial_epoch=done // batches)
    if steps != batches:
        dataset = dataset.repeat().skip(done % batches)
    _write_config(config, run_dir)
    _clear_up_after_a_crash(run_dir, done // steps)
    _print_header(config, run_dir, model, steps, validation)
    try:
        model.fit(
            dataset,
            epochs=config["epochs"],
            initial_epoch=done // steps,
            steps_per_epoch=None if steps == batches else steps,
            validation_data=validation,
            verbose=1 if sys.stdout.isatty() else 2,
            shuffle=False,  # The data set shuffles, and Keras would warn that it doesn't.
            callbacks=_callbacks(run_dir, shown, resume),
        )
    except KeyboardInterrupt:
        print(
            f"\nStopped. {run_dir} holds the run as of its last whole epoch. Go on with:\n"
            f"keras-pix2pix train --run-dir {run_dir} --resume",
            file=sys.stderr,
        )
        raise SystemExit(INTERRUPTED) from None
    print(f"The model: {run_dir / MODEL_FILE}\nHow it came about: tensorboard --logdir {run_dir / 'logs'}")


def _new_model(config, steps):
    import keras

    from keras_pix2pix import Pix2Pix

    keras.utils.set_random_seed(config["seed"])
    source_encoding, target_encoding = _encodings(config)
    return Pix2Pix.from_preset(
        config["preset"],
        image_shape=(*config["image_size"], source_encoding.channels),
        target_channels=target_encoding.channels,
        steps_per_epoch=steps,
        source_encoding=source_encoding,
        target_encoding=target_encoding,
        **{name: config[name] for name in ("epochs", "schedule", "direction")},
    )


def _encodings(config):
    from keras_pix2pix.data.pairs import encoding_of_folders
    from keras_pix2pix.encodings import get

    source_encoding, target_encoding = (config.get(name, "rgb") for name in ENCODINGS)
    folders = [config["data"], *config.get("extra_source", [])]
    return encoding_of_folders(source_encoding, folders), get(target_encoding)


def _callbacks(run_dir, shown, resume):
    import keras

    from keras_pix2pix import callbacks

    return [
        callbacks.SampleGrid(run_dir / "samples", shown),
        callbacks.ImageSummary(run_dir / "logs", shown),
        keras.callbacks.TensorBoard(run_dir / "logs", write_graph=False),
        keras.callbacks.CSVLogger(run_dir / HISTORY_FILE, append=resume),
        callbacks.Checkpoint(run_dir / MODEL_FILE),
    ]


def _clear_up_after_a_crash(run_dir, epoch):
    """Take out what a kill left behind: a half-written checkpoint, and history that the last whole one doesn't know."""
    for half_written in run_dir.glob(f".{MODEL_FILE}.*"):
        shutil.rmtree(half_written)
    history = run_dir / HISTORY_FILE
    if history.exists():
        header, *rows = history.read_text(encoding="utf-8").splitlines(keepends=True) or [""]
        with whole_file(history) as temporary:
            temporary.write_text(header + "".join(row for row in rows if int(row.split(",")[0]) < epoch))


def _folders(config, run_dir, resume):
    """(folder, target folder or None) of the training data, and of the validation data if there are any."""
    training = _sources(config, "data", "extra_source"), config.get("target")
    validation = None
    if "validation" in config:
        validation = _sources(config, "validation", "extra_validation_source"), config.get("validation_target")
    if config["data"] != SYNTHETIC:
        return training, validation
    drawn = {split: run_dir / DRAWN_FOLDER / split for split in SYNTHETIC_PAIRS}
    for split, directory in drawn.items():
        if not (resume and directory.exists()):
            _draw(directory, split, config["image_size"])
    return (drawn["train"], None), validation or (drawn["validation"], None)


def _sources(config, first, extra):
    return [config[first], *config[extra]] if extra in config else config[first]


def _draw(directory, split, image_size):
    count, first_seed = SYNTHETIC_PAIRS[split]
    with whole_file(directory) as temporary:
        write_facades(temporary, count, image_size=image_size, seed=first_seed)


def _dataset(config, folders, **options):
    from keras_pix2pix import paired_dataset, paired_dataset_from_folders, preset_data

    options = {
        **preset_data(config["preset"]),
        **{name: config[name] for name in ("image_size", "batch_size", "seed")},
        **{name: config[name] for name in (*ENCODINGS, "color_jitter") if name in config},
        **options,
    }
    directory, target = folders
    if target:
        return paired_dataset_from_folders(directory, target, **options)
    return paired_dataset(directory, direction=config["direction"], **options)


def _write_config(config, run_dir):
    packages = {name: version(name) for name in ("tensorflow", "keras", "numpy", "pillow")}
    versions = {"keras_pix2pix": __version__, "python": platform.python_version(), **packages}
    with whole_file(run_dir / CONFIG_FILE) as temporary:
        temporary.write_text(json.dumps({**config, "versions": versions}, indent=2) + "\n", encoding="utf-8")


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
