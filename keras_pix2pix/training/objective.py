"""The objectives of the two networks, composed of the losses."""

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from keras_pix2pix.inference.walk import leaves
from keras_pix2pix.training import losses
from keras_pix2pix.training.losses import as_list, mean_per_example
from keras_pix2pix.training.matrix_products import fastest_form

__all__ = ["Objective", "check_discriminator", "discriminate", "own_losses_of"]

_ACTIVATIONS = (layers.Activation, layers.ELU, layers.LeakyReLU, layers.PReLU, layers.ReLU)


class Objective:
    """The losses of generator and discriminator for a batch, with their parts for the logs.

    The arguments are those of `Pix2Pix.compile`.

    Reference:
        Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", Section 3.1.
    """

    def __init__(
        self,
        discriminator: keras.Model | None,
        *,
        gan_loss: str | keras.losses.Loss | Callable = "vanilla",
        reconstruction_loss: str | keras.losses.Loss | Callable = "l1",
        lambda_l1: float = 100.0,
        lambda_gan: float = 1.0,
        lambda_features: float = 0.0,
        lambda_penalty: float = 10.0,
        lambda_teacher: float = 0.0,
        label_smoothing: float = 0.0,
        discriminator_loss_weight: float = 0.5,
    ) -> None:
        weights = {
            "lambda_l1": lambda_l1,
            "lambda_gan": lambda_gan,
            "lambda_features": lambda_features,
            "lambda_teacher": lambda_teacher,
        }
        _check_numbers(weights, lambda_penalty, discriminator_loss_weight)
        self.gan_loss = losses.adversarial_loss(gan_loss, label_smoothing)
        self.reconstruction_loss_given = reconstruction_loss
        self.reconstruction_loss = losses.reconstruction_loss(reconstruction_loss)
        self.measures_l1_apart = reconstruction_loss != "l1"
        self.lambda_l1, self.lambda_gan, self.lambda_features = lambda_l1, lambda_gan, lambda_features
        self.lambda_teacher = lambda_teacher
        self.lambda_penalty = lambda_penalty if gan_loss == "wgangp" else 0
        self.discriminator_loss_weight = discriminator_loss_weight
        self.adversarial = bool(lambda_gan or lambda_features)
        self.discriminator = discriminator
        if self.adversarial:
            _check_discriminator(discriminator, gan_loss)
            self.network = _with_features(discriminator) if lambda_features else discriminator

    @property
    def log_names(self) -> list[str]:
        """The keys that the two methods return, in the order of the logs."""
        names = ["g_loss"]
        names += ["g_gan"] if self.adversarial else []
        names += ["g_l1"]
        names += ["g_reconstruction"] if self.measures_l1_apart else []
        names += ["g_features"] if self.lambda_features else []
        names += ["g_teacher"] if self.lambda_teacher else []
        names += ["d_loss", "d_real", "d_fake", "d_accuracy"] if self.adversarial else []
        return names + (["d_penalty"] if self.lambda_penalty else [])

    def of_generator(
        self,
        source: tf.Tensor,
        target: tf.Tensor,
        generated: tf.Tensor,
        taught: tf.Tensor | None = None,
        own_losses: tf.Tensor | float = 0.0,
        training: bool = False,
    ) -> dict[str, tf.Tensor]:
        """The generator's loss, "g_loss", and its parts, unweighted: each `(batch,)`.

        `taught` is what the teacher generates, for a model that has one; `own_losses`, what the generator's layers add.
        """
        logs = {"g_l1": losses.l1_loss(target, generated)}
        reconstruction = self.reconstruction_loss(target, generated)
        if self.measures_l1_apart:
            logs["g_reconstruction"] = reconstruction
        logs["g_loss"] = self.lambda_l1 * reconstruction
        if self.adversarial:
            fake_logits, fake_features = self._discriminate(source, generated, training)
            logs["g_gan"] = self.gan_loss.generator(fake_logits)
            logs["g_loss"] += self.lambda_gan * logs["g_gan"]
        if self.lambda_features:
            _, real_features = self._discriminate(source, target, training)
            logs["g_features"] = losses.feature_matching_loss(real_features, fake_features)
            logs["g_loss"] += self.lambda_features * logs["g_features"]
        if self.lambda_teacher:
            logs["g_teacher"] = self.reconstruction_loss(taught, generated)
            logs["g_loss"] += self.lambda_teacher * logs["g_teacher"]
        return {**logs, "g_loss": logs["g_loss"] + own_losses}

    def of_discriminator(
        self, source: tf.Tensor, target: tf.Tensor, generated: tf.Tensor, seed: tf.Tensor, training: bool = False
    ) -> dict[str, tf.Tensor]:
        """The discriminator's loss, "d_loss", and its probabilities and accuracy: each `(batch,)`.

        `seed`, two integers, is for the random point of the gradient penalty.
        """
        real_logits, _ = self._discriminate(source, target, training)
        fake_logits, _ = self._discriminate(source, generated, training)
        d_loss = self.gan_loss.discriminator(real_logits, fake_logits)
        right = [ops.cast(logits > 0, "float32") for logits in as_list(real_logits)]
        right += [ops.cast(logits <= 0, "float32") for logits in as_list(fake_logits)]
        logs = {
            "d_real": mean_per_example([ops.sigmoid(logits) for logits in as_list(real_logits)]),
            "d_fake": mean_per_example([ops.sigmoid(logits) for logits in as_list(fake_logits)]),
            "d_accuracy": mean_per_example(right),
        }
        if self.lambda_penalty:
            share = tf.random.stateless_uniform(tf.shape(target)[:1], seed)
            logs["d_penalty"] = losses.gradient_penalty(
                lambda image: self._discriminate(source, image, training)[0], target, generated, share
            )
            d_loss += self.lambda_penalty * logs["d_penalty"]
        return {"d_loss": self.discriminator_loss_weight * d_loss + own_losses_of(self.network), **logs}

    def _discriminate(self, source, image, training):
        """(logits, features); logits are a list if there are several scales."""
        outputs = as_list(discriminate(self.network, source, image, training))
        scales = len(self.discriminator.outputs)
        # Losses are in full precision, even if the network isn't.
        return [ops.cast(logits, keras.config.floatx()) for logits in outputs[:scales]], outputs[scales:]


def own_losses_of(network: keras.Model) -> tf.Tensor | float:
    """The sum of the losses of a network's own layers: regularizers and `add_loss`."""
    return sum((ops.cast(each, keras.config.floatx()) for each in network.losses), 0.0)


def check_discriminator(discriminator: Any) -> None:
    """Raise for anything but a functional model, such as a subclass that has no inputs before it is called."""
    if discriminator is None:
        return
    inputs, outputs = (getattr(discriminator, name, None) or () for name in ("inputs", "outputs"))
    if len(inputs) not in (1, 2) or not outputs or any(len(logits.shape) != 4 for logits in outputs):
        raise ValueError(
            "A discriminator is a functional `keras.Model` from [source, target], or target alone, to logits (batch, "
            f"rows, columns, 1), or a list of these. Received: {discriminator!r} of type "
            f"{type(discriminator).__name__}. Around a model of your own class: `keras.Model(inputs, yours(inputs))`."
        )


def discriminate(
    discriminator: keras.Model,
    source: np.ndarray | tf.Tensor,
    image: np.ndarray | tf.Tensor,
    training: bool = False,
) -> tf.Tensor | list[tf.Tensor]:
    """The discriminator's logits, whether it sees pairs or, unconditional, the image alone."""
    source, image = (ops.convert_to_tensor(each) for each in (source, image))  # Keras refuses an array beside a tensor.
    conditional = len(discriminator.inputs) == 2
    return fastest_form(discriminator)([source, image] if conditional else image, training=training)


def _with_features(discriminator):
    features = [layer.output for layer in discriminator.layers if isinstance(layer, _ACTIVATIONS)]
    if not features:
        raise ValueError(
            "Feature matching compares the outputs of the discriminator's activation layers. Accepted: a functional "
            "`keras.Model` that has some, such as `patchgan_discriminator`'s. "
            f"Received: {discriminator.name!r}, which has none."
        )
    return keras.Model(discriminator.inputs, [*discriminator.outputs, *features])


def _check_numbers(weights, lambda_penalty, discriminator_loss_weight):
    for name, value in weights.items():
        if not 0 <= value < math.inf:
            raise ValueError(f"`{name}` must be 0 or more, and finite. Received: {name}={value!r}.")
    if not any(weights.values()):
        raise ValueError(f"At least one of {', '.join(f'`{name}`' for name in weights)} must be greater than 0.")
    for name, value in (
        ("lambda_penalty", lambda_penalty),
        ("discriminator_loss_weight", discriminator_loss_weight),
    ):
        if not 0 < value < math.inf:
            raise ValueError(f"`{name}` must be greater than 0, and finite. Received: {name}={value!r}.")


def _check_discriminator(discriminator, gan_loss):
    if discriminator is None:
        raise ValueError(
            "Without a discriminator there is no adversarial loss. Accepted: `discriminator=None` with `lambda_gan=0` "
            "and `lambda_features=0`. Pass a discriminator to `Pix2Pix`, or compile with `lambda_gan=0`."
        )
    if gan_loss == "wgangp":
        norms = [layer.name for layer in leaves(discriminator) if isinstance(layer, layers.BatchNormalization)]
        if norms:
            raise ValueError(
                'With `gan_loss="wgangp"` the discriminator must not have batch norm: the penalty is on the gradient '
                "of each example by itself, and batch norm makes every output depend on all examples (Gulrajani et "
                f'al., Section 4). Received: {norms[0]!r}. Build it with `normalization="instance"` or None.'
            )
