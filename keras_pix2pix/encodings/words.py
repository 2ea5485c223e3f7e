"""The short words of the encodings of one file."""

from numbers import Integral

from keras_pix2pix.encodings.base import SingleEncoding
from keras_pix2pix.encodings.labels import Classes, Palette
from keras_pix2pix.encodings.masks import Mask
from keras_pix2pix.encodings.pictures import WORDS, Picture

__all__ = ["get_single"]

ACCEPTED = (
    '"rgb", "gray", "rgba", "gray16", "mask", "classes:NUMBER", "classes:NUMBER:ignore=INDEX", '
    '"palette:#RRGGBB,#RRGGBB,...", "values:CHANNELS:LOW:HIGH", '
    '"values:CHANNELS:LOW:HIGH:nodata=VALUE", '
    'several of these joined by "+" for several source folders, a list of these, a number of channels, or an encoding'
)


def get_single(identifier):
    """The encoding of one file that a word, a number of channels or the encoding itself stands for."""
    if isinstance(identifier, SingleEncoding):
        return identifier
    if isinstance(identifier, Integral) and not isinstance(identifier, bool):
        return Picture(int(identifier))
    if not isinstance(identifier, str):
        raise _unknown(identifier)
    return Picture(*WORDS[identifier]) if identifier in WORDS else _get_with_numbers(identifier)


def _get_with_numbers(word):
    kind, *numbers = word.split(":")
    try:
        if kind == "classes" and len(numbers) in (1, 2):
            ignore = _number(int, numbers[1].removeprefix("ignore=")) if len(numbers) == 2 else None
            return Classes(_number(int, numbers[0]), ignore)
        if kind == "mask" and len(numbers) <= 1:
            return Mask(*(_number(int, each) for each in numbers))
        if kind == "palette" and len(numbers) == 1:
            return Palette(numbers[0].split(","))
        if kind == "values" and len(numbers) in (3, 4):
            channels, low, high, *nodata = numbers
            nodata = [_number(float, each.removeprefix("nodata=")) for each in nodata]
            return Picture(_number(int, channels), (_number(float, low), _number(float, high)), *nodata)
    except TypeError:
        pass
    raise _unknown(word)


def _number(kind, text):
    try:
        return kind(text)
    except ValueError:
        raise TypeError(text) from None


def _unknown(identifier):
    return ValueError(f"An encoding must be {ACCEPTED}. Received: {identifier!r}.")
