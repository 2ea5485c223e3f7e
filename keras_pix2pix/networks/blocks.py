"""Building blocks of the generators, and the paper's constants."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from keras import layers, ops

__all__ = [
    "KERNEL_SIZE",
    "LEAKY_SLOPE",
    "UPSAMPLINGS",
    "WEIGHT_STDDEV",
    "CroppedLike",
    "DepthToSpace",
    "convolution",
    "downsample",
    "halved",
    "initial_weights",
    "upsample",
]

KERNEL_SIZE = 4  # Section 6.1: all convolutions are 4x4.
LEAKY_SLOPE = 0.2  # Section 6.1; Keras' default is 0.3.
WEIGHT_STDDEV = 0.02  # Section 6.2: weights are drawn from N(0, 0.02).
_DEPTH_TO_SPACE_KERNEL = 3  # Shi et al., "Real-Time Single Image and Video Super-Resolution", Section 2.2.


def initial_weights() -> keras.initializers.Initializer:
    """Weights from N(0, 0.02); a new object for each layer, since one object repeats its values.

    Reference:
        Isola et al., Section 6.2.
    """
    return keras.initializers.RandomNormal(0.0, WEIGHT_STDDEV)


def downsample(
    x: keras.KerasTensor,
    filters: int,
    normalize: Callable | None = None,
    *,
    activate: str | None = "before",
    leaky_slope: float = LEAKY_SLOPE,
    dropout: float = 0.0,
    name: str,
    **arguments: Any,
) -> keras.KerasTensor:
    """One encoder block: leaky ReLU, 4x4 convolution with stride 2, normalisation, dropout.

    Returns a Keras tensor, `(batch, height / 2, width / 2, filters)`.

    Reference:
        Isola et al., Section 6.1.1.
    """
    if activate == "before":
        x = layers.LeakyReLU(leaky_slope, name=f"{name}_activation")(x)
    # At even sizes "same" is the authors' padding of 1 on every side.
    x = convolution(x, filters, strides=2, padding="same", name=f"{name}_convolution", **arguments)
    if normalize:
        x = normalize(f"{name}_normalization")(x)
    if activate == "after":
        x = layers.LeakyReLU(leaky_slope, name=f"{name}_activation")(x)
    return layers.Dropout(dropout, name=f"{name}_dropout")(x) if dropout else x


def upsample(
    x: keras.KerasTensor,
    filters: int,
    normalize: Callable | None = None,
    *,
    activate: str | None = "before",
    dropout: float = 0.0,
    name: str,
    **arguments: Any,
) -> keras.KerasTensor:
    """One decoder block: ReLU, 4x4 convolution to twice the size, normalisation, dropout.

    Returns a Keras tensor, `(batch, 2 * height, 2 * width, filters)`.

    Reference:
        Isola et al., Section 6.1.1.
    """
    if activate == "before":
        x = layers.ReLU(name=f"{name}_activation")(x)
    x = _doubled(x, filters, name=name, **arguments)
    if normalize:
        x = normalize(f"{name}_normalization")(x)
    if activate == "after":
        x = layers.ReLU(name=f"{name}_activation")(x)
    return layers.Dropout(dropout, name=f"{name}_dropout")(x) if dropout else x


def convolution(
    x: keras.KerasTensor, filters: int, kernel_size: int = KERNEL_SIZE, *, separable: bool = False, **arguments: Any
) -> keras.KerasTensor:
    """A convolution with the paper's initial weights.

    Reference:
        Isola et al., Section 6.2.
    """
    if separable:
        return layers.SeparableConv2D(
            filters,
            kernel_size,
            depthwise_initializer=initial_weights(),
            pointwise_initializer=initial_weights(),
            **arguments,
        )(x)
    return layers.Conv2D(filters, kernel_size, kernel_initializer=initial_weights(), **arguments)(x)


def halved(x: keras.KerasTensor) -> keras.KerasTensor:
    """Means of 3x3 pixels, with stride 2; at the border, of the pixels that exist (pix2pixHD)."""
    pool, pad = layers.AveragePooling2D(3, strides=2), layers.ZeroPadding2D(1)
    return pool(pad(x)) / pool(pad(ops.ones_like(x)))


def _doubled(x, filters, upsampling="transpose", *, kernel_size=KERNEL_SIZE, separable=False, name, **arguments):
    """A convolution that doubles height and width, in one of four ways.

    Returns a Keras tensor, `(batch, 2 * height, 2 * width, filters)`.

    Reference:
        Odena et al., "Deconvolution and Checkerboard Artifacts"; Shi et al., "Real-Time Single Image and Video
        Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural Network".
    """
    if upsampling == "transpose":
        return layers.Conv2DTranspose(
            filters,
            KERNEL_SIZE,
            strides=2,
            padding="same",
            kernel_initializer=initial_weights(),
            name=f"{name}_convolution",
            **arguments,
        )(x)
    arguments = {"separable": separable, "name": f"{name}_convolution", **arguments}
    if upsampling == "depth_to_space":
        x = convolution(x, 4 * filters, _DEPTH_TO_SPACE_KERNEL, padding="same", **arguments)
        return DepthToSpace(name=f"{name}_depth_to_space")(x)
    x = layers.UpSampling2D(2, interpolation=upsampling, name=f"{name}_resize")(x)
    # The two rows go to the same side as in PyTorch-GAN; Keras' "same" would put them on the other one.
    margins = (kernel_size // 2, (kernel_size - 1) // 2)
    x = layers.ZeroPadding2D((margins, margins), name=f"{name}_padding")(x)
    return convolution(x, filters, kernel_size, **arguments)


UPSAMPLINGS = ("transpose", "nearest", "bilinear", "depth_to_space")


@keras.saving.register_keras_serializable("keras_pix2pix")
class CroppedLike(layers.Layer):
    """[x, reference] to x, cropped to the height and width of reference."""

    def call(self, inputs):
        x, reference = inputs
        height, width = ops.shape(reference)[1:3]
        return x[:, :height, :width]

    def compute_output_shape(self, input_shape):
        x, reference = input_shape
        return x[0], *reference[1:3], x[3]


@keras.saving.register_keras_serializable("keras_pix2pix")
class DepthToSpace(layers.Layer):
    """Four channels become 2x2 pixels of one: `(batch, height, width, 4 c)` to `(batch, 2 height, 2 width, c)`.

    Reference:
        Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional
        Neural Network", Section 2.2.
    """

    def call(self, x):
        return tf.nn.depth_to_space(x, 2)

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        return batch, height and 2 * height, width and 2 * width, channels // 4
