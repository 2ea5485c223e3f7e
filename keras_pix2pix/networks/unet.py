"""The U-Net of the paper, and the variants of the other published systems."""

import math
from collections.abc import Callable, Collection
from typing import Any

import keras
from keras import layers

from keras_pix2pix.networks.arguments import check_dropout, checked_sides
from keras_pix2pix.networks.blocks import KERNEL_SIZE, LEAKY_SLOPE, UPSAMPLINGS, CroppedLike, downsample, upsample
from keras_pix2pix.networks.normalization import NORM_EPSILON, normalization_layers

__all__ = ["unet_generator"]

_MOST_DOWNSAMPLES = 8  # Section 6.1.1: eight blocks take 256x256 to 1x1.
_FEWEST_DOWNSAMPLES = 3
_WIDEST = 8  # Widths double from `filters` up to 8 * filters: 64-128-256-512-512-512-512-512.
# Where the activations are in a block: a skip leaves the encoder before or after its leaky ReLU.
_SKIP_ACTIVATIONS = {"relu": "before", "leaky_relu": "after"}
_SEPARABLE_KERNELS = (3, KERNEL_SIZE)  # With 3, LiteRT takes about a quarter less time: benchmarks/mobile.py.


def unet_generator(
    image_shape: tuple[int | None, int | None, int] = (256, 256, 3),
    target_channels: int = 3,
    *,
    filters: int = 64,
    num_downsamples: int | None = None,
    normalization: str | Callable[[], keras.layers.Layer] | None = "instance",
    norm_epsilon: float = NORM_EPSILON,
    normalize_innermost: bool = False,
    use_bias: bool | None = None,
    leaky_slope: float = LEAKY_SLOPE,
    skips: bool = True,
    skip_activation: str = "relu",
    upsampling: str = "transpose",
    last_upsampling: str | None = None,
    separable: bool = False,
    separable_kernel_size: int = KERNEL_SIZE,
    dropout: float = 0.5,
    dropout_blocks: Collection[int] = (1, 2, 3),  # Section 6.1.1: the decoder starts CD512-CD512-CD512.
    encoder_dropout_blocks: Collection[int] = (),
    name: str = "unet_generator",
) -> keras.Model:
    """The paper's U-Net: an encoder, a decoder, and a skip from each encoder block to its mirror image.

    At 256x256 it is C64-C128-C256-C512-C512-C512-C512-C512, then CD512-CD512-CD512-C512-C256-C128-C64 and tanh.
    The default normalisation is the affine instance norm because the paper trains at batch 1 on batch statistics,
    where batch norm *is* that; it makes `predict` and every exported file agree with training.

    The defaults are the paper's; most of the other arguments tell the published systems apart (see the presets).

    Args:
        image_shape: (height, width, channels) of the source. Any height and width of 8 or more; an odd size on the
            way down is rounded up, and its mirror image in the decoder cropped. Both None make a network for all sizes
            that are multiples of 2**num_downsamples. Defaults to (256, 256, 3).
        target_channels: Channels of the generated image. Defaults to 3.
        filters: Channels of the first block; they double up to 8 times as many. Defaults to 64.
        num_downsamples: Blocks that halve the size. Defaults to None: as many as the shorter side allows, at most
            the paper's 8.
        normalization: "instance", "instance_no_affine" (without gamma and beta), "batch" (batch statistics in
            training, moving averages otherwise), None, or a function without arguments that returns a new layer.
            Defaults to "instance".
        norm_epsilon: Added to the variance by the named normalisations. Defaults to 1e-5.
        normalize_innermost: Whether the innermost encoder block is normalised. Defaults to False.
        use_bias: Whether all convolutions have biases; the last one always has. Defaults to None: only where
            `normalization` is None.
        leaky_slope: Slope of the encoder's leaky ReLU below 0. Defaults to 0.2.
        skips: Whether encoder blocks are concatenated to the decoder's; without, it is the paper's
            encoder-decoder (Table 2). Defaults to True.
        skip_activation: "relu": skips leave the encoder before its activation, and the whole concatenation goes through
            a ReLU; "leaky_relu": they leave it after leaky ReLU and dropout, and stay as they are.
            Defaults to "relu".
        upsampling: How decoder blocks double the size: "transpose", "nearest", "bilinear" or "depth_to_space".
            Defaults to "transpose".
        last_upsampling: The same for the last block. Defaults to None: as the others.
        separable: Whether all convolutions but the first and the last are depthwise-separable; not for
            `upsampling="transpose"`. Defaults to False.
        separable_kernel_size: Side in pixels of their kernels, 3 or 4; those of "depth_to_space" have 3 anyway. With 3
            the exported network is faster. Defaults to 4, as in the paper.
        dropout: Rate of dropout, 0 to 1 exclusive. Defaults to 0.5.
        dropout_blocks: Decoder blocks with dropout, counted from 1. Defaults to (1, 2, 3).
        encoder_dropout_blocks: Encoder blocks with dropout, counted from 1. Defaults to ().
        name: Name of the model. Defaults to "unet_generator".

    Returns:
        A functional `keras.Model` of stock layers: images `(batch, height, width, channels)` in [-1, 1] to
        `(batch, height, width, target_channels)` in [-1, 1]. With "depth_to_space", or with sides that can't be
        halved evenly, one kind of layer is ours.

    Raises:
        ValueError: A size that is too small for the number of halvings, or an argument out of range.

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
    has_odd_sides = any(side is not None and side % 2**num_downsamples for side in image_shape[:2])
    last_upsampling = upsampling if last_upsampling is None else last_upsampling
    _check(skip_activation, upsampling, last_upsampling)
    _check_dropout(dropout, dropout_blocks=dropout_blocks, encoder_dropout_blocks=encoder_dropout_blocks)
    _check_separable(separable, separable_kernel_size, upsampling)
    normalize = normalization_layers(normalization, norm_epsilon)
    convolutions = {
        "use_bias": normalization is None if use_bias is None else use_bias,
        "separable": separable,
        "kernel_size": separable_kernel_size,
    }
    stem = {**convolutions, "separable": False, "kernel_size": KERNEL_SIZE}
    widths = [filters * min(2**block, _WIDEST) for block in range(num_downsamples)]
    activate = _SKIP_ACTIVATIONS[skip_activation]
    doublings: dict[str, Any] = {**convolutions, "upsampling": upsampling, "activate": activate}

    source = keras.Input(image_shape, name="source")
    x, encoded = source, [source]
    for depth, width in enumerate(widths, start=1):
        first, innermost = depth == 1, depth == num_downsamples
        x = downsample(
            x,
            width,
            None if first or (innermost and not normalize_innermost) else normalize,
            activate=None if first and activate == "before" else activate,
            leaky_slope=leaky_slope,
            dropout=dropout if depth in encoder_dropout_blocks else 0,
            name=f"down{depth}",
            **(stem if first else convolutions),
        )
        encoded.append(x)
    for block, (width, skip) in enumerate(zip(widths[-2::-1], encoded[-2:0:-1], strict=True), start=1):
        rate = dropout if block in dropout_blocks else 0
        x = upsample(x, width, normalize, dropout=rate, name=f"up{block}", **doublings)
        x = CroppedLike(name=f"up{block}_crop")([x, skip]) if has_odd_sides else x
        if skips:
            # The channel order of each author's weights.
            x = layers.Concatenate(name=f"up{block}_skip")([skip, x] if activate == "before" else [x, skip])
    block_name, like = f"up{num_downsamples}", source if has_odd_sides else None
    generated = _picture(x, target_channels, last_upsampling, activate, block_name, like)
    return keras.Model(source, generated, name=name)


def _picture(x, channels, upsampling, activate, name, like):
    """The last block, without norm, and tanh: in full precision even under a mixed policy."""
    dtype = keras.config.floatx()
    activate = "before" if activate == "before" else None
    x = upsample(x, channels, activate=activate, upsampling=upsampling, use_bias=True, dtype=dtype, name=name)
    x = x if like is None else CroppedLike(name=f"{name}_crop")([x, like])
    return layers.Activation("tanh", dtype=dtype, name="generated")(x)


def _check(skip_activation, upsampling, last_upsampling):
    if skip_activation not in _SKIP_ACTIVATIONS:
        raise ValueError(
            f"`skip_activation` must be one of {', '.join(map(repr, _SKIP_ACTIVATIONS))}. "
            f"Received: skip_activation={skip_activation!r}."
        )
    for argument, value in (("upsampling", upsampling), ("last_upsampling", last_upsampling)):
        if not isinstance(value, str) or value not in UPSAMPLINGS:
            raise ValueError(
                f"`{argument}` must be one of {', '.join(map(repr, UPSAMPLINGS))}. Received: {argument}={value!r}."
            )


def _check_dropout(dropout, **blocks):
    check_dropout(dropout)
    for argument, numbers in blocks.items():
        if not isinstance(numbers, (list, tuple, set, range)) or not all(
            isinstance(number, int) and number >= 1 for number in numbers
        ):
            raise ValueError(
                f"`{argument}` must be a list of block numbers, counted from 1. Received: {argument}={numbers!r}."
            )


def _check_separable(separable, kernel_size, upsampling):
    if kernel_size not in _SEPARABLE_KERNELS:
        raise ValueError(f"`separable_kernel_size` must be 3 or 4. Received: separable_kernel_size={kernel_size!r}.")
    if kernel_size != KERNEL_SIZE and not separable:
        raise ValueError(
            "`separable_kernel_size` is for separable convolutions only. "
            f"Received: separable_kernel_size={kernel_size} with separable=False. Pass `separable=True`."
        )
    if separable and upsampling == "transpose":
        raise ValueError(
            '`separable=True` needs an `upsampling` that is a convolution: "nearest", "bilinear" or "depth_to_space". '
            'Received: upsampling="transpose".'
        )


def _num_downsamples(image_shape, wanted):
    height, width = checked_sides(image_shape)
    most = _MOST_DOWNSAMPLES if height is None else int(math.log2(max(1, min(height, width))))
    if wanted is None and most < _FEWEST_DOWNSAMPLES:
        raise ValueError(
            f"`image_shape` must be at least {2**_FEWEST_DOWNSAMPLES} on both sides. "
            f"Received: image_shape={tuple(image_shape)}. Enlarge the images."
        )
    if wanted is None:
        return min(most, _MOST_DOWNSAMPLES)
    if not isinstance(wanted, int) or wanted < 1:
        raise ValueError(f"`num_downsamples` must be an integer of 1 or more. Received: num_downsamples={wanted!r}.")
    if height is not None and wanted > most:
        raise ValueError(
            f"`image_shape` must be at least 2**num_downsamples = {2**wanted} on both sides. Received: "
            f"image_shape={tuple(image_shape)}. Enlarge the images, or pass a smaller `num_downsamples`."
        )
    return wanted
