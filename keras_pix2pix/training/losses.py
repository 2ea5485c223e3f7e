"""Losses: pure functions over logits, images and features, one value for each example."""

from collections.abc import Callable
from typing import NamedTuple

import keras
import tensorflow as tf
from keras import ops

CHARBONNIER_EPSILON = 1e-3
PUBLISHED_FEATURE_LAYERS = 4  # pix2pixHD sums over the four layers of its discriminators.
TINY = 1e-12


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


def adversarial_loss(gan_loss, label_smoothing=0.0):
    """The pair of functions that a word or a Keras loss stands for.

    Logits may be one tensor or a list of them, one for each scale of a discriminator; the losses of scales are
    averaged. The discriminator's loss is that of the real plus that of the generated pair.

    Args:
        gan_loss: "vanilla": cross-entropy of logits, the generator minimising -log D (Section 3);
            "lsgan": least squares (Mao et al., 2017); "hinge" (Lim and Ye, 2017); "wgangp": the difference of the
            logits (Gulrajani et al., 2017), to which `Pix2Pix` adds the gradient penalty; or a `keras.losses.Loss`
            between labels, 1 for real and 0 for generated, and logits. Its `reduction` is not used.
        label_smoothing: How far below 1 the discriminator's label for real pairs is, 0 to 1 exclusive; the
            generator's stays 1 (Salimans et al., 2016). For "vanilla" and "lsgan". Defaults to 0.

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
        Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", Sections 3 and 3.3; Mao et
        al., "Least Squares Generative Adversarial Networks"; Lim and Ye, "Geometric GAN"; Gulrajani et al.,
        "Improved Training of Wasserstein GANs"; Salimans et al., "Improved Techniques for Training GANs".
    """
    if isinstance(gan_loss, str) and gan_loss in CRITERIA:
        criterion = CRITERIA[gan_loss]
    elif isinstance(gan_loss, keras.losses.Loss):
        criterion = gan_loss.call
    elif isinstance(gan_loss, str) and gan_loss in CRITICS:
        criterion = None
    else:
        raise ValueError(
            f"`gan_loss` must be one of {', '.join(map(repr, (*CRITERIA, *CRITICS)))}, or a `keras.losses.Loss`. "
            f"Received: gan_loss={gan_loss!r}."
        )
    if not 0 <= label_smoothing < 1:
        raise ValueError(
            f"`label_smoothing` must be at least 0 and less than 1. Received: label_smoothing={label_smoothing!r}."
        )
    if label_smoothing and (criterion is None or isinstance(gan_loss, keras.losses.Loss)):
        raise ValueError(
            f"`label_smoothing` is for {' and '.join(map(repr, CRITERIA))}, which compare logits with labels. "
            f"Received: gan_loss={gan_loss!r}. Leave it out."
        )
    return CRITICS[gan_loss] if criterion is None else _pair(criterion, 1 - label_smoothing)


def reconstruction_loss(distance):
    """The function that a word or a Keras loss stands for: how far a generated image is from its target.

    Args:
        distance: "l1" (Section 3.1), "l2" (mean square), "charbonnier" (a smooth L1), or a `keras.losses.Loss`
            between target and generated images. Its `reduction` is not used.

    Returns:
        A function (target, generated) -> losses of shape `(batch,)`.

    Raises:
        ValueError: Anything else.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix.training.losses import reconstruction_loss

    losses = reconstruction_loss("l2")(np.ones((1, 8, 8, 3)), np.zeros((1, 8, 8, 3)))  # [1.0]
    ```

    Reference:
        Isola et al., Section 3.1; Charbonnier et al., "Two deterministic half-quadratic regularization algorithms
        for computed imaging".
    """
    if isinstance(distance, keras.losses.Loss):
        return lambda target, generated: mean_per_example(distance.call(target, generated))
    if not isinstance(distance, str) or distance not in DISTANCES:
        raise ValueError(
            f"`reconstruction_loss` must be one of {', '.join(map(repr, DISTANCES))}, or a `keras.losses.Loss`. "
            f"Received: reconstruction_loss={distance!r}."
        )
    return DISTANCES[distance]


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


def l2_loss(target, generated):
    """Mean squared difference of each example.

    Args:
        target: Images, `(batch, height, width, channels)`.
        generated: Images of the same shape.

    Returns:
        Tensor of shape `(batch,)`, in [0, 4] for images in [-1, 1].

    Example:

    ```python
    import numpy as np
    from keras_pix2pix.training.losses import l2_loss

    losses = l2_loss(2 * np.ones((1, 8, 8, 3)), np.zeros((1, 8, 8, 3)))  # [4.0]
    ```
    """
    return mean_per_example(ops.square(target - generated))


def charbonnier_loss(target, generated):
    """Mean of sqrt(difference**2 + 0.001**2) of each example: L1, smooth at 0.

    Args:
        target: Images, `(batch, height, width, channels)`.
        generated: Images of the same shape.

    Returns:
        Tensor of shape `(batch,)`.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix.training.losses import charbonnier_loss

    losses = charbonnier_loss(np.ones((1, 8, 8, 3)), np.ones((1, 8, 8, 3)))  # [0.001]
    ```

    Reference:
        Charbonnier et al., "Two deterministic half-quadratic regularization algorithms for computed imaging".
    """
    return mean_per_example(ops.sqrt(ops.square(target - generated) + CHARBONNIER_EPSILON**2))


DISTANCES = {"l1": l1_loss, "l2": l2_loss, "charbonnier": charbonnier_loss}


def feature_matching_loss(real_features, fake_features):
    """How far the discriminator's features of a generated pair are from those of the real one.

    Args:
        real_features: List of tensors `(batch, ...)`: the outputs of its activations, of all layers and scales.
        fake_features: List of tensors of the same shapes.

    Returns:
        Tensor of shape `(batch,)`: the L1 distance, averaged over layers and scales, times 4: at the published
        four layers it is the published sum over layers, averaged over scales.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix.training.losses import feature_matching_loss

    losses = feature_matching_loss([np.ones((1, 8, 8, 64))], [np.zeros((1, 8, 8, 64))])  # [4.0]
    ```

    Reference:
        Wang et al., "High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs", Section 3.3.
    """
    differences = [
        # In whole precision, whatever the policy that they were computed under.
        ops.abs(ops.cast(ops.stop_gradient(real), keras.config.floatx()) - ops.cast(fake, keras.config.floatx()))
        for real, fake in zip(real_features, fake_features, strict=True)
    ]
    return PUBLISHED_FEATURE_LAYERS * mean_per_example(differences)


def gradient_penalty(critic, target, generated, share):
    """How far the critic is from slope 1 between the target and the generated image.

    Args:
        critic: Function from images to logits, one tensor or a list of them. Its value for an image is the mean of
            its logits, as in the loss.
        target: Images, `(batch, height, width, channels)`.
        generated: Images of the same shape.
        share: Where between the two the slope is taken, `(batch,)`, 0 (target) to 1 (generated).

    Returns:
        Tensor of shape `(batch,)`: (norm of the gradient - 1)**2.

    Example:

    ```python
    import tensorflow as tf
    from keras_pix2pix.training.losses import gradient_penalty

    images = tf.zeros((1, 8, 8, 3))
    penalties = gradient_penalty(lambda image: 0 * image, images, images, tf.constant([0.5]))  # [1.0]
    ```

    Reference:
        Gulrajani et al., "Improved Training of Wasserstein GANs", Section 4.
    """
    share = ops.cast(ops.reshape(share, (-1, 1, 1, 1)), generated.dtype)
    between = target + share * (generated - target)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(between)
        value = mean_per_example(critic(between))
    squares = ops.sum(ops.square(tape.gradient(value, between)), axis=(1, 2, 3))
    # The square root has no slope at 0, where every gradient would be lost.
    return ops.square(ops.sqrt(squares + TINY) - 1)


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


def _pair(criterion, real_label):
    def judged(logits, label):
        return mean_per_example([criterion(ops.full_like(each, label), each) for each in as_list(logits)])

    return AdversarialLoss(
        discriminator=lambda real_logits, fake_logits: judged(real_logits, real_label) + judged(fake_logits, 0),
        generator=lambda fake_logits: judged(fake_logits, 1),
    )


def _hinge(logits, sign):
    return mean_per_example([ops.relu(1 - sign * each) for each in as_list(logits)])


CRITICS = {
    "hinge": AdversarialLoss(
        discriminator=lambda real_logits, fake_logits: _hinge(real_logits, 1) + _hinge(fake_logits, -1),
        generator=lambda fake_logits: -mean_per_example(fake_logits),
    ),
    "wgangp": AdversarialLoss(
        discriminator=lambda real_logits, fake_logits: mean_per_example(fake_logits) - mean_per_example(real_logits),
        generator=lambda fake_logits: -mean_per_example(fake_logits),
    ),
}
