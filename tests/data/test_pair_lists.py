"""Lists of pairs, as CSV and as JSON lines."""

import json

import numpy as np
import pytest
from PIL import Image

from keras_pix2pix import draw_pairs, paired_dataset
from keras_pix2pix.data.pair_lists import read_pair_list, subsets_in
from keras_pix2pix.data.pairs import _listed_pairs

SPLITS = ("train", "train", "train", "val", "test")


@pytest.fixture
def files(tmp_path):
    """Five pairs whose pixels all have their number."""
    for number in range(5):
        for side in ("in", "out"):
            (tmp_path / side).mkdir(exist_ok=True)
            Image.new("RGB", (8, 6), (number,) * 3).save(tmp_path / side / f"{side}{number}.png")
    return tmp_path


@pytest.fixture
def write(files):
    def put(name, text):
        (files / name).write_text(text)
        return files / name

    return put


def as_csv(delimiter=",", splits=None):
    lines = [["source", "target", *(["split"] if splits else [])]]
    lines += [[f"in/in{n}.png", f"out/out{n}.png", *([splits[n]] if splits else [])] for n in range(5)]
    return "\n".join(delimiter.join(line) for line in lines) + "\n"


def numbers_of(dataset):
    return sorted(round((float(np.ravel(batch[0])[0]) + 1) * 127.5) for batch in dataset)


@pytest.mark.parametrize("delimiter", [",", ", ", ";", "\t"])
def test_csv(write, files, delimiter):
    rows = read_pair_list(write("pairs.csv", "\ufeff" + as_csv(delimiter)))
    assert rows[3] == (files / "in/in3.png", files / "out/out3.png", None)
    assert len(rows) == 5


def test_json_lines(write, files):
    row = {"source": "in/in0.png", "target": str(files / "out/out0.png"), "split": "valid", "note": "x"}
    place = write("pairs.jsonl", "\n" + json.dumps(row) + "\n")
    assert read_pair_list(place) == [(files / "in/in0.png", files / "out/out0.png", "validation")]


def test_the_data_set_of_a_list(write):
    place = write("pairs.csv", as_csv())
    assert numbers_of(paired_dataset(place, image_size=(6, 8), training=False)) == [0, 1, 2, 3, 4]
    kept = paired_dataset(place, image_size=(6, 8), training=False, validation_split=0.4, subset="validation")
    rest = paired_dataset(place, image_size=(6, 8), training=False, validation_split=0.4, subset="training")
    assert sorted(numbers_of(kept) + numbers_of(rest)) == [0, 1, 2, 3, 4]
    assert len(kept) == 2


@pytest.mark.parametrize(("subset", "expected"), [("training", [0, 1, 2]), ("validation", [3]), ("test", [4])])
def test_the_splits_of_a_list(write, subset, expected):
    place = write("pairs.csv", as_csv(splits=SPLITS))
    assert numbers_of(paired_dataset(place, image_size=(6, 8), training=False, subset=subset)) == expected
    assert subsets_in(place) == {"training", "validation", "test"}


def test_a_look_at_a_list(write, tmp_path):
    findings = draw_pairs(write("pairs.csv", as_csv()), output=tmp_path / "pairs.png")
    assert (findings.pairs, findings.sizes) == (5, {(6, 8): 5})


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("pairs.csv", "left,right\na,b\n", "source and target.*left,right"),
        ("pairs.csv", "source,target\n", "lists no pairs"),
        ("pairs.csv", "", "source and target"),
        ("pairs.csv", "source,target\nin/in0.png\n", "Line 2"),
        ("pairs.csv", "source,target,split\nin/in0.png,out/out0.png,dev\n", "Line 2.*'dev'"),
        ("pairs.csv", "source,target,split\na,b,train\na,b,\n", "none in others"),
        ("pairs.csv", f"source,target\n{'x' * 200_000},b\n", "not CSV"),
        ("pairs.jsonl", '{"source": "a", "target": "b"}\n[1\n', "Line 2.*not JSON"),
        ("pairs.jsonl", "[1]\n", "Line 1.*names no pair"),
        ("pairs.jsonl", '{"source": ["a"], "target": "b"}\n', "Line 1.*names no pair"),
        ("pairs.jsonl", "[" * 100_000 + "\n", "Line 1"),
    ],
)
def test_what_is_wrong_with_a_list_is_said_with_its_line(write, name, text, words):
    with pytest.raises(ValueError, match=rf"(?s)^(?=.*{name})(?=.*{words})"):
        read_pair_list(write(name, text))


def test_a_list_that_is_not_there_or_is_no_text(files):
    with pytest.raises(ValueError, match="no list of pairs .*none.csv"):
        read_pair_list(files / "none.csv")
    (files / "odd.csv").write_bytes(b"source,target\n\xff,\xfe\n")
    with pytest.raises(ValueError, match=r"odd.csv is not UTF-8 text"):
        read_pair_list(files / "odd.csv")


def test_files_of_a_list_are_checked(write, files):
    (files / "out/out2.png").unlink()
    with pytest.raises(ValueError, match=r"out/out2.png"):
        _listed_pairs(write("pairs.csv", as_csv()))
    Image.new("RGB", (9, 6)).save(files / "out/out2.png")
    with pytest.raises(ValueError, match=r"in2.png and .*out2.png differ in size"):
        _listed_pairs(files / "pairs.csv")


def test_what_does_not_go_with_a_list(write):
    place = write("pairs.csv", as_csv(splits=SPLITS))
    with pytest.raises(ValueError, match="one source for each pair"):
        _listed_pairs(place, "rgb+rgb")
    with pytest.raises(ValueError, match="validation_split"):
        paired_dataset(place, image_size=8, validation_split=0.2, subset="training")
    only = write("few.csv", "source,target,split\nin/in0.png,out/out0.png,train\n")
    with pytest.raises(ValueError, match="'test'.*training"):
        paired_dataset(only, image_size=8, subset="test")
