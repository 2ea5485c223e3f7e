"""Adversarial losses: pairs of pure functions over logits, one value for each example."""

from collections.abc import Callable
from typing import NamedTuple

import keras
from keras import ops


class AdversarialLoss(NamedTuple):
    """What the discriminator and the generator minimise.

    Args:
        discriminator: Function (real_logits, fake_logits) -> losses of shape `(batch,)`.
        generator: Function (fake_logits) -> losses of shape `(batch,)`.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix.training.losses import adversarial_loss

    loss = adversarial_loss("lsgan")
    losses = loss.generator(np.zeros((1, 30, 30, 1), "float32"))  # [1.0]
    ```
    """

    discriminator: Callable
    generator: Callable


def adversarial_loss(gan_loss):
    """The pair of functions that a word or a Keras loss stands for.

    Logits may be one tensor or a list of them, one for each scale of a discriminator; the losses of scales are
    averaged. The discriminator's loss is halved, which slows it down relative to the generator (Section 3.3).

    Args:
        gan_loss: "vanilla": cross-entropy of logits, the generator minimising -log D (Section 3);
            "lsgan": least squares (Mao et al., 2017); or a `keras.losses.Loss` between labels, 1 for real and 0 for
            generated, and logits, for example `keras.losses.BinaryCrossentropy(from_logits=True,
            label_smoothing=0.1)`. Its `reduction` is not used.

    Returns:
        An `AdversarialLoss`.

    Raises:
        ValueError: Anything else.

    Example:

    ```python
    import keras
    from keras_pix2pix.training.losses import adversarial_loss

    loss = adversarial_loss(keras.losses.MeanAbsoluteError())
    ```

    Reference:
        Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", Sections 3 and 3.3.
    """
    if isinstance(gan_loss, keras.losses.Loss):
        return _pair(gan_loss.call)
    if not isinstance(gan_loss, str) or gan_loss not in CRITERIA:
        raise ValueError(
            f"`gan_loss` must be {' or '.join(repr(word) for word in CRITERIA)}, or a `keras.losses.Loss`. "
            f"Received: gan_loss={gan_loss!r}."
        )
    return _pair(CRITERIA[gan_loss])


def l1_loss(target, generated):
    """Mean absolute difference of each example (Section 3.1, equation 3).

    Args:
        target: Images, `(batch, height, width, channels)`.
        generated: Images of the same shape.

    Returns:
        Tensor of shape `(batch,)`, in [0, 2] for images in [-1, 1].

    Example:

    ```python
    import numpy as np
    from keras_pix2pix.training.losses import l1_loss

    losses = l1_loss(np.ones((1, 8, 8, 3)), np.zeros((1, 8, 8, 3)))  # [1.0]
    ```

    Reference:
        Isola et al., Section 3.1.
    """
    return mean_per_example(ops.abs(target - generated))


def mean_per_example(values):
    """Mean over all axes but the first; a list of tensors gives the mean of their means.

    Args:
        values: Tensor of shape `(batch, ...)`, or a list of them.

    Returns:
        Tensor of shape `(batch,)`.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix.training.losses import mean_per_example

    means = mean_per_example(np.ones((2, 30, 30, 1)))  # [1.0, 1.0]
    ```
    """
    means = [ops.mean(each, axis=tuple(range(1, len(each.shape)))) for each in as_list(values)]
    return sum(means) / len(means)


def as_list(logits):
    """Logits as a list, whether a discriminator returns one tensor or several.

    Args:
        logits: Tensor, or list or tuple of tensors.

    Returns:
        A list of tensors.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix.training.losses import as_list

    (logits,) = as_list(np.zeros((1, 30, 30, 1)))
    ```
    """
    return list(logits) if isinstance(logits, (list, tuple)) else [logits]


def _cross_entropy(labels, logits):
    return ops.softplus(-logits) * labels + ops.softplus(logits) * (1 - labels)


def _squared_error(labels, logits):
    return ops.square(logits - labels)


CRITERIA = {"vanilla": _cross_entropy, "lsgan": _squared_error}


def _pair(criterion):
    def judged(logits, label):
        return mean_per_example([criterion(ops.full_like(each, label), each) for each in as_list(logits)])

    return AdversarialLoss(
        discriminator=lambda real_logits, fake_logits: (judged(real_logits, 1) + judged(fake_logits, 0)) / 2,
        generator=lambda fake_logits: judged(fake_logits, 1),
    )
