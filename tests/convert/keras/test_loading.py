"""HDF5 files of Keras 2 give networks that compute what they computed."""

import keras
import numpy as np
import pytest

from keras_pix2pix import export_tflite, instance_from_batch, resnet_generator, unet_generator
from keras_pix2pix.convert import numpy_layers
from keras_pix2pix.convert.keras.loading import from_legacy_keras

STOCK = "keras.src.layers"


def grouped():
    return keras.layers.GroupNormalization(groups=2, epsilon=1e-2, center=False)


def assert_equal(conversion, network, source):
    expected = network.predict(source, verbose=0)
    np.testing.assert_allclose(conversion.network.predict(source, verbose=0), expected, atol=1e-5)
    assert conversion.network.count_params() == network.count_params()
    assert 0 < conversion.largest_difference < 1e-5


@pytest.mark.parametrize("blocks", [False, True], ids=["layers", "blocks"])
def test_a_whole_model_with_addons_instance_norm(blocks, old_unet, save_keras_2, images):
    network = old_unet(blocks)
    conversion = from_legacy_keras(save_keras_2(network))
    assert_equal(conversion, network, images(2)[0])
    assert conversion.recognised == (
        "U-Net of 3 downsamples, 2 filters, tensorflow-addons InstanceNormalization (epsilon 0.001), "
        f"{network.count_params():,} parameters"
    )
    assert all(type(layer).__module__.startswith(STOCK) for layer in conversion.network.layers)
    norms = [layer for layer in conversion.network.layers if isinstance(layer, keras.layers.GroupNormalization)]
    assert len(norms) == 4


@pytest.mark.parametrize("norm", [keras.layers.BatchNormalization, grouped], ids=["batch", "group"])
def test_other_norms_stay_what_they_are(norm, old_unet, save_keras_2, images):
    network = old_unet(norm=norm)
    conversion = from_legacy_keras(save_keras_2(network))
    assert_equal(conversion, network, images(2)[0])
    words = {"BatchNormalization": "batch norm (epsilon 0.001)", "grouped": "GroupNormalization (epsilon 0.01)"}
    assert words[norm.__name__] in conversion.recognised


def test_other_layers_are_read_too(randomised, save_keras_2, images):
    layers = keras.layers
    source = keras.Input((32, 32, 3))
    x = layers.ZeroPadding2D(((3, 3), (2, 4)))(source)
    x = layers.Activation("relu")(layers.Conv2D(6, 7)(x))
    x = layers.Add()([x, layers.Conv2D(6, 3, padding="same", dilation_rate=2, activation="elu")(x)])
    x = layers.Concatenate()([layers.MaxPooling2D(2)(x), layers.AveragePooling2D(2)(x)])
    x = layers.Cropping2D(((1, 0), (1, 0)))(layers.Conv2DTranspose(5, 3, strides=2)(x))
    x = layers.SpatialDropout2D(0.5)(layers.ReLU(max_value=6.0, negative_slope=0.1, threshold=0.2)(x))
    x = layers.MaxPooling2D((2, 1))(layers.UpSampling2D((2, 1), interpolation="bilinear")(x))
    network = randomised(keras.Model(source, layers.Conv2D(3, 1, activation="sigmoid")(x)))
    conversion = from_legacy_keras(save_keras_2(network))
    assert_equal(conversion, network, images(2)[0])
    assert conversion.recognised.startswith("network of 15 layers, 6 filters, ")


def test_a_file_that_keras_3_wrote_in_the_old_format(randomised, images, tmp_path):
    # With padding by reflection, which is an operation and no layer.
    network = randomised(resnet_generator((32, 32, 3), filters=2, num_blocks=1))
    network.save(tmp_path / "resnet.h5")
    conversion = from_legacy_keras(tmp_path / "resnet.h5")
    assert_equal(conversion, network, images(1)[0])
    assert "instance norm (epsilon 1e-05)" in conversion.recognised


def test_the_network_takes_other_sizes_and_goes_to_the_phone(old_unet, save_keras_2, tmp_path):
    network = from_legacy_keras(save_keras_2(old_unet())).network
    assert network.predict(np.zeros((1, 64, 40, 3)), verbose=0).shape == (1, 64, 40, 3)
    assert export_tflite(network, tmp_path / "old.tflite", image_size=(32, 32)).largest_difference <= 1


def test_a_converted_batch_norm_network_becomes_an_instance_norm_network(old_unet, save_keras_2, images):
    network = old_unet(norm=keras.layers.BatchNormalization)
    source, _ = images(1)
    instance = instance_from_batch(from_legacy_keras(save_keras_2(network)).network)
    for layer in network.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0
    np.testing.assert_allclose(instance.predict(source, verbose=0), network(source, training=True), atol=1e-5)


@pytest.mark.parametrize("modes", [(True, True), (True, None), (False, True), (False, None)])
def test_batch_norm_is_called_as_the_file_says(modes, randomised, save_keras_2, images):
    """Tutorials call it with `training=True` within the network, so that the file generates on batch statistics."""
    layers = keras.layers
    x = source = keras.Input((16, 16, 3))
    for training in modes:
        x = layers.BatchNormalization()(layers.Conv2D(4, 3, padding="same")(x), training=training)
    network = randomised(keras.Model(source, layers.Conv2D(3, 1)(layers.ReLU()(x))))
    conversion = from_legacy_keras(save_keras_2(network))
    pictures = images(1)[0][:, :16, :16]
    np.testing.assert_allclose(conversion.network(pictures), network(pictures), atol=1e-5)
    assert ("training=True, here instance norm" in conversion.recognised) == (True in modes)


def test_a_whole_network_called_in_training_mode(randomised, tmp_path, images):
    layers = keras.layers
    inner = keras.Sequential(
        [keras.Input((16, 16, 3)), layers.Conv2D(4, 3, padding="same"), layers.BatchNormalization()]
    )
    source = keras.Input((16, 16, 3))
    network = randomised(keras.Model(source, layers.Conv2D(3, 1)(inner(source, training=True))))
    network.save(tmp_path / "old.h5")
    pictures = images(1)[0][:, :16, :16]
    converted = from_legacy_keras(tmp_path / "old.h5").network
    np.testing.assert_allclose(converted(pictures), network(pictures), atol=1e-5)


def test_dropout_that_never_ends_is_said(randomised, save_keras_2):
    source = keras.Input((16, 16, 3))
    x = keras.layers.Dropout(0.5)(keras.layers.Conv2D(4, 3, padding="same")(source), training=True)
    conversion = from_legacy_keras(save_keras_2(randomised(keras.Model(source, keras.layers.Conv2D(3, 1)(x)))))
    assert "1 layers of dropout called with training=True" in conversion.recognised


def test_other_arguments_of_a_call_are_refused(randomised, save_keras_2, monkeypatch):
    source = keras.Input((16, 16, 3))
    network = randomised(keras.Model(source, keras.layers.Conv2D(3, 1, name="last")(source)))
    network.layers[-1]._inbound_nodes[-1].arguments.kwargs["scale"] = 2
    with pytest.raises(ValueError, match="'last'.*scale"):
        from_legacy_keras(save_keras_2(network))


def test_everything_is_float32_whatever_the_policy(old_unet, save_keras_2):
    path = save_keras_2(old_unet())
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        network = from_legacy_keras(path).network
    finally:
        keras.config.set_dtype_policy("float32")
    assert {layer.compute_dtype for layer in network.layers[1:]} == {"float32"}


@pytest.mark.parametrize("blocks", [False, True], ids=["layers", "blocks"])
def test_weights_alone_are_read_as_a_unet(blocks, old_unet, save_keras_2, images):
    network = old_unet(blocks, slope=0.3 if blocks else 0.2)
    conversion = from_legacy_keras(save_keras_2(network, weights_only=True))
    assert_equal(conversion, network, images(2)[0])
    assert "instance norm (epsilon 0.001)" in conversion.recognised
    assert f"taken as usual: leaky ReLU with slope {0.3 if blocks else 0.2}" in conversion.recognised


def test_what_a_file_of_weights_does_not_tell_can_be_told(old_unet, save_keras_2, images):
    def norm():
        return keras.layers.BatchNormalization(epsilon=0.1)

    network = old_unet(norm=norm, slope=0.5)
    path = save_keras_2(network, weights_only=True)
    assert_equal(from_legacy_keras(path, leaky_slope=0.5, epsilon=0.1), network, images(2)[0])
    for wrong in ({"leaky_slope": 0.5}, {"epsilon": 0.1}):
        difference = from_legacy_keras(path, **wrong).network(images(2)[0]) - network(images(2)[0])
        assert np.abs(difference).max() > 1e-3


@pytest.mark.parametrize("arguments", [{"leaky_slope": 0.2}, {"epsilon": 1e-5}])
def test_what_a_whole_model_tells_must_not_be_told(arguments, old_unet, save_keras_2):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"Only files of weights without a network need `{name}`"):
        from_legacy_keras(save_keras_2(old_unet()), **arguments)


@pytest.mark.parametrize("normalization", ["instance", "batch"])
def test_into_a_network_of_ones_own(normalization, save_keras_2, randomised, images, make_model):
    # Another program's network: the names say nothing, and its batch norm's averages are of no use to instance norm.
    options = {"num_downsamples": 3, "filters": 4, "normalization": "batch", "dropout": 0.0}
    trained = randomised(unet_generator((32, 32, 3), **options))
    model = make_model(normalization=normalization)
    conversion = from_legacy_keras(save_keras_2(trained, weights_only=True), into=model)
    assert conversion.network is model.generator
    source, _ = images(1)
    expected = trained(source, training=normalization == "instance")
    np.testing.assert_allclose(conversion.network.predict(source, verbose=0), expected, atol=1e-5)
    assert conversion.recognised.startswith(f"U-Net of 3 downsamples, 4 filters, {normalization} norm (epsilon 1e-05)")
    assert "9 layers filled in order, the rest as in 'unet_generator'" in conversion.recognised


def test_into_names_every_mismatch_and_changes_nothing(old_unet, save_keras_2):
    network = unet_generator((32, 32, 3), filters=2, num_downsamples=3, normalization="instance")
    before = [weight.copy() for weight in network.get_weights()]
    with pytest.raises(ValueError, match="old.h5 does not fit the network") as error:
        from_legacy_keras(save_keras_2(old_unet(widths=(2, 4, 4)), weights_only=True), into=network)
    text = str(error.value)
    assert "'down1_convolution' needs {'kernel': (4, 4, 3, 2)}, and 'conv2d' of the file has" in text
    assert "'down3_convolution' needs {'kernel': (4, 4, 4, 8)}" in text
    assert "of the file is left over" in text
    for old, new in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_into_a_deeper_network_says_what_gets_nothing(old_unet, save_keras_2):
    with pytest.raises(ValueError, match="'up5_convolution' gets nothing"):
        from_legacy_keras(save_keras_2(old_unet()), into=unet_generator((32, 32, 3), filters=2))


def test_a_failed_self_check_is_an_error_and_leaves_a_network_as_it_was(
    old_unet, save_keras_2, randomised, monkeypatch
):
    monkeypatch.setitem(numpy_layers._EVALUATIONS, "LeakyReLU", lambda x, negative_slope: np.maximum(x, 0))
    with pytest.raises(RuntimeError, match="old.h5: the converted network differs from the file's layers"):
        from_legacy_keras(save_keras_2(old_unet()))
    network = unet_generator((32, 32, 3), filters=2, dropout=0.0)
    trained = randomised(keras.models.clone_model(network))
    before = [weight.copy() for weight in network.get_weights()]
    with pytest.raises(RuntimeError, match="differs"):
        from_legacy_keras(save_keras_2(trained, weights_only=True), into=network)
    for old, new in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
