"""The result of a conversion."""

from typing import NamedTuple

import keras

__all__ = ["Conversion"]


class Conversion(NamedTuple):
    """A network converted from another implementation's file, and how far it was checked.

    Args:
        network: Functional `keras.Model` with the weights of the file.
        recognised: One line that says what was recognised in the file.
        largest_difference: Largest difference between the network and an independent evaluation of the file.
    """

    network: keras.Model
    recognised: str
    largest_difference: float
