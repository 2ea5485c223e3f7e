"""Each state that `Health` knows is made to happen; and a healthy run, in which nothing is said."""

import json
import math

import keras
import numpy as np
import pytest
from keras import layers

from keras_pix2pix import Pix2Pix, callbacks, metrics, patchgan_discriminator, unet_generator
from keras_pix2pix.report.history import read_messages
from keras_pix2pix.training.training_state import Progress

QUICK = {"after_steps": 0, "patience": 2}
SHAPE = (16, 16, 3)


@pytest.fixture
def make_model():
    """A function that builds a smaller Pix2Pix than the other tests have: here graphs are built again and again."""

    def make(generator=None, filters=2):
        return Pix2Pix(
            generator or unet_generator(SHAPE, filters=filters, num_downsamples=2),
            patchgan_discriminator(SHAPE, filters=filters, num_layers=1),
        )

    return make


@pytest.fixture
def images():
    def draw(count):
        return np.random.default_rng(0).uniform(-1, 1, (2, count, *SHAPE)).astype("float32")

    return draw


def fit(model, source, target, *watch, epochs=4, **options):
    model.fit(source, target, batch_size=1, epochs=epochs, verbose=0, callbacks=list(watch), **options)


def sgd(generator_rate=0.0, discriminator_rate=0.0):
    return keras.optimizers.SGD(generator_rate), keras.optimizers.SGD(discriminator_rate)


def feed(health, model, *epochs, **logs):
    """What `fit` tells a callback of epochs that end with these logs."""
    health.set_model(model)
    for epoch in epochs:
        health.on_epoch_begin(epoch)
        health.on_epoch_end(epoch, {"d_real": 0.8, "d_fake": 0.2, "d_loss": 0.4, **logs})


def test_a_pixel_that_is_nan_ends_training_at_its_step_and_names_the_last_good_model(make_model, images, tmp_path):
    source, target = images(3)
    target[2, 5, 5] = math.nan
    model = make_model()
    model.compile()
    path, best = tmp_path / "model.keras", tmp_path / "best.keras"
    whole = [callbacks.BestModel(best, "g_l1"), callbacks.Checkpoint(path)]
    fit(model, source[:2], target[:2], *whole, epochs=1)
    good, good_best = path.read_bytes(), best.read_bytes()

    health = callbacks.Health(checkpoint=path, messages=tmp_path / "health.jsonl")
    with pytest.raises(RuntimeError, match="g_l1 is nan.* in step 3 of epoch 2. The last good model is") as error:
        fit(model, source, target, health, *whole, epochs=2, initial_epoch=1, shuffle=False)
    assert f"The last good model is {path}. Look for a NaN in the data first" in str(error.value)
    assert path.read_bytes() == good
    assert best.read_bytes() == good_best
    assert np.isfinite(keras.saving.load_model(path).generator(source[:1])).all()
    (said,) = read_messages(tmp_path / "health.jsonl")
    assert (said["epoch"], said["state"], said["message"]) == (2, "broken", str(error.value))


def test_validation_that_is_not_finite_ends_training_too(make_model):
    model = make_model()
    model.compile()
    with pytest.raises(RuntimeError, match="val_g_l1 is inf in epoch 1. No model was saved."):
        feed(callbacks.Health(), model, 0, val_g_l1=math.inf)


def test_steps_are_counted_from_the_beginning_of_an_epoch_that_was_resumed(make_model):
    model = make_model()
    model.compile()
    model.training_state.progress = Progress(epoch=2, step=5, seen=25)
    health = callbacks.Health()
    health.set_model(model)
    health.on_epoch_begin(2)
    with pytest.raises(RuntimeError, match="g_l1 is nan in step 6 of epoch 3"):
        health.on_train_batch_end(0, {"g_l1": math.nan})


def test_a_checkpoint_refuses_broken_weights_by_itself(make_model, tmp_path):
    model = make_model()
    model.compile()
    path = tmp_path / "model.keras"
    checkpoint = callbacks.Checkpoint(path)
    checkpoint.set_model(model)
    checkpoint.on_train_begin()
    checkpoint.on_epoch_begin(0)
    good = path.read_bytes()
    kernel = model.generator.trainable_variables[0]
    kernel.assign(np.full(kernel.shape, np.nan))
    with pytest.raises(RuntimeError, match=f"not saved, because .*{kernel.path} the first. {path} is the last good"):
        checkpoint.on_epoch_end(0)
    assert path.read_bytes() == good


def test_a_discriminator_that_has_won(make_model, images, capfd):
    # The generator stands still, and its pictures are far from the targets.
    source, target = images(4)
    model = make_model(filters=8)
    model.compile(keras.optimizers.SGD(0.0), keras.optimizers.Adam(0.01))
    fit(model, source, target + 2, callbacks.Health(**QUICK), epochs=12)
    _, errors = capfd.readouterr()
    assert errors.count("The discriminator has won") == 1
    assert "label_smoothing=0.1" in errors
    assert "doesn't tell" not in errors


def test_a_discriminator_that_has_collapsed(make_model, images, capfd):
    source, target = images(4)
    model = make_model()
    model.compile(*sgd(0.0, 10.0))  # A few steps, and its weights are beyond any return.
    fit(model, source, target, callbacks.Health(**QUICK), epochs=3)
    _, errors = capfd.readouterr()
    assert errors.count("The discriminator doesn't tell real from generated") == 1
    assert "has grown, lower the discriminator's learning rate" in errors


def constant_generator():
    source = keras.Input(SHAPE)
    return keras.Model(source, layers.Conv2D(3, 1, activation="tanh")(source * 0.0))


def test_a_generator_that_ignores_its_source(make_model, images, capfd, tmp_path):
    source, target = images(4)
    model = make_model(constant_generator())
    model.compile(*sgd())
    health = callbacks.Health((source, target), messages=tmp_path / "health.jsonl", lost_gap=-1, **QUICK)
    fit(model, source, target, health)
    _, errors = capfd.readouterr()
    assert errors.startswith(
        "Epoch 2: The generator ignores its source: for different sources its pictures differ 0.0%"
    )
    assert errors.count("\n") == 1
    assert "lambda_l1" in errors

    # Resumed, it is not said again.
    health = callbacks.Health((source, target), messages=tmp_path / "health.jsonl", lost_gap=-1, **QUICK)
    feed(health, model, *range(4, 8))
    assert capfd.readouterr().err == ""
    assert len((tmp_path / "health.jsonl").read_text().splitlines()) == 1


def test_equal_targets_say_nothing_of_the_generator(make_model, images, capfd):
    source, target = images(4)
    model = make_model(constant_generator())
    model.compile(*sgd())
    target[:] = target[:1]
    feed(callbacks.Health((source, target), **QUICK), model, *range(3))
    assert capfd.readouterr().err == ""


def test_a_healthy_run_is_left_alone(make_model, images, capfd):
    from keras_pix2pix.data.synthetic import facade

    pairs = [facade(seed, SHAPE[:2]) for seed in range(4)]
    source, target = (np.stack(side).astype("float32") / 127.5 - 1 for side in zip(*pairs, strict=True))
    model = make_model(filters=8)
    model.compile()
    fit(model, source, target, callbacks.Health((source, target), after_steps=100), epochs=60)
    assert capfd.readouterr().err == ""


def test_it_takes_several_epochs_in_a_row_and_a_trained_network(make_model, capfd):
    model = make_model()
    model.compile(*sgd())
    lost = {"d_real": 0.5, "d_fake": 0.5}
    health = callbacks.Health(after_steps=0, patience=3)
    feed(health, model, 0, 1, **lost)
    feed(health, model, 2)
    feed(health, model, 3, 4, **lost)
    assert capfd.readouterr().err == ""
    feed(health, model, 5, 6, **lost)
    assert capfd.readouterr().err.startswith("Epoch 6: The discriminator doesn't tell")

    model.generator_optimizer.iterations.assign(999)
    health = callbacks.Health()
    feed(health, model, *range(5), **lost)
    assert capfd.readouterr().err == ""
    model.generator_optimizer.iterations.assign(1000)
    feed(health, model, *range(5, 8), **lost)
    assert "Epoch 8: The discriminator doesn't tell" in capfd.readouterr().err


@pytest.mark.parametrize("restarted_every", [1, 2])
def test_epochs_in_a_row_are_counted_over_restarts(make_model, capfd, tmp_path, restarted_every):
    model = make_model()
    model.compile(*sgd())
    path = tmp_path / "model.keras"
    for epoch in range(0, 8, restarted_every):
        health = callbacks.Health(after_steps=0, messages=tmp_path / "health.jsonl")
        health.set_model(model)
        health.on_train_begin()
        checkpoint = callbacks.Checkpoint(path)
        checkpoint.set_model(model)
        checkpoint.on_train_begin()
        for each in range(epoch, epoch + restarted_every):
            checkpoint.on_epoch_begin(each)
            feed(health, model, each, d_real=0.99, d_fake=0.5 if each == 1 else 0.01)
            checkpoint.on_epoch_end(each)
        model = keras.saving.load_model(path)
    assert capfd.readouterr().err.startswith("Epoch 5: The discriminator has won")
    assert len(read_messages(tmp_path / "health.jsonl")) == 1


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ({"won_gap": 0.5}, "discriminator has won: it was all but certain what is real (0.800)"),
        ({"lost_gap": 0.7}, "(real 0.800, generated 0.200)"),
        ({"least_variety": 2.0}, "The generator ignores"),
    ],
)
def test_thresholds_can_be_moved(make_model, images, capfd, option, words):
    source = keras.Input(SHAPE)
    model = make_model(keras.Model(source, layers.Activation("tanh")(source)))
    model.compile(*sgd())
    feed(callbacks.Health(images(2), **QUICK), model, *range(3))
    assert capfd.readouterr().err == ""
    feed(callbacks.Health(images(2), **QUICK, **option), model, *range(3))
    errors = capfd.readouterr().err
    assert words in errors
    assert errors.count("\n") == 1


def test_nothing_is_said_of_a_critic_whose_numbers_are_no_probabilities(make_model, capfd):
    model = make_model()
    model.compile(*sgd(), gan_loss="wgangp")
    feed(callbacks.Health(**QUICK), model, *range(4), d_real=1.0, d_fake=0.0, d_penalty=0.1)
    assert capfd.readouterr().err == ""


def test_the_pairs_looked_at_are_as_many_as_wanted(images):
    assert len(callbacks.Health(images(5)).pairs[0]) == 4
    assert len(callbacks.Health(images(5), count=2).pairs[0]) == 2


@pytest.mark.parametrize("arguments", [{"count": 1}, {"patience": 0}])
def test_numbers_too_small_are_refused(arguments):
    with pytest.raises(ValueError, match="`count` must be 2 or more, `patience` 1 or more. Received: count="):
        callbacks.Health(**arguments)


def test_messages_are_read_line_by_line(tmp_path):
    path = tmp_path / "health.jsonl"
    assert read_messages(path) == []
    whole = {"epoch": 1, "state": "won", "message": "It has."}
    path.write_text(f'{json.dumps(whole)}\n[1]\n{{"epoch": 1}}\n{{"epo')
    assert read_messages(path) == [whole]


def test_a_run_on_two_devices_is_watched_alike(make_model, images, tmp_path, mirrored, capfd):
    source, target = images(4)
    with mirrored.scope():
        model = make_model()
        model.compile(metrics=[metrics.PSNR()])
    path = tmp_path / "model.keras"
    watch = [
        callbacks.Rates(batch_size=2),
        callbacks.Health((source, target), checkpoint=path),
        callbacks.BestModel(tmp_path / "best.keras", "val_psnr"),
        keras.callbacks.CSVLogger(tmp_path / "history.csv"),
        callbacks.Report(tmp_path),
        callbacks.Checkpoint(path),
    ]
    options = {"batch_size": 2, "verbose": 0, "callbacks": watch}
    logs = model.fit(source, target, validation_data=(source, target), **options).history
    assert {"g_learning_rate", "images_per_second", "val_psnr"} <= logs.keys()
    assert {"best.keras", "model.keras", "report.html"} <= {each.name for each in tmp_path.iterdir()}
    good = path.read_bytes()
    target[3] = math.nan
    with pytest.raises(RuntimeError, match=f"in step 2 of epoch 1. The last good model is {path}."):
        model.fit(source, target, shuffle=False, **options)
    assert path.read_bytes() == good
