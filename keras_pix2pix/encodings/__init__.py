"""How one side of a pair is stored and converted to an image in [-1, 1]: pictures, arrays, label maps, stacks of these.

`Encoding` is their interface. TensorFlow is imported only to make images.
"""

from collections.abc import Sequence

from keras_pix2pix.encodings.base import Encoding
from keras_pix2pix.encodings.files import EXTENSIONS
from keras_pix2pix.encodings.labels import Classes, Palette
from keras_pix2pix.encodings.masks import Edges, Mask
from keras_pix2pix.encodings.pictures import Picture
from keras_pix2pix.encodings.stacked import Stacked
from keras_pix2pix.encodings.words import get_single

__all__ = [
    "EXTENSIONS",
    "Classes",
    "Edges",
    "Encoding",
    "Mask",
    "Palette",
    "Picture",
    "Stacked",
    "get",
    "get_for_channels",
]


def get(identifier: str | int | Sequence | Encoding) -> Encoding:
    """The encoding for a short name.

    Args:
        identifier: "rgb", "gray", "rgba" (8-bit pictures), "gray16" (16-bit gray), "mask" (0 and 255; "mask:64" with
            another threshold), "edges" (between the instances of an instance map), "classes:12" (class indices 0 to
            11), "classes:21:ignore=255" (255 is no class), "palette:#000000,#ffffff" (label colours; "#000000=road"
            with names), "palette:FILE.csv" (a table of names and colours), "values:CHANNELS:LOW:HIGH" (`.npy` or TIFF
            files of a declared value range), "values:CHANNELS:LOW:HIGH:nodata=VALUE" (that value means no data), words
            joined by "+" or a list (several sources, stacked), an integer (8-bit pictures with that number of
            channels), or an encoding, which is returned unchanged.

    Returns:
        A `Picture`, `Classes`, `Mask`, `Edges`, `Palette` or `Stacked`.

    Raises:
        ValueError: Anything else, or numbers out of range.

    Example:

    ```python
    from keras_pix2pix import encodings

    labels = encodings.get("classes:12")
    assert labels == encodings.Classes(12)
    ```
    """
    if isinstance(identifier, Encoding):
        return identifier
    if isinstance(identifier, str):
        identifier = identifier.split("+")
    if isinstance(identifier, (list, tuple)):
        return Stacked(tuple(identifier)) if len(identifier) != 1 else get_single(identifier[0])
    return get_single(identifier)


def get_for_channels(identifier: str | int | Sequence | Encoding, channels: int) -> Encoding:
    """The encoding for a side of a network with a given number of channels.

    Here "rgb", the default everywhere, means 8-bit pictures of any number of channels, so that a network with other
    than three needs no declaration.

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
