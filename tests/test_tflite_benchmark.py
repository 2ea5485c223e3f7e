"""`benchmarks/tflite.py` with a tiny network: its tables are whole."""

import sys

import pytest


@pytest.mark.slow
def test_every_format_has_a_row_and_every_ratio_a_figure(monkeypatch, capsys):
    pytest.importorskip("torch")
    import tflite

    options = ["--presets", "paper", "--filters", "4", "--image-size", "64", "--runs", "1"]
    monkeypatch.setattr(sys, "argv", ["tflite.py", *options])
    tflite.main()
    rows = [line.strip("| ").split(" | ") for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    formats = {row[1]: row for row in rows if row[0] == "paper"}
    assert list(formats) == ["none", "float16", "weights", "dynamic", "int8"]
    sizes = {name: float(row[2]) for name, row in formats.items()}
    assert sizes["none"] > sizes["float16"] > sizes["dynamic"]
    assert {row[0] for row in rows} >= {"as trained", "PyTorch", "none / as trained", "dynamic / PyTorch"}
