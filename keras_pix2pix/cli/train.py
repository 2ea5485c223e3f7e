"""`keras-pix2pix train`: a run folder with the model, its configuration, logs and pictures."""

from pathlib import Path
from typing import Annotated

import typer

from keras_pix2pix.cli.documentation import option
from keras_pix2pix.run_folder import RunFolder
from keras_pix2pix.runs.config_file import config_text, read_config_file
from keras_pix2pix.runs.configuration import completed, has_no_direction, preset_changes
from keras_pix2pix.runs.data import SYNTHETIC
from keras_pix2pix.runs.model import lasting_changes, lasting_path, parsed_image_size
from keras_pix2pix.runs.settings import EXTRA_FOLDERS, FOLDERS, MODELS, SCHEDULES, SETTINGS
from keras_pix2pix.runs.train import start_or_resume

__all__ = ["train"]

_PAIRED = "data.pipeline:paired_dataset"
_FROM_PRESET = "training.model:Pix2Pix.from_preset"
_SCHEDULE = f"{', '.join(SCHEDULES)}. Default: the preset's."
_FILES = RunFolder("")
# Groups of options in --help.
_DATA, _MODEL, _TRAINING, _OUTPUTS, _DETERMINISM = "Data", "Model", "Training", "Run and outputs", "Determinism"


def train(
    data: Annotated[
        str | None,
        typer.Argument(
            help="Folder of side-by-side files; folder of sources, with --target; list of pairs, as CSV or JSON lines; "
            f'or the word "{SYNTHETIC}".'
        ),
    ] = None,
    run_dir: Annotated[
        str | None,
        typer.Option(
            help="Folder to write the model, its configuration, logs and pictures to. Required.",
            rich_help_panel=_OUTPUTS,
        ),
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="Folder of targets with the same names as the sources.", rich_help_panel=_DATA)
    ] = None,
    validation: Annotated[
        str | None, typer.Option(help="Folder like DATA that is not trained on.", rich_help_panel=_DATA)
    ] = None,
    validation_target: Annotated[
        str | None, typer.Option(help="Folder of the targets of --validation.", rich_help_panel=_DATA)
    ] = None,
    extra_source: Annotated[
        list[str] | None,
        typer.Option(
            help="One more folder of sources, concatenated along the channels; with --target; repeatable.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    extra_validation_source: Annotated[
        list[str] | None,
        typer.Option(help="The same for --validation: as many as --extra-source.", rich_help_panel=_DATA),
    ] = None,
    validation_split: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Keep a share of DATA for validation, such as 0.1, drawn with --seed; instead of --validation.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    preset: Annotated[str | None, option(_FROM_PRESET, "name", "--preset", rich_help_panel=_MODEL)] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Change the preset: compile.gan_loss=lsgan; repeatable.",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    teacher: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Run folder, .keras file or word: a trained generator from whose pictures this one learns, too.",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    start_from: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Trained networks to start from, with new optimizers: a run folder, a .keras file, a generator of "
            'pytorch-CycleGAN-and-pix2pix, PyTorch-GAN or pix2pixHD (.pth, .pt or .safetensors), or "facades".',
            rich_help_panel=_MODEL,
        ),
    ] = None,
    freeze: Annotated[str | None, option(_FROM_PRESET, "freeze", rich_help_panel=_MODEL)] = None,
    direction: Annotated[str | None, option(_PAIRED, "direction", rich_help_panel=_DATA)] = None,
    source_encoding: Annotated[str | None, option(_PAIRED, "source_encoding", rich_help_panel=_DATA)] = None,
    target_encoding: Annotated[str | None, option(_PAIRED, "target_encoding", rich_help_panel=_DATA)] = None,
    color_jitter: Annotated[float | None, option(_PAIRED, "color_jitter", rich_help_panel=_DATA)] = None,
    fit: Annotated[str | None, option(_PAIRED, "fit", rich_help_panel=_DATA)] = None,
    rotate: Annotated[bool | None, option(_PAIRED, "rotate", "--rotate", rich_help_panel=_DATA)] = None,
    image_size: Annotated[
        str | None,
        typer.Option(
            metavar="HEIGHTxWIDTH", help="256, or HEIGHTxWIDTH, in pixels. Default: 256.", rich_help_panel=_DATA
        ),
    ] = None,
    batch_size: Annotated[int | None, option(_PAIRED, "batch_size", rich_help_panel=_DATA)] = None,
    epochs: Annotated[
        int | None,
        typer.Option(min=1, help="Epochs in all. Defaults to the preset's, 200 for paper.", rich_help_panel=_TRAINING),
    ] = None,
    steps_per_epoch: Annotated[
        int | None,
        typer.Option(min=1, help="Batches in an epoch. Defaults to one pass over the data.", rich_help_panel=_TRAINING),
    ] = None,
    schedule: Annotated[str | None, typer.Option(help=_SCHEDULE, rich_help_panel=_MODEL)] = None,
    seed: Annotated[int | None, option(_PAIRED, "seed", min=0, max=2**32 - 1, rich_help_panel=_TRAINING)] = None,
    precision: Annotated[str | None, option(_FROM_PRESET, "precision", rich_help_panel=_MODEL)] = None,
    average: Annotated[
        float | None,
        typer.Option(
            metavar="DECAY",
            help=f"Also average the generator's weights, into {_FILES.average}, with a decay such as 0.999.",
            rich_help_panel=_MODEL,
        ),
    ] = None,
    devices: Annotated[
        str | None, option("training.distribution:strategy_for", "devices", rich_help_panel=_TRAINING)
    ] = None,
    monitor: Annotated[
        str | None,
        typer.Option(
            metavar="LOG",
            help=f"Log by which {_FILES.best} keeps the best model. Defaults to val_ssim, or none without validation.",
            rich_help_panel=_OUTPUTS,
        ),
    ] = None,
    patience: Annotated[
        int | None, option("callbacks.best_model:BestModel", "patience", min=1, rich_help_panel=_OUTPUTS)
    ] = None,
    checkpoint_every: Annotated[
        int | None,
        option("callbacks.run_callbacks:for_run", "checkpoint_every", min=1, metavar="STEPS", rich_help_panel=_OUTPUTS),
    ] = None,
    deterministic: Annotated[
        bool | None,
        typer.Option(
            help="Whether a resumed run ends bit for bit like an uninterrupted one. Defaults to yes without a GPU, "
            "where it costs nothing, and no with one or with compile.jit_compile.",
            rich_help_panel=_DETERMINISM,
        ),
    ] = None,
    config: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Settings from a YAML or JSON file, such as a run's config.json; options given here come before them.",
            rich_help_panel=_OUTPUTS,
        ),
    ] = None,
    print_config: Annotated[
        bool,
        typer.Option(
            "--print-config", help="Print all settings, for --config, and don't train.", rich_help_panel=_OUTPUTS
        ),
    ] = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Resume the run in --run-dir; only --epochs, --patience and --checkpoint-every can change.",
            rich_help_panel=_OUTPUTS,
        ),
    ] = False,
    data_changed: Annotated[
        bool,
        typer.Option(
            "--data-changed",
            help="With --resume: accept that the data have changed since.",
            rich_help_panel=_OUTPUTS,
        ),
    ] = False,
):
    """Train on a folder of pairs; --resume continues a run that was stopped."""
    given = {name: value for name, value in locals().items() if name in SETTINGS and value not in (None, [])}
    if run_dir is None and not print_config:
        raise ValueError("--run-dir is missing. Accepted: a folder that is new or empty, or with --resume a run's.")
    if data_changed and not resume:
        raise ValueError("--data-changed is for a run that is resumed. Add --resume, or leave it out.")
    if resume and (config or print_config):
        raise ValueError(
            "--config and --print-config are for new runs. The one resumed has its own config.json: leave them out."
        )
    if changes:
        given["changes"] = preset_changes(changes)
    if image_size:
        given["image_size"] = parsed_image_size(image_size)
    if config:
        given = _over_those_of_a_file(given, config)
    for name in FOLDERS & given.keys():
        # A run may be resumed from another working directory.
        given[name] = SYNTHETIC if given[name] == SYNTHETIC else _absolute(given[name])
    for name in MODELS & given.keys():
        given[name] = lasting_path(given[name])
    if "changes" in given:
        given["changes"] = lasting_changes(given["changes"])
    for name in EXTRA_FOLDERS & given.keys():
        given[name] = [_absolute(folder) for folder in given[name]]
    if print_config:
        print(config_text(completed(given)), end="")
        return
    start_or_resume(run_dir, given, resume=resume, data_changed=data_changed, devices=devices)


def _over_those_of_a_file(given, config):
    """The settings of a file, replaced by those given as options; changes to the preset one by one."""
    settings = read_config_file(config)
    changes = {**settings.get("changes", {}), **given.get("changes", {})}
    merged = {**settings, **given, **({"changes": changes} if changes else {})}
    if "direction" not in given and has_no_direction(merged):
        merged.pop("direction", None)  # A file says it where nobody did.
    return merged


def _absolute(folder):
    return str(Path(folder).expanduser().resolve())
