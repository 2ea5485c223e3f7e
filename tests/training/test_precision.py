"""16 bits: where they are used and where not, loss scaling for both networks, and that it trains as float32 does."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_pix2pix import Pix2Pix, export_saved_model, export_tflite
from keras_pix2pix.data.synthetic import facade
from keras_pix2pix.images import to_image
from keras_pix2pix.training.presets import PRESETS

POLICIES = {"bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}


@pytest.fixture(autouse=True)
def small_networks(monkeypatch):
    for network in ("generator", "discriminator"):
        monkeypatch.setitem(PRESETS["paper"][network], "filters", 4)


def make(precision, size=32, **arguments):
    keras.utils.set_random_seed(0)
    return Pix2Pix.from_preset("paper", (size, size, 3), precision=precision, **arguments)


@pytest.mark.parametrize("precision", POLICIES)
def test_layers_compute_in_16_bits_but_for_the_last(precision):
    model = make(precision)
    assert keras.config.dtype_policy().name == "float32"
    for network, last in ((model.generator, ["up5_convolution", "generated"]), (model.discriminator, ["logits"])):
        computing = [layer for layer in network.layers if layer.weights or layer.name in last]
        for layer in computing:
            assert layer.compute_dtype == ("float32" if layer.name in last else precision), layer.name
        assert {each.dtype for each in network.trainable_variables} == {"float32"}
        assert network.output.dtype == "float32"
    scaled = isinstance(model.generator_optimizer, keras.optimizers.LossScaleOptimizer)
    assert scaled == isinstance(model.discriminator_optimizer, keras.optimizers.LossScaleOptimizer)
    assert scaled == (precision == "float16")


def test_the_policy_in_force_stays_where_none_is_asked_for():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        assert make(None).generator.get_layer("down2_convolution").compute_dtype == "bfloat16"
        assert make("float32").generator.get_layer("down2_convolution").compute_dtype == "float32"
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    finally:
        keras.config.set_dtype_policy("float32")


def test_an_unknown_precision_is_refused():
    with pytest.raises(ValueError, match="one of float32, bfloat16, float16. Received: precision='half'"):
        make("half")


def test_losses_are_in_float32_whatever_the_networks_return(images):
    source, target = images(2)

    def network(*channels, scale):
        inputs = [keras.Input((32, 32, each)) for each in channels]
        x = keras.layers.Concatenate(dtype="float16")(inputs) if len(inputs) > 1 else inputs[0]
        convolution = keras.layers.Conv2D(
            3, 1, dtype="mixed_float16", kernel_initializer=keras.initializers.Constant(scale)
        )
        return keras.Model(inputs if len(inputs) > 1 else inputs[0], convolution(x))

    model = Pix2Pix(network(3, scale=0.1), network(3, 3, scale=5000.0))
    model.compile(run_eagerly=True, gan_loss="lsgan")
    assert isinstance(model.generator_optimizer, keras.optimizers.LossScaleOptimizer)
    # Squares of logits in the ten thousands, which float16 ends below.
    logs = model.test_on_batch(source, target, return_dict=True)
    assert np.isfinite(logs["d_loss"])
    assert logs["d_loss"] > 65504


@pytest.mark.parametrize("precision", POLICIES)
def test_a_model_of_16_bits_is_saved_goes_on_and_is_exported_in_float32(precision, images, tmp_path):
    source, target = images(2)
    model = make(precision)
    model.fit(source, target, batch_size=1, epochs=2, shuffle=False, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.generator.get_layer("down2_convolution").compute_dtype == precision
    histories = [each.fit(source, target, batch_size=1, shuffle=False, verbose=0).history for each in (model, again)]
    assert histories[0] == histories[1]
    for ours, theirs in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    assert again.translate(pixels).shape == (32, 32, 3)
    export_tflite(again, tmp_path / "model.tflite")
    export_saved_model(again, tmp_path / "saved")


@pytest.mark.slow
def test_a_step_that_overflows_on_one_replica_is_left_out_on_both(images, mirrored):
    source, target = images(2)
    keras.utils.set_random_seed(0)
    with mirrored.scope():
        model = make("float16")
    before = [each.numpy() for each in model.generator.trainable_variables]
    source[0] = np.inf  # The first pair is the first replica's.
    for broken in (source, source[::-1]):
        data = tf.data.Dataset.from_tensor_slices((broken.copy(), target)).batch(2)
        model.fit(data, verbose=0, shuffle=False)
    for ours, variable in zip(before, model.generator.trainable_variables, strict=True):
        for each in mirrored.experimental_local_results(variable.value):
            np.testing.assert_array_equal(each.numpy(), ours)
    assert float(model.generator_optimizer.dynamic_scale.numpy()) == 2**13
    source[0] = 0
    model.fit(tf.data.Dataset.from_tensor_slices((source, target)).batch(2).repeat(16), verbose=0, shuffle=False)
    parts = [mirrored.experimental_local_results(each.value) for each in model.generator.trainable_variables]
    for one, other in parts:
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    assert any((one.numpy() != ours).any() for (one, _), ours in zip(parts, before, strict=True))


@pytest.mark.slow
def test_200_steps_in_16_bits_learn_what_float32_learns():
    pairs = [facade(seed, (32, 32)) for seed in range(8)]
    source, target = (to_image(np.stack(side)).numpy() for side in zip(*pairs, strict=True))
    ends = {}
    for precision in ("float32", *POLICIES):
        model = make(precision, changes={"adam.learning_rate": 1e-3, "generator.dropout": 0})
        history = model.fit(source, target, batch_size=1, epochs=25, shuffle=False, verbose=0).history["g_l1"]
        assert history[-1] < 0.6 * history[0]
        ends[precision] = np.mean(history[-5:])
    # Another seed, and so any other rounding, moves the end by up to 5 %.
    for precision in POLICIES:
        assert ends[precision] == pytest.approx(ends["float32"], rel=0.1), ends
