"""Whether configuration, checkpoint and data of a run folder belong together."""

import json
import secrets
import shlex
import zipfile

from keras_pix2pix.pretrained import model_file
from keras_pix2pix.run_folder import RunFolder
from keras_pix2pix.runs.configuration import CHANGEABLE
from keras_pix2pix.runs.data_record import difference, digest_of, read_record, record_data
from keras_pix2pix.runs.settings import EXTRA_FOLDERS, FOLDERS, SETTINGS
from keras_pix2pix.training.training_state import read_records

__all__ = [
    "RUN",
    "data_of_this_run",
    "new_identity",
    "refuse_another_run",
    "run_record",
    "shared_by_workers",
    "teacher_of_this_run",
]

RUN = "run"  # Among the model's records: the id of its run, and the settings that it was trained with.
# Folders may move, because the contents of the data, and of the teacher, are compared separately.
_NO_SETTINGS = {*FOLDERS, *EXTRA_FOLDERS, *CHANGEABLE, "teacher", "identity", "versions"}
_NAMED_AT_MOST = 5
_WEIGHTS = "model.weights.h5"  # In a .keras file.


def new_identity():
    """An id that distinguishes a run from others with the same settings."""
    return {"run": secrets.token_hex(8)}


def run_record(config):
    """The record of its run in `model.keras`."""
    return {"id": config.get("identity", {}).get("run"), "settings": _settings(config)}


def shared_by_workers(config):
    """The values that must be equal on all workers: settings, and data wherever they are stored."""
    return [_settings(config), config["identity"]["data"]]


def refuse_another_run(config, run_dir):
    """Raise if `config.json` was changed, or `model.keras` belongs to another run, before training or writing."""
    folder = RunFolder(run_dir)
    kept = read_records(folder.model).get(RUN, {})
    now, then = run_record(config), {"id": None, "settings": {}, **kept}
    # A run of an older version, or no checkpoint yet, or a damaged one, which is reported when it is loaded.
    if not kept and (now["id"] is None or not zipfile.is_zipfile(folder.model)):
        return
    if now["id"] != then["id"]:
        raise ValueError(
            f"{folder.model} is not the checkpoint of the run in {folder.configuration}. Put the right file back, or "
            "start a new run in another folder."
        )
    names = sorted(now["settings"].keys() | then["settings"].keys())
    changed = [
        f"{name} is {_shown(now['settings'], name)} and was {_shown(then['settings'], name)}"
        for name in names
        if _shown(now["settings"], name) != _shown(then["settings"], name)
    ]
    if changed:
        more = ", ..." if len(changed) > _NAMED_AT_MOST else ""
        raise ValueError(
            f"{folder.configuration} has been changed since {folder.model.name} was trained: "
            f"{', '.join(changed[:_NAMED_AT_MOST])}{more}. --resume can't change that. Change the file back, or "
            "start a new run in another folder."
        )


def data_of_this_run(config, folders, run_dir, changed_is_fine):
    """The record of a run's data; raises if they have changed since it was started, unless that is intended."""
    known = read_record(run_dir)
    training, validation = folders
    found = record_data([training, validation] if validation and validation != training else [training], known)
    digest = config.get("identity", {}).get("data")
    if digest is None or digest == digest_of(found) or changed_is_fine:
        return found
    what = f"{RunFolder(run_dir).data_record}, which would show the difference, is missing or damaged"
    if digest == digest_of(known):
        what = difference(known, found)
    command = shlex.join(["keras-pix2pix", "train", "--run-dir", str(run_dir), "--resume", "--data-changed"])
    raise ValueError(
        f"The data of the run in {run_dir} have changed since it was started. {what}. Change them back, "
        f"or continue with what is there now:\n{command}"
    )


def teacher_of_this_run(config):
    """What identifies the weights of the run's teacher, {} without one; raises if the run began with others."""
    if "teacher" not in config:
        return {}
    file = model_file(config["teacher"])
    with zipfile.ZipFile(file) as members:
        found = {member.filename: f"{member.CRC:08x}" for member in members.infolist()}.get(_WEIGHTS)
    if config.get("identity", {}).get("teacher", found) != found:
        raise ValueError(
            f"{file}, the teacher of this run, holds other weights than when the run was started. Put the old file "
            "back, or start a new run."
        )
    return {"teacher": found}


def _settings(config):
    settings = {name: config[name] for name in SETTINGS if name in config and name not in _NO_SETTINGS}
    if config.get("schedule", "constant") != "constant":
        settings["epochs"] = config["epochs"]  # The learning rate is planned for them.
    # In the form of `config.json`, with each change to the preset as its own setting.
    settings = json.loads(json.dumps(settings))
    changes = settings.pop("changes", {})
    return {**settings, **changes}


def _shown(settings, name):
    return json.dumps(settings[name]) if name in settings else "not there"
