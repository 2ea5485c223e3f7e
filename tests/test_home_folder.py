"""`~` is the home folder wherever a path is given."""

import numpy as np
import pytest

from keras_pix2pix import (
    Pix2Pix,
    callbacks,
    draw_pairs,
    export_tflite,
    load_model,
    paired_dataset,
    read_metadata,
    unet_generator,
    write_report,
)
from keras_pix2pix.data.synthetic import write_facades


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_from_pairs_to_a_file(home):
    write_facades("~/pairs", 2, image_size=(32, 32))
    draw_pairs("~/pairs", output="~/drawn.png")
    data = paired_dataset("~/pairs", image_size=32)
    model = Pix2Pix(unet_generator((32, 32, 3), filters=2))
    model.compile(lambda_gan=0)
    watch = callbacks.for_run("~/run", paired_dataset("~/pairs", image_size=32, training=False))
    model.fit(data, verbose=0, callbacks=watch)
    assert write_report("~/run") == home / "run/report.html"
    model = load_model("~/run")
    assert model.translate("~/pairs", "~/generated", side_by_side=True)[0].parent == home / "generated"
    assert np.asarray(model.translate("~/pairs/facade_000000.png")).shape == (32, 64, 3)
    export_tflite(model, "~/model.tflite")
    assert read_metadata("~/model.tflite")["quantization"] == "none"
    kept = {path.name for path in home.iterdir()}
    assert {"pairs", "drawn.png", "run", "generated", "model.tflite"} <= kept
