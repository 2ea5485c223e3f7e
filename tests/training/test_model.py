"""The step against a plain implementation, its logs by hand, two replicas, and files that go on training."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_pix2pix import (
    Pix2Pix,
    paired_dataset,
    patchgan_discriminator,
    pytorch_gan_discriminator,
    resnet_generator,
    unet_generator,
)
from keras_pix2pix.data.synthetic import write_facades
from keras_pix2pix.training.losses import adversarial_loss
from keras_pix2pix.training.optimizers import FusedAdam
from keras_pix2pix.training.presets import PRESETS


def weights_of(model):
    return [np.array(weight) for weight in model.generator.get_weights() + model.discriminator.get_weights()]


def compile_sgd(model, rates=(0.05, 0.05), **arguments):
    model.compile(*[keras.optimizers.SGD(rate) for rate in rates], **arguments)


def plain_step(
    model,
    source,
    target,
    gan_loss="vanilla",
    lambda_l1=100.0,
    *,
    rates=(0.05, 0.05),
    reconstruction_loss="l1",
    discriminator_steps=1,
    update_order="discriminator_first",
    **terms,
):
    """Algorithm of the paper with a generator pass for each update, and gradient descent by hand."""

    def g_loss():
        generated = model.generator(source, training=True)
        distance = tf.reduce_mean(PLAIN_DISTANCES[reconstruction_loss](generated - target))
        return lambda_l1 * distance + plain_adversary(model, source, target, generated, gan_loss, **terms)

    def d_loss(update):
        generated = tf.stop_gradient(model.generator(source, training=True))
        return plain_d_loss(model, source, target, generated, gan_loss, update, **terms)

    def update_discriminator():
        for update in range(discriminator_steps):
            descend(model.discriminator, slopes(model.discriminator, lambda update=update: d_loss(update)), rates[1])

    if update_order == "discriminator_first":
        update_discriminator()
        descend(model.generator, slopes(model.generator, g_loss), rates[0])
    else:
        gradients = slopes(model.generator, g_loss)
        update_discriminator()
        descend(model.generator, gradients, rates[0])


def slopes(network, loss_value):
    with tf.GradientTape() as tape:
        value = loss_value()
    return tape.gradient(value, network.trainable_weights)


def descend(network, gradients, rate):
    for weight, gradient in zip(network.trainable_weights, gradients, strict=True):
        weight.assign(weight - rate * gradient)


LOG_COSH = keras.losses.LogCosh()
PLAIN_DISTANCES = {
    "l1": tf.abs,
    "l2": tf.square,
    "charbonnier": lambda difference: tf.sqrt(difference**2 + 1e-6),
    LOG_COSH: lambda difference: tf.math.log(tf.cosh(difference)),
}
MANHATTAN = keras.losses.MeanAbsoluteError()


def plain_judgement(discriminator, source, image):
    """Logits of all scales, as a list."""
    pair = [source, image] if len(discriminator.inputs) == 2 else image
    logits = discriminator(pair, training=True)
    return logits if isinstance(logits, list) else [logits]


def plain_verdict(gan_loss, real, fake, smoothing=0.0):
    """What the discriminator and what the generator minimise, logit by logit."""
    if gan_loss == "lsgan":
        return (real - 1 + smoothing) ** 2 + fake**2, (fake - 1) ** 2
    if gan_loss == "hinge":
        return tf.nn.relu(1 - real) + tf.nn.relu(1 + fake), -fake
    if gan_loss == "wgangp":
        return fake - real, -fake
    if gan_loss is MANHATTAN:
        return abs(real - 1) + abs(fake), abs(fake - 1)
    assert gan_loss == "vanilla"
    p_real, p_fake = tf.sigmoid(real), tf.sigmoid(fake)
    real_part = -(1 - smoothing) * tf.math.log(p_real) - smoothing * tf.math.log(1 - p_real)
    return real_part - tf.math.log(1 - p_fake), -tf.math.log(p_fake)


def plain_d_loss(
    model,
    source,
    target,
    generated,
    gan_loss,
    update,
    *,
    label_smoothing=0.0,
    discriminator_loss_weight=0.5,
    lambda_penalty=10.0,
    **_,
):
    real, fake = [plain_judgement(model.discriminator, source, image) for image in (target, generated)]
    verdicts = [plain_verdict(gan_loss, *scale, label_smoothing)[0] for scale in zip(real, fake, strict=True)]
    value = sum(map(tf.reduce_mean, verdicts)) / len(verdicts)
    if gan_loss == "wgangp":
        value += lambda_penalty * plain_penalty(model, source, target, generated, update)
    return discriminator_loss_weight * value


def plain_penalty(model, source, target, generated, update):
    # Anew in each update, by the number of updates before it and the replica, here the first.
    share = tf.reshape(tf.random.stateless_uniform([len(target)], [update, 0]), (-1, 1, 1, 1))
    between = (1 - share) * target + share * generated
    with tf.GradientTape() as tape:
        tape.watch(between)
        logits = plain_judgement(model.discriminator, source, between)
        value = sum(tf.reduce_sum(tf.reduce_mean(each, axis=[1, 2, 3])) for each in logits) / len(logits)
    norms = tf.norm(tf.reshape(tape.gradient(value, between), (len(target), -1)), axis=1)
    return tf.reduce_mean((norms - 1) ** 2)


def plain_adversary(model, source, target, generated, gan_loss, *, lambda_gan=1.0, lambda_features=0.0, **_):
    """The generator's terms that need a discriminator."""
    value = 0.0
    if lambda_gan:
        logits = plain_judgement(model.discriminator, source, generated)
        value += (
            lambda_gan * sum(tf.reduce_mean(plain_verdict(gan_loss, each, each)[1]) for each in logits) / len(logits)
        )
    if lambda_features:
        layers = [layer for layer in model.discriminator.layers if layer.name.endswith("_activation")]
        features = keras.Model(model.discriminator.inputs, [layer.output for layer in layers])
        real, fake = [tf.nest.flatten(plain_judgement(features, source, image)) for image in (target, generated)]
        value += (
            lambda_features * 4 * sum(tf.reduce_mean(abs(a - b)) for a, b in zip(real, fake, strict=True)) / len(layers)
        )
    return value


def tiny(generator=None, discriminator=None, **arguments):
    """Fewer layers than `make_model`'s, and any of their options."""
    return Pix2Pix(
        unet_generator((32, 32, 3), **{"filters": 2, "num_downsamples": 3, "dropout": 0, **(generator or {})}),
        patchgan_discriminator((32, 32, 3), **{"filters": 2, "num_layers": 1, **(discriminator or {})}),
        **arguments,
    )


STEPS = {
    "lambda_gan": {"lambda_gan": 30.0, "lambda_l1": 1.0},
    "lambda_features": {"lambda_features": 20.0, "lambda_l1": 1.0},
    "features alone": {"lambda_features": 20.0, "lambda_gan": 0.0, "lambda_l1": 0.0},
    "l2": {"reconstruction_loss": "l2"},
    "charbonnier": {"reconstruction_loss": "charbonnier"},
    "a Keras distance": {"reconstruction_loss": LOG_COSH},
    "a Keras criterion": {"gan_loss": MANHATTAN},
    "discriminator_loss_weight": {"discriminator_loss_weight": 3.0},
    "discriminator_steps": {"discriminator_steps": 3},
    "simultaneous": {"update_order": "simultaneous", "lambda_gan": 30.0, "lambda_l1": 1.0},
    "simultaneous, two steps": {"update_order": "simultaneous", "discriminator_steps": 2, "lambda_gan": 30.0},
    "vanilla, smoothed": {"label_smoothing": 0.3},
    "lsgan, smoothed": {"gan_loss": "lsgan", "label_smoothing": 0.3},
    "hinge": {"gan_loss": "hinge", "lambda_gan": 30.0},
    "wgangp": {"gan_loss": "wgangp", "lambda_gan": 30.0},
    "wgangp, two steps": {"gan_loss": "wgangp", "discriminator_steps": 2},
    "lambda_penalty": {"gan_loss": "wgangp", "lambda_penalty": 2.0},
    "rates": {"rates": (0.01, 0.2), "gan_loss": "lsgan"},
}
DISCRIMINATORS = {
    "unconditional": ({"conditional": False}, {"lambda_features": 5.0, "lambda_gan": 30.0}),
    "unconditional wgangp": ({"conditional": False}, {"gan_loss": "wgangp"}),
    "two scales": ({"num_scales": 2}, {"lambda_features": 5.0, "lambda_gan": 30.0, "lambda_l1": 1.0}),
    "two scales hinge": ({"num_scales": 2}, {"gan_loss": "hinge", "lambda_gan": 30.0}),
    "two scales wgangp": ({"num_scales": 2}, {"gan_loss": "wgangp"}),
    "pixels": ({"num_layers": 0}, {"lambda_gan": 30.0}),
    "spectral": ({"spectral_norm": True}, {"gan_loss": "hinge", "lambda_gan": 30.0}),
}


@pytest.mark.parametrize(
    ("discriminator", "recipe"),
    [({}, recipe) for recipe in STEPS.values()] + list(DISCRIMINATORS.values()),
    ids=[*STEPS, *DISCRIMINATORS],
)
def test_a_step_of_every_recipe_is_that_of_a_plain_implementation(discriminator, recipe, images):
    source, target = map(tf.constant, images(2))
    model, reference = tiny(discriminator=discriminator), tiny(discriminator=discriminator)
    shake(model)
    reference.set_weights(model.get_weights())
    start = weights_of(model)
    compile_sgd(model, run_eagerly=True, **recipe)
    model.train_on_batch(source.numpy(), target.numpy())
    plain_step(reference, source, target, **recipe)
    moved = [not np.array_equal(before, after) for before, after in zip(start, weights_of(model), strict=True)]
    # The bias of a critic's logits cancels out of real less generated.
    assert moved.count(False) <= len(model.discriminator.outputs) * (recipe.get("gan_loss") == "wgangp")
    for before, ours, theirs in zip(start, weights_of(model), weights_of(reference), strict=True):
        # The steps are compared, not the weights, which an ignored option would hardly change.
        np.testing.assert_allclose(
            ours - before, theirs - before, rtol=1e-3, atol=2e-5 * max(1, np.abs(theirs - before).max())
        )


def shake(model):
    """Biases that are not 0, and logits that tell a real from a generated pair."""
    rng = np.random.default_rng(7)
    model.set_weights([weight + rng.normal(0, 0.1, weight.shape) for weight in model.get_weights()])


def test_the_chance_of_the_penalty_is_that_of_the_update_and_the_replica(mirrored):
    model = tiny()
    compile_sgd(model, gan_loss="wgangp")
    model.discriminator_optimizer.iterations.assign(7)
    model.objective.of_discriminator = lambda *tensors, training: tensors[-1]
    seeds = mirrored.run(lambda: model._discriminator_logs(None, None, None, training=True))
    np.testing.assert_array_equal(mirrored.experimental_local_results(seeds), [[7, 0], [7, 1]])


ADVERSARIAL = {"d_loss", "d_real", "d_fake", "d_accuracy", "g_gan"}


@pytest.mark.parametrize(
    ("recipe", "keys"),
    [
        ({}, ADVERSARIAL),
        ({"lambda_gan": 0}, set()),
        ({"lambda_gan": 0, "reconstruction_loss": "l2"}, {"g_reconstruction"}),
        ({"lambda_gan": 0, "lambda_features": 1.0}, ADVERSARIAL | {"g_features"}),
        ({"reconstruction_loss": "charbonnier"}, ADVERSARIAL | {"g_reconstruction"}),
        ({"gan_loss": "wgangp", "lambda_features": 1.0}, ADVERSARIAL | {"d_penalty", "g_features"}),
        ({"gan_loss": "hinge", "lambda_penalty": 5.0}, ADVERSARIAL),
    ],
    # The order of a set differs between processes, and tests that share out the work need one name.
    ids=lambda value: ", ".join(sorted(value)) or "none",
)
def test_the_keys_of_the_logs(recipe, keys, images):
    source, target = images(1)
    model = tiny()
    model.compile(run_eagerly=True, metrics=[keras.metrics.MeanSquaredError(name="mse")], **recipe)
    trained = model.train_on_batch(source, target, return_dict=True)
    validated = model.test_on_batch(source, target, return_dict=True)
    assert set(trained) == set(validated) == {"g_loss", "g_l1", "mse"} | keys
    assert {*model.objective.log_names, "mse"} == set(trained)


@pytest.mark.parametrize("name", ["vanilla", "wgangp"])
def test_validation_logs_of_every_term(name, images):
    source, target = map(tf.constant, images(2))
    model = tiny(discriminator={"num_scales": 2})
    shake(model)
    recipe = {"lambda_features": 3.0, "lambda_gan": 5.0, "reconstruction_loss": "l2", "lambda_l1": 7.0}
    model.compile(run_eagerly=True, gan_loss=name, discriminator_loss_weight=0.25, lambda_penalty=2.0, **recipe)
    logs = model.test_on_batch(source.numpy(), target.numpy(), return_dict=True)
    generated = model.generator(source)
    adversary = {
        key: plain_adversary(model, source, target, generated, name, **{"lambda_gan": 0.0, **term})
        for key, term in (("g_gan", {"lambda_gan": 1.0}), ("g_features", {"lambda_features": 1.0}))
    }
    terms = {"discriminator_loss_weight": 0.25, "lambda_penalty": 2.0}
    expected = {
        "g_l1": np.mean(np.abs(generated - target)),
        "g_reconstruction": np.mean((generated - target) ** 2),
        **adversary,
        "d_loss": plain_d_loss(model, source, target, generated, name, 0, **terms),
    }
    expected["g_loss"] = 7 * expected["g_reconstruction"] + 5 * adversary["g_gan"] + 3 * adversary["g_features"]
    if name == "wgangp":
        expected["d_penalty"] = plain_penalty(model, source, target, generated, 0)
    for key, value in expected.items():
        assert logs[key] == pytest.approx(float(value), rel=1e-4), key


def test_without_an_adversary_there_is_no_discriminator(images, tmp_path):
    source, target = images(2)
    alone = Pix2Pix(unet_generator((32, 32, 3), filters=2, num_downsamples=3, dropout=0))
    beside = tiny()
    beside.generator.set_weights(alone.generator.get_weights())
    judge = [np.array(weight) for weight in beside.discriminator.get_weights()]
    for model in (alone, beside):
        compile_sgd(model, lambda_gan=0, lambda_l1=2.0, run_eagerly=True)
        assert model.discriminator_optimizer is None
    reference = keras.models.clone_model(alone.generator)
    reference.set_weights(alone.generator.get_weights())
    gradients = slopes(reference, lambda: 2 * tf.reduce_mean(abs(reference(source) - target)))
    descend(reference, gradients, 0.05)
    for model in (alone, beside):
        model.train_on_batch(source, target)
        for ours, theirs in zip(model.generator.get_weights(), reference.get_weights(), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-6)
    for before, after in zip(judge, beside.discriminator.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    alone.save(tmp_path / "model.keras")
    assert keras.saving.load_model(tmp_path / "model.keras").discriminator is None


def test_discriminator_steps_are_updates_of_its_optimizer(images):
    source, target = images(1)
    model = tiny()
    compile_sgd(model, discriminator_steps=3, run_eagerly=True)
    model.train_on_batch(source, target)
    assert (int(model.discriminator_optimizer.iterations), int(model.generator_optimizer.iterations)) == (3, 1)


@pytest.mark.parametrize("conditional", [True, False])
def test_judge_gives_the_logits(conditional, images):
    source, target = images(1)
    model = tiny(discriminator={"conditional": conditional, "num_scales": 2})
    logits = model.discriminate(source, target)
    for ours, theirs in zip(logits, model.discriminator([source, target] if conditional else target), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    other = model.discriminate(target, target)
    assert np.array_equal(other[0], logits[0]) != conditional


# What may be saved: (options of the generator, options of the discriminator, recipe).
SAVED = {
    **{name: ({}, {}, recipe) for name, recipe in STEPS.items()},
    **{name: ({}, discriminator, recipe) for name, (discriminator, recipe) in DISCRIMINATORS.items()},
    "three scales": ({}, {"num_scales": 3, "num_layers": 1}, {}),
    "PatchGAN": ({}, {"first_use_bias": False, "use_bias": True, "leaky_slope": 0.3, "norm_epsilon": 1e-3}, {}),
    "all norms": ({"normalization": "batch"}, {"normalization": "instance_no_affine"}, {}),
    "no norm": ({"normalization": None}, {"normalization": None}, {}),
    "no skips": ({"skips": False, "normalize_innermost": True}, {}, {}),
    "leaky skips": ({"skip_activation": "leaky_relu", "leaky_slope": 0.3}, {}, {}),
    "encoder dropout": ({"dropout": 0.5, "encoder_dropout_blocks": (2, 3), "dropout_blocks": (1,)}, {}, {}),
    "nearest": ({"upsampling": "nearest", "use_bias": True}, {}, {}),
    "bilinear": ({"upsampling": "bilinear", "last_upsampling": "transpose", "norm_epsilon": 1e-3}, {}, {}),
    "depth to space": ({"upsampling": "depth_to_space"}, {}, {}),
    "separable": ({"upsampling": "depth_to_space", "separable": True}, {}, {}),
}


@pytest.mark.parametrize(("generator", "discriminator", "recipe"), SAVED.values(), ids=SAVED)
def test_every_option_is_saved_and_goes_on_training_alike(generator, discriminator, recipe, images, tmp_path):
    goes_on_alike(
        tiny(generator, discriminator), {key: recipe[key] for key in recipe if key != "rates"}, images, tmp_path
    )


def test_the_other_networks_are_saved_and_go_on_training_alike(images, tmp_path):
    generator = resnet_generator((32, 32, 3), filters=2, num_blocks=2, dropout=0.5)
    goes_on_alike(Pix2Pix(generator, pytorch_gan_discriminator((32, 32, 3), filters=2)), {}, images, tmp_path)


def goes_on_alike(model, recipe, images, directory):
    source, target = images(2)
    adams = [FusedAdam(rate, beta_1=0.5, corrected_epsilon=True) for rate in (1e-3, 2e-3)]
    model.compile(*adams, run_eagerly=True, **recipe)
    model.train_on_batch(source, target)
    model.save(directory / "model.keras")
    again = keras.saving.load_model(directory / "model.keras")
    saved = weights_of(model)
    logs = [each.train_on_batch(source, target, return_dict=True) for each in (model, again)]
    assert logs[0] == logs[1]
    assert any(not np.array_equal(before, after) for before, after in zip(saved, weights_of(model), strict=True))
    for ours, theirs in zip(weights_of(model), weights_of(again), strict=True):
        np.testing.assert_array_equal(ours, theirs)


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
    dropout, masks = next(layer for layer in model.generator.layers if "dropout" in layer.name), []
    call = dropout.call
    monkeypatch.setattr(dropout, "call", lambda x, training=False: masks.append(training) or call(x, training))
    model.fit(source, target, batch_size=1, verbose=0)
    assert masks == [True]


def test_logs_by_hand(make_model, images):
    source, target = map(tf.constant, images(2))
    model = make_model(dropout=0)
    model.compile(lambda_l1=10.0, metrics=[keras.metrics.MeanSquaredError(name="mse")])
    generated = model.generator(source)
    real, fake = model.discriminator([source, target]), model.discriminate(source, generated)
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
    generated = model.generator(source)
    logs = model.train_on_batch(source, target, return_dict=True)
    for name in ("g_l1", "d_loss", "d_real", "d_fake", "d_accuracy"):
        assert logs[name] == pytest.approx(before[name], rel=1e-4), name
    # The generator is judged by the updated discriminator.
    logits = np.asarray(model.discriminate(source, np.asarray(generated)))
    assert logs["g_gan"] == pytest.approx(np.log1p(np.exp(-logits)).mean(), rel=1e-4)
    assert logs["g_gan"] != pytest.approx(before["g_gan"], rel=1e-3)


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
    for model in (alone, together):
        # Every pass is an epoch, and Keras must not take one to build the model.
        model.fit(paired_dataset(tmp_path, initial_epoch=4, **options), shuffle=False, verbose=0)
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
        ({"lambda_l1": -1}, "0 or more, and finite. Received: lambda_l1=-1"),
        ({"lambda_l1": float("nan")}, "Received: lambda_l1=nan"),
        ({"reconstruction_loss": "L1"}, "Received: reconstruction_loss='L1'"),
        ({"label_smoothing": 1}, "Received: label_smoothing=1"),
        ({"discriminator_steps": 0}, "integer of 1 or more. Received: discriminator_steps=0"),
        ({"discriminator_steps": 1.5}, "Received: discriminator_steps=1.5"),
        ({"update_order": "generator_first"}, "'discriminator_first', 'simultaneous'. Received: update_order='gene"),
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
