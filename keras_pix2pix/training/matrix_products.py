"""The deep layers of a U-Net and a discriminator's logits as matrix products, for training on a CPU.

On a few pixels with many channels, and from many channels to one, TensorFlow's convolutions reach only a tenth of a
CPU's speed. Multiplying by the kernel, and likewise for the gradients, gives the same numbers up to rounding.

Names: `large` is `(batch, 2 * height, 2 * width, channels)`, `small` `(batch, height, width, filters)`; a convolution
goes from large to small, a transposed one from small to large, and both have kernels `(4, 4, channels, filters)`.
"""

import inspect
import itertools
import math

import keras
import tensorflow as tf
from keras import layers, ops

from keras_pix2pix.inference.walk import is_functional

__all__ = ["fastest_form"]

_KERNEL, _STRIDE = (4, 4), (2, 2)
_MOST_PIXELS = 256  # Up to this size of small, the product is faster than the convolution.
_FEWEST_CHANNELS = 64  # With fewer there is little to gain, and products take longer to trace.


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
    product = _product_for(layer, *inputs)
    if product is None:
        return layer(*inputs, **options)
    x, kernel = (ops.cast(each, layer.compute_dtype) for each in (inputs[0], layer.kernel))
    y = product(x, kernel)
    y = y + ops.cast(layer.bias, y.dtype) if layer.use_bias else y
    return layer.activation(y)


def _product_for(layer, x=None, *others):
    """The function that computes a layer without its bias faster; None for other layers."""
    if type(layer) not in (layers.Conv2D, layers.Conv2DTranspose) or None in x.shape[1:]:
        return None
    plain = layer.dilation_rate == (1, 1) and layer.data_format == "channels_last"
    if not plain or getattr(layer, "groups", 1) != 1 or layer.activity_regularizer is not None:
        return None
    _, height, width, channels = x.shape
    if channels < _FEWEST_CHANNELS:
        return None
    halves = (layer.kernel_size, layer.strides, layer.padding) == (_KERNEL, _STRIDE, "same")
    if type(layer) is layers.Conv2DTranspose:
        is_small = halves and not layer.output_padding and height * width <= _MOST_PIXELS
        return _transposed_convolution if is_small else None
    if halves:
        is_small = not (height % 2 or width % 2) and height * width <= 4 * _MOST_PIXELS
        return _convolution if is_small else None
    # The products take less memory than x.
    is_to_few = math.prod(layer.kernel_size) * layer.filters <= channels / 4
    return _convolution_to_few if is_to_few and (layer.strides, layer.padding) == ((1, 1), "valid") else None


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

    return _to_large(small, kernel), gradients


def _convolution_to_few(x, kernel):
    """What `tf.nn.conv2d(x, kernel, 1, "VALID")` computes: the product of every pixel and every tap, shifted, added."""
    rows, columns = kernel.shape[:2]
    height, width = x.shape[1] - rows + 1, x.shape[2] - columns + 1
    products = tf.tensordot(x, tf.transpose(kernel, (2, 0, 1, 3)), 1)
    taps = itertools.product(range(rows), range(columns))
    return tf.add_n([products[:, i : i + height, j : j + width, i, j] for i, j in taps])


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
