"""The paper's discriminator, and how much of the picture one of its logits sees."""

import keras
from keras import layers

from keras_pix2pix.networks.blocks import (
    KERNEL_SIZE,
    LEAKY_SLOPE,
    initial_weights,
    normalization_layers,
)

WIDEST = 8  # Widths double from `filters` up to 8 * filters.


def patchgan_discriminator(
    image_shape=(256, 256, 3),
    target_channels=3,
    *,
    filters=64,
    num_layers=3,
    normalization="instance",
    name="patchgan_discriminator",
):
    """The paper's PatchGAN: it judges every patch of a (source, target) pair, 70x70 pixels by default.

    With `num_layers=3` it is C64-C128-C256 with stride 2, then C512 and a one-channel convolution with stride 1.
    Every convolution is padded with one row of zeros on every side, as in the authors' code.

    Args:
        image_shape: (height, width, channels) of the source; height and width may be None.
            Defaults to (256, 256, 3).
        target_channels: Channels of the target. Defaults to 3.
        filters: Channels of the first convolution; they double up to 8 times as many. Defaults to 64.
        num_layers: Convolutions with stride 2, 1 to 6; patches of 16, 34, 70, 142, 286, 574 pixels. Defaults to 3.
        normalization: "instance", "batch", None (all convolutions then have biases), or a function without
            arguments that returns a new layer. Defaults to "instance": the paper's batch norm at batch 1.
        name: Name of the model. Defaults to "patchgan_discriminator".

    Returns:
        A functional `keras.Model` of stock layers: [source, target], images in [-1, 1], to logits
        `(batch, rows, columns, 1)`, 30x30 at 256x256; no sigmoid.

    Raises:
        ValueError: `num_layers` out of range, or images too small for it.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix import patchgan_discriminator

    discriminator = patchgan_discriminator((64, 64, 3), filters=8)
    logits = discriminator([np.zeros((1, 64, 64, 3)), np.zeros((1, 64, 64, 3))])
    ```

    Reference:
        Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", Sections 3.2.2 and 6.1.2.
    """
    if num_layers not in range(1, 7):
        raise ValueError(f"`num_layers` must be an integer from 1 to 6. Received: num_layers={num_layers!r}.")
    height, width, _ = image_shape
    # The two convolutions with stride 1 take a row each, and leave one.
    smallest = 3 * 2**num_layers
    if height is not None and min(height, width) < smallest:
        raise ValueError(
            f"With num_layers={num_layers}, `image_shape` must be at least {smallest} on both sides. Received: "
            f"image_shape={tuple(image_shape)}. Enlarge the images, or pass a smaller `num_layers`."
        )
    normalize = normalization_layers(normalization)

    source = keras.Input(image_shape, name="source")
    target = keras.Input((height, width, target_channels), name="target")
    x = layers.Concatenate(name="pair")([source, target])
    for depth in range(1, num_layers + 2):
        x = _convolution(
            x,
            filters * min(2 ** (depth - 1), WIDEST),
            strides=2 if depth <= num_layers else 1,
            use_bias=depth == 1 or normalization is None,
            name=f"layer{depth}",
        )
        # The first layer is not normalised.
        if normalize and depth > 1:
            x = normalize()(x)
        x = layers.LeakyReLU(LEAKY_SLOPE, name=f"layer{depth}_activation")(x)
    logits = _convolution(x, 1, strides=1, use_bias=True, dtype="float32", name="logits")
    return keras.Model([source, target], logits, name=name)


def receptive_field(network):
    """Side in pixels of the square of input that one output of a chain of convolutions depends on.

    Args:
        network: `keras.Model` whose convolutions and poolings follow one another, such as a PatchGAN.

    Returns:
        An integer: 70 for the paper's discriminator.

    Example:

    ```python
    from keras_pix2pix import patchgan_discriminator, receptive_field

    side = receptive_field(patchgan_discriminator(filters=8))
    ```

    Reference:
        Isola et al., Section 4.4.
    """
    field, jump = 1, 1
    for layer in network.layers:
        kernel_size = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None)
        if kernel_size:
            field += (kernel_size[0] - 1) * jump
            jump *= layer.strides[0]
    return field


def _convolution(x, filters, *, strides, use_bias, name, dtype=None):
    # Keras' "same" would pad the stride 1 convolutions unevenly, and odd sizes differently.
    x = layers.ZeroPadding2D(1, name=f"{name}_padding")(x)
    return layers.Conv2D(
        filters,
        KERNEL_SIZE,
        strides=strides,
        use_bias=use_bias,
        kernel_initializer=initial_weights(),
        dtype=dtype,
        name=name,
    )(x)
