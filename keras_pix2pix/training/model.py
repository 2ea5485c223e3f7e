"""Pix2Pix: two networks, a recipe, and the step that trains them."""

import keras
import tensorflow as tf
from keras import ops

from keras_pix2pix.encodings import Stacked, get_for_channels
from keras_pix2pix.networks.patchgan import patchgan_discriminator
from keras_pix2pix.networks.unet import unet_generator
from keras_pix2pix.training import translation
from keras_pix2pix.training.losses import adversarial_loss, as_list, l1_loss, mean_per_example
from keras_pix2pix.training.optimizers import FusedAdam
from keras_pix2pix.training.presets import preset

LOGS = ("g_loss", "g_gan", "g_l1", "d_loss", "d_real", "d_fake", "d_accuracy")


@keras.saving.register_keras_serializable("keras_pix2pix")
class Pix2Pix(keras.Model):
    """Paired image-to-image translation: a generator trained against a discriminator of pairs.

    The constructor takes the networks, `compile` the recipe. A file written by `model.save("x.keras")` goes on
    training after `keras.saving.load_model` as if nothing had happened.

    Args:
        generator: Functional `keras.Model`: source images `(batch, height, width, channels)` in [-1, 1] to
            generated images of the same height and width.
        discriminator: Functional `keras.Model`: [source, target] to logits `(batch, rows, columns, 1)`, or to a
            list of such.
        direction: Which half of a side-by-side file was the source, "AtoB" or "BtoA": kept with the model for
            those who use it later. Defaults to "AtoB".
        source_encoding: How the source lies in files, and what `translate` and the exports take: see `encodings.get`.
            "rgb" stands for 8-bit pictures of as many channels as the generator takes. Defaults to "rgb".
        target_encoding: The same of the target, and of what they give. Defaults to "rgb".
        name: Name of the model. Defaults to "pix2pix".

    Raises:
        ValueError: An unknown direction, or an encoding that doesn't suit the generator's channels.

    Example:

    ```python
    from keras_pix2pix import Pix2Pix, patchgan_discriminator, unet_generator

    model = Pix2Pix(
        unet_generator((64, 64, 3), filters=8), patchgan_discriminator((64, 64, 3), filters=8)
    )
    model.compile(lambda_l1=10.0)
    ```

    Reference:
        Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", arXiv 1611.07004.
    """

    def __init__(
        self,
        generator,
        discriminator,
        *,
        direction="AtoB",
        source_encoding="rgb",
        target_encoding="rgb",
        name="pix2pix",
        **kwargs,
    ):
        super().__init__(name=name, **kwargs)
        if direction not in ("AtoB", "BtoA"):
            raise ValueError(f'`direction` must be "AtoB" or "BtoA". Received: direction={direction!r}.')
        self.generator = generator
        self.discriminator = discriminator
        self.direction = direction
        self.source_encoding = get_for_channels(source_encoding, generator.input_shape[-1])
        self.target_encoding = get_for_channels(target_encoding, generator.output_shape[-1])
        if isinstance(self.target_encoding, Stacked):
            raise ValueError(
                f"A target has one encoding. Received: target_encoding={self.target_encoding.word!r}. Only sources are "
                "stacked."
            )
        self.built = True

    @classmethod
    def from_preset(cls, name, image_shape=(256, 256, 3), *, target_channels=None, **model_arguments):
        """Build and compile a published system: its networks and its recipe.

        Args:
            name: "paper".
            image_shape: (height, width, channels) of the source. Defaults to (256, 256, 3).
            target_channels: Channels of the target. Defaults to None: as many as the source.
            **model_arguments: Further arguments of `Pix2Pix`, such as `direction` and `source_encoding`.

        Returns:
            A compiled `Pix2Pix`.

        Raises:
            ValueError: An unknown preset, or a size that its networks can't take.

        Example:

        ```python
        from keras_pix2pix import Pix2Pix

        model = Pix2Pix.from_preset("paper", image_shape=(256, 256, 3))
        ```
        """
        recipe = preset(name)
        target_channels = image_shape[-1] if target_channels is None else target_channels
        model = cls(
            unet_generator(image_shape, target_channels, **recipe["generator"]),
            patchgan_discriminator(image_shape, target_channels, **recipe["discriminator"]),
            **model_arguments,
        )
        model.compile(
            generator_optimizer=FusedAdam(**recipe["optimizer"]),
            discriminator_optimizer=FusedAdam(**recipe["optimizer"]),
            **recipe["compile"],
        )
        return model

    def compile(
        self,
        generator_optimizer=None,
        discriminator_optimizer=None,
        gan_loss="vanilla",
        lambda_l1=100.0,
        metrics=None,
        *,
        run_eagerly=False,
        steps_per_execution=1,
        jit_compile=False,
    ):
        """Set the recipe: optimizers, losses, metrics.

        Args:
            generator_optimizer: `keras.optimizers.Optimizer`, its learning rate a number or a schedule. Defaults to
                None: Adam with learning rate 2e-4 and beta_1 0.5 (Section 3.3).
            discriminator_optimizer: The same for the discriminator; an object of its own. Defaults to None: Adam
                as above.
            gan_loss: "vanilla", "lsgan", or a `keras.losses.Loss` between labels (1 real, 0 generated) and logits.
                Defaults to "vanilla".
            lambda_l1: Weight of the L1 term in the generator's loss, 0 or more. Defaults to 100.
            metrics: List of Keras metrics of (target, generated), images in [-1, 1]. Defaults to None.
            run_eagerly: As in `keras.Model.compile`. Defaults to False.
            steps_per_execution: As in `keras.Model.compile`. Defaults to 1.
            jit_compile: As in `keras.Model.compile`. Defaults to False.

        Raises:
            ValueError: An unknown loss, a negative weight, or one optimizer passed for both networks.
        """
        self._gan_loss = adversarial_loss(gan_loss)
        if not lambda_l1 >= 0:
            raise ValueError(f"`lambda_l1` must be 0 or more. Received: lambda_l1={lambda_l1!r}.")
        if generator_optimizer is not None and generator_optimizer is discriminator_optimizer:
            raise ValueError(
                "`generator_optimizer` and `discriminator_optimizer` must be two objects, as each keeps the state of "
                f"its network. Received the same {type(generator_optimizer).__name__} for both. Make a second one."
            )
        # Without None, Keras would add an optimizer of its own that learning-rate callbacks then steer.
        super().compile(
            optimizer=None,
            metrics=metrics,
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
            jit_compile=jit_compile,
        )
        self.lambda_l1 = lambda_l1
        self.generator_optimizer = self._optimizer_of(self.generator, generator_optimizer)
        self.discriminator_optimizer = self._optimizer_of(self.discriminator, discriminator_optimizer)
        self._logs = [keras.metrics.Mean(name=name) for name in LOGS]
        self._recipe = {
            "generator_optimizer": self.generator_optimizer,
            "discriminator_optimizer": self.discriminator_optimizer,
            "gan_loss": gan_loss,
            "lambda_l1": lambda_l1,
            "metrics": metrics,
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
            "jit_compile": self.jit_compile,
        }

    def call(self, source, training=None):
        """The generated images: what `predict` returns."""
        return self.generator(source, training=training)

    def train_step(self, data):
        """One step on the discriminator, then one on the generator against it (Section 3.3)."""
        source, target, weights = _tensors(data)

        # Generate. One forward pass, with one dropout mask, serves both updates.
        with tf.GradientTape() as generator_tape:
            generated = self.generator(source, training=True)

        # Update the discriminator on the real and the generated pair.
        with tf.GradientTape() as tape:
            real_logits = self.discriminator([source, target], training=True)
            fake_logits = self.discriminator([source, tf.stop_gradient(generated)], training=True)
            d_losses = self._gan_loss.discriminator(real_logits, fake_logits)
            d_loss = self.discriminator_optimizer.scale_loss(_global_mean(d_losses, weights))
        variables = self.discriminator.trainable_variables
        self.discriminator_optimizer.apply(tape.gradient(d_loss, variables), variables)

        # Update the generator against the updated discriminator: from the loss back to the generated images on a
        # tape that watches nothing else, and on from there through the forward pass above.
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(generated)
            g_gan = self._gan_loss.generator(self.discriminator([source, generated], training=True))
            g_l1 = l1_loss(target, generated)
            g_losses = g_gan + self.lambda_l1 * g_l1
            g_loss = self.generator_optimizer.scale_loss(_global_mean(g_losses, weights))
        variables = self.generator.trainable_variables
        gradients = generator_tape.gradient(generated, variables, output_gradients=tape.gradient(g_loss, generated))
        self.generator_optimizer.apply(gradients, variables)

        # Measure.
        self._log(weights, g_losses, g_gan, g_l1, d_losses, real_logits, fake_logits)
        return self.compute_metrics(source, target, generated, weights)

    def test_step(self, data):
        """The logs of `train_step`, and the metrics, without an update and without dropout."""
        source, target, weights = _tensors(data)
        generated = self.generator(source, training=False)
        real_logits = self.discriminator([source, target], training=False)
        fake_logits = self.discriminator([source, generated], training=False)

        g_gan = self._gan_loss.generator(fake_logits)
        g_l1 = l1_loss(target, generated)
        d_losses = self._gan_loss.discriminator(real_logits, fake_logits)
        self._log(weights, g_gan + self.lambda_l1 * g_l1, g_gan, g_l1, d_losses, real_logits, fake_logits)
        return self.compute_metrics(source, target, generated, weights)

    @property
    def metrics(self):
        """All metrics but Keras' "loss", which has no meaning beside two losses."""
        return [metric for metric in super().metrics if metric.name != "loss"]

    def translate(self, inputs, output_directory=None, *, side_by_side=False):
        """Generate the targets of pictures of any size, without noise: the same input gives the same output.

        Sizes that don't suit the network are padded by reflection, and the result is cropped back.

        Args:
            inputs: Pixels `(height, width, channels)` or `(batch, height, width, channels)`, a file, a folder, or a
                list of these. With stacked sources, a list of as many files, or folders with files of the same
                names, as there are sources; or a list of such lists.
            output_directory: Folder that receives one file for each picture, under its name: PNG for pictures of 8
                bits, 16-bit gray and label maps, `.npy` otherwise. None returns pixels. Defaults to None.
            side_by_side: Whether the files hold pairs, of which the half that `direction` calls the source is
                translated. Defaults to False: each file is a source.

        Returns:
            Pixels: an array for an array or a file, a list of arrays for a folder or a list. With
            `output_directory`, the list of files written. Pixels are uint8 for pictures of 8 bits and label maps
            (class indices with one channel, or colours), and float32 in the declared range otherwise.

        Raises:
            ValueError: Pixels of another type or shape, or a file that can't be read, which is named.

        Example:

        ```python
        import numpy as np
        from keras_pix2pix import Pix2Pix

        model = Pix2Pix.from_preset("paper", image_shape=(256, 256, 3))
        generated = model.translate(np.zeros((300, 500, 3), "uint8"))
        ```
        """
        direction = self.direction if side_by_side else None
        return translation.translate(self, inputs, output_directory, side_by_side=direction)

    def get_config(self):
        return {
            **super().get_config(),
            "generator": keras.saving.serialize_keras_object(self.generator),
            "discriminator": keras.saving.serialize_keras_object(self.discriminator),
            "direction": self.direction,
            "source_encoding": self.source_encoding.word,
            "target_encoding": self.target_encoding.word,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        networks = {
            key: keras.saving.deserialize_keras_object(config[key], custom_objects)
            for key in ("generator", "discriminator")
        }
        return cls(**{**config, **networks})

    def get_compile_config(self):
        return keras.saving.serialize_keras_object(self._recipe) if self.compiled else {}

    def compile_from_config(self, config):
        self.compile(**keras.saving.deserialize_keras_object(config))

    def save_own_variables(self, store):
        # Keras saves every variable but the state of the dropout masks.
        for index, layer in enumerate(self._layers_that_draw()):
            store[f"seed_{index}"] = layer.seed_generator.state.numpy()

    def load_own_variables(self, store):
        for index, layer in enumerate(self._layers_that_draw()):
            layer.seed_generator.state.assign(store[f"seed_{index}"])

    def _layers_that_draw(self):
        networks = (self.generator, self.discriminator)
        return [layer for network in networks for layer in _all_layers(network) if hasattr(layer, "seed_generator")]

    def _optimizer_of(self, network, optimizer):
        optimizer = keras.optimizers.get(optimizer) or FusedAdam(**preset("paper")["optimizer"])
        if self.dtype_policy.name == "mixed_float16" and not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        # Built here, so that a loaded model finds the variables that its state belongs to.
        optimizer.build(network.trainable_variables)
        return optimizer

    def _log(self, weights, g_losses, g_gan, g_l1, d_losses, real_logits, fake_logits):
        d_real = mean_per_example([ops.sigmoid(logits) for logits in as_list(real_logits)])
        d_fake = mean_per_example([ops.sigmoid(logits) for logits in as_list(fake_logits)])
        right = [ops.cast(logits > 0, "float32") for logits in as_list(real_logits)]
        right += [ops.cast(logits <= 0, "float32") for logits in as_list(fake_logits)]
        values = (g_losses, g_gan, g_l1, d_losses, d_real, d_fake, mean_per_example(right))
        for metric, value in zip(self._logs, values, strict=True):
            metric.update_state(value, sample_weight=weights)


def _tensors(data):
    """Source, target and weights (or None) of a batch, which comes as arrays where a step runs eagerly."""
    parts = keras.utils.unpack_x_y_sample_weight(data)
    return [None if part is None else ops.convert_to_tensor(part) for part in parts]


def _all_layers(network):
    for layer in network.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from _all_layers(layer)


def _global_mean(losses, weights):
    """This replica's share of the mean over the batch of all replicas, whose gradients are summed."""
    count = tf.cast(tf.shape(losses)[0], losses.dtype)
    count = tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, count)
    return ops.sum(losses if weights is None else losses * ops.cast(weights, losses.dtype)) / count
