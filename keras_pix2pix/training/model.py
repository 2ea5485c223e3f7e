"""Pix2Pix: two networks, a recipe, and the step that trains them."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import keras
import numpy as np
import tensorflow as tf
from keras import ops

import keras_pix2pix.metrics  # noqa: F401 (registers them with Keras, for recipes that contain them)
from keras_pix2pix.encodings import Encoding, get_for_channels
from keras_pix2pix.inference import translation
from keras_pix2pix.inference.serving import check_generator
from keras_pix2pix.inference.walk import leaves
from keras_pix2pix.training.building import (
    build_network,
    build_optimizers,
    called,
    check_steps,
    dtype_policy,
)
from keras_pix2pix.training.compiling import check_replicas, check_updates, metric_of, optimizer_of, uses_xla
from keras_pix2pix.training.fine_tuning import freeze as freeze_part
from keras_pix2pix.training.fine_tuning import set_pretrained_weights
from keras_pix2pix.training.matrix_products import fastest_form
from keras_pix2pix.training.objective import Objective, check_discriminator, discriminate, own_losses_of
from keras_pix2pix.training.perceptual import perceptual_loss_of, read_extractor
from keras_pix2pix.training.presets import preset
from keras_pix2pix.training.replicas import logs_of_all_workers, number_of_all, share_of_mean, update
from keras_pix2pix.training.saving import copy_average
from keras_pix2pix.training.stock import Logs, OptimizerOfBoth, StockModel
from keras_pix2pix.training.teacher import Teacher
from keras_pix2pix.training.training_state import TrainingState

__all__ = ["Pix2Pix"]


@keras.saving.register_keras_serializable("keras_pix2pix")
class Pix2Pix(StockModel):
    """Paired image-to-image translation: a generator trained against a discriminator of pairs.

    The constructor takes the networks, `compile` the recipe. A file written by `model.save("x.keras")` continues
    training after `keras_pix2pix.load_model` as if it had never stopped. `save_weights` and `load_weights` store
    networks, both optimizers and dropout state, but not the recipe: compile again.

    Args:
        generator: Functional `keras.Model`: source images `(batch, height, width, channels)` in [-1, 1] to
            generated images of the same height and width.
        discriminator: Functional `keras.Model`: [source, target], or target alone, to logits
            `(batch, rows, columns, 1)`, or to a list of these. None for training without one (`lambda_gan=0`).
            Defaults to None.
        direction: Which half of a side-by-side file is the source, "AtoB" or "BtoA"; saved with the model. Defaults to
            "AtoB".
        source_encoding: How the source is stored, which is also the input of `translate` and the exports: see
            `encodings.get`. "rgb" means 8-bit pictures of as many channels as the generator takes. Defaults to "rgb".
        target_encoding: How the target is stored, which is also the output of `translate` and the exports. Defaults to
            "rgb".
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
        generator: keras.Model,
        discriminator: keras.Model | None = None,
        *,
        direction: str = "AtoB",
        source_encoding: str | Sequence | Encoding = "rgb",
        target_encoding: str | Encoding = "rgb",
        name: str = "pix2pix",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        if direction not in ("AtoB", "BtoA"):
            raise ValueError(f'`direction` must be "AtoB" or "BtoA". Received: direction={direction!r}.')
        check_generator(generator)
        check_discriminator(discriminator)
        self.generator = generator
        self.discriminator = discriminator
        self.direction = direction
        self.source_encoding = get_for_channels(source_encoding, generator.input_shape[-1])
        self.target_encoding = get_for_channels(target_encoding, generator.output_shape[-1])
        if len(self.target_encoding.parts) > 1:
            raise ValueError(
                f"A target has one encoding. Received: target_encoding={self.target_encoding.word!r}. Only sources are "
                "stacked."
            )
        self.training_state = TrainingState()
        self._teacher: Teacher | None = None
        self.built = True

    @classmethod
    def from_preset(
        cls,
        name: str,
        image_shape: tuple[int, int, int] = (256, 256, 3),
        *,
        target_channels: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        schedule: str | None = None,
        changes: Mapping[str, Any] | None = None,
        metrics: Sequence | None = None,
        precision: str | None = None,
        strategy: tf.distribute.Strategy | None = None,
        weights: str | Path | keras.Model | None = None,
        freeze: str | None = None,
        **arguments: Any,
    ) -> Self:
        """Build and compile a published system: its networks, its recipe and its schedule.

        Args:
            name: "paper", "junyanz", "pytorch_gan", "tf_tutorial", "pix2pixhd" or "mobile".
            image_shape: (height, width, channels) of the source. Defaults to (256, 256, 3).
            target_channels: Channels of the target. Defaults to None: those of the source.
            epochs: Epochs that the learning rate is planned for. Defaults to None: the recipe's.
            steps_per_epoch: Batches in an epoch, for a learning rate that changes, as in "junyanz". Defaults
                to None: the recipe's 400 (the facades at batch 1), with a warning if the learning rate changes.
            schedule: "constant", "constant_then_linear" or "cosine". Defaults to None: the recipe's.
            changes: Dictionary of values of the recipe to replace, by section and argument, such as
                {"compile.gan_loss": "lsgan", "generator.network": "resnet_generator"}. Defaults to None.
            metrics: As in `compile`, such as [metrics.PSNR(), metrics.SSIM()]. Defaults to None.
            precision: "float32"; or "bfloat16" or "float16", with which layers compute in 16 bits, while weights, last
                layers and losses stay in 32. Defaults to None: Keras' current policy.
            strategy: `tf.distribute.Strategy` to make networks and optimizers under; with several workers, call `fit`
                within its `scope()`. Defaults to None: the current one.
            weights: Trained networks to start from: a run folder, a `.keras` file, a `Pix2Pix`, a generator, whose
                discriminator starts anew, or "facades", the generator for "mobile" at 256x256 that comes with the
                package. Their first convolutions are adapted to another number of source channels; all else must be
                built alike. Defaults to None: random weights.
            freeze: "encoder", to train only what follows the innermost layer of a U-Net, or the halvings of a residual
                generator; its `trainable` becomes False. Defaults to None: everything is trained.
            **arguments: Further arguments of `Pix2Pix`, such as `direction` and `source_encoding`.

        Returns:
            A compiled `Pix2Pix`.

        Raises:
            ValueError: An unknown preset, schedule, precision, part to freeze or argument, a size that its networks
                can't take, or weights of other networks.

        Example:

        ```python
        from keras_pix2pix import Pix2Pix

        model = Pix2Pix.from_preset("paper", image_shape=(256, 256, 3))
        ```
        """
        recipe = preset(name, changes)
        plan: dict[str, Any] = {"epochs": epochs or recipe["epochs"], "schedule": schedule or recipe["schedule"]}
        if steps_per_epoch is None:
            steps_per_epoch = recipe["steps_per_epoch"]
            if plan["schedule"] != "constant":
                warnings.warn(
                    f"The learning rate changes over {plan['epochs']} epochs, assumed to have {steps_per_epoch} steps "
                    "each, as on the facades. Pass `steps_per_epoch=len(dataset)`.",
                    stacklevel=2,
                )
        shapes = image_shape, target_channels or image_shape[-1]
        strategy = strategy or tf.distribute.get_strategy()
        with strategy.scope(), dtype_policy(precision):
            networks = [build_network(recipe, network, *shapes) for network in ("generator", "discriminator")]
            start = None if weights is None else set_pretrained_weights(networks[0], networks[1], weights)
        freeze_part(networks[0], freeze)
        model = cls(*networks, **arguments)
        model.training_state.records |= {"start": start} if start else {}
        with strategy.scope():
            optimizers = build_optimizers(recipe, steps_per_epoch, **plan)
            called(model.compile, "compile", *optimizers, **{"metrics": metrics, **recipe["compile"]})
        return model

    def compile(
        self,
        generator_optimizer: str | keras.optimizers.Optimizer | None = None,
        discriminator_optimizer: str | keras.optimizers.Optimizer | None = None,
        gan_loss: str | keras.losses.Loss | Callable = "vanilla",
        lambda_l1: float = 100.0,
        metrics: Sequence | None = None,
        *,
        lambda_gan: float = 1.0,
        lambda_features: float = 0.0,
        lambda_penalty: float = 10.0,
        lambda_teacher: float | None = None,
        teacher: keras.Model | None = None,
        reconstruction_loss: str | keras.losses.Loss | Callable = "l1",
        label_smoothing: float = 0.0,
        discriminator_loss_weight: float = 0.5,
        discriminator_steps: int = 1,
        update_order: str = "discriminator_first",
        run_eagerly: bool = False,
        steps_per_execution: int | str = 1,
        jit_compile: bool | str = "auto",
    ) -> None:
        """Set the recipe: optimizers, losses, metrics.

        Args:
            generator_optimizer: `keras.optimizers.Optimizer`, its learning rate a number or a schedule. Defaults to
                None: Adam with learning rate 2e-4 and beta_1 0.5 (Section 3.3).
            discriminator_optimizer: A second object for the discriminator; its schedule counts the discriminator's
                updates. Defaults to None: Adam as above.
            gan_loss: "vanilla", "lsgan", "hinge", "wgangp", or what `keras.losses.get` takes, between labels (1 real, 0
                generated) and logits. Defaults to "vanilla".
            lambda_l1: Weight of the reconstruction loss in the generator's, 0 or more. Defaults to 100.
            metrics: List of Keras metrics of (target, generated), images in [-1, 1]. Defaults to None.
            lambda_gan: Weight of the adversarial loss in the generator's, 0 or more. If it and `lambda_features` are 0,
                the discriminator is neither trained nor needed. Defaults to 1.
            lambda_features: Weight of feature matching, the L1 distance between the discriminator's activations for
                the real and for the generated pair, 0 or more; pix2pixHD has 10. Defaults to 0.
            lambda_penalty: Weight of the gradient penalty of "wgangp", greater than 0. Defaults to 10.
            lambda_teacher: Weight of the reconstruction loss between the teacher's and the generated images, 0 or
                more. Defaults to None: with a teacher that of the target's, `lambda_l1`.
            teacher: Trained `Pix2Pix` or generator, from whose images a smaller generator learns besides the targets.
                It is neither trained nor saved: see `set_teacher`. Defaults to None.
            reconstruction_loss: "l1", "l2", "charbonnier", "vgg19" or the file of another extractor of a
                `PerceptualLoss`, or what `keras.losses.get` takes, between target and generated images. Defaults to
                "l1".
            label_smoothing: How far below 1 the discriminator's label for real pairs is, for "vanilla" and "lsgan".
                Defaults to 0.
            discriminator_loss_weight: Factor of the discriminator's loss, greater than 0. Defaults to 0.5, which
                slows it down relative to the generator (Section 3.3).
            discriminator_steps: Updates of the discriminator on a batch before the generator's, 1 to 100.
                Defaults to 1.
            update_order: "discriminator_first": the generator is updated against the updated discriminator
                (Section 3.3); "simultaneous": against the one before. Defaults to "discriminator_first".
            run_eagerly: As in `keras.Model.compile`. Defaults to False.
            steps_per_execution: As in `keras.Model.compile`, at most 10,000. Defaults to 1.
            jit_compile: Whether XLA compiles the step: True, False, or "auto", on a GPU, where it takes half the time,
                but not on a CPU or on several replicas. There, True compiles what lies between their communication.
                Defaults to "auto".

        Raises:
            ValueError: An unknown word, a number out of range, one optimizer passed for both networks, no
                discriminator where one is needed, batch norm in the discriminator of "wgangp", or what several replicas
                can't do.
        """
        terms: dict[str, Any] = {
            "gan_loss": gan_loss,
            "reconstruction_loss": perceptual_loss_of(reconstruction_loss),
            "lambda_l1": lambda_l1,
            "lambda_gan": lambda_gan,
            "lambda_features": lambda_features,
            "lambda_penalty": lambda_penalty,
            "label_smoothing": label_smoothing,
            "discriminator_loss_weight": discriminator_loss_weight,
        }
        self.objective = Objective(self.discriminator, lambda_teacher=lambda_teacher or 0.0, **terms)
        check_steps(discriminator_steps=discriminator_steps, steps_per_execution=steps_per_execution)
        check_updates(generator_optimizer, discriminator_optimizer, update_order)
        networks = [network for network in (self.generator, self.discriminator) if network]
        with_xla, alone = uses_xla(jit_compile, run_eagerly), tf.distribute.get_strategy().num_replicas_in_sync == 1
        # XLA can't compile what replicas tell each other, which is part of a whole step.
        self.compiles_parts = with_xla and not alone and not run_eagerly
        check_replicas(steps_per_execution, self.compiles_parts, networks, generator_optimizer, discriminator_optimizer)
        self._optimizer_of_both = None
        # Otherwise Keras would add an optimizer of its own.
        super().compile(
            optimizer=None,
            metrics=metrics and [metric_of(each) for each in metrics],
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
            jit_compile=with_xla and alone,
        )
        self.discriminator_steps = discriminator_steps if self.objective.adversarial else 0
        self.update_order = update_order
        self._set_optimizers(generator_optimizer, discriminator_optimizer, networks)
        self._recipe = {
            "generator_optimizer": self.generator_optimizer,
            "discriminator_optimizer": self.discriminator_optimizer,
            **terms,
            "lambda_teacher": lambda_teacher,
            "discriminator_steps": discriminator_steps,
            "update_order": update_order,
            "metrics": metrics,
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile,
        }
        self.set_teacher(teacher)

    def _set_optimizers(self, of_generator, of_discriminator, networks):
        self.generator_optimizer = optimizer_of(self.generator, of_generator, networks)
        self.discriminator_optimizer = None
        if self.objective.adversarial:
            self.discriminator_optimizer = optimizer_of(self.discriminator, of_discriminator, networks)
        self._optimizer_of_both = OptimizerOfBoth(self.generator_optimizer, self.discriminator_optimizer)

    def set_teacher(self, teacher: keras.Model | None) -> None:
        """Set the generator from whose images this one learns; for a loaded model, whose file doesn't hold it.

        Args:
            teacher: Trained `Pix2Pix` or functional generator of the same sizes and encodings; None for no teacher.

        Raises:
            ValueError: A teacher of other sizes or encodings.

        Example:

        ```python
        from keras_pix2pix import Pix2Pix

        teacher, model = (Pix2Pix.from_preset("mobile", (64, 64, 3)) for _ in range(2))
        model.set_teacher(teacher)
        ```

        Reference:
            Hinton et al., "Distilling the Knowledge in a Neural Network".
        """
        self._teacher = None if teacher is None else Teacher(teacher, self)
        if self._teacher and self._recipe["lambda_teacher"] is None:
            self._recipe["lambda_teacher"] = self._recipe["lambda_l1"]
        self.objective.lambda_teacher = self._recipe["lambda_teacher"] if self._teacher else 0.0
        self._logs = Logs(self.objective.log_names)
        self.train_function = self.test_function = None  # Traced without it.

    def make_train_function(self, force=False):
        if self._recipe["lambda_teacher"] and not self._teacher:
            raise ValueError(
                f"`lambda_teacher` needs a teacher, which a model's file doesn't hold. Received: "
                f"lambda_teacher={self._recipe['lambda_teacher']!r} without one. Call `model.set_teacher(teacher)`, or "
                "`model.compile` for a recipe without a teacher; on the command line, give --teacher."
            )
        self._read_extractor()
        return super().make_train_function(force)

    def make_test_function(self, force=False):
        self._read_extractor()
        return super().make_test_function(force)

    def _read_extractor(self):
        with self.distribute_strategy.scope():
            read_extractor(self.objective.reconstruction_loss_given)

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        # Under a strategy, Keras would read a batch to build networks that are already built; a data set that counts
        # its epochs would count this one.
        pass

    def call(self, source, training=None):
        """The generated images: what `predict` returns."""
        return self.generator(source, training=training)

    def train_step(self, data):
        """One step on the discriminator, then one on the generator against it (Section 3.3)."""
        source, target, weights, counted = self._batch(data)
        total = number_of_all(source)

        # Generate. One forward pass, with one dropout mask, serves all updates.
        with tf.GradientTape() as tape:
            generated, own_losses = self._compiled(self._generate)(source, target, counted, training=True)

            # Update the discriminator on the real and the generated pair.
            if self.update_order == "discriminator_first":
                with tape.stop_recording():
                    d_logs = self._update_discriminator(source, target, generated, weights, total)

            # Update the generator against it.
            taught = self._taught(source, target, counted)
            g_logs = self._compiled(self._generator_logs)(source, target, generated, taught, own_losses)
            g_loss = self.generator_optimizer.scale_loss(share_of_mean(g_logs["g_loss"], weights, total))
        gradients = tape.gradient(g_loss, self.generator.trainable_variables)
        if self.update_order == "simultaneous":
            d_logs = self._update_discriminator(source, target, generated, weights, total)
        update(self.generator_optimizer, gradients, self.generator)

        # Measure.
        self._logs.update_state({**g_logs, **d_logs}, weights)
        return logs_of_all_workers(self.compute_metrics(source, target, generated, weights))

    def _compiled(self, part):
        """A part of the step, without communication between replicas, as XLA compiles it where that is asked for."""
        return tf.function(part, jit_compile=True, autograph=False) if self.compiles_parts else part

    def _generate(self, source, target, counted, training=False):
        """The generated images, and what the generator's own layers add to the loss."""
        # Made anew for each trace: as an attribute it would be saved, too.
        generated = _full_precision(fastest_form(self.generator)(source, training=training))
        return _where_counted(counted, generated, target), own_losses_of(self.generator)

    def _generator_logs(self, source, target, generated, taught, own_losses):
        return self.objective.of_generator(source, target, generated, taught, own_losses, training=True)

    def _batch(self, data):
        """Source, target, weights of the examples (or None), and where losses count, `(..., 1)` (None: everywhere)."""
        source, target, weights = _tensors(data)
        counted = self.target_encoding.counted(target)
        if weights is not None and len(weights.shape) == 4:
            of_pixels, weights = weights > 0, ops.max(weights, axis=(1, 2, 3))
            counted = of_pixels if counted is None else ops.logical_and(counted, of_pixels)
        return source, target, weights, counted

    def _taught(self, source, target, counted):
        """What the teacher generates; None without a teacher."""
        return _where_counted(counted, self._teacher(source), target) if self._teacher else None

    def _update_discriminator(self, source, target, generated, weights, total):
        def logs_and_gradients():
            with tf.GradientTape() as tape:
                logs = self._discriminator_logs(source, target, tf.stop_gradient(generated), training=True)
                d_loss = self.discriminator_optimizer.scale_loss(share_of_mean(logs["d_loss"], weights, total))
            return logs, tape.gradient(d_loss, self.discriminator.trainable_variables)

        compiled, logs = self._compiled(logs_and_gradients), {}
        for _ in range(self.discriminator_steps):
            logs, gradients = compiled()
            update(self.discriminator_optimizer, gradients, self.discriminator)
        return logs

    def _discriminator_logs(self, source, target, generated, training):
        # The gradient penalty's random point depends only on step and replica, so that a resumed run is the same.
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        seed = tf.stack([tf.cast(self.discriminator_optimizer.iterations, tf.int32), tf.cast(replica, tf.int32)])
        return self.objective.of_discriminator(source, target, generated, seed, training=training)

    def test_step(self, data):
        """The logs of `train_step`, and the metrics, without an update and without dropout."""
        source, target, weights, counted = self._batch(data)
        generated, own_losses = self._generate(source, target, counted)
        taught = self._taught(source, target, counted)
        logs = self.objective.of_generator(source, target, generated, taught, own_losses)
        if self.objective.adversarial:
            logs |= self._discriminator_logs(source, target, generated, training=False)
        self._logs.update_state(logs, weights)
        return logs_of_all_workers(self.compute_metrics(source, target, generated, weights))

    def discriminate(
        self, source: np.ndarray | tf.Tensor, image: np.ndarray | tf.Tensor, training: bool = False
    ) -> tf.Tensor | list[tf.Tensor]:
        """The discriminator's logits for pairs: a tensor, or a list of them, the finest scale first.

        Args:
            source: Images, `(batch, height, width, channels)`, in [-1, 1].
            image: Target or generated images of the same height and width.
            training: As in `keras.Model.call`. Defaults to False.

        Returns:
            Logits, `(batch, rows, columns, 1)`, or a list of these.
        """
        return discriminate(self.discriminator, source, image, training)

    @property
    def metrics(self):
        """All metrics except Keras' "loss", which is meaningless with two losses."""
        return [metric for metric in super().metrics if metric.name != "loss"]

    def translate(
        self,
        inputs: np.ndarray | str | Path | Sequence,
        output_directory: str | Path | None = None,
        *,
        side_by_side: bool = False,
        tile: int | None = None,
        overlap: int = 64,
        fixed_statistics: bool = False,
    ) -> np.ndarray | list[np.ndarray] | list[Path]:
        """Generate the targets of pictures of any size, without dropout: the same input gives the same output.

        Sizes that the network can't take are padded by reflection, and the result is cropped back.

        Args:
            inputs: Pixels `(height, width, channels)` or `(batch, height, width, channels)`, a file, a folder, or a
                list of these. With stacked sources, a list with one file for each source, or one folder for each with
                files of the same names; or a list of such lists.
            output_directory: Folder for the results, one file for each picture under its name: PNG for 8-bit pictures,
                16-bit gray and label maps, `.npy` otherwise; of a GeoTIFF file, TIFF with its georeference. Defaults to
                None: pixels are returned.
            side_by_side: Whether the files hold pairs; the half that `direction` calls the source is translated.
                Defaults to False: each file is a source.
            tile: Translate each picture in tiles of this height and width, a multiple of the generator's total
                downsampling. Memory then holds a few rows of tiles: picture files may have up to 2**28 pixels, arrays
                and .npy and TIFF files any number. Defaults to None: as a whole, up to 2**25 pixels.
            overlap: Pixels over which neighbouring tiles are blended, less than `tile`. Defaults to 64.
            fixed_statistics: Use the instance-norm statistics of the whole picture, reduced to at most `tile` pixels a
                side, in all tiles. Otherwise each tile has its own, and tiles of different brightness or texture show
                seams. Needs `tile`. Defaults to False.

        Returns:
            Pixels: an array for an array or a file, a list of arrays for a folder or a list. With
            `output_directory`, the list of files written. Pixels are uint8 for 8-bit pictures and label maps (class
            indices in one channel, or colours), and float32 in the declared range otherwise.

        Raises:
            ValueError: Pixels of another type or shape, a file that can't be read, which is named, a picture that is
                too large, or tiles that don't suit the network.

        Example:

        ```python
        import numpy as np
        from keras_pix2pix import Pix2Pix

        model = Pix2Pix.from_preset("paper", image_shape=(256, 256, 3))
        generated = model.translate(np.zeros((300, 500, 3), "uint8"))
        ```
        """
        direction = self.direction if side_by_side else None
        return translation.translate(
            self,
            inputs,
            output_directory,
            side_by_side=direction,
            tile=tile,
            overlap=overlap,
            fixed_statistics=fixed_statistics,
        )

    def averaged(self) -> "Pix2Pix":
        """The generator with the weights averaged by `callbacks.ExponentialMovingAverage`.

        Returns:
            A `Pix2Pix` without a discriminator, uncompiled.

        Raises:
            ValueError: The model was trained without that callback.
        """
        if self.training_state.average is None:
            raise ValueError(
                "This model has no averaged weights. Train with `callbacks.ExponentialMovingAverage`, or "
                "`keras-pix2pix train --average 0.999`."
            )
        generator = keras.models.clone_model(self.generator)
        copy_average(self, generator)
        return Pix2Pix(
            generator,
            direction=self.direction,
            source_encoding=self.source_encoding,
            target_encoding=self.target_encoding,
        )

    def get_config(self):
        return {
            **super().get_config(),
            "generator": keras.saving.serialize_keras_object(self.generator),
            "discriminator": self.discriminator and keras.saving.serialize_keras_object(self.discriminator),
            "direction": self.direction,
            "source_encoding": self.source_encoding.word,
            "target_encoding": self.target_encoding.word,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        networks = {
            key: config[key] and keras.saving.deserialize_keras_object(config[key], custom_objects)
            for key in ("generator", "discriminator")
        }
        return cls(**{**config, **networks})

    def get_compile_config(self):
        return keras.saving.serialize_keras_object(self._recipe) if self.compiled else {}

    def compile_from_config(self, config):
        self.compile(**keras.saving.deserialize_keras_object(config))

    def save_own_variables(self, store):
        # Keras saves all variables except the state of the dropout masks.
        for index, layer in enumerate(self._layers_that_draw()):
            store[f"seed_{index}"] = layer.seed_generator.state.numpy()
        self.training_state.write(store)

    def load_own_variables(self, store):
        for index, layer in enumerate(self._layers_that_draw()):
            layer.seed_generator.state.assign(store[f"seed_{index}"])
        self.training_state = TrainingState.read(store)

    def _layers_that_draw(self):
        networks = [network for network in (self.generator, self.discriminator) if network]
        return [layer for network in networks for layer in leaves(network) if hasattr(layer, "seed_generator")]


def _tensors(data):
    """Source, target and weights (or None) of a batch as tensors; eager steps get arrays."""
    parts = keras.utils.unpack_x_y_sample_weight(data)
    return [None if part is None else ops.convert_to_tensor(part) for part in parts]


def _where_counted(counted, generated, target):
    """The generated images, with the target itself where no loss is to count."""
    return generated if counted is None else ops.where(counted, generated, ops.cast(target, generated.dtype))


def _full_precision(images):
    return ops.cast(images, keras.config.floatx())
