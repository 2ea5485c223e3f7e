"""A `.keras` file is not believed: what is too large, damaged or hostile ends in a sentence or two."""

import json
import zipfile

import keras
import pytest

from keras_pix2pix import Pix2Pix, patchgan_discriminator, resnet_generator, unet_generator
from keras_pix2pix.networks import claims
from keras_pix2pix.runs.model import load_model, load_weights

SHAPE = (16, 16, 3)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A folder with a whole model and a generator, by name, and those models."""
    folder = tmp_path_factory.mktemp("models")
    generator = unet_generator(SHAPE, filters=2, num_downsamples=2)
    model = Pix2Pix(generator, patchgan_discriminator(SHAPE, filters=2, num_layers=1))
    model.compile()
    model.save(folder / "model.keras")
    generator.save(folder / "generator.keras")
    return folder


def rewrite(source, path, **members):
    """Write a copy in which some members are what a function makes of them, or missing."""
    with zipfile.ZipFile(source) as before, zipfile.ZipFile(path, "w") as after:
        for name in before.namelist():
            change = members.get(name.replace(".", "_"), lambda contents: contents)
            if change is not None:
                after.writestr(name, change(before.read(name)))


def put(key, value):
    """A function that gives a key of the configuration, wherever it stands, another value."""

    def change(contents):
        return json.dumps(json.loads(contents, object_hook=lambda each: {**each, key: value} if key in each else each))

    return change


DAMAGE = {
    "filters beyond all memory": (put("filters", 10**9), "layers have .*,000,000 weights or more"),
    "filters beyond the file": (put("filters", 500), "weights or more"),
    "a kernel beyond all memory": (put("kernel_size", [10**6, 10**6]), "weights or more"),
    "no filters": (put("filters", -1), "strictly positive"),
    "filters that are a word": (put("filters", "many"), "can't be loaded"),
    "an unknown class": (put("class_name", "Nothing"), "can't be loaded"),
    "a class from elsewhere": (put("module", "os"), "can't be loaded"),
    "a shape that is none": (put("batch_shape", ["x"]), "can't be loaded"),
    "an unknown type of numbers": (put("dtype", "float7"), "float7"),
    "a list": (lambda contents: "[1]", "can't be loaded"),
    "no JSON": (lambda contents: "{", "can't be loaded"),
    "endless brackets": (lambda contents: "[" * 100_000, "can't be loaded"),
    "no configuration": (None, "can't be loaded"),
}


@pytest.mark.parametrize("name", ["model.keras", "generator.keras"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_hostile_configuration_ends_in_few_words(models, tmp_path, name, damage):
    change, words = DAMAGE[damage]
    path = tmp_path / name
    rewrite(models / name, path, config_json=change)
    with pytest.raises(ValueError, match=words) as error:
        load_model(path)
    assert str(path) in str(error.value)
    assert len(str(error.value)) < len(str(path)) + 400


@pytest.mark.parametrize("weights", [None, lambda contents: b"none", lambda contents: contents[: len(contents) // 2]])
def test_weights_that_are_lost_are_told(models, tmp_path, weights):
    rewrite(models / "model.keras", tmp_path / "model.keras", model_weights_h5=weights)
    with pytest.raises(ValueError, match="model.keras"):
        load_model(tmp_path / "model.keras")
    other = Pix2Pix(unet_generator(SHAPE, filters=2, num_downsamples=2))
    with pytest.raises(ValueError, match="can't be loaded into this run's model"):
        load_weights(other, tmp_path / "model.keras")


def test_a_configuration_without_end_is_not_read(models, tmp_path, monkeypatch):
    monkeypatch.setattr(claims, "_MOST_CONFIGURATION", 10)
    with pytest.raises(ValueError, match="holds a configuration of"):
        load_model(models / "model.keras")


@pytest.mark.parametrize(
    "build",
    [
        lambda: unet_generator((32, 32, 3), filters=4),
        lambda: unet_generator((32, 32, 3), filters=4, upsampling="nearest", separable=True, separable_kernel_size=3),
        lambda: unet_generator((32, 32, 3), filters=4, last_upsampling="depth_to_space"),
        lambda: resnet_generator((32, 32, 3), filters=4, num_blocks=2),
        lambda: patchgan_discriminator((32, 32, 3), filters=4, num_layers=1, spectral_norm=True),
        lambda: keras.Sequential([keras.Input((8, 8, 4)), keras.layers.Conv2D(8, 3, groups=4), keras.layers.Dense(3)]),
        lambda: keras.Sequential([keras.Input((8, 8, 4)), keras.layers.DepthwiseConv2D(3, depth_multiplier=2)]),
    ],
)
def test_what_a_whole_file_says_is_true(build, tmp_path):
    network = build()
    network.save(tmp_path / "network.keras")
    with zipfile.ZipFile(tmp_path / "network.keras") as archive:
        config = json.loads(archive.read("config.json"))
    claimed = sum(map(claims._weights_of, claims._dictionaries(config)))
    assert claimed <= network.count_params()
    claims.refuse_false_claims(tmp_path / "network.keras")
