"""The paper's generator."""

import keras
from keras import layers

from keras_pix2pix.networks.blocks import downsample, normalization_layers, upsample

MOST_DOWNSAMPLES = 8  # Section 6.1.1: eight blocks take 256x256 to 1x1.
FEWEST_DOWNSAMPLES = 3
WIDEST = 8  # Widths double from `filters` up to 8 * filters: 64-128-256-512-512-512-512-512.
DROPOUT_BLOCKS = 3  # Section 6.1.1: the decoder starts CD512-CD512-CD512.


def unet_generator(
    image_shape=(256, 256, 3),
    target_channels=3,
    *,
    filters=64,
    num_downsamples=None,
    normalization="instance",
    dropout=0.5,
    name="unet_generator",
):
    """The paper's U-Net: an encoder, a decoder, and a skip from each encoder block to its mirror image.

    At 256x256 it is C64-C128-C256-C512-C512-C512-C512-C512, then CD512-CD512-CD512-C512-C256-C128-C64 and tanh.
    The default normalisation is the affine instance norm because the paper trains at batch 1 on batch statistics,
    where batch norm *is* that; it makes `predict` and every exported file agree with training.

    Args:
        image_shape: (height, width, channels) of the source. Height and width are divisible by
            2**num_downsamples, or both None for a network of any such size. Defaults to (256, 256, 3).
        target_channels: Channels of the generated image. Defaults to 3.
        filters: Channels of the first block; they double up to 8 times as many. Defaults to 64.
        num_downsamples: Blocks that halve the size, at least 3. Defaults to the largest number up to 8 that both
            sides allow; 8 when they are None.
        normalization: "instance", "batch" (batch statistics in training, moving averages otherwise), None (all
            convolutions then have biases), or a function without arguments that returns a new layer.
            Defaults to "instance".
        dropout: Rate of dropout in the first three decoder blocks, 0 to 1 exclusive. Defaults to 0.5.
        name: Name of the model. Defaults to "unet_generator".

    Returns:
        A functional `keras.Model` of stock layers: images `(batch, height, width, channels)` in [-1, 1] to
        `(batch, height, width, target_channels)` in [-1, 1].

    Raises:
        ValueError: A size that can't be halved so often, or an argument out of range.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix import unet_generator

    generator = unet_generator((64, 128, 3), filters=8)
    generated = generator.predict(np.zeros((1, 64, 128, 3)))
    ```

    Reference:
        Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", Sections 3.2.1 and 6.1.1.
    """
    num_downsamples = _num_downsamples(image_shape, num_downsamples)
    if not 0 <= dropout < 1:
        raise ValueError(f"`dropout` must be at least 0 and less than 1. Received: dropout={dropout}.")
    normalize = normalization_layers(normalization)
    biased = {"use_bias": normalization is None}
    widths = [filters * min(2**block, WIDEST) for block in range(num_downsamples)]

    source = keras.Input(image_shape, name="source")
    x, skips = source, []
    for depth, width in enumerate(widths, start=1):
        # Neither the first block nor the innermost, which ends at 1x1, is normalised.
        inner = 1 < depth < num_downsamples
        x = downsample(x, width, normalize if inner else None, activate=depth > 1, name=f"down{depth}", **biased)
        skips.append(x)
    for block, (width, skip) in enumerate(zip(widths[-2::-1], skips[-2::-1], strict=True), start=1):
        x = upsample(x, width, normalize, name=f"up{block}", **biased)
        if dropout and block <= DROPOUT_BLOCKS:
            x = layers.Dropout(dropout, name=f"up{block}_dropout")(x)
        x = layers.Concatenate(name=f"up{block}_skip")([skip, x])
    # float32 whatever the policy: the picture itself has no precision to spare.
    x = upsample(x, target_channels, use_bias=True, dtype="float32", name=f"up{num_downsamples}")
    generated = layers.Activation("tanh", dtype="float32", name="generated")(x)
    return keras.Model(source, generated, name=name)


def _num_downsamples(image_shape, wanted):
    height, width = _sides(image_shape)
    possible = MOST_DOWNSAMPLES
    if height is not None:
        while possible and (height % 2**possible or width % 2**possible):
            possible -= 1
        if wanted is None and possible < FEWEST_DOWNSAMPLES:
            raise ValueError(
                f"`image_shape` must be divisible by 2**{FEWEST_DOWNSAMPLES} = 8 on both sides. "
                f"Received: image_shape={tuple(image_shape)}. Resize the images."
            )
    if wanted is None:
        return possible
    if not isinstance(wanted, int) or wanted < FEWEST_DOWNSAMPLES:
        raise ValueError(
            f"`num_downsamples` must be an integer of {FEWEST_DOWNSAMPLES} or more. "
            f"Received: num_downsamples={wanted!r}."
        )
    if height is not None and (height % 2**wanted or width % 2**wanted):
        raise ValueError(
            f"`image_shape` must be divisible by 2**num_downsamples = {2**wanted} on both sides. Received: "
            f"image_shape={tuple(image_shape)}. Resize the images, or pass a smaller `num_downsamples`."
        )
    return wanted


def _sides(image_shape):
    if len(image_shape) != 3 or (image_shape[0] is None) != (image_shape[1] is None) or not image_shape[2]:
        raise ValueError(
            "`image_shape` must be (height, width, channels), height and width both given or both None. "
            f"Received: image_shape={tuple(image_shape)}."
        )
    return image_shape[0], image_shape[1]
