"""`keras-pix2pix download`."""

import pytest

import keras_pix2pix
from keras_pix2pix.data.download import Downloaded


@pytest.fixture
def downloading(monkeypatch):
    def answer(function):
        monkeypatch.setattr(keras_pix2pix, "download_dataset", function, raising=False)

    return answer


def test_the_command_says_how_to_train(run, downloading, tmp_path):
    def download(name, directory):
        for split in ("train", "val"):
            (tmp_path / name / split).mkdir(parents=True)
        return Downloaded(tmp_path / name, "BtoA", "abc")

    downloading(download)
    code, printed, _ = run("download", "facades", "--output", tmp_path)
    assert code == 0
    folder = tmp_path / "facades"
    assert f"train {folder}/train --direction BtoA --validation {folder}/val --run-dir run" in printed
    assert "abc" in printed


def test_ctrl_c_says_how_to_resume(run, downloading):
    def download(name, directory):
        raise KeyboardInterrupt

    downloading(download)
    code, _, errors = run("download", "facades")
    assert code == 130
    assert "resumes" in errors


def test_an_unknown_name_ends_in_one_message(run):
    code, _, errors = run("download", "horses")
    assert code == 2
    assert "horses" in errors
