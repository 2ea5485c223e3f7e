"""Transposed convolutions as a convolution and depth-to-space: the same numbers from faster operators."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

__all__ = ["SubpixelConvolution", "is_croppable", "is_subpixel", "subpixel_cropping", "subpixel_kernel"]

_Cropping = tuple[tuple[int, int], tuple[int, int]]  # ((top, bottom), (left, right)).


class SubpixelConvolution(layers.Layer):
    """A transposed convolution, cropped, as a convolution to more channels and depth-to-space.

    The transposed convolution is the slow operator of a U-Net on LiteRT; these two are not. The defaults are those of
    a 4x4 kernel with stride 2 and padding "same".

    Reference:
        Shi et al., "Is the deconvolution layer the same as a convolutional layer?".
    """

    def __init__(
        self,
        filters: int,
        kernel_size: tuple[int, int] = (4, 4),
        stride: int = 2,
        cropping: _Cropping = ((1, 1), (1, 1)),
        use_bias: bool = True,
        activation: str | Callable | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.stride = stride
        self.cropping = cropping
        self.use_bias = use_bias
        self.activation = keras.activations.get(activation)
        self._axes = _axes(kernel_size, stride, cropping)
        if not is_croppable(kernel_size, stride, cropping):
            raise ValueError(
                "`cropping` must keep part of the output of every source pixel. "
                f"Received: cropping={cropping} with kernel_size={kernel_size}, stride={stride}. "
                "Crop the rest in a layer of its own."
            )

    def build(self, input_shape):
        taps = [axis.taps for axis in self._axes]
        self.kernel = self.add_weight(shape=(*taps, input_shape[-1], self.stride**2 * self.filters), name="kernel")
        if self.use_bias:
            self.bias = self.add_weight(shape=(self.filters,), name="bias")

    def call(self, x):
        padding = "SAME"
        if not all(axis.is_same for axis in self._axes):
            x = tf.pad(x, [(0, 0), *(axis.padding for axis in self._axes), (0, 0)])
            padding = "VALID"
        x = tf.nn.conv2d(x, self.kernel, strides=1, padding=padding)
        if self.use_bias:
            # Before depth-to-space, where it costs no extra operator.
            x = tf.nn.bias_add(x, tf.tile(self.bias, [self.stride**2]))
        x = tf.nn.depth_to_space(x, self.stride) if self.stride > 1 else x
        rows, columns = (slice(axis.start, -axis.end or None) for axis in self._axes)
        if any(axis.start or axis.end for axis in self._axes):
            x = x[:, rows, columns]
        return self.activation(x)

    def compute_output_shape(self, input_shape):
        batch, *lengths, _ = input_shape
        sides = [
            length and (length - 1) * self.stride + size - sum(crop)
            for length, size, crop in zip(lengths, self.kernel_size, self.cropping, strict=True)
        ]
        return batch, *sides, self.filters


def subpixel_kernel(kernel: np.ndarray, stride: int = 2, cropping: _Cropping = ((1, 1), (1, 1))) -> np.ndarray:
    """The kernel of the convolution that `SubpixelConvolution` runs instead of a transposed one."""
    kernel = np.asarray(kernel)
    *sizes, filters, channels = kernel.shape
    rows, columns = _axes(sizes, stride, cropping)
    kernel = np.pad(kernel, [rows.extension, columns.extension, (0, 0), (0, 0)])
    # Tap (stride (rows - 1 - u) + r, stride (columns - 1 - v) + c) reaches output phase (r, c) from position (u, v).
    kernel = kernel.reshape(rows.taps, stride, columns.taps, stride, filters, channels)[::-1, :, ::-1]
    return kernel.transpose(0, 2, 5, 1, 3, 4).reshape(rows.taps, columns.taps, channels, stride**2 * filters)


def is_subpixel(layer: Any) -> bool:
    """Whether a layer is a transposed convolution that a `SubpixelConvolution` can replace."""
    # A subclass may compute something else.
    return (
        type(layer) is layers.Conv2DTranspose
        and layer.strides[0] == layer.strides[1] > 1
        and min(layer.kernel_size) >= layer.strides[0]
        and layer.dilation_rate == (1, 1)
        and layer.data_format == "channels_last"
        and layer.output_padding is None
        and len(layer.get_weights()) in (0, 1 + layer.use_bias)
    )


def subpixel_cropping(layer: layers.Conv2DTranspose, crops: Sequence[layers.Cropping2D] = ()) -> _Cropping:
    """The `cropping` of the `SubpixelConvolution` for a transposed convolution and croppings after it.

    Returns ((top, bottom), (left, right)).
    """
    surplus = [size - layer.strides[0] if layer.padding == "same" else 0 for size in layer.kernel_size]
    rows, columns = (
        (
            each // 2 + sum(crop.cropping[axis][0] for crop in crops),
            each - each // 2 + sum(crop.cropping[axis][1] for crop in crops),
        )
        for axis, each in enumerate(surplus)
    )
    return rows, columns


def is_croppable(kernel_size: tuple[int, int], stride: int, cropping: _Cropping) -> bool:
    """Whether a `SubpixelConvolution` can crop that much."""
    return min(margin for axis in _axes(kernel_size, stride, cropping) for margin in axis.padding) >= 0


def _axes(kernel_size, stride, cropping):
    return [_Axis(size, stride, *crop) for size, crop in zip(kernel_size, cropping, strict=True)]


class _Axis:
    """One axis of a transposed convolution without its first `before` and last `after` results."""

    def __init__(self, size, stride, before, after):
        self.taps = -(-size // stride)
        # Shift the kernel by a few taps if it has room, so that the first result is phase 0 and needs no cropping.
        shift = -before % stride
        if size + shift > self.taps * stride:
            shift = 0
        self.extension = (shift, self.taps * stride - size - shift)
        first, self.start = divmod(before + shift, stride)
        # Results beyond `stride` for each pixel of the source.
        extra = size - stride - before - after
        last = (before + shift + extra - 1) // stride
        self.padding = (self.taps - 1 - first, last + 1)
        self.end = (last - first + 1) * stride - self.start - extra

    @property
    def is_same(self):
        return self.padding == ((self.taps - 1) // 2, self.taps // 2)
