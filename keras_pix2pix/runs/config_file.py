"""The settings of a run as a file that people write: YAML, or the `config.json` of another run."""

import json
from pathlib import Path

from keras_pix2pix.runs.configuration import changed_value
from keras_pix2pix.runs.model import parsed_image_size
from keras_pix2pix.runs.settings import SETTINGS, fault_of

__all__ = ["config_text", "read_config_file"]

_OF_ONE_RUN = {"identity", "versions"}  # Of a `config.json`, nothing for another run.


def read_config_file(path):
    """The settings in a file for `--config`; raises one error that names every fault."""
    import yaml

    file = Path(path).expanduser()
    try:
        text = file.read_text(encoding="utf-8")
        contents = yaml.safe_load(text)
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text)):  # A few make gigabytes of settings.
            raise ValueError("aliases (`*name`) aren't accepted. Write the settings out.")
        json.dumps(contents)  # Dates, for example, are no settings.
    except OSError as error:
        raise ValueError(f"--config {path} can't be read: {error.strerror}. Accepted: a YAML or JSON file.") from error
    except (yaml.YAMLError, ValueError, RecursionError, TypeError, AttributeError, LookupError) as error:
        raise ValueError(f"--config {path} can't be used: {error or type(error).__name__}") from error
    if not isinstance(contents, dict):
        raise ValueError(
            f"--config {path} must hold settings by name, such as `preset: mobile`. "
            f"Received: {type(contents).__name__}. `keras-pix2pix train --print-config` prints one."
        )
    settings = {str(name): value for name, value in contents.items() if name not in _OF_ONE_RUN and value is not None}
    settings = _in_the_form_of_options(settings)
    unknown = [f"{name!r} is no setting" for name in settings if name not in SETTINGS or name in _OF_ONE_RUN]
    faults = unknown + [fault for fault in map(fault_of, settings, settings.values()) if fault]
    if faults:
        listed = "".join(f"\n- {fault}" for fault in faults)
        raise ValueError(f"--config {path} has settings that can't be used:{listed}\nKnown are {', '.join(_known())}.")
    return settings


def config_text(config):
    """A configuration as YAML, which `read_config_file` reads: the changes to the preset by section."""
    import yaml

    sections = {}
    for name, value in config.get("changes", {}).items():
        section, _, argument = name.partition(".")
        sections.setdefault(section, {})[argument] = value
    shown = {name: config[name] for name in _known() if name in config} | {"image_size": list(config["image_size"])}
    return yaml.safe_dump(shown | ({"changes": sections} if sections else {}), sort_keys=False, allow_unicode=True)


def _in_the_form_of_options(settings):
    """As the command line gives them: sizes of one number, changes by section."""
    size, changes = settings.get("image_size"), settings.get("changes")
    if isinstance(size, (int, str)) and not isinstance(size, bool):
        settings["image_size"] = parsed_image_size(str(size))
    elif isinstance(size, list):
        settings["image_size"] = tuple(size)
    if isinstance(changes, dict):
        settings["changes"] = {
            str(name) if argument is None else f"{name}.{argument}": _number_or_word(value)
            for name, section in changes.items()
            for argument, value in (section.items() if isinstance(section, dict) else [(None, section)])
        }
    return settings


def _number_or_word(value):
    """YAML takes 2e-4 for text."""
    return changed_value(value) if isinstance(value, str) else value


def _known():
    return [name for name in SETTINGS if name not in _OF_ONE_RUN]
