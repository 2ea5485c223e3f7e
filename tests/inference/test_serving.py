"""Pixels in, pixels out, at any size."""

import keras
import numpy as np
import pytest

from keras_pix2pix import encodings, serving_model, unet_generator
from keras_pix2pix.images import to_image, to_pixels
from keras_pix2pix.inference.serving import _reflected_indices, encodings_of


@pytest.fixture(scope="module")
def generator():
    keras.utils.set_random_seed(1)
    return unet_generator((32, 32, 3), filters=4, num_downsamples=4)


def draw(height, width, count=1):
    return np.random.default_rng(0).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(("height", "width"), [(32, 32), (20, 30), (5, 100), (1, 1), (17, 16)])
def test_any_size_is_padded_by_reflection_and_cropped_back(generator, height, width):
    pixels = draw(height, width, count=2)
    generated = serving_model(generator)(pixels)
    bottom, right = -height % 16, -width % 16
    padded = np.pad(pixels, [(0, 0), (0, bottom), (0, right), (0, 0)], mode="reflect")
    stock = unet_generator((None, None, 3), filters=4, num_downsamples=4)
    stock.set_weights(generator.get_weights())
    expected = to_pixels(stock(to_image(padded)))[:, :height, :width]
    assert generated.dtype == "uint8"
    assert generated.shape == (2, height, width, 3)
    assert np.abs(np.asarray(generated).astype(int) - np.asarray(expected)).max() <= 1


def test_a_fixed_size_gives_the_same_pixels(generator):
    pixels = draw(48, 32)
    fixed = serving_model(generator, (48, 32))
    assert fixed.input_shape == (None, 48, 32, 3)
    np.testing.assert_array_equal(fixed(pixels), serving_model(generator)(pixels))


def test_a_size_that_the_network_cannot_take_is_refused(generator):
    with pytest.raises(ValueError, match=r"divisible by 16 .* Received: image_size=\(40, 32\)"):
        serving_model(generator, (40, 32))


def test_a_pix2pix_stands_for_its_generator(make_model):
    model = make_model()
    pixels = draw(32, 32)
    np.testing.assert_array_equal(serving_model(model)(pixels), serving_model(model.generator)(pixels))


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_a_network_that_resizes_takes_any_size(interpolation):
    source = keras.Input((32, 32, 3))
    x = keras.layers.UpSampling2D(interpolation=interpolation)(keras.layers.AveragePooling2D(2)(source))
    network = keras.Model(source, keras.layers.Conv2D(3, 3, padding="same", activation="tanh")(x))
    assert serving_model(network)(draw(18, 21)).shape == (1, 18, 21, 3)


def test_a_network_of_one_size_only_is_served_at_that_size():
    source = keras.Input((32, 32, 3))
    network = keras.Model(source, keras.layers.Resizing(32, 32)(source), name="one_size")
    assert serving_model(network, (32, 32)).output_shape == (None, 32, 32, 3)
    with pytest.raises(ValueError, match=r"'one_size', which doesn't.*If it does at one size, export a TFLite file"):
        serving_model(network)


def test_a_network_with_a_dense_middle_is_served_at_its_size():
    source = keras.Input((8, 8, 3))
    x = keras.layers.Dense(8 * 8 * 3)(keras.layers.Flatten()(source))
    network = keras.Model(source, keras.layers.Reshape((8, 8, 3))(x), name="dense")
    assert serving_model(network, (8, 8))(draw(8, 8)).shape == (1, 8, 8, 3)
    with pytest.raises(ValueError, match=r"'dense' takes images of one size only, \(8, 8\)"):
        serving_model(network)


def test_a_classifier_is_refused():
    source = keras.Input((32, 32, 3))
    classifier = keras.Model(source, keras.layers.Dense(10)(keras.layers.Flatten()(source)), name="classifier")
    with pytest.raises(ValueError, match="one input and one output, .*Received: 'classifier'"):
        serving_model(classifier)


def test_something_else_is_refused():
    with pytest.raises(ValueError, match="Received: 'model.keras' of type str"):
        serving_model("model.keras")


@pytest.mark.parametrize(("length", "multiple"), [(1, 4), (2, 8), (3, 16), (5, 4), (8, 8)])
def test_reflected_indices_are_numpys(length, multiple):
    expected = np.pad(np.arange(length), (0, -length % multiple), mode="reflect")
    np.testing.assert_array_equal(_reflected_indices(length, multiple), expected)


@pytest.mark.parametrize("image_size", [None, (16, 24)])
@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("classes:5", "rgb"),
        ("rgb", "classes:5"),
        ("palette:#000000,#ffffff,#ff0000", "palette:#102030,#405060"),
        ("gray16", "rgba"),
        ("values:5:-1:1", "gray16"),
        (["gray", "values:2:0:9"], "values:2:0:9"),
    ],
)
def test_encodings_are_inside(make_encoded_model, source, target, image_size):
    model = make_encoded_model(source, target)
    source, target = model.source_encoding, model.target_encoding
    serving = serving_model(model, image_size)
    raw = source.from_pixels(draw(16, 24)[0])[np.newaxis]
    assert (serving.input.shape[-1], serving.input.dtype) == (source.raw_channels, source.raw_dtype)
    assert (serving.output.shape[-1], serving.output.dtype) == (target.raw_channels, target.raw_dtype)
    generated = np.asarray(serving(raw))
    assert generated.dtype == target.raw_dtype
    stock = unet_generator((16, 24, source.channels), target.channels, filters=2, num_downsamples=3)
    stock.set_weights(model.generator.get_weights())
    expected = np.asarray(target.to_raw(stock(source.to_image(raw))))
    if isinstance(target, encodings.Picture):
        np.testing.assert_allclose(generated.astype(float), expected, rtol=1e-4, atol=1)
    else:
        assert np.mean(generated == expected) > 0.99


def test_labels_are_padded_as_labels(make_encoded_model):
    model = make_encoded_model("classes:5")
    raw = np.random.default_rng(0).integers(0, 5, (1, 13, 21, 1)).astype(np.uint8)
    padded = np.pad(raw, [(0, 0), (0, 3), (0, 3), (0, 0)], mode="reflect")
    serving = serving_model(model)
    difference = np.asarray(serving(raw)).astype(int) - np.asarray(serving(padded))[:, :13, :21]
    assert np.abs(difference).max() <= 1


def test_a_bare_generator_has_pictures_of_its_channels_on_both_sides():
    assert encodings_of(unet_generator((16, 16, 1), 4, filters=2, num_downsamples=3)) == (
        encodings.get("gray"),
        encodings.get("rgba"),
    )
