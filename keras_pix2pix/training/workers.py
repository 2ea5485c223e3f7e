"""Training on several machines."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf

from keras_pix2pix.training.cluster import folder_to_write, worker_count
from keras_pix2pix.training.distribution import strategy_for
from keras_pix2pix.training.model import Pix2Pix

__all__ = ["fit_on_workers", "one_error_if_a_worker_stops"]


def fit_on_workers(
    build_networks: Callable[[], tuple],
    compile: Callable[[Pix2Pix], Any],
    fit: Callable[[Pix2Pix, Path], Any],
    directory: str | Path,
    *,
    weights: str | Path | None = None,
    **kwargs: Any,
) -> Pix2Pix:
    """Train on all the machines that TF_CONFIG names: a process on each of them calls this with the same arguments.

    Without TF_CONFIG this machine trains alone, to the same result. Each batch is divided among the workers: its size
    must be a multiple of their number. Every worker reads the same data. Call it before any other use of TensorFlow.

    Args:
        build_networks: Function without arguments that returns (generator, discriminator).
        compile: Function of the `Pix2Pix` that compiles it; optimizers are made in it.
        fit: Function of the compiled `Pix2Pix` and of the folder to write to, a `Path`, that calls `model.fit` with a
            data set, the same callbacks on every worker.
        directory: Folder to write to. Only the chief (the first worker, if TF_CONFIG names no chief) does; `fit`
            gets a temporary copy of the files in it on the others.
        weights: File written by `model.save` or `model.save_weights` to continue from, optimizers included, if it
            exists. Defaults to None.
        **kwargs: Further arguments of `Pix2Pix`, such as `direction`.

    Returns:
        The trained `Pix2Pix`, equal on all workers.

    Raises:
        ValueError: An invalid TF_CONFIG.
        RuntimeError: Another worker stopped.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix import fit_on_workers, unet_generator

    images = np.zeros((2, 32, 32, 3), "float32")
    model = fit_on_workers(
        lambda: (unet_generator((32, 32, 3), filters=2), None),
        lambda model: model.compile(lambda_gan=0.0),
        lambda model, directory: model.fit(images, images, batch_size=2, verbose=0),
        directory="run",
    )
    ```
    """
    with folder_to_write(directory) as own_directory, one_error_if_a_worker_stops():
        strategy = strategy_for()
        with strategy.scope():
            networks = build_networks()
        # Outside the scope: Keras' `fit` would treat a model made within it as one for a single machine.
        model = Pix2Pix(*networks, **kwargs)
        with strategy.scope():
            compile(model)
            if weights is not None and Path(weights).exists():
                model.load_weights(weights)
            fit(model, own_directory)
    return model


@contextlib.contextmanager
def one_error_if_a_worker_stops() -> Iterator[None]:
    """Turn TensorFlow's errors about a worker that stopped into one plain message."""
    try:
        yield
    except (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError) as error:
        if worker_count() == 1:
            raise
        raise RuntimeError(
            "Another worker stopped, and none can continue without it. Start all of them again; `keras-pix2pix train` "
            f"with --resume. TensorFlow says: {error.message.splitlines()[0]}"
        ) from error
