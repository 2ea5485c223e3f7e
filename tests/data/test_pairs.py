"""Tests of finding and matching the files of a paired data set."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from PIL import Image

from keras_pix2pix.data import pairs as pairs_module
from keras_pix2pix.data.folders import list_picture_files
from keras_pix2pix.data.pairs import (
    DIRECTIONS,
    Pair,
    _find_side_by_side,
    match_folders,
    split_side_by_side,
)
from keras_pix2pix.encodings import Picture

RED, BLUE = (255, 0, 0), (0, 0, 255)
ON_THE_SIDE = 6  # EXIF: row 0 of what is stored belongs to the right.


def write(path, width=8, height=4, colour=RED, orientation=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    Image.new("RGB", (width, height), colour).save(path, exif=exif)
    return path


def red_beside_blue(width=8, height=4):
    picture = Image.new("RGB", (width, height), RED)
    picture.paste(BLUE, (width // 2, 0, width, height))
    return picture


def only_colour(picture):
    [(_, colour)] = picture.getcolors()
    return colour


def message_of(call, *arguments):
    with pytest.raises(ValueError, match=r"\S") as caught:
        call(*arguments)
    return str(caught.value)


# Splitting


@pytest.mark.parametrize(("direction", "source_colour", "target_colour"), [("AtoB", RED, BLUE), ("BtoA", BLUE, RED)])
def test_direction_says_which_half_is_the_source(direction, source_colour, target_colour):
    source, target = split_side_by_side(red_beside_blue(), direction)
    assert source.size == target.size == (4, 4)
    assert only_colour(source) == source_colour
    assert only_colour(target) == target_colour


@settings(max_examples=30, deadline=None)
@given(height=some.integers(1, 9), half=some.integers(1, 9), seed=some.integers(0, 99))
def test_the_halves_make_up_the_picture(height, half, seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, 2 * half, 3), dtype=np.uint8)
    left, right = split_side_by_side(Image.fromarray(pixels), "AtoB")
    assert left.size == right.size == (half, height)
    np.testing.assert_array_equal(np.concatenate([left, right], axis=1), pixels)
    assert [side.tobytes() for side in split_side_by_side(Image.fromarray(pixels), "BtoA")] == [
        right.tobytes(),
        left.tobytes(),
    ]


# Listing


def test_every_extension_is_found_in_any_case_and_nothing_else(tmp_path):
    pictures = ["a.BMP", "b.Gif", "c.jpeg", "d.JPG", "e.png", "f.webp"]
    for name in [*pictures, "notes.txt", "picture.png.txt", "png", "Thumbs.db", "g.tiff"]:
        (tmp_path / name).touch()
    assert list_picture_files(tmp_path) == [tmp_path / name for name in pictures]


def test_files_are_sorted_by_name(tmp_path):
    for name in ("b.png", "10.png", "a.png", "9.png", "a.jpg"):
        (tmp_path / name).touch()
    assert [path.name for path in list_picture_files(str(tmp_path))] == ["10.png", "9.png", "a.jpg", "a.png", "b.png"]


def test_hidden_files_are_passed_over(tmp_path):
    for name in (".hidden.png", "._1.png", "1.png"):
        (tmp_path / name).touch()
    assert list_picture_files(tmp_path) == [tmp_path / "1.png"]


def test_folder_without_pictures_is_named_with_the_extensions_sought(tmp_path):
    (tmp_path / ".hidden.png").touch()
    message = message_of(list_picture_files, tmp_path)
    assert f"There are no pictures in {tmp_path}." in message
    assert "Accepted: .bmp, .gif, .jpeg, .jpg, .png, .webp." in message
    assert "folders" not in message


def test_folder_without_pictures_hints_at_the_first_three_folders_in_it(tmp_path):
    for name in ("val", "train", "test", "extra"):
        (tmp_path / name).mkdir()
    (tmp_path / "README.txt").touch()
    assert message_of(list_picture_files, tmp_path).endswith("It has folders: extra, test, train; name one of them.")


def test_missing_folder_is_named(tmp_path):
    message = message_of(list_picture_files, tmp_path / "missing")
    assert f"There is no folder {tmp_path / 'missing'}." in message
    assert "Received: a path that does not exist." in message


def test_file_in_place_of_a_folder_is_named(tmp_path):
    path = write(tmp_path / "1.png")
    message = message_of(list_picture_files, path)
    assert f"There is no folder {path}." in message
    assert "Received: a file." in message


# Side by side


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_side_by_side_files_become_pairs_in_the_order_of_their_names(tmp_path, direction):
    paths = [write(tmp_path / name) for name in ("2.png", "1.jpg", "10.bmp")]
    found = _find_side_by_side(tmp_path, direction)
    assert found == [Pair(path, path, direction) for path in sorted(paths)]
    assert [pair.source_file.name for pair in found] == ["1.jpg", "10.bmp", "2.png"]


@pytest.mark.parametrize(("direction", "colours"), [("AtoB", (RED, BLUE)), ("BtoA", (BLUE, RED))])
def test_side_by_side_pair_is_read_in_its_direction(tmp_path, direction, colours):
    red_beside_blue().save(tmp_path / "1.png")
    [pair] = _find_side_by_side(tmp_path, direction)
    assert tuple(only_colour(side) for side in pair.read()) == colours


def test_folders_in_the_folder_are_not_searched(tmp_path):
    write(tmp_path / "1.png")
    write(tmp_path / "more" / "2.png")
    assert len(_find_side_by_side(tmp_path, "AtoB")) == 1


@pytest.mark.parametrize("direction", ["atob", "B2A", "", None])
def test_unknown_direction(tmp_path, direction):
    write(tmp_path / "1.png")
    message = message_of(_find_side_by_side, tmp_path, direction)
    assert message.startswith('`direction` must be "AtoB" (the source is the left half) or "BtoA" (the right half).')
    assert message.endswith(f"Received: direction={direction!r}.")


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_side_by_side_needs_a_folder_of_pictures(tmp_path, name):
    (tmp_path / "empty").mkdir()
    assert str(tmp_path / name) in message_of(_find_side_by_side, tmp_path / name, "AtoB")


def test_odd_width_names_the_file_and_the_width(tmp_path):
    write(tmp_path / "even.png")
    path = write(tmp_path / "odd.png", width=7, height=4)
    message = message_of(_find_side_by_side, tmp_path, "AtoB")
    assert message.startswith(f"{path} has an odd width")
    assert message.endswith("Received: 7x4 (width x height).")


def test_odd_height_is_no_fault(tmp_path):
    write(tmp_path / "1.png", width=8, height=5)
    assert len(_find_side_by_side(tmp_path, "AtoB")) == 1


def test_width_is_that_of_the_upright_picture(tmp_path):
    write(tmp_path / "1.jpg", width=7, height=8, orientation=ON_THE_SIDE)
    assert len(_find_side_by_side(tmp_path, "AtoB")) == 1
    path = write(tmp_path / "2.jpg", width=8, height=7, orientation=ON_THE_SIDE)
    message = message_of(_find_side_by_side, tmp_path, "AtoB")
    assert message.startswith(f"{path} has an odd width")
    assert message.endswith("Received: 7x8 (width x height).")


def test_one_unreadable_file_is_named(tmp_path):
    for name in ("1.png", "3.png"):
        write(tmp_path / name)
    (tmp_path / "2.png").write_text("not a picture")
    assert message_of(_find_side_by_side, tmp_path, "AtoB").startswith(f"Can't read the picture {tmp_path / '2.png'}: ")


def test_file_that_is_cut_short_is_found_before_training(tmp_path):
    path = write(tmp_path / "1.jpg", width=64, height=64)
    path.write_bytes(path.read_bytes()[:-100])
    assert message_of(_find_side_by_side, tmp_path, "AtoB").startswith(f"Can't read the picture {path}: ")


def test_several_faults_are_counted_and_the_first_three_named(tmp_path):
    for number in range(1, 7):
        write(tmp_path / f"{number}.png", width=8 if number in (2, 5) else 7)
    (tmp_path / "3.png").write_text("not a picture")
    message = message_of(_find_side_by_side, tmp_path, "AtoB")
    first, *faults = message.splitlines()
    assert first == "4 of 6 pairs can't be used. The first ones:"
    assert len(faults) == 3
    assert faults[0].startswith(f"- {tmp_path / '1.png'} has an odd width")
    assert faults[1].startswith(f"- Can't read the picture {tmp_path / '3.png'}")
    assert faults[2].startswith(f"- {tmp_path / '4.png'} has an odd width")


# Two folders


def test_folders_are_matched_by_name_whatever_the_extension(tmp_path):
    sources = [write(tmp_path / "a" / name) for name in ("1.png", "2.x.png", "3.PNG")]
    targets = [write(tmp_path / "b" / name) for name in ("1.jpg", "2.x.bmp", "3.png")]
    found = match_folders(tmp_path / "a", str(tmp_path / "b"))
    assert found == [Pair(source, target, None) for source, target in zip(sources, targets, strict=True)]


def test_two_files_are_read_source_first(tmp_path):
    write(tmp_path / "a" / "1.png", colour=RED)
    write(tmp_path / "b" / "1.png", colour=BLUE)
    [pair] = match_folders(tmp_path / "a", tmp_path / "b")
    assert [only_colour(side) for side in pair.read()] == [RED, BLUE]
    [pair] = match_folders(tmp_path / "b", tmp_path / "a")
    assert [only_colour(side) for side in pair.read()] == [BLUE, RED]


def test_two_folders_may_have_an_odd_width(tmp_path):
    for folder in "ab":
        write(tmp_path / folder / "1.png", width=7)
    assert len(match_folders(tmp_path / "a", tmp_path / "b")) == 1


@pytest.mark.parametrize("folder", ["a", "b"])
def test_file_without_a_partner_is_named(tmp_path, folder):
    write(tmp_path / "a" / "1.png")
    write(tmp_path / "b" / "1.png")
    alone = write(tmp_path / folder / "2.png")
    message = message_of(match_folders, tmp_path / "a", tmp_path / "b")
    assert message.startswith(f"1 of 2 names are in only one of {tmp_path / 'a'} and {tmp_path / 'b'}.")
    assert f"Received without a partner: {alone}. Rename" in message


def test_of_many_files_without_a_partner_three_are_named(tmp_path):
    write(tmp_path / "a" / "0.png")
    write(tmp_path / "b" / "0.png")
    alone = [write(tmp_path / folder / f"{name}.png") for folder, name in ("a1", "b2", "a3", "b4")]
    message = message_of(match_folders, tmp_path / "a", tmp_path / "b")
    assert message.startswith("4 of 5 names are in only one of")
    assert f"Received without a partner: {alone[0]}, {alone[1]}, {alone[2]}, .... Rename" in message


def test_exactly_three_files_without_a_partner_are_all_named(tmp_path):
    write(tmp_path / "a" / "0.png")
    alone = [write(tmp_path / "b" / f"{number}.png") for number in range(1, 3)]
    message = message_of(match_folders, tmp_path / "a", tmp_path / "b")
    assert message.startswith("3 of 3 names")
    assert f"partner: {tmp_path / 'a' / '0.png'}, {alone[0]}, {alone[1]}. Rename" in message


@pytest.mark.parametrize("folder", ["a", "b"])
def test_two_files_of_one_name_are_both_named(tmp_path, folder):
    for each in "ab":
        write(tmp_path / each / "1.png")
    write(tmp_path / folder / "1.jpg")
    message = message_of(match_folders, tmp_path / "a", tmp_path / "b")
    assert message.startswith(f"{tmp_path / folder / '1.jpg'} and {tmp_path / folder / '1.png'} have the same name")


def test_two_sides_of_different_size_are_named_with_their_sizes(tmp_path):
    source = write(tmp_path / "a" / "1.png", width=8, height=4)
    target = write(tmp_path / "b" / "1.jpg", width=4, height=8)
    message = message_of(match_folders, tmp_path / "a", tmp_path / "b")
    assert message.startswith(f"{source} and {target} differ in size.")
    assert message.endswith("Received: 8x4 and 4x8 (width x height).")


def test_sizes_are_compared_upright(tmp_path):
    write(tmp_path / "a" / "1.png", width=8, height=4)
    write(tmp_path / "b" / "1.jpg", width=4, height=8, orientation=ON_THE_SIDE)
    [pair] = match_folders(tmp_path / "a", tmp_path / "b")
    assert [side.size for side in pair.read()] == [(8, 4), (8, 4)]

    write(tmp_path / "b" / "1.jpg", width=8, height=4, orientation=ON_THE_SIDE)
    assert "Received: 8x4 and 4x8" in message_of(match_folders, tmp_path / "a", tmp_path / "b")


@pytest.mark.parametrize("folder", ["a", "b"])
def test_unreadable_file_of_either_folder_is_named(tmp_path, folder):
    for each in "ab":
        write(tmp_path / each / "1.png")
    (tmp_path / folder / "1.png").write_text("not a picture")
    message = message_of(match_folders, tmp_path / "a", tmp_path / "b")
    assert message.startswith(f"Can't read the picture {tmp_path / folder / '1.png'}: ")


@pytest.mark.parametrize("empty", ["a", "b"])
def test_either_folder_without_pictures_is_named(tmp_path, empty):
    for each in "ab":
        write(tmp_path / each / "1.png")
    (tmp_path / empty / "1.png").unlink()
    assert f"There are no pictures in {tmp_path / empty}." in message_of(match_folders, tmp_path / "a", tmp_path / "b")


# Progress


@pytest.mark.parametrize(("count", "shown"), [(2, False), (3, True)])
def test_progress_is_shown_to_people_from_many_files_on(tmp_path, monkeypatch, capsys, count, shown):
    for number in range(count):
        write(tmp_path / f"{number}.png")
    monkeypatch.setattr(pairs_module, "_MANY", 3)
    monkeypatch.setenv("FORCE_COLOR", "1")  # Rich takes this for a terminal.
    _find_side_by_side(tmp_path, "AtoB")
    output = capsys.readouterr()
    assert ("Checking pictures" in output.err) == shown
    assert output.out == ""


def test_progress_is_not_written_into_logs(tmp_path, monkeypatch, capsys):
    write(tmp_path / "1.png")
    monkeypatch.setattr(pairs_module, "_MANY", 1)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    _find_side_by_side(tmp_path, "AtoB")
    assert capsys.readouterr() == ("", "")


def test_headers_that_have_passed_are_not_read_again(tmp_path, monkeypatch):
    write(tmp_path / "1.png")
    read = []
    size = Picture.size
    monkeypatch.setattr(Picture, "size", lambda self, path: read.append(path.name) or size(self, path))
    for _ in range(3):
        _find_side_by_side(tmp_path, "AtoB")
    assert read == ["1.png"]
    _find_side_by_side(tmp_path, "AtoB", "gray")
    assert len(read) > 1  # Under another encoding they are.
    write(tmp_path / "1.png", width=9)
    with pytest.raises(ValueError, match="odd"):
        _find_side_by_side(tmp_path, "AtoB")
