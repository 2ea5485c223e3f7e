"""Grids of single epochs become one picture of all of them."""

import numpy as np
import pytest
from PIL import Image

from keras_pix2pix.images import write_png
from keras_pix2pix.report.samples import samples_over_time, write_over_time


@pytest.fixture
def write_samples(tmp_path):
    """A function that writes the grids of so many epochs: sources of level 10, targets of 20, generated 100 + epoch."""

    def write(epochs, height=64, width=32):
        for epoch in range(epochs):
            grid = np.full((height, 3 * width, 3), 100 + epoch, "uint8")
            grid[:, :width], grid[:, 2 * width :] = 10, 20
            write_png(tmp_path / f"epoch_{epoch:04d}.png", grid)
        return tmp_path

    return write


def test_a_few_epochs_are_all_shown(write_samples):
    columns = samples_over_time(write_samples(3))
    assert [caption for caption, _ in columns] == ["source", "epoch 0", "epoch 1", "epoch 2", "target"]
    assert [int(pixels[0, 0, 0]) for _, pixels in columns] == [10, 100, 101, 102, 20]
    assert {pixels.shape for _, pixels in columns} == {(64, 32, 3)}


def test_of_many_epochs_the_first_ones_are_closer(write_samples):
    captions = [caption for caption, _ in samples_over_time(write_samples(101, 4, 2), most=5)]
    assert captions == ["source", "epoch 0", "epoch 2", "epoch 9", "epoch 31", "epoch 100", "target"]


def test_large_pictures_are_reduced(write_samples):
    directory = write_samples(2, height=128, width=64)
    assert samples_over_time(directory, width=16)[0][1].shape == (32, 16, 3)
    write_over_time(directory, directory / "over_time.png")
    picture = np.asarray(Image.open(directory / "over_time.png"))
    assert picture.shape == (24 + 128, 4 * 64, 3)
    assert picture[-1, ::64, 0].tolist() == [10, 100, 101, 20]
    assert (picture[:24] < 128).any()  # Captions.


def test_the_picture_has_a_bounded_size(write_samples):
    directory = write_samples(40, height=512, width=256)
    write_over_time(directory, directory / "over_time.png")
    assert Image.open(directory / "over_time.png").size[0] <= 12 * 160


def test_pictures_that_cant_be_read_or_have_another_size_are_left_out(write_samples):
    directory = write_samples(4)
    (directory / "epoch_0001.png").write_bytes(b"no picture")
    write_png(directory / "epoch_0002.png", np.zeros((30, 30, 3), "uint8"))
    assert [caption for caption, _ in samples_over_time(directory)] == ["source", "epoch 0", "epoch 3", "target"]


def test_without_pictures_nothing_is_written(tmp_path):
    assert samples_over_time(tmp_path / "nowhere") == []
    write_over_time(tmp_path, tmp_path / "over_time.png")
    assert not list(tmp_path.iterdir())
