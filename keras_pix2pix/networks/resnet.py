"""The residual generator of Johnson et al., as the authors of CycleGAN and pix2pix use it."""

from collections.abc import Callable

import keras
from keras import layers, ops

from keras_pix2pix.networks.arguments import check_dropout, checked_sides
from keras_pix2pix.networks.blocks import CroppedLike, convolution, initial_weights
from keras_pix2pix.networks.normalization import NORM_EPSILON, normalization_layers

__all__ = ["resnet_generator"]

_OUTER_KERNEL = 7
_KERNEL = 3
_SMALLEST = 8  # Halved twice, it leaves the 2 pixels that the blocks' reflection needs.


def resnet_generator(
    image_shape: tuple[int | None, int | None, int] = (256, 256, 3),
    target_channels: int = 3,
    *,
    filters: int = 64,
    num_blocks: int = 9,
    normalization: str | Callable[[], keras.layers.Layer] | None = "instance",
    norm_epsilon: float = NORM_EPSILON,
    use_bias: bool | None = None,
    dropout: float = 0.0,
    name: str = "resnet_generator",
) -> keras.Model:
    """The residual generator: two halvings, a row of residual blocks, two doublings, all padded by reflection.

    It has no skip connections, a fifth of the U-Net's parameters, and eight times its multiply-adds at 256x256.

    Args:
        image_shape: (height, width, channels) of the source. Any height and width of 8 or more; both None make a
            network for all sizes that are multiples of 4. Defaults to (256, 256, 3).
        target_channels: Channels of the generated image. Defaults to 3.
        filters: Channels of the first convolution; the blocks have 4 times as many. Defaults to 64.
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
        ValueError: A size under 8, or an argument out of range.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix import resnet_generator

    generator = resnet_generator((64, 128, 3), filters=4, num_blocks=2)
    generated = generator.predict(np.zeros((1, 64, 128, 3)))
    ```

    Reference:
        Johnson et al., "Perceptual Losses for Real-Time Style Transfer and Super-Resolution"; Zhu et al., "Unpaired
        Image-to-Image Translation using Cycle-Consistent Adversarial Networks", Section 7.2.
    """
    _check(image_shape, num_blocks, dropout)
    normalize = normalization_layers(normalization, norm_epsilon)
    use_bias = normalization is None if use_bias is None else use_bias

    def normalized(x, block, activate=True):
        x = normalize(f"{block.replace('convolution', 'normalization')}")(x) if normalize else x
        return layers.ReLU(name=f"{block.replace('convolution', 'activation')}")(x) if activate else x

    source = keras.Input(image_shape, name="source")
    x = _reflecting(source, filters, _OUTER_KERNEL, use_bias=use_bias, name="stem_convolution")
    x = normalized(x, "stem_convolution")
    has_odd_sides = any(side is not None and side % 4 for side in image_shape[:2])
    references = [x]
    for depth in (1, 2):
        # Keras' "same" would pad the other side.
        x = layers.ZeroPadding2D(1, name=f"down{depth}_padding")(x)
        x = convolution(x, filters * 2**depth, _KERNEL, strides=2, use_bias=use_bias, name=f"down{depth}_convolution")
        x = normalized(x, f"down{depth}_convolution")
        references.append(x)
    for block in range(1, num_blocks + 1):
        inner = _reflecting(x, 4 * filters, _KERNEL, use_bias=use_bias, name=f"block{block}_convolution1")
        inner = normalized(inner, f"block{block}_convolution1")
        inner = layers.Dropout(dropout, name=f"block{block}_dropout")(inner) if dropout else inner
        inner = _reflecting(inner, 4 * filters, _KERNEL, use_bias=use_bias, name=f"block{block}_convolution2")
        x = layers.Add(name=f"block{block}")([x, normalized(inner, f"block{block}_convolution2", activate=False)])
    for block in (1, 2):
        x = _doubled(x, filters * 2 ** (2 - block), use_bias, f"up{block}")
        x = CroppedLike(name=f"up{block}_crop_odd")([x, references[2 - block]]) if has_odd_sides else x
        x = normalized(x, f"up{block}_convolution")
    # Full precision even under a mixed policy, for the picture itself.
    dtype = keras.config.floatx()
    x = _reflecting(x, target_channels, _OUTER_KERNEL, use_bias=True, dtype=dtype, name="head_convolution")
    generated = layers.Activation("tanh", dtype=dtype, name="generated")(x)
    return keras.Model(source, generated, name=name)


def _reflecting(x, filters, kernel_size, **arguments):
    margin = kernel_size // 2
    x = ops.pad(x, [(0, 0), (margin, margin), (margin, margin), (0, 0)], mode="reflect")
    return convolution(x, filters, kernel_size, **arguments)


def _doubled(x, filters, use_bias, block):
    """PyTorch's transposed convolution with kernel 3, stride 2, padding 1 and output padding 1."""
    x = layers.Conv2DTranspose(
        filters,
        _KERNEL,
        strides=2,
        padding="valid",
        use_bias=use_bias,
        kernel_initializer=initial_weights(),
        name=f"{block}_convolution",
    )(x)
    return layers.Cropping2D(((1, 0), (1, 0)), name=f"{block}_crop")(x)


def _check(image_shape, num_blocks, dropout):
    height, width = checked_sides(image_shape)
    if height is not None and min(height, width) < _SMALLEST:
        raise ValueError(
            f"`image_shape` must be {_SMALLEST} or more on both sides, for the padding by reflection. "
            f"Received: image_shape={tuple(image_shape)}. Enlarge the images."
        )
    if not isinstance(num_blocks, int) or num_blocks < 1:
        raise ValueError(f"`num_blocks` must be an integer of 1 or more. Received: num_blocks={num_blocks!r}.")
    check_dropout(dropout)
