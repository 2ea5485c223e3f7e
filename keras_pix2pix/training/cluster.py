"""Who trains with whom, by the environment variable TF_CONFIG; TensorFlow is not needed to read it."""

import contextlib
import json
import os
import shutil
import tempfile
from pathlib import Path

EXAMPLE = '{"cluster": {"worker": ["host0:2222", "host1:2222"]}, "task": {"type": "worker", "index": 0}}'


def worker_count():
    """How many workers train together: 1 without TF_CONFIG.

    Returns:
        An integer of 1 or more.

    Raises:
        ValueError: A TF_CONFIG that is not one of workers.

    Example:

    ```python
    from keras_pix2pix.training.cluster import worker_count

    alone = worker_count() == 1
    ```
    """
    return sum(map(len, _read()[0].values())) or 1


def is_chief():
    """Whether this process is the one that writes files: the chief, or else the first worker.

    Returns:
        True or False; True without TF_CONFIG.

    Raises:
        ValueError: A TF_CONFIG that is not one of workers.

    Example:

    ```python
    from keras_pix2pix.training.cluster import is_chief

    if is_chief():
        print("The model: run/model.keras")
    ```
    """
    cluster, task = _read()
    return task == ("chief", 0) or ("chief" not in cluster and task == ("worker", 0))


@contextlib.contextmanager
def folder_to_write(directory):
    """The folder that this process may write to: `directory` for the chief, a passing copy of its files for others.

    All workers do the same, since some of what is written, such as the mean of a metric, takes all of them to compute.

    Args:
        directory: Folder of the run, which need not exist.

    Yields:
        A `Path`.

    Raises:
        ValueError: A TF_CONFIG that is not one of workers.

    Example:

    ```python
    from keras_pix2pix.training.cluster import folder_to_write

    with folder_to_write("run") as directory:
        checkpoint = directory / "model.keras"
    ```
    """
    directory = Path(directory)
    if is_chief():
        yield directory
        return
    with tempfile.TemporaryDirectory() as copy:
        # What callbacks go on from when a run is resumed. Pictures and logs lie in folders, and are only written.
        for file in [each for each in directory.glob("*") if each.is_file()]:
            shutil.copy(file, copy)
        yield Path(copy)


def _read():
    """(addresses by kind of task, (kind, index) of this process)."""
    text = os.environ.get("TF_CONFIG", "").strip() or "{}"
    try:
        config = json.loads(text)
        cluster = {kind: list(addresses) for kind, addresses in config.get("cluster", {}).items()}
        task = config.get("task", {"type": "worker", "index": 0})
        kind, index = task["type"], int(task["index"])
        if cluster:
            cluster[kind][index]
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise ValueError(f"TF_CONFIG is wrong: {error!r}. Accepted: {EXAMPLE}. Received: {text!r}.") from error
    if cluster.keys() - {"chief", "worker"}:
        raise ValueError(
            f"TF_CONFIG may name workers and a chief, who do the same work. Accepted: {EXAMPLE}. Received: {text!r}."
        )
    return cluster, (kind, index)
