"""The part of a model's file beside networks and optimizers that a run needs to continue where it stopped.

It can be read without TensorFlow: whether a run may be resumed is checked before TensorFlow starts.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

if TYPE_CHECKING:
    import keras

__all__ = ["Progress", "TrainingState", "build_metrics", "metric_states", "read_records", "set_metric_states"]

_WEIGHTS_FILE = "model.weights.h5"  # Keras' name for it in a `.keras` file.
_UNKNOWN_SIDE = 64  # Height and width of the images that metrics are built with, where the generator takes any.


@dataclass(frozen=True)
class Progress:
    """How far a run has come, and the metrics' sums of the current epoch.

    Args:
        epoch: Number of whole epochs done, as `fit` counts them.
        step: Batches done in the current epoch; 0 between two epochs.
        seen: Batches done in all epochs.
        metric_states: Tuple of arrays, one for each variable of the metrics, `(replicas, ...)`. Defaults to ().
    """

    epoch: int
    step: int
    seen: int
    metric_states: tuple = ()

    def is_within(self, epoch: int) -> bool:
        """Whether this epoch was started, and must be continued."""
        return self.step > 0 and self.epoch == epoch


@dataclass
class TrainingState:
    """`Pix2Pix.training_state`: where callbacks keep state that must survive a restart.

    Args:
        progress: How far the run has come. `callbacks.Checkpoint` sets it each time it saves; None before.
        average: Running means of the generator's trainable weights, of `callbacks.ExponentialMovingAverage`; None
            without it.
        records: JSON values by name: what `callbacks.Health` and `BestModel` have counted, whose run it is, and which
            trained networks it started from.
    """

    progress: Progress | None = None
    average: tuple | None = None
    records: dict = field(default_factory=dict)

    def first_step(self, epoch: int) -> int:
        """Steps of an epoch done before this `fit`: not 0 if it is resumed in the middle."""
        return self.progress.step if self.progress and self.progress.is_within(epoch) else 0

    def write(self, store: Any) -> None:
        """Write to the store of Keras' `save_own_variables`."""
        if self.progress:
            store["progress"] = np.array([self.progress.epoch, self.progress.step, self.progress.seen])
            _write_list(store, "metric", self.progress.metric_states)
        if self.records:
            store["records"] = np.frombuffer(json.dumps(self.records).encode(), np.uint8)
        _write_list(store, "average", self.average or ())

    @classmethod
    def read(cls, store: Any) -> TrainingState:
        """Read from the store of Keras' `load_own_variables`."""
        progress = None
        if "progress" in store:
            epoch, step, seen = map(int, store["progress"])
            progress = Progress(epoch, step, seen, tuple(_read_list(store, "metric")))
        return cls(progress, tuple(_read_list(store, "average")) or None, _records(store))


def read_records(file: str | Path) -> dict:
    """The records in a `.keras` file; none if it is missing or can't be read."""
    try:
        with zipfile.ZipFile(file) as archive, archive.open(_WEIGHTS_FILE) as opened, h5py.File(opened) as weights:
            return _records(weights.get("vars", {}))
    except (OSError, KeyError, ValueError, RuntimeError, zipfile.BadZipFile):
        return {}


def metric_states(model: keras.Model) -> tuple[np.ndarray, ...]:
    """The metrics' sums, replica by replica, so that they are rounded alike after a restart; `(replicas, ...)` each."""
    return tuple(np.stack([part.numpy() for part in parts]) for parts in _metric_variables(model))


def set_metric_states(model: keras.Model, states: Sequence[np.ndarray]) -> None:
    """Continue the metrics from these sums."""
    variables = _metric_variables(model)
    if [state.shape[1:] for state in states] != [tuple(parts[0].shape) for parts in variables]:
        raise ValueError(
            "The checkpoint was written in the middle of an epoch, with metrics other than the model has now. Compile "
            "it as before, or start the epoch again."
        )
    for parts, state in zip(variables, states, strict=True):
        if len(state) != len(parts):  # Another number of replicas: only the sum over them matters.
            state = np.stack([state.sum(0), *[np.zeros_like(state[0])] * (len(parts) - 1)])
        for part, value in zip(parts, state, strict=True):
            part.assign(value)


def build_metrics(model: keras.Model) -> None:
    """Make the variables of all metrics now; Keras would make them in the first step."""
    images = np.zeros([1, *(side or _UNKNOWN_SIDE for side in model.generator.output_shape[1:])], "float32")
    model.distribute_strategy.run(lambda: model.compute_metrics(images, images, images))
    model.reset_metrics()


def _records(store):
    found = json.loads(bytes(np.asarray(store["records"]))) if "records" in store else {}
    if not isinstance(found, dict):
        raise ValueError(f"The records in a model's file must be a JSON object. Received: {type(found).__name__}.")
    return found


def _write_list(store, name, arrays):
    for index, array in enumerate(arrays):
        store[f"{name}_{index}"] = np.asarray(array)


def _read_list(store, name):
    index = 0
    while f"{name}_{index}" in store:
        yield np.array(store[f"{name}_{index}"])
        index += 1


def _metric_variables(model):
    """The variables of all metrics, each as the tuple of its replicas' own."""
    variables = {id(variable): variable for variable in model.metrics_variables}  # Keras lists some of them twice.
    return [model.distribute_strategy.experimental_local_results(each.value) for each in variables.values()]
