"""Pictures read back through TensorBoard's HTTP API, and sample files."""

import io
import json
import urllib.request

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_pix2pix import callbacks
from keras_pix2pix.callbacks import pace
from keras_pix2pix.images import to_pixels

ROWS = "source | generated | target"
PATCHES = "patch map: generated | target"


@pytest.fixture
def tensorboard(tmp_path):
    """A function from a path of TensorBoard's HTTP API to the bytes it answers, for the logs in `tmp_path`."""
    from tensorboard import program

    server = program.TensorBoard()

    def get(path):
        if not hasattr(server, "url"):
            arguments = ["tensorboard", "--logdir", str(tmp_path), "--port", "0", "--load_fast", "false"]
            server.configure(argv=[*arguments, "--reload_interval", "0"])
            server.url = server.launch()
        with urllib.request.urlopen(f"{server.url}data/plugin/images/{path}") as answer:
            return answer.read()

    return get


def pixels_of(image):
    return np.asarray(to_pixels(image))


def read_png(contents):
    return np.asarray(Image.open(io.BytesIO(contents)))


def test_tensorboard_shows_source_generated_target_and_the_patch_map(make_model, images, tmp_path, tensorboard):
    source, target = images(3)
    model = make_model()
    model.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0))  # The pictures stay what they are.
    summary = callbacks.ImageSummary(tmp_path, (source, target), count=2, every=2)
    model.fit(source, target, batch_size=1, epochs=3, verbose=0, callbacks=[summary])

    assert set(json.loads(tensorboard("tags"))["images"]) == {ROWS, PATCHES}
    entries = json.loads(tensorboard(f"images?run=images&tag={urllib.request.quote(ROWS)}&sample=1"))
    assert [entry["step"] for entry in entries] == [0, 2]
    shown = read_png(tensorboard(f"individualImage?{entries[-1]['query']}"))
    expected = [pixels_of(each[1]) for each in (source, model.generator(source), target)]
    np.testing.assert_allclose(shown.astype(int), np.concatenate(expected, axis=1).astype(int), atol=1)

    entries = json.loads(tensorboard(f"images?run=images&tag={urllib.request.quote(PATCHES)}&sample=0"))
    shown = read_png(tensorboard(f"individualImage?{entries[0]['query']}"))
    assert shown.shape == (32, 64, 3)
    logits = model.discriminator([source[:1], target[:1]])[0, :, :, 0]
    patches = np.round(255 / (1 + np.exp(-np.asarray(logits))))
    rows, columns = patches.shape
    middles = np.arange(32) + 0.5
    expected = patches[(middles * rows // 32).astype(int)][:, (middles * columns // 32).astype(int)]
    np.testing.assert_allclose(shown[:, 32:, 0], expected, atol=1)


def test_pictures_are_of_the_first_pairs_of_a_data_set(make_model, images, tmp_path):
    source, target = images(4)
    dataset = tf.data.Dataset.from_tensor_slices((source, target, np.ones(4, "float32"))).batch(3)
    model = make_model()
    model.compile()
    model.fit(source, target, batch_size=4, verbose=0, callbacks=[callbacks.SampleGrid(tmp_path, dataset, count=4)])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["epoch_0000.png", "epoch_0001.png", "over_time.png"]
    grid = np.asarray(Image.open(tmp_path / "epoch_0001.png"))
    assert grid.shape == (4 * 32, 3 * 32, 3)
    np.testing.assert_array_equal(grid[96:, :32], pixels_of(source[3]))
    np.testing.assert_array_equal(grid[96:, 64:], pixels_of(target[3]))
    generated = pixels_of(model.generator(source))
    np.testing.assert_allclose(grid[32:64, 32:64].astype(int), generated[1].astype(int), atol=1)


def test_what_fills_up_a_batch_is_not_shown(make_model, images, tmp_path):
    source, target = images(4)
    dataset = tf.data.Dataset.from_tensor_slices((source, target, np.array([1, 1, 1, 0], "float32"))).batch(2)
    assert len(callbacks.SampleGrid(tmp_path, dataset, count=4).source) == 3


def test_a_resumed_run_goes_on_counting(make_model, images, tmp_path):
    source, target = images(1)
    model = make_model()
    model.compile()
    grid = callbacks.SampleGrid(tmp_path, (source, target), every=3)
    model.fit(source, target, initial_epoch=4, epochs=7, verbose=0, callbacks=[grid])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["epoch_0004.png", "epoch_0006.png", "over_time.png"]


def test_a_run_without_an_epoch_to_train_ends_well(make_model, images, tmp_path):
    model = make_model()
    model.compile()
    model.fit(*images(1), initial_epoch=1, epochs=1, verbose=0, callbacks=[callbacks.ImageSummary(tmp_path, images(1))])
    assert not list(tmp_path.iterdir())


def test_pictures_are_written_under_a_mirrored_strategy(make_model, images, tmp_path, mirrored):
    source, target = images(2)
    with mirrored.scope():
        model = make_model()
        model.compile()
    summary = callbacks.ImageSummary(tmp_path / "logs", (source, target))
    grid = callbacks.SampleGrid(tmp_path / "samples", (source, target))
    model.fit(source, target, batch_size=2, verbose=0, callbacks=[summary, grid])
    assert (tmp_path / "samples" / "epoch_0001.png").is_file()
    assert list((tmp_path / "logs" / "images").glob("events*"))


def test_gray_and_many_channels_can_be_looked_at(tmp_path):
    from keras_pix2pix import Pix2Pix, patchgan_discriminator, unet_generator

    model = Pix2Pix(
        unet_generator((32, 32, 5), 1, filters=2), patchgan_discriminator((32, 32, 5), 1, filters=2, num_layers=2)
    )
    model.compile()
    source, target = np.zeros((1, 32, 32, 5), "float32"), np.ones((1, 32, 32, 1), "float32")
    shown = [
        callbacks.SampleGrid(tmp_path / "samples", (source, target)),
        callbacks.ImageSummary(tmp_path / "logs", (source, target)),
    ]
    model.fit(source, target, verbose=0, callbacks=shown)
    grid = np.asarray(Image.open(tmp_path / "samples" / "epoch_0001.png"))
    assert grid[0, 0].tolist() == [128, 128, 128]
    assert grid[0, -1].tolist() == [255, 255, 255]


@pytest.mark.parametrize("arguments", [{"count": 0}, {"every": 0}])
def test_nothing_to_show_is_refused(images, tmp_path, arguments):
    with pytest.raises(ValueError, match="must be 1 or more. Received: count="):
        callbacks.ImageSummary(tmp_path, images(1), **arguments)


@pytest.mark.parametrize(
    ("source_encoding", "target_encoding"),
    [("classes:4", "gray16"), ("rgb+classes:4", "palette:#ff0000,#0000ff"), ("values:2:-5:5", "rgba")],
)
def test_every_encoding_can_be_looked_at(make_encoded_model, tmp_path, source_encoding, target_encoding):
    model = make_encoded_model(source_encoding, target_encoding)
    model.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0))
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3)).astype(np.uint8)
    raw = [encoding.from_pixels(pixels)[np.newaxis] for encoding in (model.source_encoding, model.target_encoding)]
    source, target = model.source_encoding.to_image(raw[0]), model.target_encoding.to_image(raw[1])
    shown = [
        callbacks.SampleGrid(tmp_path / "samples", (source, target)),
        callbacks.ImageSummary(tmp_path, (source, target)),
    ]
    model.fit(source, target, verbose=0, callbacks=shown)
    grid = np.asarray(Image.open(tmp_path / "samples" / "epoch_0001.png"))
    generated = np.asarray(model.target_encoding.to_raw(model.generator(source)))[0]
    views = [model.source_encoding.show(raw[0][0]), model.target_encoding.show(generated)]
    expected = np.concatenate([*views, model.target_encoding.show(raw[1][0])], axis=1)
    np.testing.assert_allclose(grid.astype(int), expected.astype(int), atol=1)
    assert list((tmp_path / "images").glob("events*"))


def test_a_picture_of_another_epoch_is_never_shown_late(make_model, images, tmp_path, monkeypatch):
    monkeypatch.setattr(pace, "_SHARE", 1e-9)  # Only the first is due in this lifetime.
    source, target = images(1)
    model = make_model()
    model.compile(run_eagerly=True)
    grid = callbacks.SampleGrid(tmp_path, (source, target), every=2)
    model.fit(source, target, epochs=5, verbose=0, callbacks=[grid])
    # What was left at epoch 4 would have the weights of epoch 5.
    assert sorted(path.name for path in tmp_path.iterdir()) == ["epoch_0000.png", "epoch_0002.png", "over_time.png"]
