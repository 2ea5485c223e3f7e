"""The real tensorflow-addons on TensorFlow 2.15 is the oracle: saved there, converted here, the same images."""

import os
import subprocess
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_pix2pix.convert.keras.loading import from_legacy_keras
from keras_pix2pix.convert.keras.tf_tutorial import from_tf_tutorial

ENVIRONMENT = Path(__file__).parents[3] / ".venv-addons"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.addons,
    pytest.mark.skipif(
        not (ENVIRONMENT / "installed").is_file(),
        reason=f"no {ENVIRONMENT.name} with tensorflow-addons: `make test-addons` makes it, or says why it can't",
    ),
]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("addons")
    program = [ENVIRONMENT / "bin" / "python", Path(__file__).with_name("addons_networks.py"), folder]
    environment = {name: value for name, value in os.environ.items() if name not in ("KERAS_BACKEND", "PYTHONPATH")}
    result = subprocess.run(list(map(str, program)), env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return folder


def assert_same_images(conversion, oracle):
    with np.load(oracle) as arrays:
        generated = conversion.network.predict(arrays["source"], verbose=0)
        np.testing.assert_allclose(generated, arrays["generated"], rtol=0, atol=1e-5)
        assert arrays["generated"].std() > 0.05


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("flat", "U-Net of 4 downsamples, 4 filters, tensorflow-addons InstanceNormalization (epsilon 0.001)"),
        ("blocks", "U-Net of 4 downsamples, 4 filters, tensorflow-addons InstanceNormalization (epsilon 0.001)"),
        ("resizing", "U-Net of 4 downsamples, 4 filters, tensorflow-addons InstanceNormalization (epsilon 1e-05)"),
        ("groups", "U-Net of 4 downsamples, 4 filters, tensorflow-addons GroupNormalization (epsilon 0.001)"),
        ("batch", "U-Net of 4 downsamples, 4 filters, batch norm (epsilon 0.001)"),
        ("in_training", "U-Net of 4 downsamples, 4 filters, batch norm called with training=True"),
        (
            "mixed",
            "U-Net of 4 downsamples, 4 filters, batch norm (epsilon 0.001), batch norm called with training=True",
        ),
        ("not_in_training", "U-Net of 4 downsamples, 4 filters, batch norm (epsilon 0.001)"),
        ("residual", "network of 14 layers, 6 filters, tensorflow-addons InstanceNormalization (epsilon 0.001)"),
        ("operations", "network of 17 layers, 4 filters"),
        ("shared", "network of 10 layers, 3 filters, tensorflow-addons InstanceNormalization (epsilon 0.001)"),
        ("variants", "network of 16 layers, 4 filters"),
        ("composite", "U-Net of 4 downsamples, 4 filters, batch norm (epsilon 0.001)"),
    ],
)
def test_whole_models(name, words, saved):
    conversion = from_legacy_keras(saved / f"{name}.h5")
    assert conversion.recognised.startswith(words)
    assert_same_images(conversion, saved / f"{name}.npz")


@pytest.mark.parametrize(
    ("name", "told"), [("flat", {}), ("blocks", {}), ("resizing", {"epsilon": 1e-5}), ("batch", {})]
)
def test_weights_alone(name, told, saved):
    assert_same_images(from_legacy_keras(saved / f"{name}_weights.h5", **told), saved / f"{name}.npz")


@pytest.mark.parametrize("name", ["groups", "residual"])
def test_weights_alone_into_a_network_built_here(name, saved):
    network = from_legacy_keras(saved / f"{name}.h5").network
    for weight in network.weights:
        weight.assign(keras.ops.zeros(weight.shape))
    assert_same_images(from_legacy_keras(saved / f"{name}_weights.h5", into=network), saved / f"{name}.npz")


@pytest.mark.parametrize("file", ["tutorial.h5", "tutorial_weights.h5", "tutorial_saved_model", "checkpoints"])
def test_the_tutorial_as_keras_2_ran_it(file, saved):
    conversion = from_tf_tutorial(saved / file)
    assert ("not read: generator_optimizer, save_counter" in conversion.recognised) == (file == "checkpoints")
    assert_same_images(conversion, saved / "tutorial.npz")
