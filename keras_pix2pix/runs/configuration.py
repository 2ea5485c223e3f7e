"""The settings of a run: `config.json` in its folder, which --resume reads."""

import json
import platform
import shlex
from importlib.metadata import version

from keras_pix2pix import __version__
from keras_pix2pix.data.pair_lists import is_pair_list
from keras_pix2pix.files import whole_file
from keras_pix2pix.run_folder import RunFolder
from keras_pix2pix.runs.data import SYNTHETIC
from keras_pix2pix.runs.settings import fault_of
from keras_pix2pix.training.presets import SCHEDULES, preset

__all__ = [
    "CHANGEABLE",
    "changed_value",
    "completed",
    "has_no_direction",
    "new_configuration",
    "preset_changes",
    "resumed_configuration",
    "write_configuration",
]

_NEEDED = {"data", "preset", "direction", "image_size", "batch_size", "epochs", "seed"}
CHANGEABLE = {"epochs", "checkpoint_every", "patience"}  # What a resumed run may change.
# Copied from the functions' signatures; a test compares them.
_DEFAULTS = {"preset": "paper", "direction": "AtoB", "image_size": (256, 256), "seed": 0}
# Checked here because they set the size of loops and arrays; the rest is checked where it is used.
_COUNTS = ("image_size", "batch_size", "epochs", "steps_per_epoch", "patience", "checkpoint_every")
_PYTHON_WORDS = {"True": "true", "False": "false", "None": "null"}
_RESTORE = "Restore it, or start a new run in another folder."
_ADVICE = "Accepted: SECTION.NAME=VALUE, as in --set compile.gan_loss=lsgan."


def new_configuration(run_dir, given):
    """The configuration of a new run in a folder that is empty, or isn't there yet."""
    _check_folders(given)
    if run_dir.exists() and (not run_dir.is_dir() or not all(map(_is_no_run_yet, run_dir.iterdir()))):
        raise ValueError(
            f"{run_dir} exists and is not empty. Choose another --run-dir, or resume the run in it: "
            f"keras-pix2pix train --run-dir {shlex.quote(str(run_dir))} --resume"
        )
    return completed(given)


def completed(given):
    """Settings with the defaults for those that aren't given."""
    config = {**_DEFAULTS, **given}
    recipe = preset(config["preset"], config.get("changes"))
    defaults = {"epochs": recipe["epochs"], "schedule": recipe["schedule"], "batch_size": recipe["data"]["batch_size"]}
    config = {**defaults, **config}
    if config["schedule"] not in SCHEDULES:
        raise ValueError(f"--schedule must be one of {', '.join(SCHEDULES)}. Received: {config['schedule']!r}.")
    faults = [fault_of(name, config[name]) for name in _COUNTS if name in config]
    for fault in filter(None, faults):
        raise ValueError(f"{fault}, from the option of that name or from --set.")
    return config


def resumed_configuration(run_dir, given):
    """The configuration of a run, updated with the `CHANGEABLE` settings in `given`; others must not differ."""
    config = _read(RunFolder(run_dir).configuration)
    for name, value in given.items():
        if name not in CHANGEABLE and value != config.get(name):
            raise ValueError(
                f"--resume can't change {name}. Received: {name}={value!r}; {RunFolder(run_dir).configuration} says "
                f"{config.get(name)!r}. Leave the option out, or start a new run in another --run-dir."
            )
    epochs = given.get("epochs", config["epochs"])
    if epochs != config["epochs"] and config.get("schedule", "constant") != "constant":
        raise ValueError(
            f"The learning rate of the run in {run_dir} is planned for {config['epochs']} epochs "
            f"({config['schedule']}). Received: --epochs {epochs}. Leave --epochs out, or start a new run."
        )
    return {**config, **{name: given[name] for name in CHANGEABLE & given.keys()}}


def write_configuration(run_dir, config):
    """Write `config.json`, with the versions of packages that the run depends on."""
    packages = {name: version(name) for name in ("tensorflow", "keras", "numpy", "pillow")}
    versions = {"keras_pix2pix": __version__, "python": platform.python_version(), **packages}
    with whole_file(RunFolder(run_dir).configuration) as temporary:
        temporary.write_text(json.dumps({**config, "versions": versions}, indent=2) + "\n", encoding="utf-8")


def preset_changes(texts):
    """The changes to a preset that --set asks for."""
    changes = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not value:
            raise ValueError(f"--set needs a value. {_ADVICE} Received: {text!r}.")
        changes[key] = changed_value(value)
    return changes


def changed_value(text):
    """The number, list or word that a text means: 2e-4, [1, 2], true, lsgan."""
    try:
        return json.loads(_PYTHON_WORDS.get(text, text))
    except (ValueError, RecursionError):  # The digits of an integer and the depth of brackets have a limit.
        return text


def _is_no_run_yet(path):
    """Whether this was left by an earlier attempt: drawn data, or a half-written configuration."""
    folder = RunFolder(path.parent)
    return path == folder.drawn_data or path.name.startswith(f".{folder.configuration.name}.")


def _read(file):
    if not file.is_file():
        raise ValueError(f"There is no run to resume in {file.parent}: it has no {file.name}. Check the path.")
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file} is damaged, it is not JSON: {error}. {_RESTORE}") from error
    if not isinstance(config, dict):
        raise ValueError(f"{file} is damaged: it holds {type(config).__name__} instead of an object. {_RESTORE}")
    missing = sorted(_NEEDED - config.keys())
    if missing:
        raise ValueError(f"{file} lacks {', '.join(missing)}. {_RESTORE}")
    for fault in filter(None, map(fault_of, config, config.values())):
        raise ValueError(f"{file} is damaged: {fault}. {_RESTORE}")
    try:
        preset(config["preset"], config.get("changes"))
        _check_folders({name: value for name, value in config.items() if name != "direction"})  # It is always there.
    except ValueError as error:
        raise ValueError(f"{file} is damaged: {error} {_RESTORE}") from error
    return {**config, "image_size": tuple(config["image_size"])}


def has_no_direction(given):
    """Whether the data of these settings say themselves what is the source."""
    return "target" in given or is_pair_list(given.get("data", ""))


def _check_folders(given):
    if "data" not in given:
        raise ValueError(f'DATA is missing. Accepted: a folder of pairs, or the word "{SYNTHETIC}".')
    if given["data"] == SYNTHETIC and "target" in given:
        raise ValueError(
            f"--target needs a folder of sources. Received: DATA={SYNTHETIC}, which is drawn side by side."
        )
    if "direction" in given and has_no_direction(given):
        raise ValueError(
            "--direction is for side-by-side files; with --target, or a list of pairs, the sides are known."
        )
    if ("target" in given and "validation" in given) != ("validation_target" in given):
        raise ValueError("--validation-target, --target and --validation belong together. Give all three.")
    if "extra_source" in given and "target" not in given:
        raise ValueError("--extra-source needs folders. Accepted: DATA and --extra-source with --target. Give it too.")
    if "freeze" in given and "start_from" not in given:
        raise ValueError(
            "--freeze keeps layers as they were trained before. Received: --freeze without --start-from. Give that too."
        )
    if "compile.lambda_teacher" in given.get("changes", {}) and "teacher" not in given:
        raise ValueError(
            "compile.lambda_teacher weighs the pictures of a teacher. Received: it without --teacher. Give that too."
        )
    if "validation_split" in given and ("validation" in given or given["data"] == SYNTHETIC):
        raise ValueError(
            "--validation-split takes the validation pairs from DATA. Received: "
            f"{'--validation too' if 'validation' in given else f'DATA={SYNTHETIC}, which has its own'}. Leave it out."
        )
    wanted = len(given.get("extra_source", [])) if "validation" in given else 0
    received = len(given.get("extra_validation_source", []))
    if received != wanted:
        raise ValueError(
            "--extra-validation-source needs as many folders of sources as --extra-source, with --validation. "
            f"Accepted: {wanted}. Received: {received}."
        )
