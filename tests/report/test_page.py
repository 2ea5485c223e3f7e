"""The page of a run: everything in it, nothing from elsewhere, and the old one when writing fails."""

import base64
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from keras_pix2pix.images import write_png
from keras_pix2pix.report import charts
from keras_pix2pix.report.page import _MOST_EXPORTS, write_report

VOID = {"meta", "img", "br", "path", "circle", "polyline"}


class Page(HTMLParser):
    """Checks that tags are closed in order; keeps words, pictures, and what leads away."""

    def __init__(self, text):
        super().__init__()
        self.open, self.words, self.pictures, self.away, self.tags = [], [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        for name, value in attributes:
            if tag == "img" and name == "src":
                self.pictures.append(value)
            elif name in ("src", "href", "srcset", "action") or name.startswith("on"):
                self.away.append((tag, name, value))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if data.strip() and self.open[-1] != "style":
            self.words.append(" ".join(data.split()))


@pytest.fixture
def run_dir(tmp_path):
    """A run folder of three epochs, with all that there can be."""
    folder = tmp_path / "facades <1>"
    folder.mkdir()
    (folder / "history.csv").write_text(
        "epoch,d_fake,d_real,g_l1,val_g_l1,val_ssim,ssim\n"
        "0,0.2,0.8,0.5,0.6,0.1,0.2\n1,0.2,0.8,0.4,0.45,0.3,0.2\n2,0.2,0.8,0.3,0.5,0.25,0.2\n"
    )
    config = {"preset": "paper", "epochs": 200, "image_size": [256, 256], "data": "<script>alert(1)</script>"}
    versions = {"python": "3.11.7", "tensorflow": "2.21.0", "keras": "3.15.1", "keras_pix2pix": "0.1.0"}
    (folder / "config.json").write_text(json.dumps({**config, "versions": versions}))
    message = {"epoch": 2, "state": "won", "message": "The discriminator has won & <i>rests</i>."}
    (folder / "health.jsonl").write_text(json.dumps(message) + "\n")
    for epoch in range(4):
        write_png(folder / "samples" / f"epoch_{epoch:04d}.png", np.full((64, 96, 3), 50 * epoch, "uint8"))
    verdict = {
        "seed": 7,
        "ssim": None,
        "psnr": 51.23456,
        "size": 1234567,
        "operators": {"CONV_2D": 16, "ADD": 2},
        "latency": [1.5, 2],
    }
    (folder / "exports").mkdir()
    (folder / "exports" / "facades.tflite.export.json").write_text(json.dumps(verdict))
    write_png(folder / "exports" / "facades.tflite.export.png", np.full((40, 4000, 3), 200, "uint8"))
    return folder


def page_of(run_dir):
    return Page(write_report(run_dir).read_text(encoding="utf-8"))


def decoded(picture):
    kind, _, contents = picture.partition(",")
    assert kind == "data:image/jpeg;base64"
    return Image.open(io.BytesIO(base64.b64decode(contents)))


def test_the_page_shows_everything_and_needs_nothing(run_dir):
    page = page_of(run_dir)
    assert page.away == []
    assert "script" not in page.tags
    assert "link" not in page.tags
    for word in ("facades <1>", "source", "epoch 0", "epoch 3", "target", "Curves", "Validation", "Versions"):
        assert word in page.words
    assert any("3 of 200 epochs" in words for words in page.words)
    assert "The discriminator has won & <i>rests</i>." in page.words
    assert "<script>alert(1)</script>" in page.words
    assert page.words[page.words.index("tensorflow") + 1] == "2.21.0"
    assert page.words[page.words.index("image size") + 1] == "256, 256"
    start = page.words.index("facades.tflite") + 1
    assert page.words[start : start + 10] == [
        *("size, bytes", "1234567", "PSNR, dB", "51.23", "milliseconds a picture", "1.5, 2"),
        *("operators", "CONV_2D 16, ADD 2", "seed", "7"),
    ]
    assert len(page.pictures) == 6 + 1
    assert np.asarray(decoded(page.pictures[3])).mean() == pytest.approx(100, abs=2)
    assert decoded(page.pictures[-1]).size == (1200, 12)


def test_the_table_has_the_best_of_validation_and_its_epoch(run_dir):
    page = page_of(run_dir)
    start = page.words.index("in epoch") + 1
    assert page.words[start : start + 10] == ["ssim", "0.2", "0.25", "0.3", "2", "g_l1", "0.3", "0.5", "0.45", "2"]


def test_lines_are_drawn_for_training_and_validation(run_dir):
    text = write_report(run_dir).read_text(encoding="utf-8")
    assert len(re.findall("<polyline", text)) == 6
    assert len(re.findall('<polyline class="line line-1 validation"', text)) == 2


def test_colors_follow_the_reader_and_paper(run_dir):
    text = write_report(run_dir).read_text(encoding="utf-8")
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text


@pytest.mark.parametrize("missing", ["config.json", "history.csv", "health.jsonl", "samples", "exports"])
def test_what_isnt_there_is_left_out(run_dir, missing):
    (run_dir / missing).rename(run_dir / "elsewhere")
    assert "Curves" in page_of(run_dir).words or missing == "history.csv"


@pytest.mark.parametrize(
    ("name", "contents"),
    [
        ("config.json", b'{"epochs": '),
        ("config.json", b"[1]"),
        ("config.json", b'{"versions": 5}'),
        ("config.json", b"\xff\xfe\x00"),
        ("history.csv", b"epoch,g_l1\n0"),
        ("history.csv", b"\x00\x01"),
        ("history.csv", b"g_l1\n0.5\n"),
        ("history.csv", b"epoch,\xff\n0,0.5\n\n"),
        ("history.csv", b"epoch,note\n0," + b"x" * 200_000 + b"\n"),
        ("history.csv", b"epoch,g_l1,psnr\n0,1e308,inf\n1,-1e308,5e-324\n"),
        ("config.json", b"[" * 100_000),
        ("config.json", b'{"preset": "\\ud800"}'),
        ("health.jsonl", b"\xff{}\n"),
        ("samples/epoch_0003.png", b"\x89PNG\r\n"),
        ("exports/facades.tflite.export.json", b"null"),
        ("exports/facades.tflite.export.json", b"{"),
        ("exports/facades.tflite.export.png", b"GIF89a"),
    ],
)
def test_damaged_files_do_not_keep_the_page_from_being_written(run_dir, name, contents):
    (run_dir / name).write_bytes(contents)
    page = page_of(run_dir)
    if name.endswith(".json") and not {b"versions", b"preset"} & set(contents.split(b'"')):
        assert any("can't be read" in words for words in page.words)
    if contents.startswith(b"g_l1"):
        assert any("history.csv is damaged" in words for words in page.words)


def test_an_error_leaves_the_old_page(run_dir, monkeypatch):
    path = write_report(run_dir)
    before = path.read_bytes()
    (run_dir / "history.csv").write_text("epoch,g_l1\n0,0.5\n")
    monkeypatch.setattr(charts, "charts", lambda history: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_report(run_dir)
    assert path.read_bytes() == before
    assert not list(run_dir.glob(".report*"))


def test_the_page_stays_small_over_many_epochs_and_exports(run_dir):
    rng = np.random.default_rng(0)
    grid = rng.integers(0, 256, (256, 192, 3), dtype=np.uint8)
    for epoch in range(200):
        write_png(run_dir / "samples" / f"epoch_{epoch:04d}.png", grid)
    names = [f"{prefix}{name}" for prefix in ("", "val_") for name in ("g_l1", "g_gan", "d_real", "d_fake", "psnr")]
    rows = [f"{epoch},{','.join(str(each) for each in rng.random(len(names)))}" for epoch in range(5000)]
    (run_dir / "history.csv").write_text("\n".join([f"epoch,{','.join(names)}", *rows, ""]))
    for index in range(30):
        (run_dir / "exports" / f"{index}.export.json").write_text(json.dumps({"note": "x" * 100_000}))
    page = page_of(run_dir)
    assert (run_dir / "report.html").stat().st_size < 1_000_000
    assert len(page.pictures) <= 10 + _MOST_EXPORTS


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(ValueError, match=f"There is no run in {tmp_path}. Accepted: a run folder"):
        write_report(tmp_path)
    assert not list(tmp_path.iterdir())
