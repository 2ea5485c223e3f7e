"""From stored values to stored values: the model that `translate` runs and every export wraps."""

from typing import Any

import keras
from keras import layers, ops

from keras_pix2pix.encodings import Encoding, get_for_channels
from keras_pix2pix.encodings import get as get_encoding
from keras_pix2pix.images import height_and_width
from keras_pix2pix.inference.lean import lean_clone, size_multiple

__all__ = ["check_generator", "encodings_of", "generator_of", "serving_model"]


def serving_model(model: keras.Model, image_size: int | tuple[int, int] | None = None) -> keras.Model:
    """Wrap a trained generator in a model from source pixels to generated pixels, as its encodings store them.

    The encodings of a `Pix2Pix` define the values that go in and come out: uint8 pixels, class indices and label
    colours, or float32 values. Normalisation, one-hot encoding and padding are included: a picture whose size doesn't
    suit the network is extended by reflection at its right and bottom edge, and the result is cropped back.

    Args:
        model: `Pix2Pix`, or a functional generator from and to 8-bit pictures.
        image_size: (height, width) to fix the size, without padding; None for pictures of any size.
            Defaults to None.

    Returns:
        A functional `keras.Model`: input "source", `(batch, height, width, channels)` in the raw form of the source's
        encoding, uint8 for 8-bit pictures and label maps; output "generated", of the same height and width, in that
        of the target's. It holds copies of the weights.

    Raises:
        ValueError: The network can't take `image_size`, or doesn't return images as large as its source images.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix import serving_model, unet_generator

    serving = serving_model(unet_generator((64, 64, 3), filters=8))
    pixels = serving(np.zeros((1, 50, 70, 3), "uint8"))
    ```
    """
    generator = generator_of(model)
    height, width = (None, None) if image_size is None else height_and_width(image_size)
    clone = _fixed_size_clone(generator, (height, width)) if height else _any_size_clone(generator)
    source_encoding, target_encoding = encodings_of(model)
    translate = _PixelTranslation(
        clone, 1 if image_size else size_multiple(clone), source_encoding, target_encoding, name="generated"
    )
    shape = (height, width, source_encoding.raw_channels)
    source = keras.Input(shape, dtype=source_encoding.raw_dtype, name="source")
    return keras.Model(source, translate(source), name="serving")


def encodings_of(model: keras.Model) -> tuple[Encoding, Encoding]:
    """How the source and the target of a model are stored."""
    generator = generator_of(model)
    return (
        get_for_channels(getattr(model, "source_encoding", "rgb"), generator.input_shape[-1]),
        get_for_channels(getattr(model, "target_encoding", "rgb"), generator.output_shape[-1]),
    )


class _PixelTranslation(layers.Layer):
    """Pixels to pixels through a generator, padded by reflection and cropped back."""

    def __init__(self, generator, pad_to, source_encoding="rgb", target_encoding="rgb", **kwargs):
        super().__init__(dtype="float32", **kwargs)
        self.generator = generator
        self.pad_to = pad_to
        self.source_encoding = get_encoding(source_encoding)
        self.target_encoding = get_encoding(target_encoding)

    def call(self, raw):
        if self.pad_to == 1:
            return self._translate(raw)
        _, height, width, _ = ops.shape(raw)
        padded = ops.take(raw, _reflected_indices(height, self.pad_to), axis=1)
        padded = ops.take(padded, _reflected_indices(width, self.pad_to), axis=2)
        return self._translate(padded)[:, :height, :width]

    def _translate(self, raw):
        generated = self.generator(self.source_encoding.to_image(raw), training=False)
        return self.target_encoding.to_raw(generated)

    def compute_output_spec(self, raw):
        shape = (*raw.shape[:3], self.target_encoding.raw_channels)
        return keras.KerasTensor(shape, dtype=self.target_encoding.raw_dtype)


def _reflected_indices(length, multiple):
    """Indices that extend an axis to a multiple by reflection, repeatedly if necessary."""
    positions = ops.arange((length + multiple - 1) // multiple * multiple, dtype="int32")
    period = ops.maximum(2 * (length - 1), 1)
    offsets = positions % period
    return ops.minimum(offsets, period - offsets)


def generator_of(model: keras.Model) -> keras.Model:
    """The generator of a `Pix2Pix`; another model must be one itself."""
    generator = getattr(model, "generator", model)
    check_generator(generator)
    return generator


def check_generator(generator: Any) -> None:
    """Raise for anything but a generator, such as a network that takes pairs or doesn't return images."""
    if not isinstance(generator, keras.Model):
        raise ValueError(
            "The model must be a Pix2Pix, or a functional `keras.Model` from images to images. "
            f"Received: {generator!r} of type {type(generator).__name__}."
        )
    shapes = [getattr(generator, name, None) for name in ("input_shape", "output_shape")]
    if not all(isinstance(shape, tuple) and len(shape) == 4 and shape[-1] for shape in shapes):
        raise ValueError(
            "A generator is a functional `keras.Model` with one input and one output, (batch, height, width, "
            f"channels). Received: {generator.name!r} from {shapes[0]} to {shapes[1]}. Around a model of your own "
            "class: `source = keras.Input((256, 256, 3))`, `keras.Model(source, yours(source))`."
        )


def _fixed_size_clone(generator, image_size):
    try:
        clone = lean_clone(generator, image_size)
        if clone.output_shape[1:3] == image_size:
            return clone
    except ValueError:
        pass  # Each network fails in its own way at a wrong size, such as by skips of unequal size.
    multiple = size_multiple(_any_size_clone(generator))
    raise ValueError(
        f"`image_size` must be divisible by {multiple} on both sides for this generator. Received: "
        f"image_size={image_size}. Choose multiples of {multiple}; SavedModel and ONNX take any size."
    )


def _any_size_clone(generator):
    try:
        return lean_clone(generator)
    except ValueError as error:
        raise ValueError(
            f"The generator {generator.name!r} takes images of one size only, {generator.input_shape[1:3]}: {error} "
            "Build it of layers that take any size, or export a TFLite file of that size."
        ) from error
