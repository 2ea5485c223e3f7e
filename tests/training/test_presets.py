"""The recipes, against the paper."""

import keras
import pytest

from keras_pix2pix import Pix2Pix, preset_data
from keras_pix2pix.training.presets import PRESETS, preset


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
