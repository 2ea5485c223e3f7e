"""Random brightness, contrast and saturation, for the source only: the target is the desired result."""

from numbers import Real
from typing import Any

import tensorflow as tf

from keras_pix2pix.encodings import Encoding

__all__ = ["adjust_colors", "check_color_jitter", "random_factors"]

_LUMINANCE = (0.299, 0.587, 0.114)  # ITU-R BT.601, as in Pillow's conversion to gray.
_COLOURS = (3, 4)  # Numbers of channels of pictures that start with red, green and blue.


def check_color_jitter(strength: float, source_encoding: Encoding) -> None:
    """Raise for a strength out of range, and for sources without brightness."""
    if isinstance(strength, bool) or not isinstance(strength, Real) or not 0 <= strength <= 1:
        raise ValueError(f"`color_jitter` must be from 0 (off) to 1. Received: color_jitter={strength!r}.")
    if strength and all(part.is_label_map for part in source_encoding.parts):
        raise ValueError(
            "Label maps have neither brightness nor contrast. Accepted: `color_jitter` for sources that are pictures. "
            f"Received: color_jitter={strength!r} with source_encoding={source_encoding.word!r}. Pass 0."
        )


def random_factors(strength: float, seed: Any) -> tf.Tensor:
    """The factors for brightness, contrast and saturation of one source: a float32 tensor of shape (3,)."""
    # Folded, because the crop uses the same seed and needs other numbers.
    seed = tf.random.experimental.stateless_fold_in(seed, 1)
    return tf.random.stateless_uniform([3], seed, 1 - strength, 1 + strength)


def adjust_colors(image: tf.Tensor, factors: tf.Tensor, encoding: Encoding) -> tf.Tensor:
    """Multiply brightness, contrast and saturation of sources; label maps and alpha stay as they are.

    Brightness moves values away from the darkest one, contrast from the mean of the picture, saturation (of pictures
    in red, green and blue) from the gray of the pixel; the result is clipped to [-1, 1].
    """
    sides = zip(encoding.image_parts(image), encoding.parts, strict=True)
    adjusted = [each if part.is_label_map else _adjust_picture(each, factors) for each, part in sides]
    return tf.concat(adjusted, axis=-1)


def _adjust_picture(image, factors):
    brightness, contrast, saturation = tf.unstack(tf.reshape(factors, (-1, 3, 1, 1, 1)), axis=1)
    colours = image[..., :3] if image.shape[-1] == 4 else image
    colours = tf.clip_by_value((colours + 1.0) * brightness - 1.0, -1.0, 1.0)
    gray = _gray(colours) if image.shape[-1] in _COLOURS else colours
    mean = tf.reduce_mean(gray, axis=(1, 2, 3), keepdims=True)
    colours = tf.clip_by_value((colours - mean) * contrast + mean, -1.0, 1.0)
    if image.shape[-1] in _COLOURS:
        gray = _gray(colours)
        colours = tf.clip_by_value((colours - gray) * saturation + gray, -1.0, 1.0)
    return tf.concat([colours, image[..., 3:]], axis=-1) if image.shape[-1] == 4 else colours


def _gray(colours):
    return tf.reduce_sum(colours * tf.constant(_LUMINANCE), axis=-1, keepdims=True)
