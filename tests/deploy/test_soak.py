"""Kills at random moments, after which an earlier or a later export is under the name, whole."""

import contextlib
import random
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf

from keras_pix2pix import export_saved_model, export_web, serving_model, unet_generator
from keras_pix2pix.deploy.metadata import _weights_digest, read_metadata
from keras_pix2pix.deploy.verdict import _digest
from keras_pix2pix.files import remove_leftovers, whole_file

# Without TensorFlow, to be there at once.
REPLACE = """
import shutil, sys
from keras_pix2pix import files

path, way, *templates = sys.argv[1:]
if way == "renamed":
    files._exchanged_in_one_call = lambda *names: False
print("ready", flush=True)
while True:
    for template in templates:
        with files.whole_file(path) as temporary:
            shutil.copytree(template, temporary)
"""
EXPORT = """
import sys
import keras
from keras_pix2pix import export_saved_model, export_web

folder, *generators = sys.argv[1:]
generators = [keras.saving.load_model(generator) for generator in generators]
export_saved_model(generators[0], f"{folder}/model")
export_web(generators[0], f"{folder}/page")
print("ready", flush=True)
while True:
    for generator in reversed(generators):
        export_saved_model(generator, f"{folder}/model")
        export_web(generator, f"{folder}/page")
"""


@pytest.fixture(scope="module")
def generators():
    return [unet_generator((32, 32, 3), filters=2, num_downsamples=filters) for filters in (2, 3)]


def kill(program, arguments, seconds):
    """Kill a program so long after it has said that it is ready."""
    process = subprocess.Popen([sys.executable, "-c", program, *map(str, arguments)], stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if line == "ready\n":
            break
    time.sleep(seconds)
    assert process.poll() is None, "It has ended by itself."
    process.kill()
    process.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("way", ["exchanged", "renamed"])
@pytest.mark.parametrize("export", [export_saved_model, export_web])
def test_kills_while_a_folder_is_replaced(generators, tmp_path, export, way):
    chance = random.Random(way)
    templates = [tmp_path / "templates" / name for name in "ab"]
    for generator, template in zip(generators, templates, strict=True):
        export(generator, template)
    path = tmp_path / "out" / "x"
    shutil.copytree(templates[0], path)
    whole = {_digest(template) for template in templates}
    for _ in range(20):
        kill(REPLACE, [path, way, *templates], chance.uniform(0, 0.05))
        if way == "renamed":  # As the next export does.
            restore_replaced(path)
        assert _digest(path) in whole
    remove_leftovers(path.parent)
    assert [each.name for each in path.parent.iterdir()] == ["x"]


def restore_replaced(path):
    with contextlib.suppress(RuntimeError), whole_file(path):
        raise RuntimeError("Nothing to write.")


@pytest.mark.slow
def test_kills_while_exporting(generators, tmp_path):
    chance = random.Random(0)
    files = [tmp_path / f"{number}.keras" for number in range(len(generators))]
    for generator, file in zip(generators, files, strict=True):
        generator.save(file)
    pixels = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), dtype=np.uint8)
    expected = [np.asarray(serving_model(generator)(pixels)) for generator in generators]
    weights = {_weights_digest(generator) for generator in generators}
    out = tmp_path / "out"
    for _ in range(3):
        kill(EXPORT, [out, *files], chance.uniform(0, 6))
        loaded = tf.saved_model.load(out / "model")
        generated = np.asarray(loaded.serve(pixels)["generated"])
        assert any(np.array_equal(generated, each) for each in expected)
        assert read_metadata(out / "page" / "page.tflite")["weights_sha256"] in weights
        assert (out / "page" / "check.png").is_file()
    export_saved_model(generators[0], out / "model")
    export_web(generators[0], out / "page")
    assert {path.name for path in out.iterdir()} == {"model", "model.export.json", "model.export.png", "page"}
