"""Pixels in, pixels out: the one model that `translate` runs and every export wraps."""

import keras
from keras import layers, ops

from keras_pix2pix.images import to_image, to_pixels
from keras_pix2pix.networks.rewrite import lean_clone, size_multiple


def serving_model(model, image_size=None):
    """A trained generator as a model from source pixels to generated pixels.

    Normalisation is inside, and so is padding: a picture whose sides don't suit the network is extended by
    reflection at its right and bottom edge, and the result cropped back.

    Args:
        model: `Pix2Pix`, or a functional generator.
        image_size: (height, width) to fix the size, without padding; None for pictures of any size.
            Defaults to None.

    Returns:
        A functional `keras.Model`: input "source", uint8 `(batch, height, width, channels)`; output "generated",
        uint8 of the same height and width. It holds copies of the weights.

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
    generator = getattr(model, "generator", model)
    _check_generator(generator)
    height, width = image_size or (None, None)
    if image_size:
        translate = PixelTranslation(_fixed_size_clone(generator, (height, width)), pad_to=1, name="generated")
    else:
        clone = _any_size_clone(generator)
        translate = PixelTranslation(clone, pad_to=size_multiple(clone), name="generated")
    source = keras.Input((height, width, generator.input_shape[-1]), dtype="uint8", name="source")
    return keras.Model(source, translate(source), name="serving")


class PixelTranslation(layers.Layer):
    """Pixels to pixels through a generator, padded by reflection and cropped back.

    Args:
        generator: Functional `keras.Model` from images to images of the same size.
        pad_to: Number that the generator's height and width must be multiples of; 1 for no padding.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix import unet_generator
    from keras_pix2pix.networks.serving import PixelTranslation

    translate = PixelTranslation(unet_generator((None, None, 3), filters=8, num_downsamples=4), pad_to=16)
    generated = translate(np.zeros((1, 20, 30, 3), "uint8"))
    ```
    """

    def __init__(self, generator, pad_to, **kwargs):
        super().__init__(dtype="float32", **kwargs)
        self.generator = generator
        self.pad_to = pad_to

    def call(self, pixels):
        if self.pad_to == 1:
            return to_pixels(self.generator(to_image(pixels), training=False))
        _, height, width, _ = ops.shape(pixels)
        padded = ops.take(pixels, reflected_indices(height, self.pad_to), axis=1)
        padded = ops.take(padded, reflected_indices(width, self.pad_to), axis=2)
        return to_pixels(self.generator(to_image(padded), training=False)[:, :height, :width])

    def compute_output_spec(self, pixels):
        return keras.KerasTensor((*pixels.shape[:3], self.generator.output_shape[-1]), dtype="uint8")


def reflected_indices(length, multiple):
    """Indices that extend an axis by reflection, as often as it takes, to a multiple.

    Args:
        length: Size of the axis, an integer or a scalar tensor, 1 or more.
        multiple: Positive integer.

    Returns:
        An int32 tensor: 0, 1, ..., length - 1, length - 2, ..., of a size divisible by `multiple`.

    Example:

    ```python
    from keras_pix2pix.networks.serving import reflected_indices

    indices = reflected_indices(5, 4)  # 0 1 2 3 4 3 2 1
    ```
    """
    positions = ops.arange(-(-length // multiple) * multiple, dtype="int32")
    period = ops.maximum(2 * (length - 1), 1)
    offsets = positions % period
    return ops.minimum(offsets, period - offsets)


def _check_generator(generator):
    if not isinstance(generator, keras.Model):
        raise ValueError(
            "A Pix2Pix or a functional `keras.Model` from images to images is needed. "
            f"Received: {generator!r} of type {type(generator).__name__}."
        )
    shapes = [getattr(generator, name, None) for name in ("input_shape", "output_shape")]
    if not all(isinstance(shape, tuple) and len(shape) == 4 and shape[-1] for shape in shapes):
        raise ValueError(
            "A generator has one input and one output, (batch, height, width, channels). "
            f"Received: {generator.name!r} from {shapes[0]} to {shapes[1]}."
        )


def _fixed_size_clone(generator, image_size):
    try:
        clone = lean_clone(generator, image_size)
        if clone.output_shape[1:3] == image_size:
            return clone
    except ValueError:
        pass  # The layers of a network tell of a wrong size in many ways: skips of unequal size, for one.
    multiple = size_multiple(_any_size_clone(generator))
    raise ValueError(
        f"`image_size` must be divisible by {multiple} on both sides for this generator. Received: "
        f"image_size={image_size}. Choose multiples of {multiple}; a SavedModel takes any size."
    )


def _any_size_clone(generator):
    try:
        return lean_clone(generator)
    except ValueError as error:
        raise ValueError(
            f"The generator {generator.name!r} takes images of one size only, {generator.input_shape[1:3]}: {error} "
            "Build it of layers that take any size, or export a TFLite file of that size."
        ) from error
