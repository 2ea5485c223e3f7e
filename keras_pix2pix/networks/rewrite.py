"""Equal, leaner clones of a trained generator: what leaves for `translate` and the exports.

A network that trains is made of stock layers. Some of them are slow or unwelcome on a phone; a clone has them
replaced, one layer for one layer, by others that compute the same function from the same weights.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

KERNEL_SIZE = (4, 4)
STRIDES = (2, 2)
LARGEST_MULTIPLE = 1024


def lean_clone(generator, image_size=(None, None)):
    """A copy of a functional network in layers that run faster and convert better, equal in its results.

    A 4x4 transposed convolution with stride 2 becomes a 2x2 convolution to four times the channels, followed by
    depth-to-space; instance normalisation and upsampling are written in operators of 4 dimensions. All other
    layers stay.

    Args:
        generator: Functional `keras.Model` with one input, `(batch, height, width, channels)`.
        image_size: (height, width) of the copy's input; None for any. Defaults to (None, None).

    Returns:
        A functional `keras.Model` with copies of the weights, in float32.

    Example:

    ```python
    from keras_pix2pix import unet_generator
    from keras_pix2pix.networks.rewrite import lean_clone

    lean = lean_clone(unet_generator((64, 64, 3), filters=8), (128, 128))
    ```
    """
    source = keras.Input((*image_size, generator.input_shape[-1]), dtype="float32", name="source")
    clone = keras.models.clone_model(generator, input_tensors=source, clone_function=_lean_layer)
    for original in (layer for layer in generator.layers if layer.weights):
        copy = clone.get_layer(original.name)
        if isinstance(copy, SubpixelConvolution):
            copy.set_weights([subpixel_kernel(original.kernel), *original.get_weights()[1:]])
        else:
            copy.set_weights(original.get_weights())
    return clone


def size_multiple(generator):
    """The number that height and width of a network's input must be multiples of.

    Args:
        generator: Functional `keras.Model` whose result is as large as its input, of any size (`lean_clone`).

    Returns:
        A power of two: 256 for the paper's U-Net.

    Raises:
        ValueError: The network gives another size back at every power of two up to 1024.

    Example:

    ```python
    from keras_pix2pix import unet_generator
    from keras_pix2pix.networks.rewrite import size_multiple

    multiple = size_multiple(unet_generator((None, None, 3), filters=8, num_downsamples=4))
    ```
    """
    generate = tf.function(lambda source: generator(source, training=False))
    multiple = 1
    while multiple <= LARGEST_MULTIPLE:
        # Three times the multiple: a network that needs more halves an odd number on the way, and its skips don't
        # fit. Tracing tells, and computes nothing.
        size = (1, 3 * multiple, 3 * multiple)
        try:
            traced = generate.get_concrete_function(tf.TensorSpec((*size, generator.input_shape[-1])))
            if traced.output_shapes[:3] == size:
                return multiple
        except ValueError:
            pass
        multiple *= 2
    raise ValueError(
        "To take pictures of any size, a generator must return images as large as its source images. "
        f"Received: {generator.name!r}, which doesn't for any multiple of a power of two up to {LARGEST_MULTIPLE}. "
        "If it does at one size, export a TFLite file of that size."
    )


def subpixel_kernel(kernel):
    """The kernel of the convolution that `SubpixelConvolution` runs instead of a transposed one.

    Args:
        kernel: Array of shape `(4, 4, filters, channels)`, as `keras.layers.Conv2DTranspose` has it.

    Returns:
        Array of shape `(2, 2, channels, 4 * filters)`.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix.networks.rewrite import subpixel_kernel

    kernel = subpixel_kernel(np.ones((4, 4, 3, 64)))
    ```
    """
    kernel = np.asarray(kernel)
    _, _, filters, channels = kernel.shape
    # Tap (2 (1 - u) + r, 2 (1 - v) + c) reaches output phase (r, c) from window position (u, v).
    kernel = kernel.reshape(2, 2, 2, 2, filters, channels)[::-1, :, ::-1]
    return kernel.transpose(0, 2, 5, 1, 3, 4).reshape(2, 2, channels, 4 * filters)


class SubpixelConvolution(layers.Layer):
    """A 4x4 transposed convolution with stride 2 and padding "same", as convolution and depth-to-space.

    The transposed convolution is the slow operator of a U-Net on LiteRT; these two are not.

    Args:
        filters: Channels of the result.
        use_bias: Whether a bias is added. Defaults to True.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix.networks.rewrite import SubpixelConvolution

    double = SubpixelConvolution(3)(np.ones((1, 8, 8, 16), "float32"))
    ```
    """

    def __init__(self, filters, use_bias=True, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.use_bias = use_bias

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(2, 2, input_shape[-1], 4 * self.filters), name="kernel")
        if self.use_bias:
            self.bias = self.add_weight(shape=(self.filters,), name="bias")

    def call(self, x):
        x = tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]])
        x = tf.nn.depth_to_space(tf.nn.conv2d(x, self.kernel, strides=1, padding="VALID"), 2)
        x = x[:, 1:-1, 1:-1]
        return x + self.bias if self.use_bias else x

    def compute_output_shape(self, input_shape):
        batch, height, width, _ = input_shape
        return batch, height and 2 * height, width and 2 * width, self.filters


class InstanceNormalization(layers.Layer):
    """Instance normalisation in operators of at most 4 dimensions, which GPU delegates ask for.

    Args:
        epsilon: Number added to the variance.
        center: Whether beta is added. Defaults to True.
        scale: Whether the result is multiplied by gamma. Defaults to True.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix.networks.rewrite import InstanceNormalization

    normalized = InstanceNormalization(1e-5)(np.ones((1, 8, 8, 3), "float32"))
    ```
    """

    def __init__(self, epsilon, center=True, scale=True, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon
        self.center = center
        self.scale = scale

    def build(self, input_shape):
        if self.scale:
            self.gamma = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="gamma")
        if self.center:
            self.beta = self.add_weight(shape=(input_shape[-1],), initializer="zeros", name="beta")

    def call(self, x):
        mean, variance = self._moments(x)
        x = (x - mean) * ops.rsqrt(variance + self.epsilon)
        x = x * self.gamma if self.scale else x
        return x + self.beta if self.center else x

    def _moments(self, x):
        return ops.moments(x, axes=(1, 2), keepdims=True)


class Resize(layers.Layer):
    """`keras.layers.UpSampling2D` in one operator of 4 dimensions, at any height and width.

    Keras' own becomes a tensor of 5 dimensions for "nearest", and asks for a fixed size for the others.

    Args:
        size: Factors of height and width, two integers.
        interpolation: "nearest", "bilinear" or another method of `tf.image.resize`.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix.networks.rewrite import Resize

    double = Resize((2, 2), "bilinear")(np.ones((1, 8, 8, 3), "float32"))
    ```
    """

    def __init__(self, size, interpolation, **kwargs):
        super().__init__(**kwargs)
        self.size = size
        self.interpolation = interpolation

    def call(self, x):
        return tf.image.resize(x, self._resized(x.shape, tf.shape(x)), self.interpolation)

    def compute_output_shape(self, input_shape):
        return input_shape[0], *self._resized(input_shape, (None,) * 4), input_shape[3]

    def _resized(self, static, dynamic):
        sides = [dynamic[axis] if static[axis] is None else static[axis] for axis in (1, 2)]
        return [None if side is None else side * factor for side, factor in zip(sides, self.size, strict=True)]


def _lean_layer(layer):
    if isinstance(layer, layers.Conv2DTranspose) and _is_subpixel(layer):
        return SubpixelConvolution(layer.filters, layer.use_bias, name=layer.name, dtype="float32")
    if isinstance(layer, layers.GroupNormalization) and _is_instance_normalization(layer):
        return InstanceNormalization(layer.epsilon, layer.center, layer.scale, name=layer.name, dtype="float32")
    if isinstance(layer, layers.UpSampling2D) and layer.data_format == "channels_last":
        return Resize(layer.size, layer.interpolation, name=layer.name, dtype="float32")
    if isinstance(layer, layers.Layer):
        config = layer.get_config()
        config["dtype"] = "float32"
        return layer.__class__.from_config(config)
    return layer


def _is_subpixel(layer):
    return (
        layer.kernel_size == KERNEL_SIZE
        and layer.strides == STRIDES
        and layer.padding == "same"
        and layer.dilation_rate == (1, 1)
        and layer.data_format == "channels_last"
        and layer.output_padding is None
        and layer.activation is keras.activations.linear
    )


def _is_instance_normalization(layer):
    # Keras replaces groups=-1 by the number of channels when it builds the layer.
    return layer.axis == -1 and layer.groups == layer.input_spec.axes[-1]
