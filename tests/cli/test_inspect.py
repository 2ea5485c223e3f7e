"""`keras-pix2pix inspect`."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from keras_pix2pix.data.synthetic import write_facades

pytestmark = pytest.mark.usefixtures("small_networks")


def test_inspect_says_what_was_found_and_draws_it(run, pairs, tmp_path):
    code, printed, _ = run("inspect", pairs, "--direction", "BtoA", "--output", tmp_path / "seen.png", "--count", 2)
    assert code == 0
    assert printed.startswith("3 pairs; height x width of one side (pairs): 32x32 (3)\n")
    assert Image.open(tmp_path / "seen.png").format == "PNG"


def test_inspect_does_not_wait_for_tensorflow(pairs, tmp_path):
    program = (
        "import sys; from keras_pix2pix.cli.main import main\n"
        f"try: main(['inspect', {str(pairs)!r}, '--output', {str(tmp_path / 'x.png')!r}])\n"
        "except SystemExit: print(sorted({'tensorflow', 'keras'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert result.stdout.splitlines()[-1] == "[]"


@pytest.fixture
def wide(tmp_path):
    """Side-by-side files of sides twice as wide as high."""
    write_facades(tmp_path / "wide", 3, image_size=(32, 64))
    return tmp_path / "wide"


def test_inspect_says_what_stretching_would_change(run, wide, tmp_path):
    output = ("--output", tmp_path / "seen.png")
    _, printed, _ = run("inspect", wide, *output)
    assert "2.00 times as wide as high" in printed
    for options in (("--fit", "cover"), ("--image-size", "64x128")):
        _, printed, _ = run("inspect", wide, *output, *options)
        assert "times as wide" not in printed
        assert " ".join(options) in printed  # Of the command that trains.


def test_inspect_draws_what_training_would_see(run, wide, tmp_path):
    shapes = {}
    for fit in ("stretch", "pad", "crop"):
        run("inspect", wide, "--fit", fit, "--image-size", 32, "--output", tmp_path / f"{fit}.png")
        shapes[fit] = np.asarray(Image.open(tmp_path / f"{fit}.png"))
    assert not any(np.array_equal(shapes[one], shapes[other]) for one, other in (("stretch", "pad"), ("pad", "crop")))
    code, _, errors = run("inspect", wide, "--fit", "crop", "--output", tmp_path / "big.png")
    assert code == 2
    assert "smaller than" in errors
