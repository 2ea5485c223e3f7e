"""Tables of names and colours, and names in words."""

import pytest

from keras_pix2pix import encodings
from keras_pix2pix.encodings import Palette

TABLES = {
    "with a header": "name,r,g,b\nroad,128,64,128\nroad markings,0,0,1\n",
    "without": "road,128,64,128\nroad markings,0,0,1\n",
    "hexadecimal": "color,label\n#804080,road\n#000001,road markings\n",
    "ids before the colour": "id,name,red,green,blue\n0,road,128,64,128\n1,road markings,0,0,1\n",
    "a column that begins with g": "name,group,r,g,b\nroad,flat,128,64,128\nroad markings,flat,0,0,1\n",
    "ids behind it": "r,g,b,name,id\n128,64,128,road,7\n0,0,1,road markings,8\n",
}


@pytest.mark.parametrize("text", TABLES.values(), ids=TABLES)
def test_tables_as_data_sets_ship_them(tmp_path, text):
    (tmp_path / "classes.csv").write_text("\ufeff" + text)
    found = encodings.get(f"palette:{tmp_path}/classes.csv")
    assert found == Palette([(128, 64, 128), (0, 0, 1)], ("road", "road markings"))
    assert found.word == "palette:#804080=road,#000001=road markings"
    assert encodings.get(found.word) == found


def test_names_with_signs_of_their_own():
    palette = Palette(["#000000", "#ffffff"], ("a+b, c", "x=y:é"))
    assert encodings.get(palette.word) == palette
    assert encodings.get([palette.word, "rgb"]).parts[0] == palette


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name,r,g,b\nroad,1,2\n", "road,1,2"),
        ("name,r,g,b\nroad,1,2,256\n", "256"),
        ("", "2 to 256"),
        ("a,1,2,3\n", "2 to"),
    ],
)
def test_a_wrong_table(tmp_path, text, words):
    (tmp_path / "classes.csv").write_text(text)
    with pytest.raises(ValueError, match=words):
        encodings.get(f"palette:{tmp_path}/classes.csv")


def test_a_table_that_is_not_there(tmp_path):
    with pytest.raises(ValueError, match="none.csv"):
        encodings.get(f"palette:{tmp_path}/none.csv")
    (tmp_path / "odd.csv").write_bytes(b"\xff\xfe,\xff")
    with pytest.raises(ValueError, match="odd.csv"):
        encodings.get(f"palette:{tmp_path}/odd.csv")


def test_wrong_names_and_palettes():
    with pytest.raises(ValueError, match="names"):
        Palette(["#000000", "#ffffff"], ("one",))
    with pytest.raises(ValueError, match="palette"):
        encodings.Classes(3, palette=[(0, 0, 0)])
    for word in ("classes:3:colors", "classes:3:colours=#000000", "classes:3:ignore=x", "classes"):
        with pytest.raises(ValueError, match="An encoding must be"):
            encodings.get(word)
