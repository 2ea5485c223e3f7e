"""Configurations are read without running anything of them, and what is not known is named."""

import keras
import pytest

from keras_pix2pix.convert.keras.loading import from_legacy_keras


def layer_named(config, name):
    return next(layer for layer in config["config"]["layers"] if layer["name"] == name)


def refused(old_unet, save_keras_2, change, blocks=False):
    with pytest.raises(ValueError, match="old.h5: ") as error:
        from_legacy_keras(save_keras_2(old_unet(blocks), change=change))
    return str(error.value)


def test_all_unknown_layers_are_named(old_unet, save_keras_2):
    def change(config):
        layer_named(config, "concatenate")["class_name"] = "Custom>Attention"
        layer_named(config, "instance_normalization")["class_name"] = "InstanceNormalization"

    text = refused(old_unet, save_keras_2, change)
    assert "'concatenate' (Custom>Attention)" in text
    assert "'instance_normalization' (InstanceNormalization)" in text
    assert "from_legacy_keras(path, into=network)" in text


def test_a_lambda_layer_is_never_run(old_unet, save_keras_2, tmp_path):
    marker = tmp_path / "ran"

    def change(config):
        code = f"lambda x: open({str(marker)!r}, 'w')"
        layer_named(config, "concatenate").update(class_name="Lambda", config={"name": "concatenate", "function": code})

    text = refused(old_unet, save_keras_2, change)
    assert "a Lambda layer holds Python code, and code from a file is never run. Received: 'concatenate'" in text
    assert not marker.exists()


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        (
            "conv2d",
            {"data_format": "channels_first"},
            "Accepted: channels last, (batch, height, width, channels). "
            "Received: data_format='channels_first' in 'conv2d'",
        ),
        ("conv2d", {"groups": 2}, "groups=2"),
        ("conv2d", {"padding": "causal"}, "padding='causal'"),
        ("conv2d", {"activation": "softmax"}, "activation='softmax'"),
        ("conv2d_transpose", {"groups": 2}, "groups=2"),
        ("conv2d_transpose", {"dilation_rate": [2, 2]}, "dilation_rate=[2, 2]"),
        ("conv2d_transpose", {"output_padding": [1, 1]}, "output_padding=[1, 1]"),
        ("concatenate", {"axis": 1}, "axis=1"),
        ("instance_normalization", {"axis": 1}, "axis=1"),
    ],
)
def test_settings_that_are_not_read_are_refused(name, settings, words, old_unet, save_keras_2):
    text = refused(old_unet, save_keras_2, lambda config: layer_named(config, name)["config"].update(settings))
    assert f"Received: {words}" in text or words in text


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (lambda: keras.layers.MaxPooling2D(3, strides=1), "strides="),
        (lambda: keras.layers.AveragePooling2D(2, padding="same"), "padding='same'"),
        (lambda: keras.layers.UpSampling2D(2, interpolation="bicubic"), "interpolation='bicubic'"),
        (lambda: keras.layers.Activation("swish"), "activation='silu'"),
    ],
    ids=["strides", "padding", "interpolation", "activation"],
)
def test_settings_of_other_layers_are_refused_too(layer, words, save_keras_2):
    source = keras.Input((8, 8, 3))
    with pytest.raises(ValueError, match=words):
        from_legacy_keras(save_keras_2(keras.Model(source, layer()(source))))


def test_a_call_whose_result_nobody_takes_is_refused(old_unet, save_keras_2):
    def change(config):
        layer_named(config, "conv2d")["inbound_nodes"] *= 2

    assert "the layer 'conv2d' is called 2 times, and 1 of its results are used" in refused(
        old_unet, save_keras_2, change
    )


def test_more_than_one_output_is_refused(old_unet, save_keras_2):
    def change(config):
        config["config"]["output_layers"].append(["conv2d", 0, 0])

    assert "a generator has one input and one output" in refused(old_unet, save_keras_2, change)


@pytest.mark.parametrize(
    "change",
    [
        lambda config: config["config"].pop("layers"),
        lambda config: layer_named(config, "conv2d").pop("config"),
        lambda config: layer_named(config, "conv2d").update(inbound_nodes=[[["nobody", 0, 0, {}]]]),
    ],
    ids=["layers", "config", "inbound"],
)
def test_a_damaged_configuration_is_named(change, old_unet, save_keras_2):
    assert "its configuration is not one that Keras 2 or 3 writes" in refused(old_unet, save_keras_2, change)


def test_an_input_of_unknown_channels_is_refused(old_unet, save_keras_2):
    def change(config):
        layer_named(config, "input_1")["config"]["batch_input_shape"] = [None, 32, 32, None]

    assert "channels known" in refused(old_unet, save_keras_2, change)


def test_weights_of_another_shape_name_their_layer(old_unet, save_keras_2):
    def change(config):
        layer_named(config, "conv2d")["config"]["filters"] = 3

    text = refused(old_unet, save_keras_2, change)
    assert "the layer 'conv2d' (Conv2D) needs the weights {'kernel': (4, 4, 3, 3), 'bias': (3,)}" in text


def test_weights_that_are_no_numbers_are_refused(old_unet, save_keras_2):
    network = old_unet()
    network.get_layer("conv2d_1").kernel.assign(network.get_layer("conv2d_1").kernel * float("nan"))
    with pytest.raises(ValueError, match="NaN or infinity in the layer 'conv2d_1'"):
        from_legacy_keras(save_keras_2(network))


def test_a_network_that_changes_the_size_is_refused(save_keras_2):
    source = keras.Input((8, 8, 3))
    network = keras.Model(source, keras.layers.Conv2D(3, 4, strides=2, padding="same")(source))
    with pytest.raises(ValueError, match="must return images as large as its source images"):
        from_legacy_keras(save_keras_2(network))


def test_layers_of_one_name_in_two_blocks_stay_apart(save_keras_2, randomised, images):
    blocks = [
        keras.Sequential([keras.layers.Conv2D(3, 3, padding="same", name="conv")], name=name) for name in ("one", "two")
    ]
    source = keras.Input((32, 32, 3))
    network = randomised(keras.Model(source, blocks[1](blocks[0](source))))
    conversion = from_legacy_keras(save_keras_2(network))
    assert [layer.name for layer in conversion.network.layers[1:]] == ["conv", "two_conv"]
    difference = conversion.network(images(1)[0]) - network(images(1)[0])
    assert abs(difference.numpy()).max() < 1e-5
