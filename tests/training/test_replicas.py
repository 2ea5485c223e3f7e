"""How steps are executed changes nothing in the mathematics: together, accumulated, on several replicas."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_pix2pix import Pix2Pix, callbacks, patchgan_discriminator, unet_generator
from keras_pix2pix.training.distribution import strategy_for
from keras_pix2pix.training.optimizers import FusedAdam
from keras_pix2pix.training.replicas import logs_of_all_workers

METRICS = ["mse", keras.losses.mean_absolute_error]


def sgd(**arguments):
    return [keras.optimizers.SGD(0.05, **arguments) for _ in range(2)]


def data(images, batch_size, count=8):
    source, target = images(8)
    return tf.data.Dataset.from_tensor_slices((source[:count], target[:count])).batch(batch_size)


def weights_of(model):
    return [*model.generator.get_weights(), *model.discriminator.get_weights()]


def assert_equal(models, histories):
    for ours, theirs in zip(*map(weights_of, models), strict=True):
        np.testing.assert_allclose(theirs, ours, atol=1e-5)
    assert histories[0].keys() == histories[1].keys()
    for name, values in histories[0].items():
        np.testing.assert_allclose(histories[1][name], values, rtol=1e-4, err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("replicas", [1, 2])
@pytest.mark.parametrize("steps_per_execution", [2, 3])
def test_steps_executed_together_are_the_same_steps(make_model, images, replicas, steps_per_execution):
    # Not `mirrored`: TensorFlow's collectives, its default, fail within Keras' loop over steps.
    strategy = strategy_for(replicas)
    alone = make_model(dropout=0)
    with strategy.scope():
        together = make_model(dropout=0)
        together.compile(*sgd(), metrics=METRICS, steps_per_execution=steps_per_execution)
    together.set_weights(alone.get_weights())
    alone.compile(*sgd(), metrics=METRICS)
    # Four steps, which three at once don't divide. Validation ends with 2 pairs on one replica and 1 on the other.
    histories = [
        model.fit(data(images, 2), validation_data=data(images, 4, 7), shuffle=False, verbose=0).history
        for model in (alone, together)
    ]
    assert {"mse", "mean_absolute_error", "val_mse"} <= histories[0].keys()
    assert_equal((alone, together), histories)


@pytest.mark.slow
def test_accumulated_steps_are_one_step_on_the_mean_gradient(make_model, images):
    whole, parts = make_model(dropout=0), make_model(dropout=0)
    # Both networks at their old weights: an updated discriminator would have seen another part of the batch.
    parts.compile(*sgd(gradient_accumulation_steps=2), update_order="simultaneous")
    parts.set_weights(whole.get_weights())
    whole.compile(*sgd(), update_order="simultaneous")
    before = weights_of(parts)
    parts.fit(data(images, 4, 4), shuffle=False, verbose=0)
    for ours, theirs in zip(before, weights_of(parts), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    parts.fit(data(images, 4).skip(1), shuffle=False, verbose=0)
    whole.fit(data(images, 8), shuffle=False, verbose=0)
    assert_equal((whole, parts), ({}, {}))
    assert any((ours != theirs).any() for ours, theirs in zip(before, weights_of(parts), strict=True))


def test_the_fused_adam_accumulates():
    gradients = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    parts, whole = keras.Variable(np.ones(3, "float32")), keras.Variable(np.ones(3, "float32"))
    accumulating, plain = FusedAdam(0.1, gradient_accumulation_steps=2), FusedAdam(0.1)
    for gradient in gradients:
        accumulating.apply([tf.constant(gradient)], [parts])
    for pair in gradients.reshape(2, 2, 3):
        plain.apply([tf.constant(pair.mean(axis=0))], [whole])
    np.testing.assert_allclose(parts.numpy(), whole.numpy(), atol=1e-6)
    assert FusedAdam.from_config(accumulating.get_config()).gradient_accumulation_steps == 2


def test_the_fused_adam_accumulates_in_training_and_goes_on(make_model, images, tmp_path):
    model = make_model(dropout=0)
    model.compile(*[FusedAdam(1e-3, gradient_accumulation_steps=3) for _ in range(2)])
    checkpoint = callbacks.Checkpoint(tmp_path / "model.keras")
    model.fit(data(images, 2), shuffle=False, verbose=0, callbacks=[checkpoint])
    again = keras.saving.load_model(tmp_path / "model.keras")
    before = weights_of(again)
    for each in (model, again):
        each.fit(data(images, 2, 4), shuffle=False, verbose=0)  # Of the 4 steps, one was left over: the 6th updates.
    for ours, theirs, start in zip(weights_of(model), weights_of(again), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)
        assert (start != theirs).any() or not np.any(start)


def test_a_model_loaded_under_a_strategy_goes_on_there(make_model, images, mirrored, tmp_path):
    alone = make_model(dropout=0)
    alone.compile(*sgd(), metrics=METRICS)
    alone.fit(data(images, 4), shuffle=False, verbose=0)
    alone.save(tmp_path / "model.keras")
    with mirrored.scope():
        together = keras.saving.load_model(tmp_path / "model.keras")
    histories = [model.fit(data(images, 4), shuffle=False, verbose=0).history for model in (alone, together)]
    assert_equal((alone, together), histories)


PARTS = {
    "paper": {},
    "all else": {
        "gan_loss": "hinge",
        "lambda_features": 10.0,
        "discriminator_steps": 2,
        "update_order": "simultaneous",
    },
}


@pytest.mark.slow
@pytest.mark.parametrize("recipe", PARTS.values(), ids=PARTS)
def test_xla_compiles_the_parts_of_a_step_on_replicas(make_model, images, mirrored, recipe):
    with mirrored.scope():
        models = [make_model(dropout=0) for _ in range(2)]
        models[1].set_weights(models[0].get_weights())
        for model, jit_compile in zip(models, (False, True), strict=True):
            model.generator.get_layer("down1_convolution").kernel_regularizer = keras.regularizers.L2(0.1)
            model.compile(*sgd(), metrics=METRICS, jit_compile=jit_compile, **recipe)
    histories = [model.fit(data(images, 4), shuffle=False, verbose=0).history for model in models]
    assert_equal(models, histories)
    compiled = models[1]._compiled(lambda: tf.ones(2))
    assert compiled._jit_compile  # Otherwise two equal things have been compared.
    with mirrored.scope():
        models[1].compile(jit_compile=True, run_eagerly=True)
    assert not models[1].compiles_parts


@pytest.mark.parametrize("networks", [{"normalization": "batch"}, {"spectral_norm": True}])
def test_xla_on_replicas_with_statistics_of_all_of_them_is_refused(mirrored, networks):
    with mirrored.scope():
        discriminator = patchgan_discriminator((32, 32, 3), filters=2, num_layers=2, **networks)
        model = Pix2Pix(unet_generator((32, 32, 3), filters=2, num_downsamples=3), discriminator)
        with pytest.raises(ValueError, match=r"`jit_compile=True` on several replicas needs .* Received: the layer '"):
            model.compile(jit_compile=True)
        model.compile(jit_compile=True, run_eagerly=True)
        model.compile()


def test_accumulating_on_several_replicas_is_refused(make_model, mirrored):
    words = "several replicas. Received: gradient_accumulation_steps=2 with 2"
    with mirrored.scope(), pytest.raises(ValueError, match=words):
        make_model().compile(generator_optimizer=FusedAdam(gradient_accumulation_steps=2))


def test_logs_keep_their_shape_on_one_machine(mirrored):
    logs = {"g_l1": tf.constant(0.5)}
    assert logs_of_all_workers(logs) is logs
    with mirrored.scope():
        assert logs_of_all_workers(logs) is logs
