"""Long tests: that training learns, on drawn facades and, where they are, on the paper's."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from keras_pix2pix import Pix2Pix, paired_dataset, patchgan_discriminator, unet_generator
from keras_pix2pix.cli.main import main
from keras_pix2pix.data.pairs import find_pairs
from keras_pix2pix.data.synthetic import facade, write_facades
from keras_pix2pix.training.presets import PRESETS

pytestmark = pytest.mark.slow
FACADES = os.environ.get("KERAS_PIX2PIX_FACADES")


def test_unseen_label_maps_become_facades(tmp_path):
    size = (64, 64)
    write_facades(tmp_path / "pairs", 100, image_size=size)
    model = Pix2Pix(
        unet_generator((*size, 3), filters=16), patchgan_discriminator((*size, 3), filters=16, num_layers=2)
    )
    model.compile()
    labels, drawn = zip(*(facade(seed, size) for seed in range(10_000, 10_010)), strict=True)

    def mean_difference():
        return np.mean(
            [np.abs(np.subtract(ours, theirs, dtype=int)) for ours, theirs in zip(generated, drawn, strict=True)]
        )

    generated = model.translate(np.stack(labels))
    untrained = mean_difference()
    model.fit(paired_dataset(tmp_path / "pairs", image_size=size), epochs=10, shuffle=False, verbose=0)
    generated = model.translate(np.stack(labels))
    assert mean_difference() < 0.85 * untrained  # Each picture's colours are its own, and not in the label map.
    # Texture, and not a blurred mean: neighbouring pixels differ about as much as in the drawn pictures.
    steps = [np.mean(np.abs(np.diff(np.stack(each).astype(int), axis=2))) for each in (generated, drawn)]
    assert 0.5 < steps[0] / steps[1] < 2


@pytest.mark.skipif(not FACADES, reason="KERAS_PIX2PIX_FACADES does not name a folder with train/ and test/")
def test_the_papers_facades_from_the_command_line_to_the_phone(tmp_path, monkeypatch):
    for network in ("generator", "discriminator"):
        monkeypatch.setitem(PRESETS["paper"][network], "filters", 8)
    run = tmp_path / "run"
    folders = [str(Path(FACADES) / "train"), "--validation", str(Path(FACADES) / "test"), "--direction", "BtoA"]
    commands = [
        ["train", *folders, "--run-dir", str(run), "--image-size", "64", "--epochs", "3"],
        ["export", str(run), "--format", "tflite", "--output", str(run / "facades.tflite")],
    ]
    for command in commands:
        with pytest.raises(SystemExit) as stop:
            main(command)
        assert not stop.value.code
    history = np.genfromtxt(run / "history.csv", delimiter=",", names=True)
    assert len(history) == 3
    assert history["val_g_l1"].max() < 0.5
    assert (run / "report.html").is_file()
    assert not (run / "health.jsonl").exists()  # `Health` has nothing to say of these pictures.
    translate = Interpreter(str(run / "facades.tflite")).get_signature_runner()
    config = json.loads((run / "config.json").read_text())
    for pair in find_pairs(config["validation"], None, config["direction"], "rgb", "rgb")[:4]:
        source, _ = (np.asarray(side.resize((64, 64))) for side in pair.read())
        generated = translate(source=source[np.newaxis])["generated"][0]
        assert generated.std() > 10
