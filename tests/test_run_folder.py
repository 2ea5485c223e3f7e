"""The names in a run folder."""

from pathlib import Path

import pytest

from keras_pix2pix.run_folder import RunFolder


def test_every_path_is_in_the_folder_under_a_name_of_its_own():
    paths = {name: path for name, path in vars(RunFolder("run")).items() if name != "path"}
    assert {path.parent for path in paths.values()} == {Path("run")}
    assert len(set(paths.values())) == len(paths)


@pytest.mark.parametrize("run", ["runs/a", "runs/a/best.keras"])
def test_the_folder_is_found_from_a_model_in_it(run):
    assert RunFolder.of(run).path == Path("runs/a")
