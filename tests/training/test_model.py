"""The step against a plain implementation, its logs by hand, two replicas, and files that go on training."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_pix2pix import Pix2Pix, paired_dataset, patchgan_discriminator
from keras_pix2pix.data.synthetic import write_facades
from keras_pix2pix.training.losses import adversarial_loss, l1_loss
from keras_pix2pix.training.presets import PRESETS


def weights_of(model):
    return [np.array(weight) for weight in model.generator.get_weights() + model.discriminator.get_weights()]


def compile_sgd(model, **arguments):
    optimizers = [keras.optimizers.SGD(0.05), keras.optimizers.SGD(0.05)]
    model.compile(*optimizers, **arguments)


def plain_step(model, source, target, gan_loss="vanilla", lambda_l1=100.0, rate=0.05):
    """Algorithm of the paper with two generator passes, one for each update, and gradient descent by hand."""
    loss = adversarial_loss(gan_loss)

    def descend(network, loss_value):
        with tf.GradientTape() as tape:
            value = loss_value()
        for weight, gradient in zip(
            network.trainable_weights, tape.gradient(value, network.trainable_weights), strict=True
        ):
            weight.assign(weight - rate * gradient)

    def d_loss():
        fake = tf.stop_gradient(model.generator(source, training=True))
        judged = model.discriminator([source, target]), model.discriminator([source, fake])
        return tf.reduce_mean(loss.discriminator(*judged)) / 2

    def g_loss():
        generated = model.generator(source, training=True)
        judged = loss.generator(model.discriminator([source, generated]))
        return tf.reduce_mean(judged + lambda_l1 * l1_loss(target, generated))

    descend(model.discriminator, d_loss)
    descend(model.generator, g_loss)


@pytest.mark.parametrize(("gan_loss", "lambda_l1"), [("vanilla", 100.0), ("lsgan", 100.0), ("vanilla", 0.0)])
def test_a_step_is_the_papers_algorithm(make_model, images, gan_loss, lambda_l1):
    source, target = map(tf.constant, images(2))
    model, reference = make_model(dropout=0), make_model(dropout=0)
    reference.set_weights(model.get_weights())
    start = weights_of(model)
    compile_sgd(model, gan_loss=gan_loss, lambda_l1=lambda_l1)
    model.train_on_batch(source.numpy(), target.numpy())
    plain_step(reference, source, target, gan_loss, lambda_l1)
    for before, ours, theirs in zip(start, weights_of(model), weights_of(reference), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-6)
        assert not np.array_equal(before, ours)


def test_one_dropout_mask_serves_both_updates(make_model, images, monkeypatch):
    source, target = images(1)
    model = make_model()
    compile_sgd(model, run_eagerly=True)
    call, passes = model.generator.call, []
    monkeypatch.setattr(model.generator, "call", lambda *a, **options: passes.append(options) or call(*a, **options))
    model.fit(source, target, batch_size=1, verbose=0)
    assert [options["training"] for options in passes] == [True]


def test_logs_by_hand(make_model, images):
    source, target = map(tf.constant, images(2))
    model = make_model(dropout=0)
    model.compile(lambda_l1=10.0, metrics=[keras.metrics.MeanSquaredError(name="mse")])
    generated = model.generator(source)
    real, fake = model.discriminator([source, target]), model.discriminator([source, generated])
    logs = model.test_on_batch(source.numpy(), target.numpy(), return_dict=True)
    loss = adversarial_loss("vanilla")
    g_gan = np.mean(loss.generator(fake))
    g_l1 = np.mean(np.abs(target - generated))
    right = (np.mean(np.asarray(real) > 0) + np.mean(np.asarray(fake) <= 0)) / 2
    expected = {
        "g_loss": g_gan + 10 * g_l1,
        "g_gan": g_gan,
        "g_l1": g_l1,
        "d_loss": np.mean(loss.discriminator(real, fake)) / 2,
        "d_real": np.mean(1 / (1 + np.exp(-real))),
        "d_fake": np.mean(1 / (1 + np.exp(-fake))),
        "d_accuracy": right,
        "mse": np.mean((target - generated) ** 2),
    }
    assert logs.keys() == expected.keys()
    for name, value in expected.items():
        assert logs[name] == pytest.approx(value, rel=1e-4), name


def test_training_logs_are_those_before_the_generators_update(make_model, images):
    source, target = images(2)
    model = make_model(dropout=0)
    compile_sgd(model)
    before = model.test_on_batch(source, target, return_dict=True)
    logs = model.train_on_batch(source, target, return_dict=True)
    for name in ("g_l1", "d_loss", "d_real", "d_fake", "d_accuracy"):
        assert logs[name] == pytest.approx(before[name], rel=1e-4), name
    # The generator is judged by the updated discriminator, which has learned.
    assert logs["g_gan"] > before["g_gan"] + 1e-4


def test_examples_of_weight_0_count_for_nothing_in_validation(make_model, images):
    source, target = images(3)
    model = make_model()
    model.compile(metrics=[keras.metrics.MeanSquaredError(name="mse")])
    expected = model.evaluate(source[:2], target[:2], verbose=0, return_dict=True)
    weighted = model.evaluate(source, target, sample_weight=np.array([1.0, 1.0, 0.0]), verbose=0, return_dict=True)
    assert weighted.pop("mse") != pytest.approx(expected.pop("mse"), rel=1e-6)  # Keras' own `metrics` take no weights.
    for name, value in expected.items():
        assert weighted[name] == pytest.approx(value, rel=1e-5), name


def test_sample_weights_scale_the_gradients(make_model, images):
    source, target = images(2)
    models = make_model(dropout=0), make_model(dropout=0)
    models[1].set_weights(models[0].get_weights())
    compile_sgd(models[0])
    models[0].train_on_batch(source, target, sample_weight=np.array([2.0, 0.0]))
    compile_sgd(models[1])
    models[1].train_on_batch(source[:1], target[:1])
    for ours, theirs in zip(weights_of(models[0]), weights_of(models[1]), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-6)


def test_a_discriminator_may_return_several_scales(make_model, images):
    source, target = images(2)
    model = make_model(dropout=0)
    discriminator = model.discriminator
    last = discriminator.layers[-1].output
    coarse = keras.layers.AveragePooling2D(2)(last)
    model.discriminator = keras.Model(discriminator.inputs, [last, coarse])
    compile_sgd(model)
    logs = model.test_on_batch(source, target, return_dict=True)
    real = model.discriminator([source, target])
    assert logs["d_real"] == pytest.approx(np.mean([np.mean(1 / (1 + np.exp(-each))) for each in real]), rel=1e-5)
    assert np.isfinite(model.train_on_batch(source, target, return_dict=True)["g_loss"])


def test_validation_runs_without_dropout(make_model, images):
    source, target = images(1)
    model = make_model()
    model.compile()
    first, second = (model.test_on_batch(source, target, return_dict=True) for _ in range(2))
    assert first["g_l1"] == second["g_l1"]


def test_predict_is_the_generator(make_model, images):
    source, _ = images(2)
    model = make_model()
    np.testing.assert_allclose(model.predict(source, verbose=0), model.generator(source), atol=1e-6)


def test_two_replicas_of_two_end_like_one_of_four(make_model, images, mirrored):
    source, target = images(8)
    batches = tf.data.Dataset.from_tensor_slices((source, target)).batch(4)
    # 7 pairs: the last batch is 2 pairs and 1.
    uneven = tf.data.Dataset.from_tensor_slices((source[:7], target[:7])).batch(4)
    alone = make_model(dropout=0)
    with mirrored.scope():
        together = make_model(dropout=0)
        compile_sgd(together, metrics=[keras.metrics.MeanSquaredError(name="mse")])
    together.set_weights(alone.get_weights())
    compile_sgd(alone, metrics=[keras.metrics.MeanSquaredError(name="mse")])
    histories = [
        model.fit(batches, epochs=2, validation_data=uneven, shuffle=False, verbose=0).history
        for model in (alone, together)
    ]
    for ours, theirs in zip(weights_of(alone), weights_of(together), strict=True):
        np.testing.assert_allclose(theirs, ours, atol=1e-5)
    assert histories[0].keys() == histories[1].keys()
    for name, values in histories[0].items():
        np.testing.assert_allclose(histories[1][name], values, rtol=1e-4, err_msg=name)


def test_a_paired_dataset_feeds_two_replicas_and_pads_validation(make_model, mirrored, tmp_path):
    write_facades(tmp_path, 5, image_size=(32, 32))
    options = {"image_size": 32, "batch_size": 2}
    validation = paired_dataset(tmp_path, training=False, **options)
    alone = make_model(dropout=0)
    with mirrored.scope():
        together = make_model(dropout=0)
        compile_sgd(together)
    together.set_weights(alone.get_weights())
    compile_sgd(alone)
    # Keras takes the first pass to build a model under a strategy.
    for model, initial_epoch in ((alone, 4), (together, 3)):
        dataset = paired_dataset(tmp_path, initial_epoch=initial_epoch, **options)
        model.fit(dataset, shuffle=False, verbose=0)
    for ours, theirs in zip(weights_of(alone), weights_of(together), strict=True):
        np.testing.assert_allclose(theirs, ours, atol=1e-5)
    results = [model.evaluate(validation, verbose=0, return_dict=True) for model in (alone, together)]
    for name, value in results[0].items():
        assert results[1][name] == pytest.approx(value, rel=1e-4), name


def test_adam_runs_on_two_replicas(make_model, images, mirrored):
    source, target = images(4)
    alone = make_model(dropout=0)
    with mirrored.scope():
        together = make_model(dropout=0)
        together.compile()
    together.set_weights(alone.get_weights())
    alone.compile()
    for model in (alone, together):
        model.fit(source, target, batch_size=4, epochs=1, shuffle=False, verbose=0)
    for ours, theirs in zip(weights_of(alone), weights_of(together), strict=True):
        # Adam's first step is the learning rate, whatever the gradient; its sign is that of rounding where it is 0.
        np.testing.assert_allclose(theirs, ours, atol=4.1e-4)
    moments = [
        sum(float(np.abs(moment).sum()) for moment in model.generator_optimizer._momentums)
        for model in (alone, together)
    ]
    assert moments[0] == pytest.approx(moments[1], rel=1e-4)


def test_a_saved_model_goes_on_training_as_if_nothing_had_happened(make_model, images, tmp_path):
    source, target = images(4)
    schedule = keras.optimizers.schedules.ExponentialDecay(1e-3, 2, 0.5)
    model = make_model(direction="BtoA")
    model.compile(
        keras.optimizers.Adam(schedule, beta_1=0.4),
        gan_loss=keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1),
        lambda_l1=7.0,
        metrics=[keras.metrics.MeanSquaredError(name="mse")],
    )
    model.fit(source, target, batch_size=2, epochs=2, shuffle=False, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")

    assert again.direction == "BtoA"
    assert again.objective.lambda_l1 == 7.0
    assert int(again.generator_optimizer.iterations) == int(again.discriminator_optimizer.iterations) == 4
    assert float(again.generator_optimizer.learning_rate) == pytest.approx(2.5e-4)
    assert again.discriminator_optimizer.get_config() == model.discriminator_optimizer.get_config()
    histories = [
        each.fit(source, target, batch_size=2, epochs=2, shuffle=False, verbose=0).history for each in (model, again)
    ]
    assert histories[0] == histories[1]
    for ours, theirs in zip(weights_of(model), weights_of(again), strict=True):
        np.testing.assert_array_equal(ours, theirs)  # The state of dropout's masks among them.


def test_dropout_inside_a_nested_model_goes_on_too(images, tmp_path):
    source, target = images(2)
    inner = keras.Input((32, 32, 4))
    block = keras.Model(inner, keras.layers.Dropout(0.5)(inner))
    outer = keras.Input((32, 32, 3))
    x = keras.layers.Conv2D(3, 3, padding="same")(block(keras.layers.Conv2D(4, 3, padding="same")(outer)))
    model = Pix2Pix(keras.Model(outer, x), patchgan_discriminator((32, 32, 3), filters=2, num_layers=1))
    model.compile()
    model.fit(source, target, batch_size=1, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    histories = [each.fit(source, target, shuffle=False, verbose=0).history for each in (model, again)]
    assert histories[0] == histories[1]


def test_arrays_can_be_stepped_through_eagerly(make_model, images):
    source, target = images(1)
    logs = []
    for run_eagerly in (True, False):
        keras.utils.set_random_seed(0)
        model = make_model(dropout=0)
        compile_sgd(model, run_eagerly=run_eagerly)
        logs.append(model.train_on_batch(source, target, return_dict=True))
    for name, value in logs[0].items():
        assert value == pytest.approx(logs[1][name], rel=1e-4), name


def test_an_optimizer_may_be_named(make_model):
    model = make_model()
    model.compile("sgd", "adam")
    assert isinstance(model.generator_optimizer, keras.optimizers.SGD)


def test_an_uncompiled_model_is_saved_too(make_model, images, tmp_path):
    source, _ = images(1)
    model = make_model()
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(source), model(source))


def test_metrics_jit_and_steps_reach_keras(make_model):
    model = make_model()
    model.compile(steps_per_execution=3, run_eagerly=True)
    assert model.run_eagerly
    assert model.steps_per_execution == 3
    model.compile(jit_compile=True)
    assert model.jit_compile


@pytest.mark.slow
def test_xla_takes_the_same_step(make_model, images):
    source, target = images(1)
    models = make_model(dropout=0), make_model(dropout=0)
    models[1].set_weights(models[0].get_weights())
    for model, jit_compile in zip(models, (False, True), strict=True):
        compile_sgd(model, jit_compile=jit_compile)
        model.train_on_batch(source, target)
    for ours, theirs in zip(weights_of(models[0]), weights_of(models[1]), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_float16_scales_both_losses(make_model, images):
    source, target = images(2)
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = make_model(dropout=0)
        model.compile()
        for optimizer in (model.generator_optimizer, model.discriminator_optimizer):
            assert isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        # The default scale, 2**15, overflows a few times before it has found its place.
        scaled = [keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.05), initial_scale=64) for _ in range(2)]
        model.compile(*scaled, lambda_l1=1.0)
    finally:
        keras.config.set_dtype_policy("float32")
    full = make_model(dropout=0)
    full.set_weights(model.get_weights())
    compile_sgd(full, lambda_l1=1.0)
    start = weights_of(model)
    model.train_on_batch(source, target)
    full.train_on_batch(source, target)
    steps = [
        np.concatenate([(after - before).ravel() for before, after in zip(start, weights_of(each), strict=True)])
        for each in (model, full)
    ]
    assert np.linalg.norm(steps[0] - steps[1]) < 0.05 * np.linalg.norm(steps[1])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"gan_loss": "vanila"}, "Received: gan_loss='vanila'"),
        ({"lambda_l1": -1}, "0 or more. Received: lambda_l1=-1"),
        ({"lambda_l1": float("nan")}, "Received: lambda_l1=nan"),
    ],
)
def test_compile_refuses_what_it_does_not_know(make_model, arguments, words):
    with pytest.raises(ValueError, match=words):
        make_model().compile(**arguments)


def test_one_optimizer_for_both_networks_is_refused(make_model):
    optimizer = keras.optimizers.Adam()
    with pytest.raises(ValueError, match=r"two objects.*the same Adam for both"):
        make_model().compile(optimizer, optimizer)


def test_an_unknown_direction_is_refused(make_model):
    with pytest.raises(ValueError, match="Received: direction='AB'"):
        make_model(direction="AB")


@pytest.mark.parametrize(("source", "target"), [("classes:4", "rgb"), ("rgb+gray16", "palette:#000000,#ff0000")])
def test_the_encodings_are_kept_in_the_model_file(make_encoded_model, tmp_path, source, target):
    make_encoded_model(source, target).save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert (loaded.source_encoding.word, loaded.target_encoding.word) == (source, target)


def test_a_model_saved_before_there_were_encodings_is_loaded(make_encoded_model):
    model = make_encoded_model("gray", "rgba")
    config = {name: value for name, value in model.get_config().items() if not name.endswith("_encoding")}
    loaded = type(model).from_config(config)
    assert (loaded.source_encoding.word, loaded.target_encoding.word) == ("gray", "rgba")


def test_encodings_must_suit_the_generator(make_model):
    with pytest.raises(ValueError, match="'classes:4' makes images of 4 channels, and this side of the network has 3"):
        make_model(source_encoding="classes:4")
    with pytest.raises(ValueError, match="'gray' makes images of 1 channels"):
        make_model(target_encoding="gray")
    with pytest.raises(ValueError, match="A target has one encoding. Received: target_encoding='gray.values:2"):
        make_model(target_encoding=["gray", 2])


def test_a_preset_may_have_other_channels_in_its_target(monkeypatch):
    for network in ("generator", "discriminator"):
        monkeypatch.setitem(PRESETS["paper"][network], "filters", 2)
    encodings = {"source_encoding": "classes:5", "target_encoding": "gray"}
    model = Pix2Pix.from_preset("paper", (32, 32, 5), target_channels=1, direction="BtoA", **encodings)
    assert model.generator.output_shape == (None, 32, 32, 1)
    assert [shape[-1] for shape in model.discriminator.input_shape] == [5, 1]
    assert (model.direction, model.source_encoding.word, model.target_encoding.word) == ("BtoA", "classes:5", "gray")
