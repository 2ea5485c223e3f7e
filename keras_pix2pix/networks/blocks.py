"""What the paper's networks are built of; its constants, each named once."""

import keras
from keras import layers

KERNEL_SIZE = 4  # Section 6.1: all convolutions are 4x4.
LEAKY_SLOPE = 0.2  # Section 6.1; Keras' default is 0.3.
WEIGHT_STDDEV = 0.02  # Section 6.2: weights are drawn from N(0, 0.02).
NORM_EPSILON = 1e-5  # The authors' code; Keras' default is 1e-3.
BATCH_NORM_MOMENTUM = 0.9  # The authors' code, counted Keras' way.


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


def instance_normalization():
    """Affine instance normalisation: what the paper's batch norm on batch statistics is at batch 1.

    Unlike batch norm it does the same in training, in `predict` and in an exported file, at any batch size.

    Returns:
        A layer: each channel of each image gets mean 0 and variance 1, then gamma, from N(1, 0.02), and beta.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix.networks.blocks import instance_normalization

    normalized = instance_normalization()(np.ones((1, 8, 8, 3), "float32"))
    ```

    Reference:
        Ulyanov et al., "Instance Normalization: The Missing Ingredient for Fast Stylization".
    """
    return layers.GroupNormalization(
        groups=-1, epsilon=NORM_EPSILON, gamma_initializer=keras.initializers.RandomNormal(1.0, WEIGHT_STDDEV)
    )


def batch_normalization():
    """Batch normalisation over all replicas: batch statistics in training, moving averages otherwise.

    Returns:
        A layer with gamma from N(1, 0.02) and beta.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix.networks.blocks import batch_normalization

    normalized = batch_normalization()(np.ones((4, 8, 8, 3), "float32"), training=True)
    ```

    Reference:
        Isola et al., Section 6.1.
    """
    return layers.BatchNormalization(
        epsilon=NORM_EPSILON,
        momentum=BATCH_NORM_MOMENTUM,
        gamma_initializer=keras.initializers.RandomNormal(1.0, WEIGHT_STDDEV),
        synchronized=True,
    )


NORMALIZATIONS = {"instance": instance_normalization, "batch": batch_normalization, None: None}


def normalization_layers(normalization):
    """The function that makes a network's normalisation layers.

    Args:
        normalization: "instance", "batch", None, or a function without arguments that returns a new layer.

    Returns:
        A function that returns a new layer, or None for no normalisation.

    Raises:
        ValueError: Anything else.

    Example:

    ```python
    from keras_pix2pix.networks.blocks import normalization_layers

    layer = normalization_layers("instance")()
    ```
    """
    if callable(normalization):
        return normalization
    if normalization not in NORMALIZATIONS:
        raise ValueError(
            '`normalization` must be "instance", "batch", None, or a function that returns a layer. '
            f"Received: normalization={normalization!r}."
        )
    return NORMALIZATIONS[normalization]


def downsample(x, filters, normalization=None, *, activate=True, use_bias=False, name):
    """Leaky ReLU, 4x4 convolution with stride 2, normalisation: one encoder block.

    Args:
        x: Keras tensor, `(batch, height, width, channels)`, both sides even.
        filters: Channels of the result.
        normalization: Function that returns a new layer, or None. Defaults to None.
        activate: Whether the block starts with the activation. Defaults to True.
        use_bias: Whether the convolution has a bias. Defaults to False.
        name: Prefix of the layers' names.

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
    if activate:
        x = layers.LeakyReLU(LEAKY_SLOPE, name=f"{name}_activation")(x)
    # At even sizes "same" is the authors' padding of 1 on every side.
    x = layers.Conv2D(
        filters,
        KERNEL_SIZE,
        strides=2,
        padding="same",
        use_bias=use_bias,
        kernel_initializer=initial_weights(),
        name=f"{name}_convolution",
    )(x)
    return normalization()(x) if normalization else x


def upsample(x, filters, normalization=None, *, use_bias=False, dtype=None, name):
    """ReLU, 4x4 transposed convolution with stride 2, normalisation: one decoder block.

    Args:
        x: Keras tensor, `(batch, height, width, channels)`.
        filters: Channels of the result.
        normalization: Function that returns a new layer, or None. Defaults to None.
        use_bias: Whether the convolution has a bias. Defaults to False.
        dtype: Data type or policy of the convolution. Defaults to None, the global policy.
        name: Prefix of the layers' names.

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
    x = layers.ReLU(name=f"{name}_activation")(x)
    x = layers.Conv2DTranspose(
        filters,
        KERNEL_SIZE,
        strides=2,
        padding="same",
        use_bias=use_bias,
        kernel_initializer=initial_weights(),
        dtype=dtype,
        name=f"{name}_convolution",
    )(x)
    return normalization()(x) if normalization else x
