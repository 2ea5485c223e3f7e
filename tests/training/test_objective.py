"""What the networks minimise: put together by hand, on logits that are known."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_pix2pix import patchgan_discriminator
from keras_pix2pix.training.objective import Objective, discriminate

SOURCE, TARGET, GENERATED = (tf.fill((1, 4, 4, 1), value) for value in (0.0, 0.5, -0.5))
SEED = [0, 0]


def critic(slope=2.0, conditional=True, activation=None, scales=1):
    """Logits slope * image, pixel by pixel; of the second scale, twice as much."""
    target = keras.Input((4, 4, 1), name="target")
    source = keras.Input((4, 4, 1), name="source")
    outputs = []
    for scale in range(1, scales + 1):
        layer = keras.layers.Conv2D(1, 1, use_bias=False, kernel_initializer=keras.initializers.Constant(scale * slope))
        x = layer(target)
        outputs.append(activation(x) if activation else x)
    return keras.Model([source, target] if conditional else target, outputs[0] if scales == 1 else outputs)


def values(logs):
    return {name: float(value[0]) for name, value in logs.items()}


def test_the_generators_terms_by_hand():
    objective = Objective(
        critic(activation=keras.layers.ReLU()),
        gan_loss="lsgan",
        reconstruction_loss="l2",
        lambda_l1=3.0,
        lambda_gan=5.0,
        lambda_features=7.0,
    )
    # Of the real pair the feature is relu(1), of the generated one relu(-1), and so are the logits.
    logs = values(objective.of_generator(SOURCE, TARGET, GENERATED))
    assert logs == {"g_l1": 1, "g_reconstruction": 1, "g_gan": 1, "g_features": 4, "g_loss": 3 * 1 + 5 * 1 + 7 * 4}


@pytest.mark.parametrize(("reconstruction_loss", "value"), [("l1", 0.5), ("l2", 0.25)])
def test_l1_is_logged_whatever_is_minimised(reconstruction_loss, value):
    objective = Objective(None, lambda_gan=0, lambda_l1=8.0, reconstruction_loss=reconstruction_loss)
    logs = values(objective.of_generator(SOURCE, TARGET, 0 * TARGET))
    assert (logs["g_l1"], logs["g_loss"]) == (0.5, 8 * value)
    assert ("g_reconstruction" in logs) == (reconstruction_loss != "l1")
    assert logs.get("g_reconstruction", value) == value


@pytest.mark.parametrize("weight", [0.5, 3.0])
def test_the_discriminators_terms_by_hand(weight):
    objective = Objective(critic(), gan_loss="lsgan", discriminator_loss_weight=weight, label_smoothing=0.25)
    logs = values(objective.of_discriminator(SOURCE, TARGET, GENERATED, SEED))
    assert logs == {
        "d_loss": pytest.approx(weight * (0.25**2 + 1)),
        "d_real": pytest.approx(1 / (1 + math.exp(-1))),
        "d_fake": pytest.approx(1 / (1 + math.exp(1))),
        "d_accuracy": 1,
    }


def test_the_penalty_is_weighted_and_halved_with_the_rest():
    # Mean of 16 logits 2 x: 16 slopes of 1/8, norm 1/2, penalty 1/4 wherever it is taken.
    objective = Objective(critic(), gan_loss="wgangp", lambda_penalty=6.0)
    logs = values(objective.of_discriminator(SOURCE, TARGET, GENERATED, SEED))
    assert logs["d_penalty"] == pytest.approx(0.25, rel=1e-5)
    assert logs["d_loss"] == pytest.approx(0.5 * (-1 - 1 + 6 * 0.25), rel=1e-5)


def test_the_penalty_is_where_the_seed_says():
    image = keras.Input((4, 4, 1))
    objective = Objective(keras.Model(image, keras.layers.Lambda(keras.ops.square)(image)), gan_loss="wgangp")
    penalties = [
        float(objective.of_discriminator(SOURCE, TARGET, 3 * TARGET, seed)["d_penalty"][0])
        for seed in ([0, 0], [0, 0], [1, 0], [0, 1])
    ]
    assert penalties[0] == penalties[1]
    assert len(set(penalties)) == 3


def test_scales_are_averaged():
    objective = Objective(critic(scales=2), gan_loss="hinge")
    logs = values(objective.of_discriminator(SOURCE, TARGET, -GENERATED, SEED))
    # Logits 1 and 2 for both pairs: of the real ones nothing is left, of the generated ones 2 and 3; half is right.
    assert (logs["d_loss"], logs["d_accuracy"]) == (0.5 * 2.5, 0.5)
    assert values(objective.of_generator(SOURCE, TARGET, -GENERATED))["g_gan"] == -1.5


def test_a_logit_of_0_is_taken_for_generated():
    objective = Objective(critic())
    for value, right in ((0.0, 0.5), (0.1, 0.5), (-0.1, 0.5)):
        same = tf.fill((1, 4, 4, 1), value)
        assert values(objective.of_discriminator(SOURCE, same, same, SEED))["d_accuracy"] == right


@pytest.mark.parametrize("conditional", [True, False])
def test_pairs_or_the_image_alone_are_judged(conditional):
    network = critic(conditional=conditional)
    np.testing.assert_array_equal(discriminate(network, SOURCE, TARGET), 2 * TARGET)
    objective = Objective(network, gan_loss="lsgan")
    assert values(objective.of_generator(SOURCE, TARGET, GENERATED))["g_gan"] == 4


def test_training_reaches_the_discriminator():
    network = critic(activation=keras.layers.Dropout(0.9, seed=1))
    assert np.any(np.asarray(discriminate(network, SOURCE, TARGET, training=True)) == 0)
    assert np.all(np.asarray(discriminate(network, SOURCE, TARGET)) == 1)
    objective = Objective(network, gan_loss="lsgan")
    for method, arguments, name in (
        (objective.of_generator, (), "g_gan"),
        (objective.of_discriminator, (SEED,), "d_loss"),
    ):
        calm, rough = [
            values(method(SOURCE, TARGET, GENERATED, *arguments, training=training))[name] for training in (False, True)
        ]
        assert calm != rough


@pytest.mark.parametrize(
    ("activation", "difference"),
    [
        (keras.layers.Activation("tanh"), 2 * math.tanh(1)),
        (keras.layers.ELU(), 2 - math.exp(-1)),
        (keras.layers.LeakyReLU(0.5), 1.5),
        (keras.layers.PReLU(), 1),  # Its slopes begin at 0.
        (keras.layers.ReLU(), 1),
    ],
    ids=lambda layer: layer.__class__.__name__,
)
def test_features_are_the_outputs_of_activation_layers(activation, difference):
    objective = Objective(critic(activation=activation), lambda_features=1.0)
    logs = values(objective.of_generator(SOURCE, TARGET, GENERATED))
    assert logs["g_features"] == pytest.approx(4 * difference, rel=1e-6)


def test_all_layers_and_scales_have_features():
    images = (2, 32, 32, 3)
    discriminator = patchgan_discriminator(images[1:], filters=1, num_layers=2, num_scales=2)
    objective = Objective(discriminator, lambda_features=1.0)
    logits, features = objective._discriminate(np.zeros(images), np.zeros(images), training=False)
    assert [each.shape[1] for each in logits] == [6, 2]
    assert sorted(each.shape[1] for each in features) == [3, 4, 7, 8, 8, 16]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"lambda_gan": -1}, "`lambda_gan` must be 0 or more, and finite. Received: lambda_gan=-1"),
        ({"lambda_l1": float("inf")}, "Received: lambda_l1=inf"),
        ({"lambda_penalty": float("inf")}, "Received: lambda_penalty=inf"),
        ({"lambda_features": float("nan")}, "Received: lambda_features=nan"),
        ({"lambda_l1": 0, "lambda_gan": 0}, "At least one of `lambda_l1`, `lambda_gan`"),
        ({"lambda_penalty": 0}, "`lambda_penalty` must be greater than 0, and finite. Received: lambda_penalty=0"),
        ({"discriminator_loss_weight": 0}, "Received: discriminator_loss_weight=0"),
        ({"gan_loss": "wgan"}, "Received: gan_loss='wgan'"),
        ({"reconstruction_loss": "l3"}, "Received: reconstruction_loss='l3'"),
        ({"label_smoothing": 0.1, "gan_loss": "hinge"}, "`label_smoothing` is for"),
        ({"discriminator": None}, "compile with `lambda_gan=0`"),
        ({"discriminator": None, "lambda_gan": 0, "lambda_features": 1}, "Without a discriminator"),
        ({"lambda_features": 1.0}, "outputs of the discriminator's activation layers.*Received: .*, which has none"),
    ],
    ids=str,
)
def test_errors_say_what_was_received(arguments, words):
    with pytest.raises(ValueError, match=words):
        Objective(**{"discriminator": critic(), **arguments})


def test_batch_norm_in_a_nested_critic_is_found_too():
    body = keras.Sequential([keras.Input((8, 8, 6)), keras.layers.Conv2D(1, 3), keras.layers.BatchNormalization()])
    pair = [keras.Input((8, 8, 3)), keras.Input((8, 8, 3))]
    discriminator = keras.Model(pair, body(keras.ops.concatenate(pair, axis=-1)))
    with pytest.raises(ValueError, match="must not have batch norm"):
        Objective(discriminator, gan_loss="wgangp")


def test_batch_norm_is_refused_under_wgangp_only():
    discriminator = patchgan_discriminator((8, 8, 3), filters=1, num_layers=1, normalization="batch")
    with pytest.raises(
        ValueError, match=r"must not have batch norm.*'layer2_normalization'.*normalization=\"instance\""
    ):
        Objective(discriminator, gan_loss="wgangp")
    assert Objective(discriminator, gan_loss="hinge").lambda_penalty == 0
    normed = patchgan_discriminator((8, 8, 3), filters=1, num_layers=1)
    assert Objective(normed, gan_loss="wgangp").lambda_penalty == 10
