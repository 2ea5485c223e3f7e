"""The paper's discriminator, its published relatives, and how much of the picture one logit sees."""

from collections.abc import Callable

import keras
from keras import layers

from keras_pix2pix.networks.arguments import checked_sides
from keras_pix2pix.networks.blocks import KERNEL_SIZE, LEAKY_SLOPE, halved, initial_weights
from keras_pix2pix.networks.normalization import NORM_EPSILON, normalization_layers
from keras_pix2pix.networks.spectral import SpectralConv2D

__all__ = ["patchgan_discriminator", "pytorch_gan_discriminator", "receptive_field"]

_WIDEST = 8  # Widths double from `filters` up to 8 * filters.
_PIXEL_LAYERS = 0  # The number of layers that stands for the 1x1 PixelGAN.
_PYTORCH_GAN_SMALLEST = 16  # Four halvings leave one pixel.


def patchgan_discriminator(
    image_shape: tuple[int | None, int | None, int] = (256, 256, 3),
    target_channels: int = 3,
    *,
    filters: int = 64,
    num_layers: int = 3,
    num_scales: int = 1,
    padding: int = 1,
    normalization: str | Callable[[], keras.layers.Layer] | None = "instance",
    norm_epsilon: float = NORM_EPSILON,
    use_bias: bool | None = None,
    first_use_bias: bool = True,
    leaky_slope: float = LEAKY_SLOPE,
    conditional: bool = True,
    spectral_norm: bool = False,
    name: str = "patchgan_discriminator",
) -> keras.Model:
    """The paper's PatchGAN: it judges every patch of a (source, target) pair, 70x70 pixels by default.

    With `num_layers=3` it is C64-C128-C256 with stride 2, then C512 and a one-channel convolution with stride 1.
    Every convolution is padded with one row of zeros on every side, as in the authors' code. The innermost features
    have names that end in "_activation", which is where feature matching finds them.

    Args:
        image_shape: (height, width, channels) of the source; height and width may be None.
            Defaults to (256, 256, 3).
        target_channels: Channels of the target. Defaults to 3.
        filters: Channels of the first convolution; they double up to 8 times as many. Defaults to 64.
        num_layers: Convolutions with stride 2, 0 to 6; patches of 1, 16, 34, 70, 142, 286, 574 pixels. 0 is the
            PixelGAN, of three 1x1 convolutions. Defaults to 3.
        num_scales: Discriminators of the same kind, on the pair and on the pair halved once, twice and so on, each
            with weights of its own (pix2pixHD has 3). Defaults to 1.
        padding: Rows of zeros on each side of what a 4x4 convolution sees, 1 or 2 (pix2pixHD). Defaults to 1.
        normalization: "instance", "instance_no_affine" (without gamma and beta), "batch", None, or a function
            without arguments that returns a new layer. Defaults to "instance": the paper's batch norm at batch 1.
        norm_epsilon: Added to the variance by the named normalisations. Defaults to 1e-5.
        use_bias: Whether the convolutions in the middle have biases. Defaults to None: only where `normalization`
            is None.
        first_use_bias: Whether the first convolution has a bias. Defaults to True.
        leaky_slope: Slope of the leaky ReLU below 0. Defaults to 0.2.
        conditional: Whether it sees the source too; without, it is the unconditional GAN of the paper's Table 1,
            with the target as its only input. Defaults to True.
        spectral_norm: Whether each kernel is divided by its largest singular value. Defaults to False.
        name: Name of the model. Defaults to "patchgan_discriminator".

    Returns:
        A functional `keras.Model`: [source, target], or target alone, images in [-1, 1], to logits
        `(batch, rows, columns, 1)`, 30x30 at 256x256; no sigmoid. With several scales, a list of logits, the finest
        first. All layers are stock ones, except for spectral norm.

    Raises:
        ValueError: `num_layers`, `num_scales` or `padding` out of range, or images too small for them.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix import patchgan_discriminator

    discriminator = patchgan_discriminator((64, 64, 3), filters=8)
    logits = discriminator([np.zeros((1, 64, 64, 3)), np.zeros((1, 64, 64, 3))])
    ```

    Reference:
        Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", Sections 3.2.2, 4.1, 4.4
        and 6.1.2; Wang et al., "High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs",
        Section 3.2; Miyato et al., "Spectral Normalization for Generative Adversarial Networks".
    """
    _check(image_shape, num_layers, num_scales, padding)
    normalize = normalization_layers(normalization, norm_epsilon)
    options = {
        "filters": filters,
        "num_layers": num_layers,
        "margins": padding,
        "normalize": normalize,
        "use_bias": normalization is None if use_bias is None else use_bias,
        "first_use_bias": first_use_bias,
        "leaky_slope": leaky_slope,
        "layer_class": SpectralConv2D if spectral_norm else layers.Conv2D,
    }
    target = keras.Input((*image_shape[:2], target_channels), name="target")
    if conditional:
        source = keras.Input(image_shape, name="source")
        inputs, x = [source, target], layers.Concatenate(name="pair")([source, target])
    else:
        inputs, x = target, target
    if num_scales == 1:
        return keras.Model(inputs, _patchgan(x, **options, prefix=""), name=name)
    logits = []
    for scale in range(1, num_scales + 1):
        logits.append(_patchgan(x, **options, prefix=f"scale{scale}_"))
        x = halved(x) if scale < num_scales else x
    return keras.Model(inputs, logits, name=name)


def pytorch_gan_discriminator(
    image_shape: tuple[int | None, int | None, int] = (256, 256, 3),
    target_channels: int = 3,
    *,
    filters: int = 64,
    normalization: str | Callable[[], keras.layers.Layer] | None = "instance_no_affine",
    norm_epsilon: float = NORM_EPSILON,
    name: str = "pytorch_gan_discriminator",
) -> keras.Model:
    """PyTorch-GAN's PatchGAN, of 94x94 pixels: four convolutions with stride 2, then one to the logits.

    It differs from the paper's by a fourth stride in place of C512 with stride 1, by biases, by a last convolution
    without one, and by the order of its input: the target's channels come first.

    Args:
        image_shape: (height, width, channels) of the source; height and width may be None.
            Defaults to (256, 256, 3).
        target_channels: Channels of the target. Defaults to 3.
        filters: Channels of the first convolution; they double up to 8 times as many. Defaults to 64.
        normalization: As in `patchgan_discriminator`. Defaults to "instance_no_affine".
        norm_epsilon: Added to the variance. Defaults to 1e-5.
        name: Name of the model. Defaults to "pytorch_gan_discriminator".

    Returns:
        A functional `keras.Model` of stock layers: [source, target], images in [-1, 1], to logits
        `(batch, rows, columns, 1)`, 16x16 at 256x256.

    Raises:
        ValueError: An unknown `normalization`, or images of fewer than 16 pixels a side.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix import pytorch_gan_discriminator

    discriminator = pytorch_gan_discriminator((64, 64, 3), filters=8)
    logits = discriminator([np.zeros((1, 64, 64, 3)), np.zeros((1, 64, 64, 3))])
    ```

    Reference:
        Linder-Norén, "PyTorch-GAN: PyTorch implementations of Generative Adversarial Networks".
    """
    height, width = checked_sides(image_shape)
    if height is not None and min(height, width) < _PYTORCH_GAN_SMALLEST:
        raise ValueError(
            f"`image_shape` must be at least {_PYTORCH_GAN_SMALLEST} on both sides. "
            f"Received: image_shape={tuple(image_shape)}. Enlarge the images."
        )
    normalize = normalization_layers(normalization, norm_epsilon)
    source = keras.Input(image_shape, name="source")
    target = keras.Input((*image_shape[:2], target_channels), name="target")
    x = layers.Concatenate(name="pair")([target, source])
    for depth in range(1, 5):
        x = _convolution(x, filters * 2 ** (depth - 1), strides=2, use_bias=True, name=f"layer{depth}")
        if normalize and depth > 1:
            x = normalize(f"layer{depth}_normalization")(x)
        x = layers.LeakyReLU(LEAKY_SLOPE, name=f"layer{depth}_activation")(x)
    margins = ((2, 1), (2, 1))
    logits = _convolution(x, 1, strides=1, margins=margins, use_bias=False, dtype=keras.config.floatx(), name="logits")
    return keras.Model([source, target], logits, name=name)


def receptive_field(network: keras.Model) -> int:
    """Side in pixels of the square of input that one output of a chain of convolutions depends on.

    Args:
        network: `keras.Model` whose convolutions and poolings follow one another, such as a PatchGAN. With several
            outputs, the last one counts: that of the coarsest scale.

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
    for layer in keras.Model(network.inputs, network.outputs[-1]).layers:
        kernel_size = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None)
        if kernel_size:
            field += (kernel_size[0] - 1) * jump
            jump *= layer.strides[0]
    return field


def _patchgan(
    x, *, filters, num_layers, margins, normalize, use_bias, first_use_bias, leaky_slope, layer_class, prefix
):
    pixels = num_layers == _PIXEL_LAYERS
    size = {"kernel_size": 1, "margins": 0} if pixels else {"margins": margins}
    hidden = 2 if pixels else num_layers + 1
    for depth in range(1, hidden + 1):
        x = _convolution(
            x,
            filters * min(2 ** (depth - 1), _WIDEST),
            strides=2 if depth <= num_layers else 1,
            use_bias=first_use_bias if depth == 1 else use_bias,
            layer_class=layer_class,
            name=f"{prefix}layer{depth}",
            **size,
        )
        # The first layer is not normalised.
        if normalize and depth > 1:
            x = normalize(f"{prefix}layer{depth}_normalization")(x)
        x = layers.LeakyReLU(leaky_slope, name=f"{prefix}layer{depth}_activation")(x)
    # In the authors' code the last convolution of a PixelGAN with batch norm has no bias; that of a PatchGAN has one.
    last = {"use_bias": use_bias if pixels else True, "dtype": keras.config.floatx(), "name": f"{prefix}logits"}
    return _convolution(x, 1, strides=1, layer_class=layer_class, **last, **size)


def _convolution(
    x, filters, *, strides, use_bias, name, kernel_size=KERNEL_SIZE, margins=1, layer_class=layers.Conv2D, dtype=None
):
    # Keras' "same" would pad the stride 1 convolutions unevenly, and odd sizes differently.
    if margins:
        x = layers.ZeroPadding2D(margins, name=f"{name}_padding")(x)
    return layer_class(
        filters,
        kernel_size,
        strides=strides,
        use_bias=use_bias,
        kernel_initializer=initial_weights(),
        dtype=dtype,
        name=name if name.endswith("logits") else f"{name}_convolution",
    )(x)


def _check(image_shape, num_layers, num_scales, padding):
    if num_layers not in range(7):
        raise ValueError(f"`num_layers` must be an integer from 0 to 6. Received: num_layers={num_layers!r}.")
    if not isinstance(num_scales, int) or num_scales < 1:
        raise ValueError(f"`num_scales` must be an integer of 1 or more. Received: num_scales={num_scales!r}.")
    if padding not in (1, 2):
        raise ValueError(f"`padding` must be 1 or 2. Received: padding={padding!r}.")
    height, width = checked_sides(image_shape)
    # With one row of padding, the two convolutions with stride 1 each lose a row, and one must be left.
    smallest = (3 * 2**num_layers if num_layers and padding == 1 else 1) * 2 ** (num_scales - 1)
    if height is not None and min(height, width) < smallest:
        raise ValueError(
            f"With num_layers={num_layers} and num_scales={num_scales}, `image_shape` must be at least {smallest} on "
            f"both sides. Received: image_shape={tuple(image_shape)}. Enlarge the images, or pass a smaller "
            "`num_layers` or `num_scales`."
        )
