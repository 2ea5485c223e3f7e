"""The word of a generator that comes with the package, in the place of a run folder."""

import numpy as np
import pytest
from PIL import Image

from keras_pix2pix import load_model
from keras_pix2pix.data.synthetic import facade
from keras_pix2pix.images import write_png
from keras_pix2pix.runs.web_demo import page_of_run


@pytest.fixture
def labels(tmp_path):
    write_png(tmp_path / "labels/1.png", facade(1)[0])
    return tmp_path / "labels"


def test_the_first_picture_takes_one_command(run, labels, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, printed, errors = run("translate", "facades", labels, "--output", tmp_path / "out")
    assert code == 0, errors
    assert "1 picture in" in printed
    generated = np.asarray(Image.open(tmp_path / "out/1.png"))
    np.testing.assert_array_equal(generated, load_model("facades").translate(facade(1)[0]))
    code, _, errors = run("translate", "facade", labels, "--output", tmp_path / "out")
    assert code == 2
    assert "facades" in errors


@pytest.mark.slow
def test_its_exports_and_its_page(run, labels, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, printed, errors = run("export", "facades", "--format", "tflite", "--output", "facades.tflite")
    assert code == 0, errors
    assert "facades.tflite" in printed
    directory, parity = page_of_run("facades", {"images": str(labels)})
    assert directory.resolve() == tmp_path / "facades_web"
    assert parity.psnr > 35
    assert page_of_run("facades", {"images": str(labels)})[1] is None  # It is there already.
