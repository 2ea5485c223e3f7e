"""Each preset beside its PyTorch twin, with few filters: what `benchmarks/presets.py` does with all of them."""

import os
import re

import pytest

from keras_pix2pix.data.synthetic import write_facades
from keras_pix2pix.training.presets import PRESETS

pytestmark = pytest.mark.slow
FACADES = os.environ.get("KERAS_PIX2PIX_FACADES")


@pytest.fixture(params=["drawn", "real"])
def pairs(request, tmp_path):
    if request.param == "drawn":
        write_facades(tmp_path / "pairs", 1, image_size=(256, 256))
        return tmp_path / "pairs"
    if not FACADES:
        pytest.skip("KERAS_PIX2PIX_FACADES doesn't name the folder of the facades")
    return os.path.join(FACADES, "train")


@pytest.mark.parametrize("name", ["paper", "junyanz", "pytorch_gan", "tf_tutorial", "pix2pixhd"])
def test_networks_gradients_and_a_step_equal_those_of_the_twin(name, pairs, monkeypatch):
    pytest.importorskip("torch")
    import presets

    *twins, of_generator, of_discriminator, steps = presets.SYSTEMS[name]
    for network in ("generator", "discriminator"):
        monkeypatch.setitem(PRESETS[name][network], "filters", 4)
    arguments = {**of_generator, "filters": 4}, {**of_discriminator, "filters": 4}
    row, step = presets.measured(name, pairs, *twins, *arguments, steps)
    assert row["forward"] < presets.LIMITS["forward"]
    assert row["gradient"] < presets.LIMITS["gradient"]
    assert (step is not None) == (name in ("junyanz", "pytorch_gan", "pix2pixhd"))
    if step:
        assert step["losses"] < presets.LIMITS["losses"]
        assert step["weights"] < presets.LIMITS["weights"]
        # Nothing but the biases that an instance norm takes away again may be left out.
        assert all(re.search(r"convolution\d?\.bias", left) for left in step["left out"].split(", ") if left != "none")
