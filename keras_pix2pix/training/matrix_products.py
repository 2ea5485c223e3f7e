"""The deep layers of a U-Net as matrix products, for training on a CPU.

On a few pixels with many channels, TensorFlow's convolutions reach only a tenth of a CPU's speed. Multiplying patches
by the kernel, and likewise for the gradients, gives the same numbers up to rounding.

Names: `large` is `(batch, 2 * height, 2 * width, channels)`, `small` `(batch, height, width, filters)`; a convolution
goes from large to small, a transposed one from small to large, and both have kernels `(4, 4, channels, filters)`.
"""

import inspect

import keras
import tensorflow as tf
from keras import layers, ops

from keras_pix2pix.inference.walk import is_functional

__all__ = ["fastest_form"]

_KERNEL, _STRIDE = (4, 4), (2, 2)
_MOST_PIXELS = 64  # Up to this size of small, the product is faster than the convolution.
_MOST_PIXELS_BACKWARD = 256  # The same for the gradients of a transposed convolution.


def fastest_form(network: keras.Model) -> keras.Model:
    """The network, or on a CPU one that shares its variables and computes the same faster."""
    if tf.config.list_logical_devices("GPU") or not is_functional(network):
        return network
    return _FasterOnCpu(network)


class _FasterOnCpu(keras.Model):
    """A network with the same variables, whose deep 4x4 convolutions of stride 2 are matrix products."""

    def __init__(self, network: keras.Model) -> None:
        # The layers cast, each by its own policy.
        super().__init__(name="faster_on_cpu", dtype=keras.config.floatx(), autocast=False)
        self.network = network

    def call(self, inputs, training=None):
        def called(layer, *arguments, **options):
            if training is not None and "training" in inspect.signature(layer.call).parameters:
                options["training"] = training
            return _called(layer, *arguments, **options)

        return self.network._run_through_graph(inputs, call_fn=called)


def _called(layer, *inputs, **options):
    small = _small_shape(layer, *inputs)
    if small is None or small[1] * small[2] > _most_pixels(layer):
        return layer(*inputs, **options)
    product = _transposed_convolution if type(layer) is layers.Conv2DTranspose else _convolution
    x, kernel = (ops.cast(each, layer.compute_dtype) for each in (inputs[0], layer.kernel))
    y = product(x, kernel)
    y = y + ops.cast(layer.bias, y.dtype) if layer.use_bias else y
    return layer.activation(y)


def _most_pixels(layer):
    return _MOST_PIXELS_BACKWARD if type(layer) is layers.Conv2DTranspose else _MOST_PIXELS


def _small_shape(layer, x=None, *others):
    """The shape of the smaller side of a layer that can be a product; None for other layers."""
    if type(layer) not in (layers.Conv2D, layers.Conv2DTranspose) or None in x.shape[1:]:
        return None
    plain = layer.padding == "same" and layer.dilation_rate == (1, 1) and layer.data_format == "channels_last"
    plain = plain and getattr(layer, "groups", 1) == 1 and layer.activity_regularizer is None
    if (layer.kernel_size, layer.strides) != (_KERNEL, _STRIDE) or not plain:
        return None
    if type(layer) is layers.Conv2DTranspose:
        return None if layer.output_padding else tuple(x.shape)
    _, height, width, _ = x.shape
    return None if height % 2 or width % 2 else (x.shape[0], height // 2, width // 2, layer.filters)


@tf.custom_gradient
def _convolution(large, kernel):
    """What `tf.nn.conv2d(large, kernel, 2, "SAME")` computes."""
    patches = _unfolded(large)

    def gradients(d_small):
        return _to_large(d_small, kernel), _to_kernel(patches, d_small, kernel)

    return _to_small(patches, kernel, large.shape), gradients


@tf.custom_gradient
def _transposed_convolution(small, kernel):
    """What `tf.nn.conv2d_transpose(small, kernel, ..., 2, "SAME")` computes."""

    def gradients(d_large):
        patches = _unfolded(d_large)
        return _to_small(patches, kernel, d_large.shape), _to_kernel(patches, small, kernel)

    if small.shape[1] * small.shape[2] <= _MOST_PIXELS:
        return _to_large(small, kernel), gradients
    batch, height, width, _ = tf.unstack(tf.shape(small))
    shape = (batch, 2 * height, 2 * width, kernel.shape[2])
    return tf.nn.conv2d_transpose(small, kernel, shape, _STRIDE), gradients


def _unfolded(large):
    """The patch under each pixel of small as a row: `(batch * height * width, 16 * channels)`."""
    _, height, width, channels = large.shape
    height, width = height // 2, width // 2
    padded = tf.pad(large, [(0, 0), (1, 1), (1, 1), (0, 0)])
    cells = tf.reshape(padded, (-1, height + 1, 2, width + 1, 2, channels))
    # A patch is two by two cells of two by two pixels.
    rows = tf.stack([cells[:, :height], cells[:, 1:]], axis=2)
    patches = tf.stack([rows[..., :width, :, :], rows[..., 1:, :, :]], axis=5)
    # (batch, height, cell row, pixel row, width, cell column, pixel column, channels)
    patches = tf.transpose(patches, (0, 1, 4, 2, 3, 5, 6, 7))
    return tf.reshape(patches, (-1, 16 * channels))


def _folded(columns, shape):
    """The sum of overlapping patches, given as columns `(16 * channels, batch * height * width)`."""
    height, width, channels = shape
    patches = tf.reshape(columns, (2, 2, 2, 2, channels, -1, height, width))
    rows = sum(tf.pad(patches[row], [(0, 0)] * 5 + [(row, 1 - row), (0, 0)]) for row in (0, 1))
    cells = sum(tf.pad(rows[:, column], [(0, 0)] * 5 + [(column, 1 - column)]) for column in (0, 1))
    # From (pixel row, pixel column, channels, batch, height, width).
    padded = tf.reshape(tf.transpose(cells, (3, 4, 0, 5, 1, 2)), (-1, 2 * height + 2, 2 * width + 2, channels))
    return padded[:, 1:-1, 1:-1]


def _to_small(patches, kernel, large_shape):
    filters = kernel.shape[-1]
    small = tf.matmul(patches, tf.reshape(kernel, (-1, filters)))
    return tf.reshape(small, (-1, large_shape[1] // 2, large_shape[2] // 2, filters))


def _to_large(small, kernel):
    channels, filters = kernel.shape[2:]
    # Kernel first: in the other order, the product takes five times as long.
    columns = tf.matmul(tf.reshape(kernel, (-1, filters)), tf.reshape(small, (-1, filters)), transpose_b=True)
    return _folded(columns, (*small.shape[1:3], channels))


def _to_kernel(patches, small, kernel):
    filters = kernel.shape[-1]
    return tf.reshape(tf.matmul(patches, tf.reshape(small, (-1, filters)), transpose_a=True), kernel.shape)
