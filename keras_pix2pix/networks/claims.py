"""What a file claims of its network, looked at before anything is allocated for it."""

import json
import zipfile

MOST_FILTERS = 2**16  # The paper's widest layers have 512.
LARGEST_CONFIGURATION = 2**26  # Bytes.
COUNTS = ("filters", "units", "depth_multiplier")


def refuse_giants(config, path):
    """Raise for a layer that no memory holds, anywhere in the configuration of a Keras model."""
    if isinstance(config, dict):
        for name, value in config.items():
            if name in COUNTS and isinstance(value, int) and value > MOST_FILTERS:
                raise ValueError(
                    f"{path} is refused: a layer of it has {value:,} {name}. Accepted: up to {MOST_FILTERS:,}. Take "
                    "another file."
                )
            refuse_giants(value, path)
    elif isinstance(config, list):
        for each in config:
            refuse_giants(each, path)


def refuse_giants_in(path):
    """The same of a `.keras` file; one that is none is left to Keras."""
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo("config.json").file_size > LARGEST_CONFIGURATION:
                raise ValueError(f"{path} is refused: its configuration is too large. Take another file.")
            config = json.loads(archive.read("config.json"))
    except (zipfile.BadZipFile, OSError, KeyError, json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        return
    refuse_giants(config, path)
