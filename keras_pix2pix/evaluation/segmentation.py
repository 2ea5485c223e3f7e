"""FCN-score: does a segmenter, trained on real photos, recognise in generated ones what the label map asked for?"""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_pix2pix.evaluation.scores import Score, bootstrap_draws
from keras_pix2pix.networks.unet import unet_generator
from keras_pix2pix.terminal import with_progress

__all__ = ["class_counts", "fcn_score", "scores_of_counts", "train_segmenter"]

_NO_CLASS = -1  # As `classes_of` of the encodings marks it.
_LEARNING_RATE = 1e-3
_BATCH = 16


def train_segmenter(
    photos: np.ndarray,
    labels: np.ndarray,
    *,
    classes: int | None = None,
    filters: int = 16,
    steps: int = 1200,
    batch_size: int = 4,
    seed: int = 0,
) -> keras.Model:
    """Train a small U-Net to tell the class of each pixel of a photo.

    Adam, a learning rate of 1e-3 that falls to 0 along a cosine, and random mirror images.

    Args:
        photos: Real photos, `(pictures, height, width, 3)` in [-1, 1].
        labels: Their classes, integers `(pictures, height, width)` from 0; -1 for no class, which doesn't count.
        classes: Number of classes, 2 or more. Defaults to None: as many as the highest label needs.
        filters: Channels of the first block, which double up to 8 times as many. Defaults to 16.
        steps: Training steps, 1 or more. Defaults to 1200.
        batch_size: Photos in each step. Defaults to 4.
        seed: Of weights, order and mirroring; it becomes that of Keras, as `keras.utils.set_random_seed` sets it.
            Defaults to 0.

    Returns:
        A functional `keras.Model` from photos to logits `(batch, height, width, classes)`.

    Raises:
        ValueError: Photos or labels of another type, shape or range, or a number that is too small.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix.evaluation import train_segmenter

    labels = np.random.default_rng(0).integers(0, 2, (4, 32, 32))
    photos = np.stack([labels * 2.0 - 1] * 3, axis=-1)
    segmenter = train_segmenter(photos, labels, filters=4, steps=2)
    ```

    Reference:
        Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", Section 4.1.
    """
    photos, labels = _checked("photos", photos, labels)
    classes = max(2, int(labels.max()) + 1) if classes is None else classes
    for name, value, least in (("classes", classes, 2), ("steps", steps, 1), ("batch_size", batch_size, 1)):
        if value < least:
            raise ValueError(f"`{name}` must be {least} or more. Received: {name}={value!r}.")
    _check_classes(labels, classes)
    _check_some_counted((labels != _NO_CLASS).sum())
    keras.utils.set_random_seed(seed)
    unet = unet_generator(photos.shape[1:], classes, filters=filters)
    logits = unet.get_layer("generated").input  # Before the tanh.
    learner = keras.Model(unet.input, logits)
    learner.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(_LEARNING_RATE, steps)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=_NO_CLASS),
    )
    examples = _examples(photos, labels, seed).batch(batch_size)
    learner.fit(examples, steps_per_epoch=steps, shuffle=False, verbose=0, callbacks=[_progress_bar(steps)])
    return keras.Model(unet.input, logits, name="segmenter")  # Without the optimizer.


def fcn_score(segmenter: keras.Model, generated: np.ndarray, labels: np.ndarray) -> dict[str, Score]:
    """Let a segmenter look at generated photos, and compare its answers with the label maps they were made from.

    All pixels of all pictures are counted together, and classes that no label has are left out. What real photos reach
    is as much as the segmenter can see: compare with that.

    Args:
        segmenter: `keras.Model` from images `(batch, height, width, 3)` in [-1, 1] to logits
            `(batch, height, width, classes)`, such as `train_segmenter` returns.
        generated: Generated photos, `(pictures, height, width, 3)` in [-1, 1].
        labels: Integers `(pictures, height, width)`: the class of each pixel, -1 for none.

    Returns:
        A `Score` from 0 to 1 for each name, with the standard error by bootstrap over the pictures:
        "pixel_accuracy", the share of pixels whose class was recognised; "class_accuracy", its mean over the
        classes; and "class_iou", the mean of intersection over union.

    Raises:
        ValueError: Photos or labels of another type, shape or range.

    Example:

    ```python
    import keras
    import numpy as np
    from keras_pix2pix.evaluation import fcn_score

    photo = keras.Input((32, 32, 3))
    segmenter = keras.Model(photo, keras.layers.Conv2D(5, 1)(photo))
    scores = fcn_score(segmenter, np.zeros((2, 32, 32, 3)), np.zeros((2, 32, 32), int))
    ```

    Reference:
        Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", Section 4.1.
    """
    return scores_of_counts(class_counts(segmenter, generated, labels))


def class_counts(segmenter: keras.Model, generated: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Pixels of each picture and class, `(pictures, 3, classes)`: recognised, labelled, and given as an answer.

    They are the diagonal and the sums of rows and columns of the picture's confusion matrix.
    """
    generated, labels = _checked("generated", generated, labels)
    classes = segmenter.output_shape[-1]
    _check_classes(labels, classes)
    batches = [slice(start, start + _BATCH) for start in range(0, len(generated), _BATCH)]
    logits = (segmenter(generated[batch], training=False) for batch in batches)
    answers = np.concatenate([np.asarray(keras.ops.argmax(each, axis=-1)) for each in logits])
    return np.stack([_counts(*each, classes) for each in zip(answers, labels, strict=True)])


def scores_of_counts(counts: np.ndarray) -> dict[str, Score]:
    """The `fcn_score` of pictures with the `class_counts` `(pictures, 3, classes)`."""
    pictures = len(counts)
    _check_some_counted(counts.sum())
    values = _scores(counts.sum(axis=0))
    if pictures < 2:
        return {name: Score(float(value)) for name, value in values.items()}
    times = np.stack([np.bincount(drawn, minlength=pictures) for drawn in bootstrap_draws(pictures)])
    resampled = _scores(np.tensordot(times, counts, axes=1))
    return {name: Score(float(value), float(resampled[name].std(ddof=1))) for name, value in values.items()}


def _scores(counts):
    """The scores of pixels counted by class, `(..., 3, classes)`."""
    right, labelled, answered = np.moveaxis(counts, -2, 0)
    number = np.maximum((labelled > 0).sum(axis=-1), 1)
    union = labelled + answered - right
    # A class that isn't labelled is never right, so it adds nothing to a sum.
    return {
        "pixel_accuracy": right.sum(axis=-1) / np.maximum(labelled.sum(axis=-1), 1),
        "class_accuracy": (right / np.maximum(labelled, 1)).sum(axis=-1) / number,
        "class_iou": (right / np.maximum(union, 1)).sum(axis=-1) / number,
    }


def _counts(answers, labels, classes):
    counted = labels != _NO_CLASS
    answers, labels = answers[counted], labels[counted]
    return np.stack([np.bincount(each, minlength=classes) for each in (labels[labels == answers], labels, answers)])


def _examples(photos, labels, seed):
    """(photo, labels), shuffled, mirrored at random, without end."""
    with tf.device("CPU:0"):  # Where tf.data reads them.
        photos, labels = tf.constant(photos), tf.constant(labels)

    def example(index, drawn):
        photo, classes = tf.gather(photos, index), tf.gather(labels, index)
        mirrored = drawn % 2 == 0
        return tf.where(mirrored, photo[:, ::-1], photo), tf.where(mirrored, classes[:, ::-1], classes)

    order = tf.data.Dataset.range(len(photos)).shuffle(len(photos), seed=seed).repeat()
    return tf.data.Dataset.zip(order, tf.data.Dataset.random(seed)).map(example)


def _progress_bar(steps):
    bar = iter(with_progress(range(steps), steps, "Training the segmenter"))
    # It is drawn when its first step is asked for, and taken away when there is none after the last.
    return keras.callbacks.LambdaCallback(
        on_train_begin=lambda logs=None: next(bar), on_train_batch_end=lambda batch, logs=None: next(bar, None)
    )


def _checked(name: str, images: Any, labels: Any) -> tuple[np.ndarray, np.ndarray]:
    images, labels = np.asarray(images, np.float32), np.asarray(labels)
    if images.ndim != 4 or images.shape[-1] != 3 or not len(images) or np.abs(images).max() > 1:
        raise ValueError(
            f"`{name}` must be images (pictures, height, width, 3) in [-1, 1]. Received: shape {images.shape}"
            + (f", {images.min():g} to {images.max():g}." if images.size else ".")
        )
    if labels.dtype.kind not in "iu" or labels.shape != images.shape[:3]:
        raise ValueError(
            f"`labels` must be integers {images.shape[:3]}, a class for each pixel of `{name}`. "
            f"Received: {labels.dtype} of shape {labels.shape}."
        )
    return images, labels.astype(np.int32)


def _check_classes(labels, classes):
    if labels.min() < _NO_CLASS or labels.max() >= classes:
        raise ValueError(
            f"`labels` must be from 0 to {classes - 1}, or {_NO_CLASS} for pixels of no class. "
            f"Received: {labels.min()} to {labels.max()}."
        )


def _check_some_counted(number):
    if not number:
        raise ValueError(f"`labels` must have pixels of a class. Received: only {_NO_CLASS}.")
