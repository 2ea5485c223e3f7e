"""Losses: pure functions of logits, images and features, with one value per example."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf
from keras import ops

__all__ = [
    "adversarial_loss",
    "as_list",
    "feature_matching_loss",
    "gradient_penalty",
    "l1_loss",
    "mean_per_example",
    "reconstruction_loss",
]

_CHARBONNIER_EPSILON = 1e-3
_PUBLISHED_FEATURE_LAYERS = 4  # pix2pixHD sums over the four layers of its discriminators.
_TINY = 1e-12


class _AdversarialLoss(NamedTuple):
    """The losses of the discriminator and the generator.

    Args:
        discriminator: Function (real_logits, fake_logits) -> losses of shape `(batch,)`.
        generator: Function (fake_logits) -> losses of shape `(batch,)`.
    """

    discriminator: Callable
    generator: Callable


def adversarial_loss(gan_loss: str | keras.losses.Loss | Callable, label_smoothing: float = 0.0) -> _AdversarialLoss:
    """The adversarial loss for a name, a Keras loss or a function of (labels, logits).

    Logits may be one tensor or a list of them, one for each scale of a discriminator; the losses of scales are
    averaged. The discriminator's loss is that of the real plus that of the generated pair.

    Reference:
        Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", Sections 3 and 3.3; Mao et
        al., "Least Squares Generative Adversarial Networks"; Lim and Ye, "Geometric GAN"; Gulrajani et al.,
        "Improved Training of Wasserstein GANs"; Salimans et al., "Improved Techniques for Training GANs".
    """
    known = isinstance(gan_loss, str)
    if known and gan_loss in _CRITICS:
        criterion = None
    elif known and gan_loss in _CRITERIA:
        criterion = _CRITERIA[gan_loss]
    elif gan_loss in ("binary_crossentropy", keras.losses.binary_crossentropy):
        raise ValueError(
            f"Keras' binary cross-entropy takes probabilities, and a discriminator returns logits. Received: "
            f'gan_loss={gan_loss!r}. Pass "vanilla", or `keras.losses.BinaryCrossentropy(from_logits=True)`.'
        )
    else:
        criterion = _keras_loss("gan_loss", gan_loss, (*_CRITERIA, *_CRITICS))
    if not 0 <= label_smoothing < 1:
        raise ValueError(
            f"`label_smoothing` must be at least 0 and less than 1. Received: label_smoothing={label_smoothing!r}."
        )
    if label_smoothing and criterion not in _CRITERIA.values():
        raise ValueError(
            f"`label_smoothing` is for {' and '.join(map(repr, _CRITERIA))}, which compare logits with labels. "
            f"Received: gan_loss={gan_loss!r}. Leave it out."
        )
    return _CRITICS[gan_loss] if criterion is None else _pair(criterion, 1 - label_smoothing)


def reconstruction_loss(
    distance: str | keras.losses.Loss | Callable,
) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """The reconstruction loss for a name, a Keras loss or a function of (target, generated).

    Returns a function (target, generated) -> losses of shape `(batch,)`.

    Reference:
        Isola et al., Section 3.1; Charbonnier et al., "Two deterministic half-quadratic regularization algorithms
        for computed imaging".
    """
    if isinstance(distance, str) and distance in _DISTANCES:
        return _DISTANCES[distance]
    loss = _keras_loss("reconstruction_loss", distance, _DISTANCES)
    return lambda target, generated: mean_per_example(loss(target, generated))


def _keras_loss(argument, identifier, words):
    """The function behind anything that `keras.losses.get` takes: one or several values per example."""
    try:
        loss = keras.losses.get(identifier)
    except (ValueError, TypeError):
        loss = None
    if loss is None:
        raise ValueError(
            f"`{argument}` must be one of {', '.join(map(repr, words))}, a name that `keras.losses.get` knows, a "
            f"`keras.losses.Loss` or a function. Received: {argument}={identifier!r}."
        )
    return loss.call if isinstance(loss, keras.losses.Loss) else loss


def l1_loss(target: tf.Tensor, generated: tf.Tensor) -> tf.Tensor:
    """Mean absolute difference of each example (Section 3.1, equation 3).

    Returns tensor of shape `(batch,)`, in [0, 2] for images in [-1, 1].

    Reference:
        Isola et al., Section 3.1.
    """
    return mean_per_example(ops.abs(target - generated))


def _l2_loss(target, generated):
    """Mean squared difference of each example.

    Returns tensor of shape `(batch,)`, in [0, 4] for images in [-1, 1].
    """
    return mean_per_example(ops.square(target - generated))


def _charbonnier_loss(target, generated):
    """Mean of sqrt(difference**2 + 0.001**2) of each example: L1, smooth at 0.

    Returns tensor of shape `(batch,)`.

    Reference:
        Charbonnier et al., "Two deterministic half-quadratic regularization algorithms for computed imaging".
    """
    return mean_per_example(ops.sqrt(ops.square(target - generated) + _CHARBONNIER_EPSILON**2))


_DISTANCES = {"l1": l1_loss, "l2": _l2_loss, "charbonnier": _charbonnier_loss}


def feature_matching_loss(real_features: Sequence[tf.Tensor], fake_features: Sequence[tf.Tensor]) -> tf.Tensor:
    """How far the discriminator's features of a generated pair are from those of the real one.

    Reference:
        Wang et al., "High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs", Section 3.3.
    """
    differences = [
        # In full precision, even under a mixed policy.
        ops.abs(ops.cast(ops.stop_gradient(real), keras.config.floatx()) - ops.cast(fake, keras.config.floatx()))
        for real, fake in zip(real_features, fake_features, strict=True)
    ]
    return _PUBLISHED_FEATURE_LAYERS * mean_per_example(differences)


def gradient_penalty(
    critic: Callable[[tf.Tensor], tf.Tensor | list[tf.Tensor]],
    target: tf.Tensor,
    generated: tf.Tensor,
    share: tf.Tensor,
) -> tf.Tensor:
    """How far the critic is from slope 1 between the target and the generated image.

    Returns tensor of shape `(batch,)`: (norm of the gradient - 1)**2.

    Reference:
        Gulrajani et al., "Improved Training of Wasserstein GANs", Section 4.
    """
    share = ops.cast(ops.reshape(share, (-1, 1, 1, 1)), generated.dtype)
    between = target + share * (generated - target)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(between)
        value = mean_per_example(critic(between))
    squares = ops.sum(ops.square(tape.gradient(value, between)), axis=(1, 2, 3))
    # At 0 the slope of the square root is infinite, which would make the gradient NaN.
    return ops.square(ops.sqrt(squares + _TINY) - 1)


def mean_per_example(values: tf.Tensor | Sequence[tf.Tensor]) -> tf.Tensor:
    """Mean over all axes but the first; a list of tensors gives the mean of their means.

    Returns tensor of shape `(batch,)`.
    """
    means = [ops.mean(each, axis=tuple(range(1, len(each.shape)))) for each in as_list(values)]
    return sum(means) / len(means)


def as_list(logits: tf.Tensor | Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """Logits as a list, whether a discriminator returns one tensor or several."""
    return list(logits) if isinstance(logits, (list, tuple)) else [logits]


def _cross_entropy(labels, logits):
    return ops.softplus(-logits) * labels + ops.softplus(logits) * (1 - labels)


def _squared_error(labels, logits):
    return ops.square(logits - labels)


_CRITERIA = {"vanilla": _cross_entropy, "lsgan": _squared_error}


def _pair(criterion, real_label):
    def loss(logits, label):
        return mean_per_example([criterion(ops.full_like(each, label), each) for each in as_list(logits)])

    return _AdversarialLoss(
        discriminator=lambda real_logits, fake_logits: loss(real_logits, real_label) + loss(fake_logits, 0),
        generator=lambda fake_logits: loss(fake_logits, 1),
    )


def _hinge(logits, sign):
    return mean_per_example([ops.relu(1 - sign * each) for each in as_list(logits)])


_CRITICS: dict[Any, _AdversarialLoss] = {
    "hinge": _AdversarialLoss(
        discriminator=lambda real_logits, fake_logits: _hinge(real_logits, 1) + _hinge(fake_logits, -1),
        generator=lambda fake_logits: -mean_per_example(fake_logits),
    ),
    "wgangp": _AdversarialLoss(
        discriminator=lambda real_logits, fake_logits: mean_per_example(fake_logits) - mean_per_example(real_logits),
        generator=lambda fake_logits: -mean_per_example(fake_logits),
    ),
}
