"""A run's table read back, and which way its columns are better."""

import math

import pytest

from keras_pix2pix.report.history import best_of, better_side, history_fault, read_history, read_messages


def test_columns_are_read_as_numbers(tmp_path):
    path = tmp_path / "history.csv"
    path.write_text("epoch,g_l1,val_ssim\n0,0.5,0.1\n1,nan,\n2,0.25,x\n")
    history = read_history(path)
    assert list(history) == ["epoch", "g_l1", "val_ssim"]
    assert history["epoch"] == [0, 1, 2]
    assert history["g_l1"] == pytest.approx([0.5, math.nan, 0.25], nan_ok=True)
    assert history["val_ssim"] == pytest.approx([0.1, math.nan, math.nan], nan_ok=True)


@pytest.mark.parametrize(
    ("contents", "epochs"),
    [
        ("", []),
        ("epoch,g_l1\n", []),
        ("epoch,g_l1\n0,0.5\n1,0.", [0, 1]),
        ("epoch,g_l1\n0,0.5\n1", [0]),
        ("\xff,\n", []),
        ("\n \nepoch,g_l1\n\n0,0.5\n\n\n1,0.4\n\n", [0, 1]),
        ("g_l1,val_g_l1\n0.5,0.6\n", []),
        (f"epoch,note\n0,{'x' * 200_000}\n1,y\n", [1]),
        (f"{'x' * 200_000}\n0,0.5\n", []),
        (f"epoch,g_l1\n{'9' * 5000},0.5\n\xb2,0.4\n-1,0.3\n 2 ,0.2\n", [2]),
        ("epoch,\xff\n0,0.5\n", [0]),
        ("epoch,epoch\n0,x\n", [0]),
        ("epo", []),
    ],
)
def test_what_a_crash_has_left_is_read_as_far_as_it_goes(tmp_path, contents, epochs):
    path = tmp_path / "history.csv"
    path.write_bytes(contents.encode("latin-1"))
    assert read_history(path)["epoch"] == epochs


@pytest.mark.parametrize(
    ("contents", "is_one"),
    [("", True), ("\n", True), ("epo", True), ("epoch,g_l1\n", True), ("g_l1\n0\n", False), ("\xff", False)],
)
def test_what_is_no_history_is_told(tmp_path, contents, is_one):
    path = tmp_path / "history.csv"
    path.write_bytes(contents.encode("latin-1"))
    assert (history_fault(path) is None) == is_one
    if not is_one:
        assert str(path) in history_fault(path)


def test_messages_of_any_depth_are_passed_over(tmp_path):
    (tmp_path / "health.jsonl").write_text("[" * 100_000)
    assert read_messages(tmp_path / "health.jsonl") == []


def test_a_history_that_isnt_there_is_empty(tmp_path):
    assert read_history(tmp_path / "history.csv") == {"epoch": []}


@pytest.mark.parametrize(
    ("name", "side"),
    [
        *(("psnr", "max"), ("val_ssim", "max"), ("class_iou", "max"), ("pixel_accuracy", "max")),
        *(
            ("g_l1", "min"),
            ("val_g_loss", "min"),
            ("g_gan", "min"),
            ("g_features", "min"),
            ("mean_absolute_error", "min"),
        ),
        *(("d_accuracy", None), ("val_d_loss", None), ("d_real", None), ("g_learning_rate", None)),
        *(("images_per_second", None), ("sharpness", None)),
    ],
)
def test_the_better_side_follows_from_the_name(name, side):
    assert better_side(name) == side


def test_the_best_is_the_first_of_equals_and_finite():
    assert best_of([math.nan, 2.0, 1.0, 1.0, -math.inf], "min") == (2, 1.0)
    assert best_of([1.0, 3.0, 3.0, math.inf], "max") == (1, 3.0)
    assert best_of([math.nan], "max") == (None, None)
    assert best_of([], "min") == (None, None)
