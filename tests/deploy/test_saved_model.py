"""SavedModels, loaded where this package is not."""

import io
import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_pix2pix import export_saved_model, serving_model, unet_generator
from keras_pix2pix.deploy.verdict import _digest
from keras_pix2pix.inference import lean as rewrite


@pytest.fixture(scope="module")
def generator():
    keras.utils.set_random_seed(3)
    network = unet_generator((32, 32, 3), filters=4)
    network.set_weights([weight * 3 for weight in network.get_weights()])
    return network


@pytest.fixture(scope="module")
def exported(generator, tmp_path_factory):
    path = tmp_path_factory.mktemp("exported") / "saved_model"
    export_saved_model(generator, path)
    return path


def draw(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_pixels_of_any_size(generator, exported):
    pixels = draw(2, 50, 70, 3)
    expected = serving_model(generator)(pixels)
    loaded = tf.saved_model.load(exported)
    np.testing.assert_array_equal(loaded.serve(pixels)["generated"], expected)
    np.testing.assert_array_equal(
        loaded.signatures["serving_default"](source=tf.constant(pixels))["generated"], expected
    )


@pytest.mark.parametrize("file_format", ["PNG", "JPEG"])
def test_encoded_pictures_of_different_sizes(generator, exported, file_format):
    files, expected = [], []
    for height, width in ((50, 70), (32, 16)):
        buffer = io.BytesIO()
        Image.fromarray(draw(height, width, 3)).save(buffer, file_format)
        files.append(buffer.getvalue())
        expected.append(serving_model(generator)(tf.io.decode_image(buffer.getvalue())[tf.newaxis])[0])
    loaded = tf.saved_model.load(exported)
    answer = loaded.signatures["serve_encoded"](source_bytes=tf.constant(files))
    for contents, pixels in zip(answer["generated_bytes"].numpy(), expected, strict=True):
        generated = np.asarray(Image.open(io.BytesIO(contents)))
        np.testing.assert_array_equal(generated, pixels)


def test_it_loads_without_this_package(generator, exported, tmp_path):
    pixels = draw(1, 40, 50, 3)
    np.save(tmp_path / "pixels.npy", pixels)
    program = (
        "import sys; sys.modules['keras_pix2pix'] = None\n"
        "import keras, numpy\n"
        f"layer = keras.layers.TFSMLayer({str(exported)!r}, call_endpoint='serve')\n"
        f"generated = layer(numpy.load({str(tmp_path / 'pixels.npy')!r}))['generated']\n"
        f"numpy.save({str(tmp_path / 'generated.npy')!r}, generated)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    np.testing.assert_array_equal(np.load(tmp_path / "generated.npy"), serving_model(generator)(pixels))


def test_weights_are_written_once(generator, exported):
    size = sum(path.stat().st_size for path in (exported / "variables").iterdir())
    assert size < 1.2 * 4 * generator.count_params()


def test_channels_that_no_file_format_has_leave_out_the_encoded_signature(tmp_path):
    export_saved_model(unet_generator((32, 32, 5), 2, filters=2), tmp_path / "x")
    assert set(tf.saved_model.load(tmp_path / "x").signatures) == {"serve", "serving_default"}


def test_the_verdict_is_returned_and_nothing_printed(generator, tmp_path, capfd):
    parity = export_saved_model(generator, tmp_path / "x", pixels=draw(1, 32, 32, 3))
    assert parity.largest_difference <= 1
    assert repr(parity) == f"<{tmp_path / 'x'}: {parity}>"
    assert capfd.readouterr().out == ""


def test_an_older_saved_model_is_replaced(generator, exported, tmp_path):
    export_saved_model(generator, tmp_path / "x")
    (tmp_path / "x" / "assets" / "old").write_text("")
    export_saved_model(generator, tmp_path / "x")
    assert not (tmp_path / "x" / "assets" / "old").exists()
    assert {path.name for path in tmp_path.iterdir()} == {"x", "x.export.json", "x.export.png"}


def test_other_folders_and_files_are_left_alone(generator, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    for path in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(ValueError, match="is not a SavedModel, so it is not replaced"):
            export_saved_model(generator, path)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_what_computes_something_else_is_not_kept(generator, tmp_path, monkeypatch):
    kernel = rewrite.subpixel_kernel
    monkeypatch.setattr(rewrite, "subpixel_kernel", lambda *original, **form: kernel(*original, **form) * 2)
    with pytest.raises(RuntimeError, match=r"not kept as .*at most 1 grey level"):
        export_saved_model(generator, tmp_path / "x")
    assert not list(tmp_path.iterdir())


def test_what_is_accepted_can_be_chosen(generator, tmp_path, monkeypatch):
    kernel = rewrite.subpixel_kernel
    monkeypatch.setattr(rewrite, "subpixel_kernel", lambda *original, **form: kernel(*original, **form) * 2)
    parity = export_saved_model(generator, tmp_path / "x", accept={"levels": 255})
    record = json.loads((tmp_path / "x.export.json").read_text())
    assert (record["format"], record["accepted"]) == ("saved_model", {"levels": 255})
    assert record["sha256"] == _digest(tmp_path / "x")
    assert parity.latency is None
    with pytest.raises(RuntimeError, match="at most 255 grey level.* and at least 99 dB"):
        export_saved_model(generator, tmp_path / "x", accept={"levels": 255, "psnr": 99})
    with pytest.raises(ValueError, match="'equal' of `accept` does not apply"):
        export_saved_model(generator, tmp_path / "x", accept={"equal": 0.5})
