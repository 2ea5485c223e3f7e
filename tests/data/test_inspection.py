"""Tests of the look at a data set before training."""

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from keras_pix2pix.data.inspection import Findings, draw_pairs
from keras_pix2pix.data.synthetic import write_facades
from keras_pix2pix.images import write_png

# One colour for each side of each pair: the source is red, the target blue, the green tells the pairs apart.
SOURCE = [(255, 20 * number, 0) for number in range(5)]
TARGET = [(0, 20 * number, 255) for number in range(5)]


def write_side_by_side(folder, count, height=8, width=6):
    folder.mkdir(exist_ok=True)
    for number in range(count):
        picture = Image.new("RGB", (2 * width, height), SOURCE[number])
        picture.paste(TARGET[number], (width, 0, 2 * width, height))
        picture.save(folder / f"{number}.png")
    return folder


def write_two_folders(folder, count):
    folders = folder / "labels", folder / "photos"
    for each, colours in zip(folders, (SOURCE, TARGET), strict=True):
        each.mkdir(parents=True)
        for number in range(count):
            Image.new("RGB", (6, 8), colours[number]).save(each / f"{number}.png")
    return folders


def places(path, colour):
    """Rows and columns, in shares of the picture, of the pixels of one colour."""
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        pixels = np.asarray(picture.convert("RGB"))
    rows, columns = np.nonzero((pixels == colour).all(axis=-1))
    return rows / pixels.shape[0], columns / pixels.shape[1]


def is_drawn(path, colour):
    # A drawn side covers several percent of the picture, a smoothed edge some pixels.
    return len(places(path, colour)[0]) > 1000


def size_of(path):
    with Image.open(path) as picture:
        return picture.size


@pytest.fixture
def texts(monkeypatch):
    """What is written over the picture and over its parts."""
    written = []
    for owner, name in ((Figure, "suptitle"), (Axes, "set_title")):
        original = getattr(owner, name)

        def record(self, text, *arguments, original=original, **options):
            written.append(text)
            return original(self, text, *arguments, **options)

        monkeypatch.setattr(owner, name, record)
    return written


def test_findings_of_side_by_side_files(tmp_path):
    folder = write_side_by_side(tmp_path / "pairs", 3)
    findings = draw_pairs(folder, output=tmp_path / "look" / "pairs.png")
    assert findings == Findings(pairs=3, sizes={(8, 6): 3}, picture=tmp_path / "look" / "pairs.png")
    assert [path.name for path in (tmp_path / "look").iterdir()] == ["pairs.png"]


def test_findings_of_two_folders(tmp_path):
    labels, photos = write_two_folders(tmp_path, 3)
    findings = draw_pairs(labels, photos, output=str(tmp_path / "pairs.png"))
    assert findings == Findings(pairs=3, sizes={(8, 6): 3}, picture=tmp_path / "pairs.png")


def test_sizes_are_counted_the_most_frequent_first(tmp_path):
    for number, size in enumerate([(4, 9), (12, 5), (12, 5), (12, 5), (4, 9), (8, 8)]):
        Image.new("RGB", size).save(tmp_path / f"{number}.png")
    findings = draw_pairs(tmp_path, output=tmp_path / "look" / "pairs.png")
    assert list(findings.sizes.items()) == [((5, 6), 3), ((9, 2), 2), ((8, 4), 1)]
    assert findings.pairs == 6


def test_source_is_drawn_left_of_target(tmp_path):
    folder = write_side_by_side(tmp_path / "pairs", 1)
    output = draw_pairs(folder, output=tmp_path / "pairs.png").picture
    assert is_drawn(output, SOURCE[0])
    assert is_drawn(output, TARGET[0])
    assert places(output, SOURCE[0])[1].max() < 0.5 < places(output, TARGET[0])[1].min()


def test_direction_exchanges_source_and_target(tmp_path, texts):
    folder = write_side_by_side(tmp_path / "pairs", 1)
    output = draw_pairs(folder, direction="BtoA", output=tmp_path / "pairs.png").picture
    assert places(output, TARGET[0])[1].max() < 0.5 < places(output, SOURCE[0])[1].min()
    assert texts == ['direction "BtoA": source → target', "source: 0.png", "target: 0.png"]


def test_texts_name_direction_sides_and_files(tmp_path, texts):
    draw_pairs(write_side_by_side(tmp_path / "pairs", 2), output=tmp_path / "pairs.png")
    assert texts[0] == 'direction "AtoB": source → target'
    assert texts[1:] == ["source: 0.png", "target: 0.png", "source: 1.png", "target: 1.png"]


def test_two_folders_are_drawn_source_left_under_their_own_names(tmp_path, texts):
    labels, photos = write_two_folders(tmp_path, 1)
    with Image.open(photos / "0.png") as picture:
        picture.save(photos / "0.bmp")
    (photos / "0.png").unlink()
    output = draw_pairs(labels, photos, output=tmp_path / "pairs.png").picture
    assert places(output, SOURCE[0])[1].max() < 0.5 < places(output, TARGET[0])[1].min()
    assert texts == ["two folders: source → target", "source: 0.png", "target: 0.bmp"]


@pytest.mark.parametrize(("count", "drawn"), [(1, 1), (3, 3), (5, 5), (9, 5)])
def test_count_says_how_many_of_the_first_pairs_are_drawn(tmp_path, count, drawn):
    folder = write_side_by_side(tmp_path / "pairs", 5)
    findings = draw_pairs(folder, output=tmp_path / "pairs.png", count=count)
    assert findings.pairs == 5
    expected = [number < drawn for number in range(5)]
    assert [is_drawn(findings.picture, colour) for colour in SOURCE] == expected
    assert [is_drawn(findings.picture, colour) for colour in TARGET] == expected
    rows = [places(findings.picture, colour)[0].mean() for colour in SOURCE[:drawn]]
    assert rows == sorted(rows)
    # 6 inches wide, 0.6 inches of title and 2.8 for each pair, at 100 pixels an inch.
    assert size_of(findings.picture) == pytest.approx((600, 60 + 280 * drawn), abs=1)


def test_four_pairs_are_drawn_by_default_into_pairs_png(tmp_path, monkeypatch):
    folder = write_side_by_side(tmp_path / "pairs", 5)
    monkeypatch.chdir(tmp_path)
    findings = draw_pairs(folder)
    assert str(findings.picture) == "pairs.png"
    assert size_of(tmp_path / "pairs.png") == (600, 60 + 4 * 280)


def test_output_is_a_png_under_any_name(tmp_path):
    output = draw_pairs(write_side_by_side(tmp_path / "pairs", 1), output=tmp_path / "look.pdf").picture
    assert is_drawn(output, SOURCE[0])


@pytest.mark.parametrize("count", [0, -1])
def test_count_below_one(tmp_path, count):
    folder = write_side_by_side(tmp_path / "pairs", 1)
    with pytest.raises(ValueError, match=f"`count` must be 1 or more. Received: count={count}"):
        draw_pairs(folder, output=tmp_path / "pairs.png", count=count)


def test_faulty_file_is_named_and_the_old_picture_stays(tmp_path):
    folder = write_side_by_side(tmp_path / "pairs", 5)
    (folder / "4.png").write_text("not a picture")
    write_png(tmp_path / "pairs.png", np.zeros((3, 3, 3), np.uint8))
    old = (tmp_path / "pairs.png").read_bytes()
    with pytest.raises(ValueError, match=r"Can't read the picture .*4\.png"):
        draw_pairs(folder, output=tmp_path / "pairs.png", count=1)
    assert (tmp_path / "pairs.png").read_bytes() == old


def test_unknown_direction(tmp_path):
    with pytest.raises(ValueError, match=r"`direction` must be .* Received: direction='AtoC'"):
        draw_pairs(write_side_by_side(tmp_path / "pairs", 1), direction="AtoC", output=tmp_path / "pairs.png")


def test_two_folders_are_checked_against_each_other(tmp_path):
    labels, photos = write_two_folders(tmp_path, 2)
    (photos / "1.png").unlink()
    with pytest.raises(ValueError, match=r"without a partner: .*1\.png"):
        draw_pairs(labels, photos, output=tmp_path / "pairs.png")


def test_the_picture_never_counts_as_one_of_the_pairs(tmp_path, monkeypatch):
    folder = write_side_by_side(tmp_path / "pairs", 2)
    monkeypatch.chdir(folder)
    for _ in range(2):
        findings = draw_pairs(".")
        assert findings.pairs == 2
    assert findings.picture.resolve() == tmp_path / "pairs_pairs.png"
    with pytest.raises(ValueError, match=r"look\.png"):
        draw_pairs(folder, output="look.png")
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"notes\.txt"):
        draw_pairs(folder, output=tmp_path / "notes.txt")


def test_other_files_and_links_to_data_are_not_drawn_over(tmp_path):
    folder = write_side_by_side(tmp_path / "pairs", 2)
    (tmp_path / "linked.png").hardlink_to(folder / "1.png")
    (tmp_path / "notes.png").write_text("mine")
    Image.new("RGB", (3, 3)).save(tmp_path / "holiday.png")
    for name in ("linked.png", "notes.png", "holiday.png"):
        before = (tmp_path / name).read_bytes()
        with pytest.raises(ValueError, match=f"{name} exists and is not a PNG file that this package has written"):
            draw_pairs(folder, output=tmp_path / name)
        assert (tmp_path / name).read_bytes() == before
    write_png(folder / "2.png", np.zeros((8, 12, 3), np.uint8))
    (tmp_path / "written.png").hardlink_to(folder / "2.png")
    with pytest.raises(ValueError, match="2.png is read, and .*written.png"):
        draw_pairs(folder, output=tmp_path / "written.png")
    for _ in range(2):
        draw_pairs(folder, output=tmp_path / "look.png")


def test_the_picture_drawn_by_default_replaces_no_other_file_and_is_no_pair(tmp_path, monkeypatch):
    folder = write_side_by_side(tmp_path / "pairs", 2)
    nested = write_side_by_side(folder / "nested", 2)
    monkeypatch.chdir(nested)
    assert draw_pairs([folder, nested], nested).picture == tmp_path / "nested_pairs.png"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pairs.png").write_text("mine")
    with pytest.raises(ValueError, match="pairs.png exists and is not"):
        draw_pairs(folder)
    assert (tmp_path / "pairs.png").read_text() == "mine"


@pytest.fixture
def labelled(tmp_path):
    def put(*maps):
        for number, indices in enumerate(maps):
            for folder, picture in (("labels", np.array(indices, np.uint8)), ("photos", np.zeros((2, 2, 3), np.uint8))):
                (tmp_path / folder).mkdir(exist_ok=True)
                Image.fromarray(picture).save(tmp_path / folder / f"{number}.png")
        return tmp_path / "labels", tmp_path / "photos"

    return put


def test_the_share_of_each_class(labelled, tmp_path):
    folders = labelled([[0, 0], [2, 255]], [[0, 0], [0, 0]])
    findings = draw_pairs(*folders, source_encoding="classes:4:ignore=255", output=tmp_path / "pairs.png")
    assert findings.shares == {"source": [0.75, 0.0, 0.125, 0.0]}


def test_an_index_that_is_no_class_is_found_wherever_it_is(labelled, tmp_path):
    folders = labelled(*[[[0, 1], [1, 0]]] * 6, [[0, 1], [9, 0]])
    with pytest.raises(ValueError, match=r"6.png.*Received: 9"):
        draw_pairs(*folders, source_encoding="classes:2", output=tmp_path / "pairs.png")


def test_shares_of_masks_and_colours(labelled, tmp_path):
    folders = labelled([[0, 255], [255, 255]])
    found = draw_pairs(*folders, source_encoding="mask", output=tmp_path / "pairs.png")
    assert found.shares == {"source": [0.25, 0.75]}
    found = draw_pairs(*folders, target_encoding="palette:#0a0a0a,#ffffff", output=tmp_path / "pairs.png")
    assert found.shares == {"target": [1.0, 0.0]}


def test_a_picture_that_breaks_in_the_middle_is_found_if_asked_for(tmp_path):
    write_facades(tmp_path / "pairs", 6, image_size=(32, 32))
    broken = sorted((tmp_path / "pairs").iterdir())[5]
    contents = bytearray(broken.read_bytes())
    contents[-40:-30] = bytes(10)
    broken.write_bytes(contents)
    draw_pairs(tmp_path / "pairs", output=tmp_path / "pairs.png")
    with pytest.raises(ValueError, match=broken.name):
        draw_pairs(tmp_path / "pairs", output=tmp_path / "pairs.png", full=True)
