"""Other people's folders: nested ones, endings, several kinds of files, patterns; and a share for validation."""

import numpy as np
import pytest
from PIL import Image

from keras_pix2pix import draw_pairs, paired_dataset
from keras_pix2pix.data.folders import list_picture_files, match_files, removed_endings
from keras_pix2pix.data.pairs import Pair, _find_side_by_side, match_folders, subset_of

FOUR = [Pair(str(number), str(number)) for number in range(4)]


@pytest.fixture
def draw(tmp_path):
    def put(*names, size=(8, 8)):
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", size).save(tmp_path / name)

    return put


def names_of(pairs, folder):
    return [tuple(file.relative_to(folder).as_posix() for file in pair[:2]) for pair in pairs]


@pytest.fixture
def cityscapes(draw):
    for city in ("aachen", "bochum"):
        for frame in (0, 1):
            stem = f"{city}/{city}_00000{frame}_000019"
            draw(f"leftImg8bit/train/{stem}_leftImg8bit.png")
            draw(*(f"gtFine/train/{stem}_gtFine_{kind}.png" for kind in ("color", "labelIds", "instanceIds")))


@pytest.mark.usefixtures("cityscapes")
def test_cityscapes(tmp_path):
    source, target = tmp_path / "leftImg8bit/train", f"{tmp_path}/gtFine/train/**/*_gtFine_color.png"
    pairs = match_folders(source, target)
    assert len(pairs) == 4
    assert names_of(pairs, tmp_path)[3] == (
        "leftImg8bit/train/bochum/bochum_000001_000019_leftImg8bit.png",
        "gtFine/train/bochum/bochum_000001_000019_gtFine_color.png",
    )
    assert removed_endings([source, target]) == "`_leftImg8bit` and `_gtFine_color`"


@pytest.mark.usefixtures("cityscapes")
def test_several_kinds_of_files_are_listed_with_the_pattern_to_use(tmp_path):
    with pytest.raises(ValueError, match=r"_color.png \(4\).*_labelIds.png \(4\).*pattern: '.*/gtFine/train/\*\*/\*_"):
        match_folders(tmp_path / "leftImg8bit/train", tmp_path / "gtFine/train")


def test_an_ending_of_one_side_only(draw, tmp_path):
    draw("images/ISIC_0000000.jpg", "images/ISIC_0000001.jpg")
    draw("masks/ISIC_0000000_segmentation.png", "masks/ISIC_0000001_segmentation.png")
    assert len(match_folders(tmp_path / "images", tmp_path / "masks")) == 2
    findings = draw_pairs(tmp_path / "images", tmp_path / "masks", output=tmp_path / "pairs.png")
    assert findings.endings == "`_segmentation`"


def test_two_kinds_in_one_folder_by_their_extension(draw, tmp_path):
    draw("base/cmp_b0001.jpg", "base/cmp_b0001.png", "base/cmp_b0002.jpg", "base/cmp_b0002.png")
    pairs = match_folders(f"{tmp_path}/base/*.jpg", f"{tmp_path}/base/*.png")
    assert names_of(pairs, tmp_path / "base") == [
        ("cmp_b0001.jpg", "cmp_b0001.png"),
        ("cmp_b0002.jpg", "cmp_b0002.png"),
    ]
    with pytest.raises(ValueError, match=r"pattern: '.*base/\*"):
        match_folders(tmp_path / "base", tmp_path / "base")


def test_names_that_begin_alike_are_not_mixed_up(draw, tmp_path):
    draw("a/x.png", "a/x_1.png", "b/x.png", "b/x_1.png")
    assert names_of(match_folders(tmp_path / "a", tmp_path / "b"), tmp_path) == [
        ("a/x.png", "b/x.png"),
        ("a/x_1.png", "b/x_1.png"),
    ]


def test_an_ending_begins_at_a_separator(draw, tmp_path):
    draw("a/10.png", "a/20.png", "b/1.png", "b/2.png")
    with pytest.raises(ValueError, match="partner"):
        match_folders(tmp_path / "a", tmp_path / "b")


def test_three_sides(draw, tmp_path):
    draw("a/1_rgb.png", "a/2_rgb.png", "b/1_depth.png", "b/2_depth.png", "c/1.png", "c/2.png")
    matched = match_files([tmp_path / side for side in "abc"])
    assert [[file.name for file in files] for files in matched] == [
        ["1_rgb.png", "1_depth.png", "1.png"],
        ["2_rgb.png", "2_depth.png", "2.png"],
    ]


def test_side_by_side_files_in_folders(draw, tmp_path):
    draw("pairs/day1/1.png", "pairs/day2/1.png", "pairs/.hidden/1.png", "pairs/day1/model.export.png", size=(8, 4))
    assert names_of(_find_side_by_side(tmp_path / "pairs", "AtoB"), tmp_path / "pairs") == [
        ("day1/1.png", "day1/1.png"),
        ("day2/1.png", "day2/1.png"),
    ]


@pytest.mark.parametrize("split", ["train", "Val", "test"])
def test_splits_are_not_mixed(draw, tmp_path, split):
    draw(f"facades/{split}/1.png", "facades/more/1.png")
    with pytest.raises(ValueError, match=f"{split}.*name one"):
        list_picture_files(tmp_path / "facades")


def test_a_folder_of_pictures_is_not_searched_deeper(draw, tmp_path):
    draw("a/1.png", "a/old/2.png")
    assert [file.name for file in list_picture_files(tmp_path / "a")] == ["1.png"]


def test_links_in_a_circle_end(draw, tmp_path):
    draw("a/b/1.png")
    (tmp_path / "a/b/again").symlink_to(tmp_path / "a", target_is_directory=True)
    assert len(list_picture_files(tmp_path / "a")) == 1


def test_a_name_with_brackets_is_a_folder(draw, tmp_path):
    draw("a [1]/1.png")
    assert len(list_picture_files(tmp_path / "a [1]")) == 1


def test_a_pattern_that_finds_nothing_is_named(draw, tmp_path):
    draw("a/1.png")
    with pytest.raises(ValueError, match=r"\*_color.png"):
        list_picture_files(f"{tmp_path}/a/*_color.png")


def test_the_home_folder(draw, tmp_path, monkeypatch):
    draw("a/1.png")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert list_picture_files("~/a") == [tmp_path / "a/1.png"]


def test_a_share_for_validation(draw, tmp_path):
    for index in range(10):
        Image.new("RGB", (16, 8), (index, index, index)).save(tmp_path / f"{index}.png")

    def colors(subset, **options):
        options = {"image_size": 8, "jitter": 1, "mirror": False, "seed": 1, **options}
        dataset = paired_dataset(tmp_path, validation_split=0.3, subset=subset, **options)
        return {int(np.rint((float(source[0, 0, 0, 0]) + 1) * 127.5)) for source, *_ in dataset}

    training, validation = colors("training"), colors("validation", training=False)
    assert (len(training), len(validation)) == (7, 3)
    assert training | validation == set(range(10))
    assert colors("validation", training=False) == validation
    assert colors("validation", training=False, seed=2) != validation


@pytest.mark.parametrize(
    ("arguments", "word"),
    [((0.5, None), "subset"), ((0.0, "training"), "share"), ((1.0, "training"), "share"), ((0.5, "test"), "subset")],
)
def test_a_wrong_share_or_subset(arguments, word):
    with pytest.raises(ValueError, match=word):
        subset_of(FOUR, *arguments, seed=0)


@pytest.mark.parametrize("share", [0.01, 0.99])
def test_no_subset_is_empty(share):
    assert all(subset_of(FOUR, share, subset, 0) for subset in ("training", "validation"))
