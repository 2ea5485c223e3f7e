"""What the generators are built of; the paper's constants, each named once."""

import keras
import tensorflow as tf
from keras import layers

KERNEL_SIZE = 4  # Section 6.1: all convolutions are 4x4.
LEAKY_SLOPE = 0.2  # Section 6.1; Keras' default is 0.3.
WEIGHT_STDDEV = 0.02  # Section 6.2: weights are drawn from N(0, 0.02).
DEPTH_TO_SPACE_KERNEL = 3  # Shi et al., "Real-Time Single Image and Video Super-Resolution", Section 2.2.


def initial_weights():
    """Weights from N(0, 0.02); a new object for each layer, since one object repeats its values.

    Returns:
        A `keras.initializers.Initializer`.

    Example:

    ```python
    import keras
    from keras_pix2pix.networks.blocks import initial_weights

    layer = keras.layers.Conv2D(64, 4, kernel_initializer=initial_weights())
    ```

    Reference:
        Isola et al., Section 6.2.
    """
    return keras.initializers.RandomNormal(0.0, WEIGHT_STDDEV)


def downsample(
    x, filters, normalize=None, *, activate="before", leaky_slope=LEAKY_SLOPE, dropout=0.0, name, **arguments
):
    """One encoder block: leaky ReLU, 4x4 convolution with stride 2, normalisation, dropout.

    Args:
        x: Keras tensor, `(batch, height, width, channels)`, both sides even.
        filters: Channels of the result.
        normalize: Function (name) -> new layer, or None. Defaults to None.
        activate: "before": the block starts with the activation, as in the paper; "after": the activation follows
            the normalisation; None: there is none. Defaults to "before".
        leaky_slope: Slope of the activation below 0. Defaults to 0.2.
        dropout: Rate. Defaults to 0.
        name: Prefix of the layers' names.
        **arguments: Further arguments for `convolution`.

    Returns:
        A Keras tensor, `(batch, height / 2, width / 2, filters)`.

    Example:

    ```python
    import keras
    from keras_pix2pix.networks.blocks import downsample

    half = downsample(keras.Input((64, 64, 3)), 64, name="down1")
    ```

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


def upsample(x, filters, normalize=None, *, activate="before", dropout=0.0, name, **arguments):
    """One decoder block: ReLU, 4x4 convolution to twice the size, normalisation, dropout.

    Args:
        x: Keras tensor, `(batch, height, width, channels)`.
        filters: Channels of the result.
        normalize: Function (name) -> new layer, or None. Defaults to None.
        activate: "before", as in the paper, or "after": where the ReLU is. Defaults to "before".
        dropout: Rate. Defaults to 0.
        name: Prefix of the layers' names.
        **arguments: Further arguments for `doubled`.

    Returns:
        A Keras tensor, `(batch, 2 * height, 2 * width, filters)`.

    Example:

    ```python
    import keras
    from keras_pix2pix.networks.blocks import upsample

    double = upsample(keras.Input((32, 32, 64)), 3, name="up1")
    ```

    Reference:
        Isola et al., Section 6.1.1.
    """
    if activate == "before":
        x = layers.ReLU(name=f"{name}_activation")(x)
    x = doubled(x, filters, name=name, **arguments)
    if normalize:
        x = normalize(f"{name}_normalization")(x)
    if activate == "after":
        x = layers.ReLU(name=f"{name}_activation")(x)
    return layers.Dropout(dropout, name=f"{name}_dropout")(x) if dropout else x


def convolution(x, filters, kernel_size=KERNEL_SIZE, *, separable=False, **arguments):
    """A convolution with the paper's initial weights.

    Args:
        x: Keras tensor, `(batch, height, width, channels)`.
        filters: Channels of the result.
        kernel_size: Side of the kernel in pixels. Defaults to 4.
        separable: Whether it is one kernel for each channel followed by a 1x1 convolution. Defaults to False.
        **arguments: Further arguments for `keras.layers.Conv2D`.

    Returns:
        A Keras tensor.

    Example:

    ```python
    import keras
    from keras_pix2pix.networks.blocks import convolution

    half = convolution(keras.Input((64, 64, 3)), 64, strides=2, padding="same")
    ```

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


def doubled(x, filters, upsampling="transpose", *, kernel_size=KERNEL_SIZE, separable=False, name, **arguments):
    """A convolution that doubles height and width, in one of four ways.

    Args:
        x: Keras tensor, `(batch, height, width, channels)`.
        filters: Channels of the result.
        upsampling: "transpose": a transposed convolution with stride 2, as in the paper; "nearest" or "bilinear":
            a resize, then a convolution, against checkerboard patterns; "depth_to_space": a 3x3 convolution to four
            times the channels, which are then laid out as 2x2 pixels. Defaults to "transpose".
        kernel_size: Side in pixels of the kernel that follows a resize; the other ways have one of their own.
            Defaults to 4.
        separable: Whether the convolution is separable; not for "transpose". Defaults to False.
        name: Prefix of the layers' names.
        **arguments: Further arguments for the convolution.

    Returns:
        A Keras tensor, `(batch, 2 * height, 2 * width, filters)`.

    Example:

    ```python
    import keras
    from keras_pix2pix.networks.blocks import doubled

    double = doubled(keras.Input((32, 32, 64)), 3, "nearest", name="up1")
    ```

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
        x = convolution(x, 4 * filters, DEPTH_TO_SPACE_KERNEL, padding="same", **arguments)
        return DepthToSpace(name=f"{name}_depth_to_space")(x)
    x = layers.UpSampling2D(2, interpolation=upsampling, name=f"{name}_resize")(x)
    # The side that gets two rows is PyTorch-GAN's; Keras' "same" would give them to the other.
    margins = (kernel_size // 2, (kernel_size - 1) // 2)
    x = layers.ZeroPadding2D((margins, margins), name=f"{name}_padding")(x)
    return convolution(x, filters, kernel_size, **arguments)


UPSAMPLINGS = ("transpose", "nearest", "bilinear", "depth_to_space")


@keras.saving.register_keras_serializable("keras_pix2pix")
class DepthToSpace(layers.Layer):
    """Four channels become 2x2 pixels of one: `(batch, height, width, 4 c)` to `(batch, 2 height, 2 width, c)`.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix.networks.blocks import DepthToSpace

    pixels = DepthToSpace()(np.arange(4.0).reshape(1, 1, 1, 4))  # Rows 0 1 and 2 3.
    ```

    Reference:
        Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional
        Neural Network", Section 2.2.
    """

    def call(self, x):
        return tf.nn.depth_to_space(x, 2)

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        return batch, height and 2 * height, width and 2 * width, channels // 4
