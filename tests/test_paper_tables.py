"""`benchmarks/paper_tables.py`: its arithmetic, and two of its rows on drawn pairs."""

import json

import paper_tables
import pytest

from keras_pix2pix.data.synthetic import write_facades


def write_scores(options, accuracy):
    """`evaluation.json` of every row and seed, with the pixel accuracies of `accuracy` (row, seed)."""
    for row in paper_tables.ROWS:
        for seed in options.seeds:
            folder = paper_tables.folder_of(row, seed, options)
            folder.mkdir(parents=True)
            scores = {name: {"value": 0.2, "standard_error": 0.01} for name in paper_tables.SCORES}
            scores["fcn_pixel_accuracy"] = {"value": accuracy(row, seed), "standard_error": 0.03}
            (folder / "evaluation.json").write_text(json.dumps({"scores": scores}))


def test_means_errors_and_verdicts_are_those_computed_by_hand(tmp_path):
    options = paper_tables.parse_arguments(["--output", str(tmp_path), "--seeds", "0", "1"])
    best, worst = {paper_tables.WHOLE: 0.70}, {"L1": 0.80}
    write_scores(options, lambda row, seed: {**best, **worst}.get(row, 0.62) + 0.08 * seed)
    lines = paper_tables.report(options).splitlines()
    # The seeds are 0.08 apart: their mean has an error of 0.04, and with the pictures' 0.03 one of 0.05.
    assert "| L1+cGAN | 0.740 ± 0.050 | 0.200 ± 0.010 | 0.200 ± 0.010 | 0.66, 0.23, 0.17 |" in lines
    verdicts = {line.split(" | ")[0]: line.split(" | ")[1:] for line in lines if " > " in line}
    assert verdicts["| L1+cGAN > L1"] == ["-0.100 ± 0.071", "not told apart |"]
    assert verdicts["| L1 > encoder-decoder, L1"] == ["+0.180 ± 0.071", "came out |"]
    assert verdicts["| L1+GAN > L1"] == ["-0.180 ± 0.071", "the other way round |"]


def test_without_the_data_set_it_says_what_is_missing(monkeypatch, capsys):
    monkeypatch.delenv(paper_tables.FACADES_VARIABLE, raising=False)
    with pytest.raises(SystemExit, match="2"):
        paper_tables.main([])
    assert paper_tables.FACADES_VARIABLE in capsys.readouterr().err


@pytest.mark.slow
def test_two_rows_are_trained_judged_and_not_trained_again(tmp_path, monkeypatch):
    write_facades(tmp_path / "facades" / "train", 12, image_size=(64, 64), direction="BtoA")
    write_facades(tmp_path / "facades" / "test", 3, image_size=(64, 64), seed=12, direction="BtoA")
    monkeypatch.setenv(paper_tables.FACADES_VARIABLE, str(tmp_path / "facades"))
    rows = {row: paper_tables.ROWS[row] for row in ("L1", paper_tables.WHOLE)}
    monkeypatch.setattr(paper_tables, "ROWS", rows)
    monkeypatch.setattr(paper_tables, "TABLES", {"Table 1": {row: row for row in rows}})
    monkeypatch.setattr(paper_tables, "ORDERS", [(paper_tables.WHOLE, "L1")])
    arguments = ["--output", str(tmp_path / "tables"), "--image-size", "32", "--filters", "4", "--epochs", "1"]
    arguments += ["--steps-per-epoch", "3", "--seeds", "0"]
    paper_tables.main(arguments)
    written = (tmp_path / "tables" / "paper_tables.md").read_text()
    assert "| L1+cGAN > L1 |" in written
    changes = {
        row: json.loads((tmp_path / "tables" / f"{row}_0" / "config.json").read_text())["changes"] for row in rows
    }
    assert "compile.lambda_gan" in changes["L1"]
    assert "compile.lambda_gan" not in changes[paper_tables.WHOLE]
    monkeypatch.setattr(paper_tables, "keras_pix2pix", lambda *rest, **more: pytest.fail("run again"))
    paper_tables.main(arguments)
    assert (tmp_path / "tables" / "paper_tables.md").read_text() == written
