"""The verdict: what is written, what is printed, and what becomes of a file that fails."""

import hashlib
import io
import json
import re
from pathlib import Path

import keras
import numpy as np
import pytest
import rich.console
from PIL import Image

from keras_pix2pix.deploy import verdict
from keras_pix2pix.deploy.verdict import copy_verdict, digest, judge, publish, refuse_to_replace_records

OPERATORS = {"operators": {"ADD": 2, "CONV_2D": 1}}


@pytest.fixture
def generator():
    source = keras.Input((16, 16, 3))
    return keras.Model(source, keras.layers.Identity()(source))


@pytest.fixture
def judged(generator, tmp_path):
    """A function from what the file computes to the verdict on `tmp_path / "x.bin"`."""
    (tmp_path / "temporary").write_bytes(b"abc")
    pixels = np.stack([np.full((16, 16, 3), level, np.uint8) for level in (10, 20)])

    def verdict_on(run, accepted=None, about=None, **options):
        return judge(
            tmp_path / "temporary",
            tmp_path / "x.bin",
            generator,
            pixels,
            lambda threads: run,
            accepted={"most_levels": 3} if accepted is None else accepted,
            about={"format": "bin", **(about or {})},
            **options,
        )

    return verdict_on


def two_more_of_20(source):
    return source + 2 * (source == 20).astype(np.uint8)


def test_the_record_holds_what_was_found(judged, tmp_path):
    found = judged(two_more_of_20, about={"run": 5}, counted={"operators": {"ADD": 2}}, packages=["pillow"])
    parity = publish(found, tmp_path / "x.bin")
    record = json.loads((tmp_path / "x.bin.export.json").read_text())
    assert parity is found.parity
    assert {name: record[name] for name in parity._fields} == parity._asdict()
    assert (parity.psnr, parity.mean_difference) == (pytest.approx(10 * np.log10(255**2 / 2)), 1.0)
    assert (parity.largest_difference, parity.worst, parity.pictures) == (2, 1, 2)
    assert parity.latency.keys() == {"1 thread", "2 threads", "Keras"}
    assert all(milliseconds > 0 for milliseconds in parity.latency.values())
    expected = {
        "file": "x.bin",
        "format": "bin",
        "quantization": "none",
        "run": 5,
        "sha256": hashlib.sha256(b"abc").hexdigest(),
        "size": 3,
        "operators": {"ADD": 2},
        "accepted": {"most_levels": 3},
        "drawn_pictures": False,
        "source": "16x16 rgb",
        "picture": "x.bin.export.png",
        "difference_factor": 64,
    }
    assert {name: record[name] for name in expected} == expected
    assert {"keras_pix2pix", "python", "tensorflow", "keras", "pillow"} <= record["versions"].keys()
    assert record["date"].endswith("+00:00")


def test_the_picture_is_the_worst_one(judged, tmp_path):
    publish(judged(two_more_of_20), tmp_path / "x.bin")
    drawn = np.asarray(Image.open(tmp_path / "x.bin.export.png"))
    panels = np.split(drawn[-1], 3)
    assert [panel[0].tolist() for panel in panels] == [[20] * 3, [22] * 3, [2 * 64] * 3]


def test_a_file_that_fails_leaves_the_older_one_its_record(judged, tmp_path):
    (tmp_path / "x.bin.export.json").write_text("{}")
    with pytest.raises(RuntimeError, match=r"not kept as .*x.bin. Accepted: at most 1 grey level.*Try more repr"):
        judged(two_more_of_20, {"most_levels": 1}, about={"quantization": "int8"})
    assert {path.name for path in tmp_path.iterdir()} == {"temporary", "x.bin.export.json"}


def test_a_file_that_passes_has_no_older_record_from_then_on(judged, tmp_path):
    (tmp_path / "x.bin.export.json").write_text("{}")
    found = judged(two_more_of_20)
    assert not (tmp_path / "x.bin.export.json").exists()
    publish(found, tmp_path / "x.bin")
    publish(judged(lambda source: source), tmp_path / "x.bin")
    assert json.loads((tmp_path / "x.bin.export.json").read_text())["psnr"] == 100


def test_threads_are_those_that_the_runner_is_asked_for(generator, tmp_path):
    (tmp_path / "t").touch()
    for threads, asked in (((1, 2), {1, 2}), ((), {None})):
        received = set()
        found = judge(
            tmp_path / "t",
            tmp_path / "x",
            generator,
            np.zeros((1, 16, 16, 3), np.uint8),
            lambda number, received=received: received.add(number) or (lambda source: source),
            accepted={},
            about={},
            threads=threads,
        )
        assert received == asked
        assert (found.parity.latency is None) == (not threads)


def test_a_terminal_gets_a_table_and_a_pipe_a_line(judged, tmp_path, capsys, monkeypatch):
    parity = publish(judged(two_more_of_20, counted=OPERATORS), tmp_path / "x.bin")
    assert capsys.readouterr().out == f"{tmp_path / 'x.bin'}: {parity}\n"
    screen = rich.console.Console(file=io.StringIO(), force_terminal=True, width=120)
    monkeypatch.setattr(verdict.rich.console, "Console", lambda: screen)
    publish(judged(two_more_of_20, counted=OPERATORS, drawn=True), tmp_path / "x.bin")
    rows = [line.rstrip() for line in screen.file.getvalue().splitlines()]
    for words in (
        "compared on.* 2 drawn label maps",
        "PSNR .*45.1 dB",
        "largest difference .*2 grey level.* accepted: at most 3 grey level",
        "mean difference .*1 grey",
        "SSIM",
        "a picture, 1 thread .* ms",
        "operators .*ADD 2, CONV_2D 1",
        "worst picture .*x.bin.export.png",
    ):
        assert [row for row in rows if re.search(words, row)], words


@pytest.mark.parametrize("name", ["net[v1].bin", "net[/v1].bin", "[bold]net.bin"])
def test_a_terminal_shows_a_name_as_it_is(judged, tmp_path, monkeypatch, name):
    screen = rich.console.Console(file=io.StringIO(), force_terminal=True, width=200)
    monkeypatch.setattr(verdict.rich.console, "Console", lambda: screen)
    found = judged(two_more_of_20)
    found.record["picture"] = f"{name}.png"
    monkeypatch.chdir(tmp_path)
    Path(name).parent.mkdir(exist_ok=True)
    publish(found, name)
    printed = re.sub("\x1b.*?m", "", screen.file.getvalue())
    assert printed.startswith(name)
    assert f" {name}.png" in printed


def test_copies_are_found_under_the_same_names(judged, tmp_path):
    publish(judged(two_more_of_20), tmp_path / "x.bin")
    copy_verdict(tmp_path / "x.bin", tmp_path / "run" / "exports")
    for suffix in ("json", "png"):
        name = f"x.bin.export.{suffix}"
        (copy,) = (tmp_path / "run" / "exports").rglob(name)
        assert copy.read_bytes() == (tmp_path / name).read_bytes()
    (tmp_path / "other").mkdir()
    publish(judged(two_more_of_20), tmp_path / "other" / "x.bin")
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
    assert digest(folder) == hashlib.sha256(lines.encode()).hexdigest()
    (folder / "a").rename(folder / "z")
    assert digest(folder) != hashlib.sha256(lines.encode()).hexdigest()
