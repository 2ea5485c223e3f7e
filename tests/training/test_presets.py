"""The recipes, against the paper and the programs they are named after."""

import inspect
import math

import keras
import numpy as np
import pytest

from keras_pix2pix import Pix2Pix, paired_dataset, preset_data
from keras_pix2pix.metrics import PSNR
from keras_pix2pix.training.presets import PRESETS, SCHEDULES, preset
from keras_pix2pix.training.schedules import ConstantThenLinear


def test_the_papers_recipe():
    model = Pix2Pix.from_preset("paper", image_shape=(64, 64, 3), direction="BtoA")
    assert model.direction == "BtoA"
    assert model.objective.lambda_l1 == 100
    for optimizer in (model.generator_optimizer, model.discriminator_optimizer):
        assert isinstance(optimizer, keras.optimizers.Adam)
        assert float(optimizer.learning_rate) == pytest.approx(2e-4)
        assert (optimizer.beta_1, optimizer.beta_2, optimizer.epsilon) == (0.5, 0.999, 1e-8)
    assert model.discriminator.count_params() == 2_768_705
    assert model.generator.get_layer("up1_dropout").rate == 0.5


def test_the_papers_data():
    assert preset_data("paper") == {
        "batch_size": 1,
        "jitter": 286 / 256,
        "mirror": True,
        "source_interpolation": "bicubic",
        "target_interpolation": "bicubic",
    }


def test_a_recipe_is_handed_out_as_a_copy():
    preset_data("paper")["batch_size"] = 99
    assert PRESETS["paper"]["data"]["batch_size"] == 1


@pytest.mark.parametrize("function", [preset, preset_data, Pix2Pix.from_preset])
def test_an_unknown_preset_names_the_known_ones(function):
    with pytest.raises(ValueError, match="one of 'paper', 'junyanz', .*. Received: 'papre'"):
        function("papre")


# Parameters; side of the map of logits; slope; skips and last block; epsilon of the norms, affine; dropout; Adam; data.
PUBLISHED = {
    "paper": {
        "parameters": (54_413_955, 2_768_705),
        "map": 30,
        "slope": 0.2,
        "decoder": ("relu", "transpose"),
        "norm": (1e-5, True),
        "dropout": ["up1", "up2", "up3"],
        "epsilon": (1e-8, False),
        "schedule": float,
        "weight_and_order": (0.5, "discriminator_first"),
        "data": (286 / 256, "bicubic"),
    },
    "junyanz": {
        "parameters": (54_413_955, 2_768_705),
        "map": 30,
        "slope": 0.2,
        "decoder": ("relu", "transpose"),
        "norm": (1e-5, True),
        "dropout": ["up2", "up3", "up4"],
        "epsilon": (1e-8, True),
        "schedule": ConstantThenLinear,
        "weight_and_order": (0.5, "discriminator_first"),
        "data": (286 / 256, "bicubic"),
    },
    "pytorch_gan": {
        "parameters": (54_404_099, 2_767_808),
        "map": 16,
        "slope": 0.2,
        "decoder": ("leaky_relu", "nearest"),
        "norm": (1e-5, False),
        "dropout": ["down4", "down5", "down6", "down7", "down8", "up1", "up2", "up3", "up4"],
        "epsilon": (1e-8, True),
        "schedule": float,
        "weight_and_order": (0.5, "discriminator_first"),
        "data": (1.0, "bicubic"),
    },
    "tf_tutorial": {
        "parameters": (54_414_979, 2_768_641),
        "map": 30,
        "slope": 0.3,
        "decoder": ("leaky_relu", "transpose"),
        "norm": (1e-3, True),
        "dropout": ["up1", "up2", "up3"],
        "epsilon": (1e-7, False),
        "schedule": float,
        "weight_and_order": (1.0, "simultaneous"),
        "data": (286 / 256, "nearest"),
    },
}


def test_every_preset_but_our_own_is_compared_with_what_was_published():
    assert PUBLISHED.keys() == PRESETS.keys() - {"mobile", "pix2pixhd"}


def test_pix2pixhd_is_the_published_one():
    model = Pix2Pix.from_preset("pix2pixhd", (64, 128, 3), steps_per_epoch=1)
    assert model.generator.count_params() == 182_443_267
    assert model.discriminator.count_params() == 3 * 2_767_809
    assert [layer.filters for layer in layers_of(model.generator, keras.layers.Conv2DTranspose)] == [512, 256, 128, 64]
    # Padded by 2, a convolution with stride 2 gives half the pixels and one.
    assert [shape[1:3] for shape in model.discriminator.output_shape] == [(11, 19), (7, 11), (5, 7)]
    norms = [*layers_of(model.generator, keras.layers.GroupNormalization)]
    norms += layers_of(model.discriminator, keras.layers.GroupNormalization)
    assert {(layer.epsilon, layer.scale) for layer in norms} == {(1e-5, False)}
    objective = model.objective
    assert (objective.lambda_l1, objective.lambda_gan, objective.lambda_features) == (0, 3, 10)
    assert (objective.discriminator_loss_weight, model.update_order) == (1.5, "simultaneous")
    assert isinstance(model.generator_optimizer._learning_rate, ConstantThenLinear)
    assert preset_data("pix2pixhd")["source_interpolation"] == "nearest"


def test_the_network_for_phones_is_small_and_made_of_separable_convolutions():
    model = Pix2Pix.from_preset("mobile")
    assert model.generator.count_params() == 514_692
    separable = layers_of(model.generator, keras.layers.SeparableConv2D)
    assert {layer.kernel_size for layer in separable} == {(3, 3)}
    assert [layer.name for layer in separable] == [
        *(f"down{block}_convolution" for block in range(2, 9)),
        *(f"up{block}_convolution" for block in range(1, 8)),
    ]
    assert len(layers_of(model.generator, keras.layers.UpSampling2D)) == 7
    assert model.discriminator.count_params() == 2_768_705
    assert preset_data("mobile") == preset_data("paper")


def layers_of(network, kind):
    return [layer for layer in network.layers if isinstance(layer, kind)]


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_networks_and_the_recipe_are_the_published_ones(name):
    published = PUBLISHED[name]
    model = Pix2Pix.from_preset(name, steps_per_epoch=1)
    networks = [model.generator, model.discriminator]
    assert tuple(network.count_params() for network in networks) == published["parameters"]
    assert model.generator.output_shape == (None, 256, 256, 3)
    assert model.discriminator.output_shape == (None, published["map"], published["map"], 1)
    for network in networks:
        assert {layer.negative_slope for layer in layers_of(network, keras.layers.LeakyReLU)} == {published["slope"]}
        norms = layers_of(network, keras.layers.GroupNormalization)
        assert {(layer.epsilon, layer.scale) for layer in norms} == {published["norm"]}
    first_of_pair = model.generator.get_layer("up1_skip").input[0]._keras_history.operation.name
    resized = layers_of(model.generator, keras.layers.UpSampling2D)
    skips = "relu" if first_of_pair.startswith("down7") else "leaky_relu"
    assert (skips, resized[0].interpolation if resized else "transpose") == published["decoder"]
    assert [layer.name for layer in resized] == ["up8_resize"][: len(resized)]
    dropouts = layers_of(model.generator, keras.layers.Dropout)
    assert [layer.name for layer in dropouts] == [f"{block}_dropout" for block in published["dropout"]]
    assert {layer.rate for layer in dropouts} <= {0.5}
    for optimizer in (model.generator_optimizer, model.discriminator_optimizer):
        assert (optimizer.epsilon, optimizer.corrected_epsilon) == published["epsilon"]
        assert float(optimizer.learning_rate) == pytest.approx(2e-4)
        assert (optimizer.beta_1, optimizer.beta_2) == (0.5, 0.999)
        schedule = optimizer._learning_rate
        assert isinstance(schedule, keras.Variable if published["schedule"] is float else published["schedule"])
    assert (model.objective.discriminator_loss_weight, model.update_order) == published["weight_and_order"]
    assert (model.objective.lambda_l1, model.objective.lambda_gan, model.discriminator_steps) == (100, 1, 1)


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_data_are_read_as_published(name):
    data = preset_data(name)
    assert (data["jitter"], data["source_interpolation"]) == PUBLISHED[name]["data"]
    assert data["target_interpolation"] == data["source_interpolation"]
    assert (data["batch_size"], data["mirror"]) == (1, True)
    assert set(data) <= set(inspect.signature(paired_dataset).parameters)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_takes_a_step_at_another_size(name, images, monkeypatch):
    for network in ("generator", "discriminator"):
        monkeypatch.setitem(PRESETS[name][network], "filters", 2)
    assert preset(name)["schedule"] in SCHEDULES
    assert preset(name)["epochs"] == {"tf_tutorial": 100}.get(name, 200)
    model = Pix2Pix.from_preset(name, (64, 64, 3), target_channels=1, steps_per_epoch=1)
    source, target = images(1, 64, 64)
    model.run_eagerly = True
    before = [np.array(weight) for weight in model.trainable_weights]
    logs = model.train_on_batch(source, target[..., :1], return_dict=True)
    assert all(np.isfinite(value) for value in logs.values())
    assert model.predict(source, verbose=0).shape == (1, 64, 64, 1)
    after = [np.array(weight) for weight in model.trainable_weights]
    # Where 1x1 pixels are normalised, all is 0, and nothing before it learns.
    assert sum(not np.array_equal(old, new) for old, new in zip(before, after, strict=True)) > len(before) / 2


@pytest.mark.parametrize(("changes", "name"), [({}, "psnr"), ({"compile.metrics": ["mae"]}, "mae")])
def test_metrics_are_compiled_in_unless_the_recipe_is_changed(changes, name, images):
    small = {"generator.filters": 2, "discriminator.filters": 2, "compile.run_eagerly": True}
    model = Pix2Pix.from_preset("paper", (32, 32, 3), metrics=[PSNR()], changes={**small, **changes})
    logs = model.evaluate(*images(1), return_dict=True, verbose=0)
    assert {"psnr", "mae"} & logs.keys() == {name}


@pytest.mark.parametrize(
    ("change", "value", "words"),
    [
        ("generator.filters", 10**9, "`generator.filters` must be at most 1024"),
        ("generator.num_downsamples", 10**30, "`generator.num_downsamples` must be at most"),
        ("generator.leaky_slope", math.nan, "`generator.leaky_slope` must be finite"),
        ("generator.use_bias", "no", "`generator.use_bias` must be True or False"),
        ("generator.dropout_blocks", ["x"], "`dropout_blocks` must be a list of block numbers"),
        ("generator.encoder_dropout_blocks", {}, "`encoder_dropout_blocks` must be a list of block numbers"),
        ("generator.last_upsampling", 0, "`last_upsampling` must be one of"),
        ("generator.upsampling", ["nearest"], "`upsampling` must be one of"),
        ("discriminator.num_scales", 10**30, "`discriminator.num_scales` must be at most"),
        ("adam.learning_rate", "x", "`learning_rate` must be a number"),
        ("adam.learning_rate", math.inf, "`learning_rate` must be a number"),
        ("adam.beta_1", "x", "`beta_1` must be a number of 0 or more, and less than 1"),
        ("adam.beta_2", 1, "`beta_2` must be a number"),
        ("adam.epsilon", None, "`epsilon` must be a number of 0 or more, and finite"),
        ("adam.gradient_accumulation_steps", 0, "`gradient_accumulation_steps` must be an integer of 2 or more"),
        ("adam.gradient_accumulation_steps", "x", "`gradient_accumulation_steps` must be an integer"),
        ("compile.discriminator_steps", "x", "`discriminator_steps` must be an integer of 1 or more"),
        ("compile.discriminator_steps", 10**9, "`discriminator_steps` must be at most 100"),
        ("compile.steps_per_execution", "x", "`steps_per_execution` must be an integer of 1 or more"),
        ("compile.steps_per_execution", 10**9, "`steps_per_execution` must be at most"),
    ],
)
@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_a_value_that_would_fail_later_is_refused_at_once(change, value, words, schedule):
    small = {"generator.filters": 2, "discriminator.filters": 2}
    with pytest.raises(ValueError, match=words):
        Pix2Pix.from_preset(
            "paper", (32, 32, 3), schedule=schedule, steps_per_epoch=4, changes={**small, change: value}
        )
