"""What users of Keras do without asking: stock callbacks, optimizers and losses, data of every kind."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from keras_pix2pix import Pix2Pix, callbacks, metrics, patchgan_discriminator, unet_generator

SHAPE = (32, 32, 3)


@pytest.fixture
def images():
    return np.random.default_rng(0).uniform(-1, 1, (4, *SHAPE)).astype("float32")


@pytest.fixture
def make_model():
    def make(generator=None, discriminator=None, **recipe):
        generator = generator or unet_generator(SHAPE, filters=4, num_downsamples=2)
        discriminator = discriminator or patchgan_discriminator(SHAPE, filters=4, num_layers=1)
        model = Pix2Pix(generator, discriminator)
        model.compile(**recipe)
        return model

    return make


def adam(learning_rate, **arguments):
    return keras.optimizers.Adam(learning_rate, **arguments)


def fit(model, images, *watch, epochs=2, **arguments):
    return model.fit(images, images, batch_size=2, epochs=epochs, verbose=0, callbacks=list(watch), **arguments).history


class Flat(keras.utils.PyDataset):
    def __init__(self, images):
        super().__init__()
        self.images = images

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.images[index : index + 1], self.images[index : index + 1]


def batches(images):
    while True:
        yield images[:1], images[:1]
        yield images[1:2], images[1:2]


def fit_on(kind, model, images):
    """An epoch on images as one of the kinds of data that `fit` takes."""
    data = {
        "arrays": {"x": images, "y": images},
        "dataset": {"x": tf.data.Dataset.from_tensor_slices((images, images)).batch(2)},
        "pydataset": {"x": Flat(images)},
        "generator": {"x": batches(images), "steps_per_epoch": 1},
    }
    model.fit(**data[kind], verbose=0)


@pytest.mark.parametrize(("monitor", "up"), [("val_g_l1", False), ("val_d_loss", False), ("val_psnr", True)])
def test_stock_callbacks_know_in_which_direction_a_log_gets_better(make_model, images, monitor, up):
    stop = keras.callbacks.EarlyStopping(monitor)
    fit(make_model(metrics=[metrics.PSNR()]), images, stop, validation_data=(images, images))
    assert stop.monitor_op(*((2.0, 1.0) if up else (1.0, 2.0)))


def test_a_probability_has_no_direction(make_model, images):
    with pytest.raises(ValueError, match="mode"):
        fit(make_model(), images, keras.callbacks.EarlyStopping("d_real"))


def test_a_plateau_halves_both_learning_rates(make_model, images):
    model = make_model(generator_optimizer=adam(1e-3), discriminator_optimizer=adam(4e-3))
    plateau = keras.callbacks.ReduceLROnPlateau("g_l1", factor=0.5, patience=1, min_delta=1e3)
    history = fit(model, images, plateau, epochs=3)
    assert history["learning_rate"] == pytest.approx([1e-3, 1e-3, 5e-4])
    np.testing.assert_allclose(model.discriminator_optimizer.learning_rate, 4 * 2.5e-4)


def test_a_warm_up_from_nothing_keeps_the_proportion(make_model, images):
    model = make_model(generator_optimizer=adam(1e-3), discriminator_optimizer=adam(4e-3))
    rates = []
    watch = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: rates.append(float(model.discriminator_optimizer.learning_rate))
    )
    fit(model, images, keras.callbacks.LearningRateScheduler(lambda epoch: 1e-3 * epoch), watch, epochs=3)
    assert rates == pytest.approx([0, 4e-3, 8e-3])


def test_a_schedule_is_not_overwritten(make_model, images):
    model = make_model(generator_optimizer=adam(keras.optimizers.schedules.CosineDecay(1e-3, 10)))
    with pytest.raises((TypeError, ValueError), match="(?i)schedule"):
        model.optimizer.learning_rate = 1e-4


def test_averages_of_the_optimizer_are_the_weights_in_the_end(make_model, images):
    model = make_model(generator_optimizer=adam(1e-2, use_ema=True, ema_momentum=0.9))
    fit(model, images)
    optimizer = model.generator_optimizer
    for weight, average in zip(
        model.generator.trainable_variables, optimizer._model_variables_moving_average, strict=True
    ):
        np.testing.assert_array_equal(weight, average)


def test_averages_are_swapped_in_for_validation(make_model, images):
    model = make_model(generator_optimizer=adam(1e-2, use_ema=True))
    history = fit(model, images, keras.callbacks.SwapEMAWeights(), validation_data=(images, images))
    assert np.isfinite(history["val_g_l1"]).all()


def test_training_ends_on_nan(make_model, images):
    images[0] = np.nan
    assert len(fit(make_model(), images, keras.callbacks.TerminateOnNaN(), epochs=3)["g_loss"]) == 1
    assert "loss" not in make_model().metrics_names


def test_regularizers_and_added_losses_count_for_their_own_network(make_model, images):
    def regularized(network, strength):
        source = keras.Input(SHAPE)
        target = keras.Input(SHAPE)
        inputs = [source, target] if network == "discriminator" else source
        x = layers.Concatenate()([source, target]) if network == "discriminator" else source
        x = layers.ActivityRegularization(l1=strength)(x)
        regularizer = keras.regularizers.L2(strength)
        out = layers.Conv2D(3 if network == "generator" else 1, 3, padding="same", kernel_regularizer=regularizer)(x)
        return keras.Model(inputs, out)

    def losses_of(strength):
        keras.utils.set_random_seed(0)
        networks = regularized("generator", strength), regularized("discriminator", strength)
        model = make_model(*networks, generator_optimizer=keras.optimizers.SGD(0.0))
        kernels = [float(np.sum(np.square(network.trainable_variables[0]))) for network in networks]
        return model.evaluate(images[:1], images[:1], verbose=0, return_dict=True), kernels

    plain, _ = losses_of(0.0)
    found, kernels = losses_of(0.5)
    added = 0.5 * kernels[0] + 0.5 * np.abs(images[0]).sum()
    assert found["g_loss"] - plain["g_loss"] == pytest.approx(added, rel=1e-4)
    assert found["d_loss"] - plain["d_loss"] > 0.5 * kernels[1]
    assert found["g_l1"] == plain["g_l1"]


def test_a_regularizer_shrinks_the_weights(make_model, images):
    source = keras.Input(SHAPE)
    convolution = layers.Conv2D(3, 3, padding="same", kernel_regularizer=keras.regularizers.L2(100.0))
    model = make_model(
        keras.Model(source, convolution(source)), lambda_l1=1e-6, lambda_gan=0, generator_optimizer="sgd"
    )
    before = float(np.abs(convolution.kernel).sum())
    model.generator_optimizer.learning_rate = 1e-3
    fit(model, images)
    assert float(np.abs(convolution.kernel).sum()) < 0.9 * before


@pytest.mark.parametrize("loss", ["mae", keras.losses.mean_absolute_error, keras.losses.MeanAbsoluteError()])
def test_a_reconstruction_loss_is_what_keras_takes(make_model, images, loss):
    logs = make_model(reconstruction_loss=loss).evaluate(images, images, verbose=0, return_dict=True)
    assert logs["g_reconstruction"] == pytest.approx(logs["g_l1"])


@pytest.mark.parametrize("loss", ["mse", keras.losses.mean_squared_error])
def test_a_gan_loss_is_what_keras_takes(make_model, images, loss):
    keras.utils.set_random_seed(0)
    model = make_model(gan_loss=loss)
    same = Pix2Pix(model.generator, model.discriminator)
    same.compile(gan_loss="lsgan")
    found, expected = (each.evaluate(images, images, verbose=0, return_dict=True) for each in (model, same))
    assert found["g_gan"] == pytest.approx(expected["g_gan"])


def test_losses_by_word_come_back_with_the_file(make_model, tmp_path):
    make_model(gan_loss="mse", reconstruction_loss="mae").save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.get_compile_config()["reconstruction_loss"] == "mae"


@pytest.mark.parametrize("loss", ["binary_crossentropy", keras.losses.binary_crossentropy])
def test_a_loss_of_probabilities_is_refused(make_model, loss):
    with pytest.raises(ValueError, match="logits"):
        make_model(gan_loss=loss)


@pytest.mark.parametrize("argument", ["gan_loss", "reconstruction_loss"])
@pytest.mark.parametrize("loss", ["nonsense", None, 3])
def test_other_losses_are_refused(make_model, argument, loss):
    with pytest.raises(ValueError, match=argument):
        make_model(**{argument: loss})


def test_class_weights_are_refused(make_model, images):
    with pytest.raises(ValueError, match="sample_weight"):
        fit(make_model(), images, class_weight={0: 1.0})


@pytest.mark.parametrize("name", ["model.h5", "model.hdf5"])
def test_an_h5_file_is_refused(make_model, tmp_path, name):
    with pytest.raises(ValueError, match="\\.keras"):
        make_model().save(tmp_path / name)


@pytest.mark.parametrize("after_fit", [False, True])
def test_stock_export_writes_the_generator(make_model, images, tmp_path, after_fit):
    model = make_model()
    if after_fit:
        fit(model, images, epochs=1)
    model.export(tmp_path / "exported", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "exported")
    np.testing.assert_allclose(loaded.serve(images), model.generator(images, training=False), atol=1e-5)


def test_generators_within_generators_translate_any_size(make_model):
    inner = unet_generator(SHAPE, filters=4, num_downsamples=2)
    innermost = keras.Sequential([keras.Input(SHAPE), layers.Rescaling(0.5)])
    source = keras.Input(SHAPE)
    model = make_model(keras.Model(source, inner(innermost(source))))
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype("uint8")
    image = (pixels / np.float32(127.5) - 1)[np.newaxis]
    expected = np.rint((model.generator(image, training=False)[0].numpy() + 1) * 127.5)
    assert abs(model.translate(pixels).astype(float) - expected).max() <= 1
    assert model.translate(np.zeros((45, 50, 3), "uint8")).shape == (45, 50, 3)


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.convolution = layers.Conv2D(3, 3, padding="same")

    def call(self, inputs):
        return self.convolution(inputs)


@pytest.mark.parametrize("networks", [(Own(), None), (unet_generator(SHAPE, filters=4), Own())])
def test_models_of_ones_own_class_need_inputs(networks):
    with pytest.raises(ValueError, match="keras.Model"):
        Pix2Pix(*networks)


def test_around_a_model_of_ones_own_class(make_model, images):
    source = keras.Input(SHAPE)
    model = make_model(keras.Model(source, Own()(source)))
    assert np.isfinite(fit(model, images)["g_l1"]).all()


@pytest.mark.parametrize("method", ["fit", "evaluate"])
def test_pixels_are_refused(make_model, images, method):
    pixels = (127 * (images + 1)).astype("uint8")
    with pytest.raises(ValueError, match="to_image"):
        getattr(make_model(), method)(pixels, images, verbose=0)
    with pytest.raises(ValueError, match="target"):
        getattr(make_model(), method)(images, pixels, verbose=0)


@pytest.mark.parametrize(("scale", "shift"), [(127.5, 127.5), (0.5, 0.5), (2.0, 0.0)])
@pytest.mark.parametrize("kind", ["arrays", "dataset", "pydataset", "generator"])
def test_another_range_is_warned_of(make_model, images, scale, shift, kind):
    with pytest.warns(UserWarning, match="\\[-1, 1\\]"):
        fit_on(kind, make_model(), images * scale + shift)


@pytest.mark.parametrize("kind", ["arrays", "dataset", "pydataset", "generator"])
def test_data_as_they_should_be_cause_no_warning(make_model, images, kind):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        fit_on(kind, make_model(), images)


def test_the_first_batch_of_a_generator_is_trained_on(make_model, images):
    seen = []

    def counted():
        for index in range(4):
            seen.append(index)
            yield images[index : index + 1], images[index : index + 1]

    model = make_model()
    model.fit(counted(), steps_per_epoch=4, verbose=0)
    assert seen == [0, 1, 2, 3]
    assert int(model.generator_optimizer.iterations) == 4


def test_an_empty_generator_is_left_to_keras(make_model):
    with pytest.raises(Exception, match="(?i)data|empty|generator"):
        make_model().fit((pair for pair in ()), verbose=0)


def test_validation_data_are_looked_at(make_model, images):
    with pytest.raises(ValueError, match="to_image"):
        fit(make_model(), images, validation_data=(np.zeros((1, *SHAPE), "uint8"), images))


def test_data_that_are_not_batched_are_refused(make_model, images):
    with pytest.raises(ValueError, match="batch\\(1\\)"):
        make_model().fit(tf.data.Dataset.from_tensor_slices((images, images)), verbose=0)


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
def test_another_size_is_refused(make_model, method):
    larger = np.zeros((1, 64, 64, 3), "float32")
    with pytest.raises(ValueError, match="translate"):
        getattr(make_model(), method)(*([larger] if method == "predict" else [larger, larger]), verbose=0)


def test_a_network_of_any_size_says_of_which_it_is_the_multiple(make_model, images):
    networks = unet_generator((None, None, 3), filters=2), patchgan_discriminator((None, None, 3), filters=4)
    with pytest.raises(ValueError, match="multiples of 256"):
        fit(make_model(*networks), images)


@pytest.mark.parametrize("kind", ["arrays", "dataset", "pydataset", "generator"])
def test_callbacks_show_what_fit_takes(make_model, images, tmp_path, kind):
    data = {
        "arrays": (images, images),
        "dataset": tf.data.Dataset.from_tensor_slices((images, images)).batch(2),
        "pydataset": Flat(images),
        "generator": batches(images),
    }[kind]
    grid = callbacks.SampleGrid(tmp_path, data, count=2)
    np.testing.assert_array_equal(grid.source, images[:2])
    np.testing.assert_array_equal(grid.target, images[:2])


def test_xla_is_for_gpus(make_model, monkeypatch):
    assert make_model().jit_compile is False
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [kind])
    assert make_model().jit_compile is True
    assert make_model(run_eagerly=True).jit_compile is False
    assert make_model(jit_compile=False).jit_compile is False
    assert make_model().get_compile_config()["jit_compile"] == "auto"
