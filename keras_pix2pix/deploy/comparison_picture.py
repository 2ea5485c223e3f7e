"""The output of an exported file, drawn beside the output of the Keras model."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from keras_pix2pix.deploy.parity import GREY_LEVELS, grey_levels_apart
from keras_pix2pix.encodings import Encoding
from keras_pix2pix.images import beside

__all__ = ["draw_comparison"]

_LEAST_WIDTH = 160  # Pixels of each of the three, so that its caption fits; smaller ones are enlarged.
_CAPTION_HEIGHT = 20
_FONT_SIZE = 13


def draw_comparison(expected: np.ndarray, received: np.ndarray, encoding: Encoding) -> tuple[np.ndarray, int | None]:
    """Expected | got | difference, with captions.

    The difference is multiplied by the largest power of two that clips nothing; the caption gives the factor. For a
    label map, pixels whose class differs are white.

    Returns RGB pixels, uint8 `(height, width, 3)`, and the factor: 1 or more, None for a label map.
    """
    if not encoding.is_label_map:
        levels = grey_levels_apart(expected, received, encoding)
        factor = _amplification(levels.max())
        difference, words = np.rint(levels * factor), f"difference x{factor}"
    else:
        difference = np.where((expected == received).all(axis=-1, keepdims=True), 0, GREY_LEVELS)
        factor, words = None, "other class"
    panels = [encoding.show(expected), encoding.show(received), beside(difference.astype(np.uint8))]
    enlarged = -(-_LEAST_WIDTH // panels[0].shape[1])
    panels = [panel.repeat(enlarged, axis=0).repeat(enlarged, axis=1) for panel in panels]
    captions = ("expected: Keras", "got: the file", words)
    return np.concatenate([_caption(panels[0].shape[1], captions), beside(*panels)]), factor


def _amplification(largest):
    """The largest power of two that keeps a difference in the range of pixels."""
    factors = [factor for factor in (2, 4, 8, 16, 32, 64, 128) if 0 < largest * factor <= GREY_LEVELS]
    return max(factors, default=1)


def _caption(width, words):
    strip = Image.new("RGB", (width * len(words), _CAPTION_HEIGHT), "white")
    draw = ImageDraw.Draw(strip)
    for position, each in enumerate(words):
        draw.text((position * width + 4, 2), each, fill="black", font=ImageFont.load_default(_FONT_SIZE))
    return np.asarray(strip)
