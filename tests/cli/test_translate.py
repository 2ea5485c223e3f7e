"""`keras-pix2pix translate`."""

import keras
import numpy as np
import pytest
from PIL import Image

import keras_pix2pix
from keras_pix2pix.data.synthetic import write_facades
from keras_pix2pix.images import write_png

pytestmark = pytest.mark.usefixtures("small_networks")


def test_translate_writes_pictures(run, trained, pairs, tmp_path):
    names = [path.name for path in sorted(pairs.iterdir())]
    code, printed, _ = run("translate", trained, pairs, "--output", tmp_path / "out", "--side-by-side")
    assert (code, printed) == (0, f"3 pictures in {tmp_path / 'out'}\n")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names
    assert Image.open(tmp_path / "out" / names[0]).size == (32, 32)
    code, _, _ = run("translate", trained / "model.keras", pairs / names[0], "--output", tmp_path / "whole")
    assert code == 0
    assert Image.open(tmp_path / "whole" / names[0]).size == (64, 32)


def test_translate_in_tiles(run, trained, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (80, 72, 3), dtype=np.uint8)
    write_png(tmp_path / "a.png", pixels)
    model = keras.saving.load_model(trained / "model.keras")
    results = []
    for flags, options in (
        (("--overlap", 8), {"overlap": 8}),
        (("--overlap", 16), {"overlap": 16}),
        (("--overlap", 8, "--fixed-statistics"), {"overlap": 8, "fixed_statistics": True}),
    ):
        arguments = ("translate", trained, tmp_path / "a.png", "--output", tmp_path / "out", "--tile", 32, *flags)
        code, printed, errors = run(*arguments)
        assert (code, printed) == (0, f"1 picture in {tmp_path / 'out'}\n"), errors
        results.append(np.asarray(Image.open(tmp_path / "out" / "a.png")))
        np.testing.assert_allclose(results[-1], model.translate(tmp_path / "a.png", tile=32, **options), atol=1)
    assert all((results[0] != other).any() for other in results[1:])


def test_a_bare_generator_translates_and_exports(run, pairs, tmp_path):
    path = tmp_path / "generator.keras"
    keras_pix2pix.unet_generator((32, 32, 3), filters=2).save(path)
    assert run("translate", path, pairs, "--output", tmp_path / "out")[0] == 0
    assert run("export", path, "--format", "tflite", "--output", tmp_path / "x.tflite")[0] == 0
    code, _, errors = run("translate", path, pairs, "--output", tmp_path / "out", "--side-by-side")
    assert code == 2
    assert "--side-by-side needs a Pix2Pix" in errors


def test_a_model_with_code_of_its_own_is_refused(run, tmp_path):
    source = keras.Input((32, 32, 3))
    with_lambda = keras.Model(source, keras.layers.Lambda(lambda image: image * 0.5)(source))
    with_lambda.save(tmp_path / "lambda.keras")
    for form in ("tflite", "onnx", "saved_model"):
        code, _, errors = run("export", tmp_path / "lambda.keras", "--format", form, "--output", tmp_path / "x")
        assert code == 2
        assert "lambda.keras can't be loaded as a Keras model" in errors
        assert "Traceback" not in errors
        assert not (tmp_path / "x").exists()


def test_a_discriminator_is_no_generator(run, tmp_path):
    keras_pix2pix.patchgan_discriminator((32, 32, 3), filters=1, num_layers=1).save(tmp_path / "d.keras")
    write_facades(tmp_path / "pictures", 1, image_size=(32, 32))
    for command in (
        ("export", tmp_path / "d.keras", "--format", "tflite", "--output", tmp_path / "d.tflite"),
        ("export", tmp_path / "d.keras", "--format", "saved_model", "--output", tmp_path / "saved"),
        ("translate", tmp_path / "d.keras", tmp_path / "pictures", "--output", tmp_path / "out"),
    ):
        code, _, errors = run(*command)
        assert code == 2
        assert "one input and one output" in errors
