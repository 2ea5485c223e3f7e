"""What reaches a terminal, and what happens where none is there any more."""

import os
import sys

import pytest
import rich.console

from keras_pix2pix.terminal import printable, safe_output


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ünïcode 日本.png\n\t", "Ünïcode 日本.png\n\t"),
        ("\x1b]0;title\x07.png", "\\x1b]0;title\\x07.png"),
        ("a\rb\x9bc\u202ed", "a\\rb\\x9bc\\u202ed"),
        ("\udcff.png", "\\udcff.png"),
    ],
)
def test_control_characters_are_shown_as_escapes(text, shown, capsys):
    assert printable(text) == shown
    with safe_output():
        print(text, end="")
        sys.stderr.writelines([text])
    assert capsys.readouterr() == (shown, shown)


def test_what_rich_draws_with_escapes_is_left_alone(capsys):
    with safe_output():
        rich.console.Console(force_terminal=True, color_system="standard").print("[red]red[/red]")
    assert "\x1b[31mred" in capsys.readouterr().out


def unread():
    """A stream into a pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    return open(writer, "w", buffering=1)


def test_writing_never_raises_where_nobody_reads(monkeypatch):
    with unread() as stream:
        for name in ("stdout", "stderr"):
            monkeypatch.setattr(sys, name, stream)
        with safe_output():
            for each in (sys.stdout, sys.stderr):
                print("x" * 100_000, file=each, flush=True)
                rich.console.Console(file=each.rich_proxied_file).print("again")
        assert [sys.stdout, sys.stderr] == [stream, stream]


def test_writing_never_raises_where_there_is_no_stream_or_a_closed_one(monkeypatch, tmp_path):
    with open(tmp_path / "log.txt", "w") as closed:
        pass
    for stream in (None, closed):
        monkeypatch.setattr(sys, "stdout", stream)
        with safe_output():
            print("lost")


def test_what_an_encoding_has_no_letters_for_is_escaped(monkeypatch, tmp_path):
    with open(tmp_path / "log.txt", "w", encoding="ascii") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        with safe_output():
            print("Über.png")
    assert (tmp_path / "log.txt").read_text() == "\\xdcber.png\n"
