"""The pipeline and the verdict: what is written, and what becomes of a file that fails."""

import hashlib
import json

import keras
import numpy as np
import pytest
from PIL import Image

from keras_pix2pix.deploy import pipeline
from keras_pix2pix.deploy.pipeline import write_judged
from keras_pix2pix.deploy.verdict import _digest, copy_verdict, refuse_to_replace_records


@pytest.fixture
def generator():
    source = keras.Input((16, 16, 3))
    return keras.Model(source, keras.layers.Identity()(source))


@pytest.fixture
def exported(generator, tmp_path):
    """A function that exports to `tmp_path / "x.bin"` what `computes` does."""
    pixels = np.stack([np.full((16, 16, 3), level, np.uint8) for level in (10, 20)])

    def export(computes, path=tmp_path / "x.bin", **options):
        return write_judged(
            generator,
            path,
            **{
                "format": "bin",
                "write": lambda temporary: temporary.write_bytes(b"abc"),
                "run": lambda temporary, threads: computes,
                "pixels": pixels,
                "accept": {"levels": 3},
                **options,
            },
        )

    return export


def two_more_of_20(source):
    return source + 2 * (source == 20).astype(np.uint8)


def test_the_record_holds_what_was_found(exported, tmp_path):
    parity = exported(two_more_of_20, count=lambda temporary: {"operators": {"ADD": 2}}, packages=["pillow"])
    record = json.loads((tmp_path / "x.bin.export.json").read_text())
    figures = parity._asdict()
    assert figures.pop("path") == str(tmp_path / "x.bin")
    assert {name: record[name] for name in figures} == figures
    assert (parity.psnr, parity.mean_difference) == (pytest.approx(10 * np.log10(255**2 / 2)), 1.0)
    assert (parity.largest_difference, parity.worst, parity.pictures) == (2, 1, 2)
    assert parity.latency.keys() == {"1 thread", "2 threads", "Keras"}
    assert all(milliseconds > 0 for milliseconds in parity.latency.values())
    expected = {
        "file": "x.bin",
        "format": "bin",
        "quantization": "none",
        "sha256": hashlib.sha256(b"abc").hexdigest(),
        "size": 3,
        "operators": {"ADD": 2},
        "accepted": {"levels": 3},
        "drawn_pictures": False,
        "source": "16x16 rgb",
        "picture": "x.bin.export.png",
        "difference_factor": 64,
    }
    assert {name: record[name] for name in expected} == expected
    assert {"keras_pix2pix", "python", "tensorflow", "keras", "pillow"} <= record["versions"].keys()
    assert record["date"].endswith("+00:00")


def test_where_no_pictures_are_given_they_are_drawn(exported):
    parity = exported(lambda source: source, pixels=None)
    assert (parity.drawn_pictures, parity.pictures) == (True, 4)


def test_the_picture_is_the_worst_one(exported, tmp_path):
    exported(two_more_of_20)
    drawn = np.asarray(Image.open(tmp_path / "x.bin.export.png"))
    panels = np.split(drawn[-1], 3)
    assert [panel[0].tolist() for panel in panels] == [[20] * 3, [22] * 3, [2 * 64] * 3]


def test_a_file_that_fails_leaves_the_older_one_with_its_record(exported, tmp_path):
    exported(lambda source: source)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(RuntimeError, match=r"not kept as .*x.bin. Accepted: .*at most 1 grey level.*Try more repr"):
        exported(two_more_of_20, quantization="int8", accept={"levels": 1, "psnr": 0})
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_file_that_passes_has_no_older_record_from_then_on(exported, tmp_path, monkeypatch):
    exported(two_more_of_20)

    def fails(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "publish", fails)
        with pytest.raises(KeyboardInterrupt):
            exported(lambda source: source)
    assert not (tmp_path / "x.bin.export.json").exists()
    exported(lambda source: source)
    assert json.loads((tmp_path / "x.bin.export.json").read_text())["psnr"] == 100


@pytest.mark.parametrize(("threads", "asked"), [((1, 2), {1, 2}), ((), {None})])
def test_threads_are_those_that_a_format_is_asked_for(exported, threads, asked):
    received = set()
    parity = exported(None, run=lambda path, number: received.add(number) or (lambda source: source), threads=threads)
    assert received == asked
    assert (parity.latency is None) == (not threads)


def test_copies_are_found_under_the_same_names(exported, tmp_path):
    exported(two_more_of_20)
    copy_verdict(tmp_path / "x.bin", tmp_path / "run" / "exports")
    for suffix in ("json", "png"):
        name = f"x.bin.export.{suffix}"
        (copy,) = (tmp_path / "run" / "exports").rglob(name)
        assert copy.read_bytes() == (tmp_path / name).read_bytes()
    (tmp_path / "other").mkdir()
    exported(two_more_of_20, tmp_path / "other" / "x.bin")
    copy_verdict(tmp_path / "other" / "x.bin", tmp_path / "run" / "exports")
    assert len(list((tmp_path / "run" / "exports").rglob("x.bin.export.json"))) == 2
    for content in ("{}", "[1]", "my notes"):
        (tmp_path / "y.bin.export.json").write_text(content)
        with pytest.raises(ValueError, match=r"y\.bin\.export\.json"):
            refuse_to_replace_records(tmp_path / "y.bin")
    (tmp_path / "z.bin.export.png").write_text("my notes")
    with pytest.raises(ValueError, match=r"z\.bin\.export\.png"):
        refuse_to_replace_records(tmp_path / "z.bin")
    refuse_to_replace_records(tmp_path / "x.bin")
    copy_verdict(tmp_path / "other" / "x.bin", tmp_path / "other")  # It is in there.
    assert len(list((tmp_path / "other").rglob("x.bin.export.json"))) == 1


def test_the_digest_of_a_folder_is_that_of_its_names_and_contents(tmp_path):
    folder = tmp_path / "folder"
    (folder / "b").mkdir(parents=True)
    (folder / "a").write_bytes(b"1")
    (folder / "b" / "c").write_bytes(b"2")
    lines = f"{hashlib.sha256(b'1').hexdigest()}  a\n{hashlib.sha256(b'2').hexdigest()}  b/c\n"
    assert _digest(folder) == hashlib.sha256(lines.encode()).hexdigest()
    (folder / "a").rename(folder / "z")
    assert _digest(folder) != hashlib.sha256(lines.encode()).hexdigest()
