"""What is accepted, from words; the verdict on a terminal and in a pipe."""

import io
import re

import pytest
import rich.console

from keras_pix2pix.cli import verdict
from keras_pix2pix.cli.verdict import accepted_by, print_verdict
from keras_pix2pix.deploy.parity import Parity

PARITY = Parity(
    2_500_000,
    psnr=45.12,
    largest_difference=2,
    mean_difference=1.0,
    ssim=0.99,
    pictures=2,
    worst=1,
    latency={"1 thread": 3.0},
    operators={"ADD": 2, "CONV_2D": 1},
    gpu_fallbacks={"CAST (UINT8 to FLOAT32)": 1, "ROUND": 2},
    accepted={"levels": 3},
    drawn_pictures=True,
    path="exports/x.tflite",
)


def shown(parity, monkeypatch):
    screen = rich.console.Console(file=io.StringIO(), force_terminal=True, width=200)
    monkeypatch.setattr(verdict.rich.console, "Console", lambda: screen)
    print_verdict(parity)
    return re.sub("\x1b.*?m", "", screen.file.getvalue())


def test_a_terminal_gets_a_table(monkeypatch):
    rows = shown(PARITY, monkeypatch).splitlines()
    for words in (
        "compared on.* 2 drawn label maps",
        "PSNR .*45.1 dB",
        "largest difference .*2 grey level.* accepted: at most 3 grey level",
        "mean difference .*1 grey",
        "SSIM",
        "a picture, 1 thread .* ms",
        "operators .*ADD 2, CONV_2D 1",
        "leave to the CPU: 1 CAST .*, 2 ROUND",
        "worst picture .*x.tflite.export.png",
    ):
        assert [row for row in rows if re.search(words, row)], words


def test_that_of_a_label_map_says_the_share(monkeypatch):
    parity = Parity(1, None, None, equal=0.995, pictures=1, accepted={"equal": 0.99}, path="x")
    assert re.search("same class +99.500% of the pixels +accepted: at least 99%", shown(parity, monkeypatch))


def test_a_pipe_gets_lines(capsys):
    print_verdict(PARITY)
    words = "operators that GPUs leave to the CPU: 1 CAST (UINT8 to FLOAT32), 2 ROUND"
    assert capsys.readouterr().out == f"exports/x.tflite: {PARITY}\nexports/x.tflite: {words}\n"
    print_verdict(PARITY._replace(gpu_fallbacks={"CONV_2D (of no fixed size)": 1}))
    assert "for CPUs: GPUs want a fixed size" in capsys.readouterr().out
    print_verdict(PARITY._replace(operators=None))
    assert capsys.readouterr().out.count("\n") == 1


@pytest.mark.parametrize("name", ["net[v1].bin", "net[/v1].bin", "[bold]net.bin"])
def test_a_terminal_shows_a_name_as_it_is(monkeypatch, name):
    printed = shown(PARITY._replace(path=name), monkeypatch)
    assert printed.startswith(name)
    assert f" {name.rpartition('/')[2]}.export.png" in printed


def test_what_is_accepted_is_read_from_words():
    assert accepted_by(["psnr=45.5", "levels=2"]) == {"psnr": 45.5, "levels": 2}


@pytest.mark.parametrize("text", ["psnr", "psnr=", "psnr=much", ""])
def test_other_words_are_refused(text):
    with pytest.raises(ValueError, match="--accept must be NAME=NUMBER"):
        accepted_by([text])
