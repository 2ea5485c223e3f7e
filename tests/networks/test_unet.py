"""The paper's generator: counts, shapes, and its layers one by one against TensorFlow's bare operators."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_pix2pix import unet_generator


@pytest.mark.parametrize(("size", "parameters"), [(128, 41_828_995), (256, 54_413_955), (512, 66_998_915)])
def test_parameters_are_those_of_the_authors_network(size, parameters):
    num_downsamples = {128: 7, 256: 8, 512: 9}[size]
    generator = unet_generator((size, size, 3), num_downsamples=num_downsamples, normalization="batch")
    trainable = sum(int(np.prod(weight.shape)) for weight in generator.trainable_weights)
    assert trainable == parameters
    assert unet_generator((size, size, 3), num_downsamples=num_downsamples).count_params() == parameters


def test_without_normalization_every_convolution_has_a_bias():
    assert unet_generator(normalization=None).count_params() == 54_409_603


@pytest.mark.parametrize(
    ("size", "blocks"),
    [
        ((256, 256), 8),
        ((512, 512), 8),
        ((128, 128), 7),
        ((96, 64), 5),
        ((64, 256), 6),
        ((24, 40), 3),
        ((None, None), 8),
    ],
)
def test_depth_is_what_the_size_allows(size, blocks):
    generator = unet_generator((*size, 3), filters=1)
    convolutions = [layer for layer in generator.layers if isinstance(layer, keras.layers.Conv2D)]
    assert len([layer for layer in convolutions if layer.name.startswith("down")]) == blocks


@pytest.mark.parametrize("size", [(32, 32), (32, 64), (96, 32)])
def test_the_generated_image_is_as_large_as_the_source(size, images):
    generator = unet_generator((*size, 3), filters=2, num_downsamples=5)
    assert generator(images(1, *size)[0]).shape == (1, *size, 3)


def test_a_network_of_any_size_computes_what_a_network_of_one_size_does(images):
    fixed = unet_generator((32, 64, 3), filters=2, num_downsamples=3)
    free = unet_generator((None, None, 3), filters=2, num_downsamples=3)
    free.set_weights(fixed.get_weights())
    source, _ = images(1, 32, 64)
    np.testing.assert_allclose(free(source), fixed(source), atol=1e-6)


def test_channels_in_and_out():
    generator = unet_generator((32, 32, 5), 2, filters=2)
    assert generator(np.zeros((1, 32, 32, 5))).shape == (1, 32, 32, 2)


def test_filters_double_up_to_eight_times():
    generator = unet_generator((64, 64, 3), filters=3)
    widths = [layer.filters for layer in generator.layers if layer.name.endswith("_convolution")]
    assert widths == [3, 6, 12, 24, 24, 24, 24, 24, 12, 6, 3, 3]


def test_dropout_acts_in_training_only_and_in_the_first_three_decoder_blocks(images):
    source, _ = images(1, 64, 64)
    generator = unet_generator((64, 64, 3), filters=2, dropout=0.4)
    dropouts = [layer for layer in generator.layers if isinstance(layer, keras.layers.Dropout)]
    assert [(layer.name, layer.rate) for layer in dropouts] == [(f"up{n}_dropout", 0.4) for n in (1, 2, 3)]
    assert not np.array_equal(generator(source, training=True), generator(source, training=True))
    np.testing.assert_array_equal(generator(source), generator(source))
    quiet = unet_generator((64, 64, 3), filters=2, dropout=0)
    np.testing.assert_array_equal(quiet(source, training=True), quiet(source, training=True))


@pytest.mark.parametrize(
    ("normalization", "kind"),
    [
        ("instance", keras.layers.GroupNormalization),
        ("batch", keras.layers.BatchNormalization),
        (keras.layers.LayerNormalization, keras.layers.LayerNormalization),
    ],
)
def test_normalization_is_everywhere_but_in_the_first_and_the_innermost_block(normalization, kind):
    generator = unet_generator((32, 32, 3), filters=2, normalization=normalization)
    names = [layer.name for layer in generator.layers]
    before = [names[index - 1] for index, layer in enumerate(generator.layers) if isinstance(layer, kind)]
    encoder = [f"down{block}_convolution" for block in (2, 3, 4)]
    assert before == encoder + [f"up{block}_convolution" for block in (1, 2, 3, 4)]


def test_weights_are_drawn_as_in_the_paper():
    generator = unet_generator((64, 64, 3), filters=32)
    kernel = np.asarray(generator.get_layer("down4_convolution").kernel)
    other = np.asarray(generator.get_layer("down5_convolution").kernel)
    assert abs(kernel.std() - 0.02) < 2e-4
    assert abs(kernel.mean()) < 2e-4
    assert not np.array_equal(kernel, other)
    gammas = np.concatenate([w.numpy().ravel() for w in generator.weights if w.name == "gamma"])
    assert abs(gammas.mean() - 1) < 2e-3
    assert abs(gammas.std() - 0.02) < 2e-3


def test_output_equals_the_papers_layers_written_in_bare_operators(images):
    source, _ = images(2)
    generator = unet_generator((32, 32, 3), filters=4)
    np.testing.assert_allclose(generator(source), bare_unet(generator, source, blocks=5), atol=1e-5)


def test_the_file_opens_with_keras_alone(tmp_path, images):
    source, _ = images(1)
    generator = unet_generator((32, 32, 3), filters=2)
    generator.save(tmp_path / "generator.keras")
    np.save(tmp_path / "source.npy", source)
    program = (
        "import sys; sys.modules['keras_pix2pix'] = None\n"
        "import keras, numpy\n"
        f"model = keras.saving.load_model({str(tmp_path / 'generator.keras')!r})\n"
        f"source = numpy.load({str(tmp_path / 'source.npy')!r})\n"
        f"numpy.save({str(tmp_path / 'generated.npy')!r}, model(source))\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    np.testing.assert_allclose(np.load(tmp_path / "generated.npy"), generator(source), atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"image_shape": (20, 32, 3)}, ["2\\*\\*3 = 8", "\\(20, 32, 3\\)"]),
        ({"image_shape": (64, 64, 3), "num_downsamples": 7}, ["= 128", "smaller `num_downsamples`"]),
        ({"num_downsamples": 0}, ["1 or more", "num_downsamples=0"]),
        ({"image_shape": (None, 64, 3)}, ["both None", "\\(None, 64, 3\\)"]),
        ({"dropout": 1.0}, ["less than 1", "dropout=1.0"]),
        ({"normalization": "instanse"}, ["instance", "'instanse'"]),
    ],
)
def test_errors_say_what_was_received(arguments, words):
    for word in words:
        with pytest.raises(ValueError, match=word):
            unet_generator(**{"filters": 1, **arguments})


def bare_unet(generator, x, blocks):
    """Section 6.1.1, from tf.nn and the weights alone."""
    norms = iter([layer for layer in generator.layers if isinstance(layer, keras.layers.GroupNormalization)])

    def normalize(x):
        layer = next(norms)
        mean, variance = tf.nn.moments(x, [1, 2], keepdims=True)
        return tf.nn.batch_normalization(x, mean, variance, layer.beta, layer.gamma, 1e-5)

    def transposed(x, name, filters):
        layer = generator.get_layer(name)
        size = (x.shape[0], 2 * x.shape[1], 2 * x.shape[2], filters)
        padding = [[0, 0], [1, 1], [1, 1], [0, 0]]
        x = tf.nn.conv2d_transpose(x, layer.kernel, size, strides=2, padding=padding)
        return x + layer.bias if layer.use_bias else x

    skips = []
    for block in range(1, blocks + 1):
        x = tf.nn.leaky_relu(x, 0.2) if block > 1 else x
        padded = tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]])
        x = tf.nn.conv2d(padded, generator.get_layer(f"down{block}_convolution").kernel, strides=2, padding="VALID")
        x = normalize(x) if 1 < block < blocks else x
        skips.append(x)
    for block in range(1, blocks):
        skip = skips[blocks - 1 - block]
        x = normalize(transposed(tf.nn.relu(x), f"up{block}_convolution", skip.shape[-1]))
        x = tf.concat([skip, x], axis=-1)
    return tf.tanh(transposed(tf.nn.relu(x), f"up{blocks}_convolution", 3))
