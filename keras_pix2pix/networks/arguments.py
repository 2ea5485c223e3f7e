"""Checks of arguments that several networks share."""

from collections.abc import Sequence

__all__ = ["check_dropout", "checked_sides"]


def checked_sides(image_shape: Sequence[int | None]) -> tuple:
    """Height and width of (height, width, channels), both None for a network of any size."""
    if len(image_shape) != 3 or (image_shape[0] is None) != (image_shape[1] is None) or not image_shape[2]:
        raise ValueError(
            "`image_shape` must be (height, width, channels), height and width both given or both None. "
            f"Received: image_shape={tuple(image_shape)}."
        )
    return image_shape[0], image_shape[1]


def check_dropout(dropout: float) -> None:
    """Raise for a rate that is out of range."""
    if not 0 <= dropout < 1:
        raise ValueError(f"`dropout` must be at least 0 and less than 1. Received: dropout={dropout}.")
