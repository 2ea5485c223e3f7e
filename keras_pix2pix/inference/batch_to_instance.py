"""Replace batch norm for inference: by instance norm, or by moving averages measured on data."""

from collections.abc import Iterable

import keras
import numpy as np
from keras import layers

from keras_pix2pix.inference.walk import leaves

__all__ = ["instance_from_batch"]


def instance_from_batch(model: keras.Model, data: Iterable | np.ndarray | None = None) -> keras.Model:
    """Replace a generator's batch norm by instance norm, or calibrate it on data.

    A network trained at batch 1 on batch statistics has only ever seen the statistics of single images, and its
    moving averages describe none of them. Affine instance norm with the same gamma, beta and epsilon is the same
    function, exactly, of `generator(source, training=True)` without dropout at batch 1; leave `data` out. That is
    the paper's recipe for most tasks, and the TensorFlow tutorial's.

    A network trained at batch 4 or more relies on statistics of many images, which instance norm doesn't have. It
    needs moving averages, but those of training lag behind the weights. Pass `data`: layer by layer, from the source
    on, each batch norm gets the mean and variance of its inputs over all the data, so that the result is the same as
    with batch statistics of all the data in one batch. At batch 2 or 3, try both on validation data.

    Args:
        model: Functional `keras.Model`, or an object with one as `generator`, such as a `Pix2Pix`. It isn't
            changed.
        data: Batches of source images `(batch, height, width, channels)` in [-1, 1], or `(source, target, ...)` as
            `paired_dataset(..., training=False)` yields them; pairs of weight 0 are ignored. It is read once for each
            batch norm and must yield the same images each time: no jitter. Defaults to None: instance norm.

    Returns:
        A functional `keras.Model` with weights of its own: with `GroupNormalization(groups=-1)` in place of each
        batch norm; with `data`, the same layers and new moving averages.

    Raises:
        ValueError: A network without batch norm, or with one over another axis than the channels; data that are
            infinite, empty, or can be read only once.

    Example:

    ```python
    from keras_pix2pix import instance_from_batch, unet_generator

    generator = unet_generator((64, 64, 3), filters=8, normalization="batch")
    instance = instance_from_batch(generator)
    ```

    Reference:
        Wu and Johnson, "Rethinking 'Batch' in BatchNorm", Section 3, on averages over the whole data.
    """
    generator = getattr(model, "generator", model)
    norms = [layer for layer in leaves(generator) if isinstance(layer, layers.BatchNormalization)]
    if not norms:
        raise ValueError(
            "`model` must be a generator with `BatchNormalization` layers. "
            f"Received: {generator.name!r} without any. There is nothing to replace."
        )
    for norm in norms:
        axis = norm.axis[0] if isinstance(norm.axis, list | tuple) else norm.axis
        if axis not in (-1, 3):
            raise ValueError(
                "Batch norm must be over the channels, the last axis. "
                f"Received: axis={norm.axis} in the layer {norm.name!r}. Build the network with channels last."
            )
    if data is None:
        return _clone(generator, _instance_norm)
    return _calibrated(generator, _repeatable(data))


def _clone(network, clone_layer):
    clone = keras.models.clone_model(network, clone_function=clone_layer, call_function=_call, recursive=True)
    for copy, original in zip(leaves(clone), leaves(network), strict=True):
        values = {weight.name: weight for weight in original.weights}
        for weight in copy.weights:
            weight.assign(values[weight.name])
    return clone


def _call(layer, *inputs, **options):
    # Batch norm is called with a mask, which group norm doesn't take.
    if isinstance(layer, layers.GroupNormalization):
        return layer(*inputs)
    return layer(*inputs, **options)


def _copy(layer):
    # Operations that aren't layers, such as `keras.ops.pad`, come here too.
    return layer.__class__.from_config(layer.get_config()) if isinstance(layer, layers.Layer) else layer


def _instance_norm(layer):
    if not isinstance(layer, layers.BatchNormalization):
        return _copy(layer)
    return layers.GroupNormalization(
        groups=-1,
        epsilon=layer.epsilon,
        center=layer.center,
        scale=layer.scale,
        trainable=layer.trainable,
        dtype=layer.dtype_policy,
        name=layer.name,
    )


def _calibrated(generator, data):
    measured = _clone(generator, _measuring_norm)
    norms = [layer for layer in leaves(measured) if isinstance(layer, _MeasuringNormalization)]
    for norm in norms:
        # All norms before this one already have their statistics.
        norm.begin()
        for source in _sources(data):
            measured(source, training=False)
        norm.end()
    clone = _clone(generator, _copy)
    for copy, norm in zip(
        (each for each in leaves(clone) if isinstance(each, layers.BatchNormalization)), norms, strict=True
    ):
        copy.set_weights(norm.get_weights())
    return clone


def _measuring_norm(layer):
    if isinstance(layer, layers.BatchNormalization):
        return _MeasuringNormalization.from_config(layer.get_config())
    return _copy(layer)


class _MeasuringNormalization(layers.BatchNormalization):
    """Batch norm on its moving averages, which can measure its inputs."""

    statistics = None

    def begin(self):
        self.statistics = (0, 0.0, 0.0)

    def call(self, inputs, training=None, mask=None):
        if self.statistics is not None and not isinstance(inputs, keras.KerasTensor):
            self.statistics = _merged(self.statistics, keras.ops.convert_to_numpy(inputs).astype("float64"))
        return super().call(inputs, training=False)

    def end(self):
        _, mean, variance = self.statistics
        self.moving_mean.assign(mean)
        self.moving_variance.assign(variance)
        self.statistics = None


def _merged(statistics, x):
    """Count, mean and population variance per channel, of everything so far and `x` together."""
    count, mean, variance = statistics
    added = x.size // x.shape[-1]
    share = added / (count + added)
    shift = x.mean(axis=(0, 1, 2)) - mean
    variance = (1 - share) * variance + share * x.var(axis=(0, 1, 2)) + share * (1 - share) * shift**2
    return count + added, mean + share * shift, variance


def _repeatable(data):
    if isinstance(data, np.ndarray):
        return [data]
    if isinstance(data, tuple):
        raise ValueError(
            "`data` must be batches. Accepted: a list of batches of sources, or of (source, target), or a data set. "
            "Received: a tuple, all of whose parts would be read as sources. Put it in a list."
        )
    if iter(data) is data or getattr(data, "cardinality", lambda: 0)() == -1:
        raise ValueError(
            "`data` must be finite, and readable once for each batch norm. Accepted: a list of batches, or a finite "
            f"data set. Received: {type(data).__name__}. Make a list of it, or take a number of batches."
        )
    return data


def _sources(data):
    empty = True
    for batch in data:
        source, *rest = batch if isinstance(batch, (tuple, list)) else (batch,)
        if not np.issubdtype(np.asarray(source).dtype, np.floating):
            raise ValueError(
                "`data` must be images, float in [-1, 1]. "
                f"Received: {np.asarray(source).dtype}. Convert pixels with `images.to_image`."
            )
        if len(rest) == 2:
            source = np.asarray(source)[np.asarray(rest[1]) != 0]
        if len(source):
            empty = False
            yield source
    if empty:
        raise ValueError(
            "`data` must have at least one batch of source images. Received: none. Check where the data come from."
        )
