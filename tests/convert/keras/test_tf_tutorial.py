"""The tutorial's generator, from all that it is saved in, predicts what the notebook showed."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_pix2pix import export_tflite, unet_generator
from keras_pix2pix.convert.keras import tf_tutorial
from keras_pix2pix.convert.keras.tf_tutorial import from_tf_tutorial

layers = keras.layers
FULL = (64, 128, 256, 512, 512, 512, 512, 512)
SMALL = (2, 4, 8, 16, 16)


def block(convolution, width, activation, normalized=True, dropout=False, **norm):
    """Convolution, batch norm, dropout, activation in a `Sequential`: a halving or doubling of the notebook."""
    stack = [convolution(width, 4, strides=2, padding="same", use_bias=False)]
    stack += [layers.BatchNormalization(**norm)] if normalized else []
    stack += [layers.Dropout(0.5)] if dropout else []
    return keras.Sequential([*stack, activation()])


def tutorial(widths=SMALL, slope=None, **norm):
    size = 2 ** len(widths)
    x = source = layers.Input((size, size, 3))
    skips = []
    leaky = layers.LeakyReLU if slope is None else lambda: layers.LeakyReLU(slope)
    for depth, width in enumerate(widths):
        x = block(layers.Conv2D, width, leaky, normalized=depth > 0, **norm)(x)
        skips.append(x)
    for number, (width, skip) in enumerate(zip(widths[-2::-1], skips[-2::-1], strict=True)):
        x = layers.Concatenate()(
            [block(layers.Conv2DTranspose, width, layers.ReLU, dropout=number < 3, **norm)(x), skip]
        )
    x = layers.Conv2DTranspose(3, 4, strides=2, padding="same", activation="tanh")(x)
    return keras.Model(source, x)


def shown(generator, source):
    """What the notebook shows, but for dropout: `generator(source, training=True)`."""
    copy = keras.models.clone_model(generator)
    copy.set_weights(generator.get_weights())
    for each in copy.layers:
        for layer in getattr(each, "layers", [each]):
            if isinstance(layer, layers.Dropout):
                layer.rate = 0.0
    return copy(source, training=True).numpy()


def as_keras(generator, folder):
    generator.save(folder / "generator.keras")
    return folder / "generator.keras"


def as_hdf5(generator, folder):
    generator.save(folder / "generator.h5")
    return folder / "generator.h5"


def as_saved_model(generator, folder):
    tf.saved_model.save(generator, folder / "saved")
    return folder / "saved"


def as_export(generator, folder):
    generator.export(folder / "exported", verbose=False)
    return folder / "exported"


def as_checkpoint(generator, folder):
    discriminator = keras.Sequential([layers.Input((8, 8, 6)), layers.Conv2D(1, 4), layers.BatchNormalization()])
    optimizers = [keras.optimizers.Adam(2e-4, beta_1=0.5) for _ in range(2)]
    for optimizer, network in zip(optimizers, (generator, discriminator), strict=True):
        optimizer.build(network.trainable_variables)
    checkpoint = tf.train.Checkpoint(
        generator_optimizer=optimizers[0],
        discriminator_optimizer=optimizers[1],
        generator=generator,
        discriminator=discriminator,
    )
    checkpoint.save(folder / "training_checkpoints" / "ckpt")
    return folder / "training_checkpoints"


def as_prefix(generator, folder):
    return as_checkpoint(generator, folder) / "ckpt-1"


@pytest.mark.parametrize("save", [as_keras, as_hdf5, as_saved_model, as_export, as_checkpoint, as_prefix])
def test_predict_gives_what_the_notebook_showed(save, randomised, images, tmp_path):
    generator = randomised(tutorial())
    conversion = from_tf_tutorial(save(generator, tmp_path))
    source, _ = images(1)
    np.testing.assert_allclose(conversion.network.predict(source, verbose=0), shown(generator, source), atol=1e-5)
    assert np.abs(generator.predict(source, verbose=0) - shown(generator, source)).max() > 0.01
    assert 0 < conversion.largest_difference < 1e-4
    assert conversion.recognised.startswith(
        "U-Net of 5 downsamples, 2 filters, batch norm (epsilon 0.001), 16,695 parameters; a "
    )
    others = "not read: discriminator, discriminator_optimizer, generator_optimizer, save_counter"
    assert (others in conversion.recognised) == (save in (as_checkpoint, as_prefix))
    assert "dropout is off in `predict`" in conversion.recognised


@pytest.mark.slow
def test_the_tutorial_at_its_own_size(randomised, tmp_path):
    generator = randomised(tutorial(FULL))
    conversion = from_tf_tutorial(as_keras(generator, tmp_path))
    source = np.random.default_rng(0).uniform(-1, 1, (1, 256, 256, 3)).astype("float32")
    np.testing.assert_allclose(conversion.network.predict(source, verbose=0), shown(generator, source), atol=1e-5)
    assert (
        "U-Net of 8 downsamples, 64 filters, batch norm (epsilon 0.001), 54,414,979 parameters" in conversion.recognised
    )


def test_the_network_goes_to_the_phone(randomised, tmp_path):
    network = from_tf_tutorial(as_keras(randomised(tutorial()), tmp_path)).network
    assert export_tflite(network, tmp_path / "tutorial.tflite", image_size=(64, 32)).largest_difference <= 1


def test_a_network_of_this_package_with_the_tutorials_layers_is_one(randomised, images, tmp_path):
    generator = unet_generator(
        (32, 32, 3),
        filters=2,
        normalization="batch",
        norm_epsilon=1e-3,
        normalize_innermost=True,
        skip_activation="leaky_relu",
        leaky_slope=0.3,
    )
    randomised(generator)
    conversion = from_tf_tutorial(as_keras(generator, tmp_path))
    source, _ = images(1)
    np.testing.assert_allclose(conversion.network(source), shown(generator, source), atol=1e-5)


@pytest.mark.parametrize(
    ("generator", "words"),
    [
        (lambda: tutorial(slope=0.2), r"LeakyReLU {'negative_slope': 0.2} after \(1,\), instead of .* 0.3"),
        (lambda: tutorial(epsilon=1e-5), "BatchNormalization {'center': True, 'epsilon': 1e-05"),
        (lambda: tutorial(center=False), r"Received: gamma \(4,\) .* as the batch norm of down2, on 4 channels"),
        (lambda: unet_generator((32, 32, 3), filters=2), "Received: the layers with weights kernel"),
        (
            lambda: unet_generator((32, 32, 3), filters=2, normalization="batch", normalize_innermost=True),
            "BatchNormalization",
        ),
        (
            lambda: keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(3, 4)]),
            r"Received: the layers .* kernel \(4",
        ),
    ],
    ids=["slope", "epsilon", "center", "instance", "order", "convolution"],
)
def test_another_network_is_refused_and_says_what_differs(generator, words, tmp_path):
    with pytest.raises(ValueError, match=f"is not the generator of TensorFlow's tutorial.*{words}"):
        from_tf_tutorial(as_keras(generator(), tmp_path))


def test_a_checkpoint_without_a_generator_names_its_keys(tmp_path):
    prefix = tf.train.Checkpoint(model=tutorial(), step=tf.Variable(1)).save(tmp_path / "ckpt")
    with pytest.raises(ValueError, match="has no 'generator'. Received: 'model', 'step', 'save_counter'"):
        from_tf_tutorial(prefix)


def test_a_checkpoint_of_another_generator_is_refused(tmp_path):
    prefix = tf.train.Checkpoint(generator=unet_generator((32, 32, 3), filters=2)).save(tmp_path / "ckpt")
    with pytest.raises(ValueError, match="is not the generator of TensorFlow's tutorial"):
        from_tf_tutorial(f"{prefix}.index")


def test_a_checkpoint_with_a_file_missing(tmp_path):
    prefix = tf.train.Checkpoint(generator=tutorial()).save(tmp_path / "ckpt")
    for path in tmp_path.glob("*.data*"):
        path.unlink()
    with pytest.raises(ValueError, match="can't be read as a checkpoint of TensorFlow"):
        from_tf_tutorial(prefix)


@pytest.mark.parametrize("name", ["nowhere", ".", "notes.keras"])
def test_what_is_no_such_file_is_refused(name, tmp_path):
    (tmp_path / "notes.keras").write_text("no network")
    with pytest.raises(ValueError, match="Accepted: a .keras or .h5 file, a SavedModel folder, or a checkpoint"):
        from_tf_tutorial(tmp_path / name)


def test_a_norm_that_is_not_the_notebooks_fails_the_self_check(randomised, tmp_path, monkeypatch):
    path = as_keras(randomised(tutorial()), tmp_path)
    replace = tf_tutorial._with_instance_norm

    def wrong(step):
        step = replace(step)
        return step._replace(settings={**step.settings, "epsilon": 0.1}) if "epsilon" in step.settings else step

    monkeypatch.setattr(tf_tutorial, "_with_instance_norm", wrong)
    with pytest.raises(RuntimeError, match="generator.keras: the converted network differs"):
        from_tf_tutorial(path)
