"""Residual generators: that of Johnson et al., as CycleGAN and pix2pix use it, and the two of pix2pixHD."""

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
from keras import layers, ops

from keras_pix2pix.networks.arguments import check_dropout, checked_sides
from keras_pix2pix.networks.blocks import CroppedLike, convolution, halved, initial_weights
from keras_pix2pix.networks.normalization import NORM_EPSILON, normalization_layers

__all__ = ["enhanced_resnet_generator", "resnet_generator"]

_OUTER_KERNEL = 7
_KERNEL = 3
_MOST_HALVINGS = 6
_SMALLEST_INSIDE = 2  # Pixels a side that the blocks' padding by reflection needs.
_ENHANCER = "enhancer_"  # Begins the names of the layers that pix2pixHD adds to the global generator.


def resnet_generator(
    image_shape: tuple[int | None, int | None, int] = (256, 256, 3),
    target_channels: int = 3,
    *,
    filters: int = 64,
    num_downsamples: int = 2,
    num_blocks: int = 9,
    normalization: str | Callable[[], keras.layers.Layer] | None = "instance",
    norm_epsilon: float = NORM_EPSILON,
    use_bias: bool | None = None,
    dropout: float = 0.0,
    name: str = "resnet_generator",
) -> keras.Model:
    """The residual generator: halvings, a row of residual blocks, as many doublings, all padded by reflection.

    It has no skip connections. With two halvings it has a fifth of the U-Net's parameters, and eight times its
    multiply-adds at 256x256; with four, biases and "instance_no_affine" it is pix2pixHD's global generator.

    Args:
        image_shape: (height, width, channels) of the source. Any height and width of `2**(num_downsamples + 1)` or
            more; both None make a network for all sizes that are multiples of `2**num_downsamples`. Defaults to
            (256, 256, 3).
        target_channels: Channels of the generated image. Defaults to 3.
        filters: Channels of the first convolution; each halving doubles them. Defaults to 64.
        num_downsamples: Halvings, 1 to 6; pix2pixHD has 4. Defaults to 2.
        num_blocks: Residual blocks; the authors have 9 at 256x256, 6 at 128x128. Defaults to 9.
        normalization: "instance", "instance_no_affine", "batch", None, or a function without arguments that returns
            a new layer. Defaults to "instance".
        norm_epsilon: Added to the variance by the named normalisations. Defaults to 1e-5.
        use_bias: Whether all convolutions have biases; the last one always has. Defaults to None: only where
            `normalization` is None.
        dropout: Rate of dropout inside the blocks, 0 to 1 exclusive. Defaults to 0.
        name: Name of the model. Defaults to "resnet_generator".

    Returns:
        A functional `keras.Model` of stock layers: images `(batch, height, width, channels)` in [-1, 1] to
        `(batch, height, width, target_channels)` in [-1, 1].

    Raises:
        ValueError: A size that is too small, or an argument out of range.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix import resnet_generator

    generator = resnet_generator((64, 128, 3), filters=4, num_blocks=2)
    generated = generator.predict(np.zeros((1, 64, 128, 3)))
    ```

    Reference:
        Johnson et al., "Perceptual Losses for Real-Time Style Transfer and Super-Resolution"; Zhu et al., "Unpaired
        Image-to-Image Translation using Cycle-Consistent Adversarial Networks", Section 7.2; Wang et al.,
        "High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs", Section 3.2.
    """
    _check(image_shape, num_downsamples, num_blocks, dropout)
    style = _style(normalization, norm_epsilon, use_bias, dropout)
    source = keras.Input(image_shape, name="source")
    x = _global_features(source, filters, num_downsamples, num_blocks, style)
    return keras.Model(source, _picture(x, target_channels), name=name)


def enhanced_resnet_generator(
    image_shape: tuple[int | None, int | None, int] = (512, 1024, 3),
    target_channels: int = 3,
    *,
    filters: int = 32,
    num_downsamples: int = 4,
    num_blocks: int = 9,
    enhancer_blocks: int = 3,
    normalization: str | Callable[[], keras.layers.Layer] | None = "instance_no_affine",
    norm_epsilon: float = NORM_EPSILON,
    use_bias: bool | None = True,
    dropout: float = 0.0,
    name: str = "enhanced_resnet_generator",
) -> keras.Model:
    """pix2pixHD's coarse-to-fine generator: a global one at half the size, and a local enhancer around it.

    The global part is a `resnet_generator` of `2 * filters` without its last convolution, on the source halved by
    means of 3x3 pixels. Its layers have the names that they have there, so that a trained one can be its start.

    Args:
        image_shape: (height, width, channels) of the source; height and width multiples of `2**(num_downsamples + 1)`,
            and twice as large at least, or both None. Defaults to (512, 1024, 3).
        target_channels: Channels of the generated image. Defaults to 3.
        filters: Channels of the enhancer's first convolution; the global generator's has twice as many. Defaults to 32.
        num_downsamples: Halvings in the global generator, 1 to 6. Defaults to 4.
        num_blocks: Residual blocks in the global generator. Defaults to 9.
        enhancer_blocks: Residual blocks in the enhancer. Defaults to 3.
        normalization: As in `resnet_generator`. Defaults to "instance_no_affine".
        norm_epsilon: Added to the variance by the named normalisations. Defaults to 1e-5.
        use_bias: As in `resnet_generator`. Defaults to True.
        dropout: Rate of dropout inside the blocks, 0 to 1 exclusive. Defaults to 0.
        name: Name of the model. Defaults to "enhanced_resnet_generator".

    Returns:
        A functional `keras.Model` of stock layers: images `(batch, height, width, channels)` in [-1, 1] to
        `(batch, height, width, target_channels)` in [-1, 1].

    Raises:
        ValueError: A size that is not such a multiple, or an argument out of range.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix import enhanced_resnet_generator

    generator = enhanced_resnet_generator((64, 128, 3), filters=2, num_downsamples=2, num_blocks=1)
    generated = generator.predict(np.zeros((1, 64, 128, 3)))
    ```

    Reference:
        Wang et al., "High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs", Section 3.1.
    """
    _check(image_shape, num_downsamples, num_blocks, dropout)
    _check_enhanced(image_shape, num_downsamples, enhancer_blocks)
    style = _style(normalization, norm_epsilon, use_bias, dropout)
    source = keras.Input(image_shape, name="source")
    coarse = _global_features(halved(source), 2 * filters, num_downsamples, num_blocks, style)
    x = _reflecting(source, filters, _OUTER_KERNEL, use_bias=style.use_bias, name=f"{_ENHANCER}stem_convolution")
    x = _normalized(x, style, f"{_ENHANCER}stem_convolution")
    x = _halving(x, 2 * filters, style, f"{_ENHANCER}down")
    x = layers.Add(name=f"{_ENHANCER}sum")([x, coarse])
    for block in range(1, enhancer_blocks + 1):
        x = _residual_block(x, 2 * filters, style, f"{_ENHANCER}block{block}")
    x = _normalized(_doubled(x, filters, style, f"{_ENHANCER}up"), style, f"{_ENHANCER}up_convolution")
    return keras.Model(source, _picture(x, target_channels, _ENHANCER), name=name)


class _Style(NamedTuple):
    """What the convolutions have in common; `normalize` takes a layer's name, and is None without a norm."""

    normalize: Callable | None
    use_bias: bool
    dropout: float


def _style(normalization, norm_epsilon, use_bias, dropout):
    use_bias = normalization is None if use_bias is None else use_bias
    return _Style(normalization_layers(normalization, norm_epsilon), use_bias, dropout)


def _global_features(source, filters, num_downsamples, num_blocks, style):
    """All of the residual generator but its last convolution: `(batch, height, width, filters)`."""
    x = _reflecting(source, filters, _OUTER_KERNEL, use_bias=style.use_bias, name="stem_convolution")
    x = _normalized(x, style, "stem_convolution")
    has_odd_sides = any(side is not None and side % 2**num_downsamples for side in source.shape[1:3])
    references = [x]
    for depth in range(1, num_downsamples + 1):
        x = _halving(x, filters * 2**depth, style, f"down{depth}")
        references.append(x)
    for block in range(1, num_blocks + 1):
        x = _residual_block(x, filters * 2**num_downsamples, style, f"block{block}")
    for block in range(1, num_downsamples + 1):
        depth = num_downsamples - block
        x = _doubled(x, filters * 2**depth, style, f"up{block}")
        x = CroppedLike(name=f"up{block}_crop_odd")([x, references[depth]]) if has_odd_sides else x
        x = _normalized(x, style, f"up{block}_convolution")
    return x


def _picture(x, channels, prefix=""):
    # Full precision even under a mixed policy, for the picture itself.
    dtype = keras.config.floatx()
    x = _reflecting(x, channels, _OUTER_KERNEL, use_bias=True, dtype=dtype, name=f"{prefix}head_convolution")
    return layers.Activation("tanh", dtype=dtype, name="generated")(x)


def _halving(x, filters, style, block):
    # Keras' "same" would pad the other side.
    x = layers.ZeroPadding2D(1, name=f"{block}_padding")(x)
    x = convolution(x, filters, _KERNEL, strides=2, use_bias=style.use_bias, name=f"{block}_convolution")
    return _normalized(x, style, f"{block}_convolution")


def _residual_block(x, filters, style, block):
    inner = _reflecting(x, filters, _KERNEL, use_bias=style.use_bias, name=f"{block}_convolution1")
    inner = _normalized(inner, style, f"{block}_convolution1")
    inner = layers.Dropout(style.dropout, name=f"{block}_dropout")(inner) if style.dropout else inner
    inner = _reflecting(inner, filters, _KERNEL, use_bias=style.use_bias, name=f"{block}_convolution2")
    return layers.Add(name=block)([x, _normalized(inner, style, f"{block}_convolution2", activate=False)])


def _normalized(x, style, name, activate=True):
    """A convolution's output, normalised and activated; layers are named after the convolution."""
    x = style.normalize(name.replace("convolution", "normalization"))(x) if style.normalize else x
    return layers.ReLU(name=name.replace("convolution", "activation"))(x) if activate else x


def _reflecting(x, filters, kernel_size, **arguments):
    margin = kernel_size // 2
    x = ops.pad(x, [(0, 0), (margin, margin), (margin, margin), (0, 0)], mode="reflect")
    return convolution(x, filters, kernel_size, **arguments)


def _doubled(x, filters, style, block):
    """PyTorch's transposed convolution with kernel 3, stride 2, padding 1 and output padding 1."""
    x = layers.Conv2DTranspose(
        filters,
        _KERNEL,
        strides=2,
        padding="valid",
        use_bias=style.use_bias,
        kernel_initializer=initial_weights(),
        name=f"{block}_convolution",
    )(x)
    return layers.Cropping2D(((1, 0), (1, 0)), name=f"{block}_crop")(x)


def _check(image_shape, num_downsamples, num_blocks, dropout):
    _check_count(1, _MOST_HALVINGS, num_downsamples=num_downsamples)
    height, width = checked_sides(image_shape)
    smallest = _SMALLEST_INSIDE * 2**num_downsamples
    if height is not None and min(height, width) < smallest:
        raise ValueError(
            f"`image_shape` must be {smallest} or more on both sides, for the padding by reflection. "
            f"Received: image_shape={tuple(image_shape)}. Enlarge the images."
        )
    _check_count(1, None, num_blocks=num_blocks)
    check_dropout(dropout)


def _check_enhanced(image_shape, num_downsamples, enhancer_blocks):
    _check_count(1, None, enhancer_blocks=enhancer_blocks)
    multiple = 2 ** (num_downsamples + 1)
    if any(side is not None and (side % multiple or side < 2 * multiple) for side in image_shape[:2]):
        raise ValueError(
            f"`image_shape` must be a multiple of {multiple}, and at least {2 * multiple}, on both sides. "
            f"Received: image_shape={tuple(image_shape)}. Resize the images, or pass a smaller `num_downsamples`."
        )


def _check_count(least: int, most: int | None, **argument: Any):
    ((name, value),) = argument.items()
    if type(value) is not int or value < least or (most is not None and value > most):
        accepted = f"an integer of {least} or more" if most is None else f"an integer from {least} to {most}"
        raise ValueError(f"`{name}` must be {accepted}. Received: {name}={value!r}.")
