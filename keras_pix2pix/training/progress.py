"""How far a run has come: what a checkpoint says beside weights, optimizers and the state of dropout."""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

SMALL = 64  # Height and width of images that metrics are built with, where the generator leaves them open.


@dataclass(frozen=True)
class Progress:
    """Where a run stands, and what its metrics have summed up of an epoch that is under way.

    Args:
        epoch: Number of whole epochs behind it, as `fit` counts them.
        step: Batches of the epoch under way behind it; 0 between two epochs.
        seen: Batches of all epochs behind it.
        metric_states: Tuple of arrays, one for each variable of the metrics, `(replicas, ...)`. Defaults to ().
    """

    epoch: int
    step: int
    seen: int
    metric_states: tuple = ()

    def write(self, store):
        """Put it into what `save_own_variables` is given."""
        store["progress"] = np.array([self.epoch, self.step, self.seen])
        for index, state in enumerate(self.metric_states):
            store[f"metric_{index}"] = state

    @classmethod
    def read(cls, store):
        """What `write` has put there, or None."""
        if "progress" not in store:
            return None
        count = sum(key.startswith("metric_") for key in store.keys())  # noqa: SIM118 - it has no __iter__ of keys
        states = tuple(np.array(store[f"metric_{index}"]) for index in range(count))
        return cls(*(int(number) for number in store["progress"]), states)


def metric_states(model):
    """What the metrics have summed up, replica by replica, so that sums go on to be rounded alike.

    Returns tuple of arrays `(replicas, ...)`.
    """
    return tuple(np.stack([part.numpy() for part in parts]) for parts in _metric_variables(model))


def set_metric_states(model, states):
    """Let the metrics go on from these sums."""
    variables = _metric_variables(model)
    if [state.shape[1:] for state in states] != [tuple(parts[0].shape) for parts in variables]:
        raise ValueError(
            "The checkpoint was written in the middle of an epoch, with other metrics than the model has now. Compile "
            "it as before, or begin the epoch again."
        )
    for parts, state in zip(variables, states, strict=True):
        if len(state) != len(parts):  # Another number of replicas: what counts is the sum over them.
            state = np.stack([state.sum(0), *[np.zeros_like(state[0])] * (len(parts) - 1)])
        for part, value in zip(parts, state, strict=True):
            part.assign(value)


def build_metrics(model):
    """Have Keras make the variables of all metrics, which it otherwise does in the first step."""
    images = tf.zeros([1, *(side or SMALL for side in model.generator.output_shape[1:])])
    model.distribute_strategy.run(lambda: model.compute_metrics(images, images, images))
    model.reset_metrics()


def _metric_variables(model):
    """The variables of all metrics, each as the tuple of its replicas' own."""
    variables = {id(variable): variable for variable in model.metrics_variables}  # Keras lists some of them twice.
    return [model.distribute_strategy.experimental_local_results(each.value) for each in variables.values()]
