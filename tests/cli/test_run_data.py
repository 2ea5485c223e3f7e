"""What is drawn for a run, and what of the user's it must leave alone."""

import numpy as np
import pytest
from PIL import Image

from keras_pix2pix.data.synthetic import write_facades
from keras_pix2pix.images import write_png
from keras_pix2pix.runs import data as run_data


@pytest.fixture(autouse=True)
def few_pairs(monkeypatch):
    monkeypatch.setattr(run_data, "_SYNTHETIC_PAIRS", {"train": (3, 0), "validation": (2, 1000)})


def contents_of(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def own_pictures(folder):
    for number in range(2):
        write_png(folder / f"holiday_{number}.png", np.full((16, 32, 3), number, "uint8"))


def own_picture_among_drawn_ones(folder):
    write_facades(folder, 3, image_size=(16, 16))
    write_png(folder / "holiday.png", np.zeros((16, 32, 3), "uint8"))


def painted_over(folder):
    for path in write_facades(folder, 3, image_size=(16, 16)):
        Image.open(path).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(path)


def fewer_drawn_ones(folder):
    write_facades(folder, 2, image_size=(16, 16))


def unreadable_under_the_same_names(folder):
    for path in write_facades(folder, 3, image_size=(16, 16)):
        path.write_text("notes")


def a_file(folder):
    folder.parent.mkdir(parents=True)
    folder.write_text("notes")


def a_link(folder):
    elsewhere = folder.parents[2] / "elsewhere"
    write_facades(elsewhere, 3, image_size=(16, 16))
    folder.parent.mkdir(parents=True)
    folder.symlink_to(elsewhere)


@pytest.mark.parametrize("split", ["train", "validation"])
@pytest.mark.parametrize(
    "put",
    [
        own_pictures,
        own_picture_among_drawn_ones,
        painted_over,
        fewer_drawn_ones,
        unreadable_under_the_same_names,
        a_file,
        a_link,
    ],
)
def test_files_of_the_user_are_never_replaced_by_drawn_ones(run, tmp_path, put, split):
    folder = tmp_path / "run" / "data" / split
    put(folder)
    before = contents_of(tmp_path)
    code, _, errors = run("train", "synthetic", "--run-dir", tmp_path / "run", "--image-size", 32)
    assert code == 2
    assert f"{folder} exists and holds something other" in errors
    assert contents_of(tmp_path) == before
    assert not (tmp_path / "run" / "config.json").exists()


def test_what_an_earlier_try_has_drawn_is_drawn_anew(tmp_path):
    for size in (16, 24, 24):
        run_data.run_folders({"data": "synthetic", "image_size": (size, size)}, tmp_path, resume=False)
        assert Image.open(tmp_path / "data/train/facade_000000.png").size == (2 * size, size)
