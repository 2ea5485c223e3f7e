"""`keras-pix2pix presets`."""

import pytest

from keras_pix2pix import Pix2Pix
from keras_pix2pix.training.presets import PRESETS

pytestmark = pytest.mark.usefixtures("small_networks")


def test_presets_are_listed_with_what_tells_them_apart(run):
    code, printed, errors = run("presets")
    assert code == 0, errors
    rows = {line.split()[0]: line for line in printed.splitlines() if line.strip()}
    assert rows.keys() >= PRESETS.keys()
    assert "94x94" in rows["pytorch_gan"]
    assert "70x70" in rows["junyanz"]
    assert f"{Pix2Pix.from_preset('tf_tutorial').generator.count_params():,}" in rows["tf_tutorial"]
