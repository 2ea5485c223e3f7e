"""From matched files to a `tf.data.Dataset` of (source, target) images: decode once, jitter jointly, batch."""

import itertools
import math
from collections.abc import Sequence
from functools import partial
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from keras_pix2pix.data.fitting import fitting_of
from keras_pix2pix.data.pairs import encodings_of_sides, find_pairs, subset_of
from keras_pix2pix.data.photometric import adjust_colors, check_color_jitter, random_factors
from keras_pix2pix.data.pixel_cache import PixelCache
from keras_pix2pix.data.python_calls import python_call
from keras_pix2pix.images import INTERPOLATIONS, height_and_width

__all__ = ["paired_dataset"]

_MOST_JITTER = 10  # Then a crop shows a hundredth of the picture.


def paired_dataset(
    directory: str | Path | Sequence[str | Path],
    target_directory: str | Path | None = None,
    *,
    image_size: int | Sequence[int] = (256, 256),
    batch_size: int = 1,
    direction: str = "AtoB",
    training: bool = True,
    seed: int = 0,
    initial_epoch: int = 0,
    initial_step: int = 0,
    repeat: bool = False,
    source_encoding: Any = "rgb",
    target_encoding: Any = "rgb",
    source_interpolation: str = "bicubic",
    target_interpolation: str = "bicubic",
    jitter: float = 286 / 256,
    mirror: bool = True,
    color_jitter: float = 0.0,
    cache_bytes: int = 2 * 1024**3,
    validation_split: float = 0.0,
    subset: str | None = None,
    fit: str = "stretch",
    rotate: bool = False,
) -> tf.data.Dataset:
    """A data set of (source, target) images from a folder of side-by-side files, or from two folders, for `model.fit`.

    A side-by-side file holds A in its left half and B in its right. Files of two folders are matched by their names
    without extension, and without an ending that all files of a folder share, such as `_leftImg8bit`. A folder without
    pictures is searched with its subfolders; if it holds several kinds of files, a pattern such as
    "gtFine/train/**/*_color.png" selects one. All headers are checked before this returns; each file is decoded and
    resized once, with Pillow's antialiased filters, and kept as it is stored, in uint8 for pictures and label maps of 8
    bits.

    Every pass over the data set is the next epoch: order, crop, mirror and colours are functions of (seed, epoch,
    index) alone, so that a run resumed with `initial_epoch` sees what the uninterrupted run would have seen. With
    `repeat=True` and `initial_step` it does so in the middle of an epoch too.

    Args:
        directory: Folder of side-by-side files, of even width; with `target_directory`, of sources, or several
            folders, whose sources are concatenated along the channels; or a list of pairs: a CSV file with the columns
            source, target and optionally split (train, val, test), or JSON lines with these names. JPEG, PNG, BMP,
            GIF, TIFF or WebP files, or `.npy` arrays. EXIF orientation is applied; for "rgb", gray and palette
            pictures become RGB, and alpha is dropped.
        target_directory: Folder of targets: the names of the sources, any extensions, the same sizes. Defaults to
            None: the files are side by side.
        image_size: Height and width in pixels of the images, or one integer for a square. Defaults to (256, 256).
        batch_size: Pairs in a batch, over all replicas. Defaults to 1, as in the paper.
        direction: Which half is the source: "AtoB", the left one, or "BtoA", the right one. Defaults to "AtoB".
        training: Whether to shuffle, jitter, mirror, and drop the last incomplete batch. If False, every pair comes
            once, in the order of the file names, and the last batch is filled up with pairs of weight 0.
            Defaults to True.
        seed: Integer seed of order, crops, mirroring and colours. Defaults to 0.
        initial_epoch: Number of the first epoch, counted from 0. Defaults to 0.
        initial_step: Batches that were already trained on since the start of `initial_epoch`, possibly more than one
            epoch; needs `repeat=True`. Defaults to 0.
        repeat: Whether to repeat epochs without end, for `fit(steps_per_epoch=...)`; every pass then starts again at
            batch `initial_step`. Defaults to False.
        source_encoding: How the source is stored: "rgb", "gray", "rgba", "gray16", "classes:NUMBER" (indices),
            "palette:#RRGGBB,#RRGGBB,..." (label colours), "values:CHANNELS:LOW:HIGH" (`.npy`), or an object of
            `encodings`; one for all folders of sources, or a list with one for each. Defaults to "rgb".
        target_encoding: The same for the target. Defaults to "rgb".
        source_interpolation: Filter that resizes the source: "nearest", "bilinear", "bicubic" or "lanczos". Label maps
            are always resized with "nearest". Defaults to "bicubic".
        target_interpolation: The same for the target. Defaults to "bicubic".
        jitter: Ratio by which both sides are enlarged before the same random crop is taken from them, 1 to 10;
            1 switches it off. Defaults to 286 / 256 (Section 6.2).
        mirror: Whether half of the pairs are flipped left to right. Defaults to True.
        color_jitter: Strength, 0 to 1, of random changes to the brightness, contrast and saturation of the source
            only; 0 switches them off. Not for label maps. Defaults to 0.
        cache_bytes: Memory in bytes for decoded pixels; pairs beyond it are decoded again in each epoch; 0 switches
            the cache off. Defaults to 2 GiB.
        validation_split: Share of the pairs, above 0 and below 1, to keep for validation, drawn with `seed`; needs
            `subset`. Defaults to 0: all pairs are used.
        subset: The part of the pairs to use, "training" or "validation"; also "test" for a list with splits.
            Defaults to None: all pairs.
        fit: How pictures of other sizes become images of `image_size`. "stretch": each side by a factor of its own.
            "cover": both sides by one factor, so that the picture covers the image, and a crop of it. "crop": no
            scaling, a crop of the stored pixels, which are enlarged by `jitter` alone. "pad": both sides by one factor,
            so that the picture fits in, and its reflection around it, which losses don't count: it is correct.
            Crops are random while training, and from the centre otherwise. Defaults to "stretch", as in the paper.
        rotate: Whether both sides are also turned by 0, 90, 180 or 270 degrees at random, for pictures without an
            upper edge, such as those of satellites and microscopes; needs a square `image_size`. Defaults to False.

    Returns:
        A `tf.data.Dataset` of known cardinality, or infinite with `repeat=True`. With `training=True` its elements are
        (source, target), float32 of shape `(batch_size, height, width, channels)`, in [-1, 1]; with `training=False`
        they are (source, target, sample_weight), with float32 weights of shape `(batch_size,)`. With "pad" they are
        (source, target, sample_weight) in both cases, with a weight for each pixel, `(batch_size, height, width, 1)`.

    Raises:
        ValueError: An unusable folder or file, unmatched names or sides of different size, which are named, or an
            argument out of range.

    Example:

    ```python
    from keras_pix2pix import paired_dataset
    from keras_pix2pix.data import synthetic

    synthetic.write_facades("pairs", 4, image_size=(64, 64))
    dataset = paired_dataset("pairs", image_size=64, batch_size=2)
    source, target = next(iter(dataset))
    ```

    Reference:
        Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", Section 6.2.
    """
    interpolations = source_interpolation, target_interpolation
    encodings = encodings_of_sides(directory, target_directory, source_encoding, target_encoding)
    _check_whole_numbers(batch_size=(batch_size, 1), initial_epoch=(initial_epoch, 0), initial_step=(initial_step, 0))
    _check_whole_numbers(seed=(seed, -math.inf), cache_bytes=(cache_bytes, 0))
    _check_start(training, initial_step, repeat)
    _check_jitter_and_interpolations(jitter, interpolations)
    check_color_jitter(color_jitter, encodings[0])
    image_size = height_and_width(image_size)
    _check_rotate(rotate, image_size)
    fitting = fitting_of(fit, image_size, jitter, training)
    found = find_pairs(directory, target_directory, direction, *encodings)
    pairs = subset_of(found, validation_split, subset, seed)
    fitting.check(pairs, encodings)
    load = _loader(PixelCache(pairs, encodings, fitting, interpolations, cache_bytes), encodings, fitting)
    if training:
        batches = len(pairs) // batch_size
        jittered = _jittered(load, mirror, rotate, color_jitter)
        if repeat:
            positions = _endless_positions(initial_epoch, initial_step * batch_size, batches * batch_size)
        else:
            positions = _positions_of_passes(initial_epoch, len(pairs))
        examples = _training_examples(jittered, positions, len(pairs), seed)
    else:
        batches = -(-len(pairs) // batch_size)
        examples = _validation_examples(load, len(pairs), batches * batch_size)
    if not batches:
        raise ValueError(
            f"`batch_size` must not exceed the number of pairs, {len(pairs)}: training drops incomplete batches. "
            f"Received: batch_size={batch_size}. Pass a smaller `batch_size`."
        )
    dataset = examples.batch(batch_size, drop_remainder=True)
    dataset = dataset.map(_encoder(encodings, training and color_jitter))
    if not repeat:
        dataset = dataset.apply(tf.data.experimental.assert_cardinality(batches))
    # Several workers divide each batch among them, because they can't divide the files.
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    dataset = dataset.prefetch(tf.data.AUTOTUNE).with_options(options)
    dataset.is_paired_dataset = True  # `fit` need not look at its values.
    return dataset


def _loader(read, encodings, fitting):
    """A function (index, *place) -> source, target, and the weights of their pixels if the fitting pads."""
    specs = [tf.TensorSpec((*fitting.image_size, each.raw_channels), each.raw_dtype) for each in encodings]
    if fitting.pads:
        specs.append(tf.TensorSpec((*fitting.image_size, 1), tf.float32))
    return partial(python_call, read, specs=specs)


def _encoder(encodings, color_jitter):
    """A function that makes batches of images from batches of stored values."""
    source_encoding, target_encoding = encodings

    def encode(source, target, *rest):
        return source_encoding.to_image(source), target_encoding.to_target(target), *rest

    def encode_in_new_colors(source, target, *weights_and_factors):
        *weights, factors = weights_and_factors
        source, *rest = encode(source, target, *weights)
        return adjust_colors(source, factors, source_encoding), *rest

    return encode_in_new_colors if color_jitter else encode


def _check_whole_numbers(**values):
    for name, (value, least) in values.items():
        if not isinstance(value, Integral) or value < least:
            bound = "" if least == -math.inf else f" of {least} or more"
            raise ValueError(f"`{name}` must be an integer{bound}. Received: {name}={value!r}.")


def _check_start(training, initial_step, repeat):
    if repeat and not training:
        raise ValueError("`repeat=True` is for training; validation must end. Leave it out, or pass `training=True`.")
    if initial_step and not repeat:
        raise ValueError(
            f"`initial_step` is for endless data. Received: initial_step={initial_step}, repeat=False. Pass "
            "`repeat=True`, and `steps_per_epoch` to `fit`."
        )


def _check_jitter_and_interpolations(jitter, interpolations):
    if not isinstance(jitter, Real) or not 1 <= jitter <= _MOST_JITTER:
        raise ValueError(
            f"`jitter` must be a ratio from 1 (off) to {_MOST_JITTER}, such as 286 / 256. Received: jitter={jitter!r}."
        )
    for side, interpolation in zip(("source", "target"), interpolations, strict=True):
        if not isinstance(interpolation, str) or interpolation not in INTERPOLATIONS:
            raise ValueError(
                f"`{side}_interpolation` must be one of {', '.join(INTERPOLATIONS)}. Received: {interpolation!r}."
            )


def _check_rotate(rotate, image_size):
    if rotate and image_size[0] != image_size[1]:
        raise ValueError(
            "`rotate=True` turns a picture by 90 degrees, which exchanges its sides. Accepted: a square `image_size`. "
            f"Received: image_size={image_size}. Leave `rotate` out, or choose a square."
        )


def _jittered(load, mirror, rotate, color_jitter):
    """A function (index, seed) -> the sides of a pair, cropped, mirrored and turned at random, all alike.

    Reference:
        Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", Section 6.2.
    """

    def load_jittered(index, seed):
        top_share, left_share, coin = tf.unstack(tf.random.stateless_uniform([3], seed))
        sides = load(index, top_share, left_share)
        if mirror:
            sides = [_mirrored_if(coin < 0.5, side) for side in sides]
        if rotate:
            # Folded, because the crop uses the same seed; colours have taken 1.
            folded = tf.random.experimental.stateless_fold_in(seed, 2)
            turns = tf.random.stateless_uniform([], folded, maxval=4, dtype=tf.int32)
            sides = [tf.ensure_shape(tf.image.rot90(side, turns), side.shape) for side in sides]
        return (*sides, random_factors(color_jitter, seed)) if color_jitter else tuple(sides)

    return load_jittered


def _mirrored_if(condition, side):
    return tf.cond(condition, lambda: tf.reverse(side, axis=[1]), lambda: side)


def _positions_of_passes(initial_epoch, count):
    """(epoch, position) of the next epoch, on each pass over the data set."""
    epochs = itertools.count(initial_epoch)

    def next_epoch(_):
        (epoch,) = python_call(
            lambda _: [np.int64(next(epochs))], 0, specs=[tf.TensorSpec((), tf.int64)], stateful=True
        )
        return epoch

    passes = tf.data.Dataset.range(1).map(next_epoch)
    return passes.flat_map(lambda epoch: tf.data.Dataset.range(count).map(lambda position: (epoch, position)))


def _endless_positions(initial_epoch, first, count):
    """(epoch, position), epoch after epoch: the same in every pass, however many iterators Keras makes and drops."""
    return tf.data.Dataset.counter(first).map(lambda place: (initial_epoch + place // count, place % count))


def _training_examples(load, positions, count, seed):
    """What `load` makes of (index, seed), in the order of each epoch."""

    def example(epoch, position):
        epoch_seed = tf.random.experimental.stateless_fold_in([seed, 0], epoch)
        index = tf.random.experimental.index_shuffle(position, epoch_seed, count - 1)
        return load(index, tf.random.experimental.stateless_fold_in(epoch_seed, index))

    return positions.map(example, num_parallel_calls=tf.data.AUTOTUNE)


def _validation_examples(load, count, padded_count):
    """(source, target, sample_weight); the last batch is filled up with the last pair at weight 0."""

    def example(position):
        source, target, *of_pixels = load(tf.minimum(position, count - 1))
        weight = tf.cast(position < count, tf.float32)
        return source, target, of_pixels[0] * weight if of_pixels else weight

    return tf.data.Dataset.range(padded_count).map(example, num_parallel_calls=tf.data.AUTOTUNE)
