"""LPIPS by hand, beside another formula, and with the layers of the published one."""

import keras
import numpy as np
import pytest

from keras_pix2pix.evaluation import lpips, lpips_vgg16


@pytest.fixture
def identity():
    image = keras.Input((None, None, 3))
    return keras.Model(image, keras.layers.Identity()(image))


@pytest.fixture
def two_layers():
    image = keras.Input((16, 16, 3))
    first = keras.layers.Conv2D(4, 3, activation="relu")(image)
    return keras.Model(image, [first, keras.layers.Conv2D(6, 3, strides=2)(first)])


def test_by_hand(identity):
    """Of two pixels one differs: (0.6, 0.8, 0) and (0, 1, 0) are of length 1, so 2 * 0.36 + 3 * 0.04 on it."""
    target = np.array([[[[0.3, 0.4, 0.0], [0.5, 0.5, 0.5]]]])
    generated = np.array([[[[0.0, 0.7, 0.0], [0.5, 0.5, 0.5]]]])
    assert lpips(identity, [np.array([2.0, 3.0, 5.0])], generated, target) == pytest.approx([(0.72 + 0.12) / 2])


def test_beside_another_formula(two_layers):
    rng = np.random.default_rng(0)
    generated, target = rng.uniform(-1, 1, (2, 20, 16, 16, 3)).astype("float32")
    weights = [rng.random(4), rng.random(6)]
    expected = np.zeros(20)
    for weight, one, other in zip(weights, two_layers(generated), two_layers(target), strict=True):
        units = [each / np.maximum(np.linalg.norm(each, axis=-1, keepdims=True), 1e-9) for each in (one, other)]
        expected += np.einsum("nhwc,c->n", (units[0] - units[1]) ** 2, weight) / np.prod(one.shape[1:3])
    np.testing.assert_allclose(lpips(two_layers, weights, generated, target), expected, rtol=1e-4)
    assert lpips(two_layers, weights, target, target).tolist() == [0] * 20


def test_the_tensors_of_a_file_are_taken_by_name(two_layers):
    rng = np.random.default_rng(0)
    generated, target = rng.uniform(-1, 1, (2, 1, 16, 16, 3))
    first, second = rng.random((1, 4, 1, 1)), rng.random((1, 6, 1, 1))
    tensors = {"lin1.model.1.weight": second, "lin0.model.1.weight": first}
    expected = lpips(two_layers, [first.ravel(), second.ravel()], generated, target)
    assert lpips(two_layers, tensors, generated, target) == pytest.approx(expected)
    with pytest.raises(ValueError, match="scaling"):
        lpips(two_layers, {**tensors, "scaling": first}, generated, target)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"weights": [np.ones(4)]}, r"\[4\]"),
        ({"weights": [np.ones(4), np.ones(5)]}, r"\[4, 5\]"),
        ({"target": np.zeros((2, 16, 16, 3))}, "shapes"),
    ],
)
def test_what_does_not_fit_is_refused(two_layers, changes, word):
    images = np.zeros((1, 16, 16, 3))
    arguments = {"weights": [np.ones(4), np.ones(6)], "generated": images, "target": images, **changes}
    with pytest.raises(ValueError, match=word):
        lpips(two_layers, **arguments)


WIDTHS = (64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)
POOLED_AFTER = (1, 3, 6, 9, 12)  # The last of these is no more compared.
PLACES = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)


@pytest.fixture(scope="module")
def tensors():
    """Random weights by the names that torchvision has."""
    rng, channels, tensors = np.random.default_rng(0), 3, {}
    for place, width in zip(PLACES, WIDTHS, strict=True):
        scale = np.sqrt(2 / (9 * channels))
        tensors[f"features.{place}.weight"] = rng.normal(0, scale, (width, channels, 3, 3)).astype("float32")
        tensors[f"features.{place}.bias"] = rng.normal(0, 0.1, width).astype("float32")
        channels = width
    return {**tensors, "classifier.0.weight": np.zeros((2, 2), "float32")}


@pytest.mark.slow
def test_vgg16_is_torchvisions(tensors):
    torch = pytest.importorskip("torch")
    images = np.random.default_rng(1).uniform(-1, 1, (2, 48, 32, 3)).astype("float32")
    shift, scale = np.array([-0.030, -0.088, -0.188]), np.array([0.458, 0.448, 0.450])
    x = torch.tensor(((images - shift) / scale).transpose(0, 3, 1, 2).astype("float32"))
    expected = []
    for number, place in enumerate(PLACES):
        weight, bias = (torch.tensor(tensors[f"features.{place}.{name}"]) for name in ("weight", "bias"))
        x = torch.relu(torch.nn.functional.conv2d(x, weight, bias, padding=1))
        if number in POOLED_AFTER:
            expected.append(x.numpy().transpose(0, 2, 3, 1))
            x = torch.nn.functional.max_pool2d(x, 2)
    for found, wanted in zip(lpips_vgg16(tensors)(images), expected, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-4 * np.abs(wanted).max())


def test_missing_tensors_of_vgg16_are_named_at_once(tensors):
    others = {key: value for key, value in tensors.items() if key not in ("features.0.bias", "features.28.weight")}
    with pytest.raises(ValueError, match="features.0.bias, features.28.weight missing"):
        lpips_vgg16(others)
