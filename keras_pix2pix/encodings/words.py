"""The short names for encodings of one file."""

from numbers import Integral
from urllib.parse import unquote

from keras_pix2pix.encodings.base import SingleEncoding
from keras_pix2pix.encodings.color_tables import is_color_table, read_color_table
from keras_pix2pix.encodings.labels import Classes, Palette
from keras_pix2pix.encodings.masks import Edges, Mask
from keras_pix2pix.encodings.pictures import WORDS, Picture

__all__ = ["get_single"]

_FOUND_IN_DATA = ("palette:auto", "classes:auto")
_ACCEPTED = (
    '"rgb", "gray", "rgba", "gray16", "mask", "edges", "classes:NUMBER", "classes:NUMBER:ignore=INDEX", '
    '"palette:#RRGGBB,#RRGGBB,...", "palette:FILE.csv", "values:CHANNELS:LOW:HIGH", '
    '"values:CHANNELS:LOW:HIGH:nodata=VALUE", '
    'several of these joined by "+" for several source folders, a list of these, a number of channels, or an encoding'
)


def get_single(identifier):
    """The encoding of one file from its name, a number of channels or the encoding itself."""
    if isinstance(identifier, SingleEncoding):
        return identifier
    if isinstance(identifier, Integral) and not isinstance(identifier, bool):
        return Picture(int(identifier))
    if not isinstance(identifier, str):
        raise _unknown(identifier)
    if identifier == "edges":
        return Edges()
    return Picture(*WORDS[identifier]) if identifier in WORDS else _get_with_numbers(identifier)


def _get_with_numbers(word):
    kind, *numbers = word.split(":")
    try:
        if kind == "classes" and numbers and numbers != ["auto"]:
            return _classes(_number(int, numbers[0]), *numbers[1:])
        if kind == "mask" and len(numbers) <= 1:
            return Mask(*(_number(int, each) for each in numbers))
        if kind == "palette" and numbers and is_color_table(word):
            return Palette(*read_color_table(word.removeprefix("palette:")))
        if kind == "palette" and len(numbers) == 1 and numbers != ["auto"]:
            return _palette(numbers[0].split(","))
        if kind == "values" and len(numbers) in (3, 4):
            channels, low, high, *nodata = numbers
            nodata = [_number(float, each.removeprefix("nodata=")) for each in nodata]
            return Picture(_number(int, channels), (_number(float, low), _number(float, high)), *nodata)
    except TypeError:
        pass
    raise _unknown(word)


def _classes(number, *options):
    given = dict(option.split("=") for option in options if option.count("=") == 1)
    if len(given) < len(options) or given.keys() - {"ignore", "colors"}:
        raise TypeError(options)
    palette = tuple(given["colors"].split(",")) if "colors" in given else None
    return Classes(number, _number(int, given["ignore"]) if "ignore" in given else None, palette)


def _palette(texts):
    colors, equals, names = zip(*(text.partition("=") for text in texts), strict=True)
    return Palette(colors, tuple(map(unquote, names)) if all(equals) else None)


def _number(kind, text):
    try:
        return kind(text)
    except ValueError:
        raise TypeError(text) from None


def _unknown(identifier):
    if identifier in _FOUND_IN_DATA:
        return ValueError(
            f"{identifier!r} needs data: `keras-pix2pix train` and `inspect` accept it, and `draw_pairs`, whose "
            "`encodings` are what to pass here."
        )
    return ValueError(f"An encoding must be {_ACCEPTED}. Received: {identifier!r}.")
