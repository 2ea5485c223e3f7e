"""`keras-pix2pix inspect`."""

import subprocess
import sys

import pytest
from PIL import Image

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
