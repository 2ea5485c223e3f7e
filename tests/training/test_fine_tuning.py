"""Training that starts from trained networks, and layers that keep their weights."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_pix2pix import (
    Pix2Pix,
    callbacks,
    enhanced_resnet_generator,
    load_model,
    patchgan_discriminator,
    resnet_generator,
    unet_generator,
)
from keras_pix2pix.callbacks import ExponentialMovingAverage
from keras_pix2pix.training.fine_tuning import freeze, set_pretrained_weights

SMALL = {"generator.filters": 2, "discriminator.filters": 2}
RESNET = {**SMALL, "generator.network": "resnet_generator", "generator.num_blocks": 1}


def build(name="paper", channels=3, changes=SMALL, **arguments):
    return Pix2Pix.from_preset(name, (32, 32, channels), target_channels=3, changes=changes, **arguments)


def weights_of(layers):
    return [weight.numpy() for layer in layers for weight in layer.weights]


@pytest.mark.parametrize("form", ["model", "generator", "file", "run folder"])
def test_weights_come_from_a_model_a_file_or_a_run(form, tmp_path):
    trained = build()
    trained.save(tmp_path / "model.keras")
    forms = {"generator": trained.generator, "file": str(tmp_path / "model.keras"), "run folder": tmp_path}
    model = build(weights=forms.get(form, trained))
    for ours, theirs in zip(model.generator.get_weights(), trained.generator.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    same = [
        np.array_equal(*pair)
        for pair in zip(model.discriminator.get_weights(), trained.discriminator.get_weights(), strict=True)
    ]
    assert all(same) == (form != "generator")
    assert ("starts anew" in model.training_state.records["start"]) == (form == "generator")
    assert int(model.generator_optimizer.iterations) == 0


@pytest.mark.parametrize("channels", [1, 5])
@pytest.mark.parametrize("name", ["paper", "pytorch_gan"])  # The latter's discriminator takes the target first.
def test_first_convolutions_are_adapted_to_other_source_channels(name, channels):
    trained = build(name)
    model = build(name, channels, weights=trained)
    gray, target = np.random.default_rng(0).uniform(-1, 1, (2, 1, 32, 32, 3)).astype("float32")
    three, other = (np.repeat(gray[..., :1], count, axis=-1) for count in (3, channels))
    np.testing.assert_allclose(model.generator(other), trained.generator(three), atol=1e-5)
    np.testing.assert_allclose(model.discriminate(other, target), trained.discriminate(three, target), atol=1e-5)
    assert f"from 3 source channels to {channels}" in model.training_state.records["start"]


def test_networks_that_differ_are_refused_with_all_differences_in_one_message():
    trained = build()
    with pytest.raises(ValueError, match="down1_convolution/kernel is .*down2_convolution/kernel is .* more"):
        build(changes={**SMALL, "generator.filters": 3}, weights=trained)
    with pytest.raises(ValueError, match="discriminator has .* weights"):
        build(changes={**SMALL, "discriminator.num_layers": 2}, weights=trained)
    with pytest.raises(ValueError, match="target"):
        Pix2Pix.from_preset("paper", (32, 32, 3), target_channels=1, changes=SMALL, weights=trained)
    with pytest.raises(ValueError, match="no model at .*nowhere"):
        build(weights="nowhere")
    with pytest.raises(ValueError, match="generator"):
        build(weights=trained.discriminator)


def test_the_encoder_of_each_generator_is_known_by_its_layers():
    for changes, blocks in ((SMALL, [f"down{depth}" for depth in range(1, 6)]), (RESNET, ["stem", "down1", "down2"])):
        generator = build(changes=changes, freeze="encoder").generator
        convolutions = [layer for layer in generator.layers if "convolution" in layer.name]
        frozen = [layer.name for layer in convolutions if not layer.trainable]
        assert frozen == [f"{block}_convolution" for block in blocks]


def test_a_frozen_encoder_keeps_its_weights_and_the_rest_learns(images):
    model = build(freeze="encoder")
    frozen = [layer for layer in model.generator.layers if not layer.trainable]
    learning = [layer for layer in model.generator.layers if layer.trainable]
    before = weights_of(frozen), weights_of(learning)
    model.fit(*images(2), batch_size=1, verbose=0)
    for ours, theirs in zip(weights_of(frozen), before[0], strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert all(np.any(ours != theirs) for ours, theirs in zip(weights_of(learning), before[1], strict=True))
    assert len(model.generator_optimizer._momentums) == len(model.generator.trainable_variables)


def test_a_frozen_batch_norm_keeps_its_moving_averages(images):
    model = build(changes={**SMALL, "generator.normalization": "batch"}, freeze="encoder")
    frozen, learning = (model.generator.get_layer(f"{name}_normalization") for name in ("down2", "up1"))
    before = frozen.moving_mean.numpy(), learning.moving_mean.numpy()
    model.fit(*images(2), verbose=0)
    np.testing.assert_array_equal(frozen.moving_mean, before[0])
    assert np.any(learning.moving_mean.numpy() != before[1])


def test_other_parts_and_networks_are_refused():
    with pytest.raises(ValueError, match="'encoder'.*'decoder'"):
        build(freeze="decoder")
    source = keras.Input((8, 8, 3))
    with pytest.raises(ValueError, match="unet_generator.*trainable = False"):
        freeze(keras.Model(source, keras.layers.Conv2D(3, 1)(source)), "encoder")


def test_a_file_keeps_frozen_layers_and_continues_exactly(images, tmp_path):
    source, target = images(2)
    data = tf.data.Dataset.from_tensor_slices((source, target)).batch(1)
    keras.utils.set_random_seed(1)
    whole = build(freeze="encoder")
    start = [each.numpy() for each in whole.weights]
    whole.fit(data, epochs=2, verbose=0, shuffle=False, callbacks=[ExponentialMovingAverage(tmp_path / "a.keras")])

    keras.utils.set_random_seed(1)
    part = build(freeze="encoder")
    for weight, value in zip(part.weights, start, strict=True):
        weight.assign(value)
    watching = [callbacks.Checkpoint(tmp_path / "model.keras"), ExponentialMovingAverage(tmp_path / "b.keras")]
    part.fit(data, epochs=1, verbose=0, callbacks=watching)
    resumed = load_model(tmp_path / "model.keras")
    assert not resumed.generator.get_layer("down1_convolution").trainable
    resumed.fit(data, initial_epoch=1, epochs=2, verbose=0, callbacks=[ExponentialMovingAverage(tmp_path / "b.keras")])
    for ours, theirs in zip(resumed.variables, whole.variables, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    averages = [load_model(tmp_path / name).generator.get_weights() for name in ("a.keras", "b.keras")]
    for ours, theirs in zip(*averages, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_layers_frozen_by_hand_before_compile(make_model, images):
    model = make_model()
    model.discriminator.trainable = False
    model.generator.get_layer("down1_convolution").trainable = False
    model.compile()
    before = [each.numpy() for each in model.discriminator.weights]
    kernel = model.generator.get_layer("down1_convolution").kernel.numpy()
    logs = model.fit(*images(2), verbose=0).history
    assert np.isfinite(logs["g_gan"]).all()
    np.testing.assert_array_equal(model.generator.get_layer("down1_convolution").kernel, kernel)
    for weight, value in zip(model.discriminator.weights, before, strict=True):
        np.testing.assert_array_equal(weight, value)


def test_several_replicas_start_alike(mirrored):
    trained = unet_generator((32, 32, 3), filters=2)
    model = build(weights=trained, freeze="encoder", strategy=mirrored)
    for weight, value in zip(model.generator.weights, trained.get_weights(), strict=True):
        for part in mirrored.experimental_local_results(weight.value):
            np.testing.assert_array_equal(part, value)


def test_pix2pixhds_enhancer_starts_from_the_trained_global_generator():
    small = {"num_downsamples": 2, "num_blocks": 1, "normalization": "instance_no_affine", "use_bias": True}
    discriminators = [patchgan_discriminator((side, side, 3), filters=2, num_layers=1) for side in (32, 64)]
    trained = Pix2Pix(resnet_generator((32, 32, 3), filters=4, **small), discriminators[0])
    enhanced = enhanced_resnet_generator((64, 64, 3), filters=2, enhancer_blocks=1, **small)
    head = enhanced.get_layer("enhancer_head_convolution").kernel.numpy()
    set_pretrained_weights(enhanced, discriminators[1], trained)
    for name in ("stem_convolution", "block1_convolution2", "up2_convolution"):
        ours, theirs = (network.get_layer(name).kernel for network in (enhanced, trained.generator))
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(enhanced.get_layer("enhancer_head_convolution").kernel, head)
    narrow = Pix2Pix(resnet_generator((32, 32, 3), filters=2, **small))
    with pytest.raises(ValueError, match="stem_convolution"):
        set_pretrained_weights(enhanced, discriminators[1], narrow)
