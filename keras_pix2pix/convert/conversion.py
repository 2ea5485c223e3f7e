"""What every conversion returns."""

from typing import NamedTuple

import keras

__all__ = ["Conversion"]


class Conversion(NamedTuple):
    """A network made of a file of another implementation, and how sure one can be of it.

    Args:
        network: Functional `keras.Model` with the weights of the file.
        recognised: One line that says what the file was taken for.
        largest_difference: Largest difference between the network and an independent evaluation of the file.
    """

    network: keras.Model
    recognised: str
    largest_difference: float
