"""Programs that leave a data set unfinished still end."""

import subprocess
import sys

import pytest

from keras_pix2pix.data.synthetic import write_facades

PROGRAM = """
import sys
from keras_pix2pix import paired_dataset

batches = iter(paired_dataset(sys.argv[1], image_size=32, training=sys.argv[2] == "training"))
next(batches)
print("the last line")
"""


@pytest.mark.parametrize("use", ["training", "validation"])
def test_a_program_ends_with_a_batch_still_to_come(tmp_path, use):
    write_facades(tmp_path, 8, image_size=(32, 32))
    # Hung, it would run into the limit.
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, tmp_path, use], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout == "the last line\n"
    assert "GeneratorDataset" not in done.stderr


def test_a_command_ends_after_a_file_that_breaks_while_it_is_decoded(tmp_path):
    write_facades(tmp_path / "pairs", 24, image_size=(32, 32))
    broken = sorted((tmp_path / "pairs").iterdir())[20]
    broken.write_bytes(broken.read_bytes()[:400])
    arguments = ["train", tmp_path / "pairs", "--run-dir", tmp_path / "run", "--image-size", "32", "--preset", "mobile"]
    command = [sys.executable, "-m", "keras_pix2pix", *map(str, arguments), "--epochs", "1", "--direction", "BtoA"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 2
    assert broken.name in done.stderr
    assert "Traceback" not in done.stderr
