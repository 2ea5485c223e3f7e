"""How one side of a pair is stored, and becomes an image in [-1, 1]: pictures, arrays, label maps, stacks of these.

Every encoding knows its files (`open`, `size`, `write`), its raw form (`raw`: uint8 for 8-bit pictures, class indices
and colours, float32 otherwise), the image of it (`to_image`, `to_raw`) and how to show it to people (`show`). Its
`word` says all of it in short, in Python, on the command line and in the model file. TensorFlow is imported only where
images are made.
"""

from numbers import Integral

from keras_pix2pix.encodings.files import EXTENSIONS
from keras_pix2pix.encodings.labels import Classes, Palette
from keras_pix2pix.encodings.pictures import WORDS, Picture
from keras_pix2pix.encodings.stacked import Stacked

__all__ = ["EXTENSIONS", "Classes", "Palette", "Picture", "Stacked", "get", "get_for_channels"]

ACCEPTED = (
    '"rgb", "gray", "rgba", "gray16", "classes:NUMBER", "palette:#RRGGBB,#RRGGBB,...", "values:CHANNELS:LOW:HIGH", '
    'several of these joined by "+" for several source folders, a list of these, a number of channels, or an encoding'
)


def get(identifier):
    """The encoding that a short word stands for.

    Args:
        identifier: "rgb", "gray", "rgba" (8-bit pictures), "gray16" (16-bit gray), "classes:12" (class indices
            0 to 11), "palette:#000000,#ffffff" (label colours), "values:CHANNELS:LOW:HIGH" (`.npy` files of a
            declared value range), words joined by "+" or a list (several sources, stacked), an integer (8-bit
            pictures of so many channels), or an encoding, which is returned as it is.

    Returns:
        A `Picture`, `Classes`, `Palette` or `Stacked`.

    Raises:
        ValueError: Anything else, or numbers out of range.

    Example:

    ```python
    from keras_pix2pix import encodings

    labels = encodings.get("classes:12")
    assert labels == encodings.Classes(12)
    ```
    """
    if isinstance(identifier, (Picture, Classes, Palette, Stacked)):
        return identifier
    if isinstance(identifier, (list, tuple)):
        return Stacked(identifier) if len(identifier) != 1 else get(identifier[0])
    if isinstance(identifier, Integral) and not isinstance(identifier, bool):
        return Picture(int(identifier))
    if not isinstance(identifier, str):
        raise _unknown(identifier)
    if "+" in identifier:
        return Stacked([get(word) for word in identifier.split("+")])
    if identifier in WORDS:
        return Picture(*WORDS[identifier])
    return _get_with_numbers(identifier)


def get_for_channels(identifier, channels):
    """The encoding for a side of a network that has so many channels.

    "rgb", the default everywhere, stands for 8-bit pictures of any number of channels here, so that a network of
    other than three needs no declaration.

    Args:
        identifier: As in `get`.
        channels: Channels of the network's input or output.

    Returns:
        An encoding of `channels` channels.

    Raises:
        ValueError: The encoding has another number of channels.

    Example:

    ```python
    from keras_pix2pix import encodings

    assert encodings.get_for_channels("rgb", 1) == encodings.get("gray")
    ```
    """
    encoding = get(identifier)
    if encoding == Picture(3):
        return Picture(channels)
    if encoding.channels != channels:
        raise ValueError(
            f"The encoding {encoding.word!r} makes images of {encoding.channels} channels, and this side of the "
            f"network has {channels}. Accepted: equal numbers. Build the network with {encoding.channels} channels on "
            "this side, or pass another encoding."
        )
    return encoding


def _get_with_numbers(word):
    kind, *numbers = word.split(":")
    try:
        if kind == "classes" and len(numbers) == 1:
            return Classes(_number(int, numbers[0]))
        if kind == "palette" and len(numbers) == 1:
            return Palette(numbers[0].split(","))
        if kind == "values" and len(numbers) == 3:
            channels, low, high = numbers
            return Picture(_number(int, channels), (_number(float, low), _number(float, high)))
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
