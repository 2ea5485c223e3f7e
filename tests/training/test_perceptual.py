"""The perceptual loss, with VGG19 of random weights and tiny networks."""

import keras
import numpy as np
import pytest

from keras_pix2pix import PerceptualLoss, load_model

LAYERS = [f"block{block}_conv1" for block in range(1, 6)]
WEIGHTS = [1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0]
MEAN_BGR = np.array([103.939, 116.779, 123.68], "float32")


@pytest.fixture(scope="module")
def vgg19(tmp_path_factory):
    """VGG19 of random weights, and its file."""
    keras.utils.set_random_seed(3)
    network = keras.applications.VGG19(include_top=False, weights=None)
    file = tmp_path_factory.mktemp("vgg19") / "vgg19.weights.h5"
    network.save_weights(file)
    return network, file


@pytest.fixture
def extractor():
    image = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(4, 3, activation="relu", name="first")(image)
    return keras.Model(image, keras.layers.Conv2D(2, 3, strides=2, name="second")(x), name="tiny")


def compiled(make_model, loss, **arguments):
    model = make_model(dropout=0.0)
    model.compile(reconstruction_loss=loss, lambda_l1=1.0, **arguments)
    return model


def test_vgg19_compares_what_pix2pixhd_compares(vgg19, images):
    network, file = vgg19
    target, generated = images(2)
    values = PerceptualLoss(file, l1_weight=3.0).call(target, generated)
    expected = 3 * np.abs(target - generated).mean(axis=(1, 2, 3))
    features = keras.Model(network.inputs, [network.get_layer(name).output for name in LAYERS])
    ours, theirs = (features((image[..., ::-1] + 1) * 127.5 - MEAN_BGR) for image in (target, generated))
    for weight, a, b in zip(WEIGHTS, ours, theirs, strict=True):
        expected += weight * np.abs(a.numpy() - b.numpy()).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(values, expected, rtol=1e-5)


def test_layers_and_weights_can_be_chosen_and_gray_is_repeated(vgg19, images):
    network, file = vgg19
    target, generated = (np.repeat(image[..., :1], 3, axis=-1) for image in images(1))
    loss = PerceptualLoss(str(file), ["block1_conv2", "block2_conv1"], [2.0, 0.5])
    three = loss.call(target, generated)
    np.testing.assert_allclose(loss.call(target[..., :1], generated[..., :1]), three, rtol=1e-6)
    expected = 0.0
    for name, weight in (("block1_conv2", 2.0), ("block2_conv1", 0.5)):
        part = keras.Model(network.inputs, network.get_layer(name).output)
        a, b = (part((image[..., ::-1] + 1) * 127.5 - MEAN_BGR).numpy() for image in (target, generated))
        expected += weight * np.abs(a - b).mean()
    np.testing.assert_allclose(three, [expected], rtol=1e-5)


def test_only_the_generator_learns_from_it_and_l1_is_still_reported(make_model, extractor, images):
    model = compiled(make_model, PerceptualLoss(extractor, ["first", "second"]), lambda_gan=0.0)
    before = extractor.get_weights()
    kernel = model.generator.get_layer("down1_convolution").kernel.numpy()
    source, target = images(2)
    logs = model.evaluate(source, target, verbose=0, return_dict=True)
    generated = model.predict(source, verbose=0)
    np.testing.assert_allclose(logs["g_l1"], np.abs(target - generated).mean(), rtol=1e-4)
    features = keras.Model(extractor.inputs, [layer.output for layer in extractor.layers[1:]])
    differences = [np.abs(a - b).mean() for a, b in zip(features(target), features(generated), strict=True)]
    np.testing.assert_allclose(logs["g_reconstruction"], sum(differences), rtol=1e-4)
    model.fit(source, target, verbose=0)
    assert np.any(model.generator.get_layer("down1_convolution").kernel.numpy() != kernel)
    for ours, theirs in zip(extractor.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_saved_model_names_the_extractor_and_continues_exactly(make_model, extractor, images, tmp_path):
    extractor.save(tmp_path / "extractor.keras")
    model = compiled(make_model, PerceptualLoss(tmp_path / "extractor.keras", l1_weight=0.5))
    plain = compiled(make_model, "l2")
    source, target = images(2)
    for each, name in ((model, "model.keras"), (plain, "plain.keras")):
        each.fit(source, target, verbose=0)
        each.save(tmp_path / name)
    sizes = [(tmp_path / name).stat().st_size for name in ("model.keras", "plain.keras")]
    assert abs(sizes[0] - sizes[1]) < 2000
    loaded = load_model(tmp_path / "model.keras")
    for each in (model, loaded):
        each.fit(source, target, verbose=0, shuffle=False)
    for ours, theirs in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_a_lost_extractor_is_missed_only_in_training(make_model, extractor, images, tmp_path):
    model = compiled(make_model, PerceptualLoss(extractor))
    model.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    assert loaded.translate(np.zeros((32, 32, 3), "uint8")).shape == (32, 32, 3)
    with pytest.raises(ValueError, match="'tiny'.*compile it again"):
        loaded.fit(*images(2), verbose=0)


def test_several_replicas_compute_the_same(make_model, extractor, images, mirrored):
    logs = []
    for strategy in (None, mirrored):
        keras.utils.set_random_seed(1)
        if strategy:
            with strategy.scope():
                model = compiled(make_model, PerceptualLoss(extractor), lambda_gan=0.0)
        else:
            model = compiled(make_model, PerceptualLoss(extractor), lambda_gan=0.0)
        logs.append(model.fit(*images(2), batch_size=2, verbose=0).history["g_reconstruction"])
    np.testing.assert_allclose(*logs, rtol=1e-5)


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_vgg19_computes_in_full_precision_under_any_policy(vgg19, images, precision):
    target, generated = images(1)
    expected = PerceptualLoss(vgg19[1]).call(target, generated)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        np.testing.assert_array_equal(PerceptualLoss(vgg19[1]).call(target, generated), expected)
    finally:
        keras.config.set_dtype_policy(before)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"layers": ["third"]}, "first, second.*third"),
        ({"layers": ["first"], "weights": [1.0, 2.0]}, r"1 layers.*\[1.0, 2.0\]"),
        ({"extractor": "nowhere.keras"}, "nowhere.keras"),
        ({"extractor": "nowhere.h5"}, "nowhere.h5"),
    ],
)
def test_mistakes_are_said_at_once(extractor, arguments, words):
    with pytest.raises(ValueError, match=words):
        PerceptualLoss(**{"extractor": extractor, **arguments})


def test_a_word_or_a_file_is_enough(make_model, extractor, vgg19, images, tmp_path):
    extractor.save(tmp_path / "tiny.keras")
    source, target = images(1)
    for file, network in ((tmp_path / "tiny.keras", extractor), (vgg19[1], vgg19[1])):
        logs = []
        for loss in (str(file), PerceptualLoss(network)):
            keras.utils.set_random_seed(1)
            logs.append(compiled(make_model, loss).evaluate(source, target, verbose=0, return_dict=True))
        assert logs[0] == pytest.approx(logs[1], rel=1e-5)


def test_a_loaded_model_gives_all_replicas_the_extractors_weights(make_model, extractor, images, mirrored, tmp_path):
    extractor.save(tmp_path / "extractor.keras")
    compiled(make_model, PerceptualLoss(tmp_path / "extractor.keras"), lambda_gan=0.0).save(tmp_path / "model.keras")
    alone = load_model(tmp_path / "model.keras")
    with mirrored.scope():
        together = load_model(tmp_path / "model.keras")
    logs = [each.evaluate(*images(2), batch_size=2, verbose=0, return_dict=True) for each in (alone, together)]
    assert logs[1]["g_reconstruction"] == pytest.approx(logs[0]["g_reconstruction"], rel=1e-5)
