"""The workers that train together, read from the environment variable TF_CONFIG without TensorFlow."""

import contextlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from keras_pix2pix.files import remove_leftovers, temporary_folder

__all__ = ["addresses", "folder_to_write", "is_chief", "own_index", "worker_count"]

_ADDRESS = re.compile(r"[^\s/]+:\d{1,5}")
_LARGEST_PORT = 65535
_EXAMPLE = '{"cluster": {"worker": ["host0:2222", "host1:2222"]}, "task": {"type": "worker", "index": 0}}'


def worker_count() -> int:
    """How many workers train together: 1 without TF_CONFIG."""
    return len(addresses()) or 1


def is_chief() -> bool:
    """Whether this process writes files: only the chief, or the first worker, does."""
    return own_index() == 0


def addresses() -> list[str]:
    """The "host:port" of all workers, the chief's first; none without TF_CONFIG."""
    cluster, _ = _read()
    return [*cluster.get("chief", []), *cluster.get("worker", [])]


def own_index() -> int:
    """The index of this process among `addresses`."""
    cluster, (kind, index) = _read()
    return index + (len(cluster.get("chief", [])) if kind == "worker" else 0)


@contextlib.contextmanager
def folder_to_write(directory: str | Path) -> Iterator[Path]:
    """The folder that this process may write to: `directory` for the chief, a temporary copy of its files for others.

    All workers run the same callbacks, because all of them are needed to compute values such as the mean of a metric.
    """
    directory = Path(directory)
    if is_chief():
        yield directory
        return
    copies = Path(tempfile.gettempdir(), "keras_pix2pix_worker")
    remove_leftovers(copies.parent, copies.name)
    with temporary_folder(copies) as copy:
        # Callbacks read these files when a run is resumed. Pictures and logs are in subfolders, and are only written.
        for file in [each for each in directory.glob("*") if each.is_file()]:
            shutil.copy(file, copy)
        yield copy


def _read():
    """Addresses by kind of task, and the kind and index of this process."""
    text = os.environ.get("TF_CONFIG", "").strip() or "{}"
    try:
        config = json.loads(text)
        cluster = config.get("cluster", {})
        task = config.get("task", {"type": "worker", "index": 0})
        kind, index = task["type"], int(task["index"])
        fault = _fault(cluster, kind, index)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        fault = f"it can't be read ({error!r})"
    if fault:
        raise ValueError(f"TF_CONFIG is wrong: {fault}. Accepted: {_EXAMPLE}. Received: {text!r}.")
    return cluster, (kind, index)


def _fault(cluster, kind, index):
    if others := cluster.keys() - {"chief", "worker"}:
        return f"it may only name workers and a chief, not {', '.join(map(repr, others))}"
    for each, listed in cluster.items():
        if not isinstance(listed, list) or not all(isinstance(one, str) and _ADDRESS.fullmatch(one) for one in listed):
            return f'"{each}" must be a list of "host:port"'
        if not all(0 < int(one.rpartition(":")[2]) <= _LARGEST_PORT for one in listed):
            return f'a port of "{each}" is not from 1 to {_LARGEST_PORT}'
    every = [address for listed in cluster.values() for address in listed]
    if len(every) != len(set(every)):
        return "an address appears twice"
    if cluster and index not in range(len(cluster.get(kind, []))):
        return f'there is no "{kind}" of index {index}'
    return None
