"""Layers in NumPy and float64, from which the references for converted networks are computed."""

from collections.abc import Callable

import numpy as np

__all__ = ["ACTIVATIONS", "evaluate"]

ACTIVATIONS: dict[str, Callable] = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),  # The slope of TensorFlow's function, not of the layer.
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
}


def evaluate(kind, *inputs, **settings):
    """The output of a Keras layer of this kind, from its settings and weights: `(batch, height, width, channels)`."""
    return _EVALUATIONS[kind](*inputs, **settings)


def _convolution(x, kernel, bias=0.0, *, strides, padding, dilation_rate, activation, **_):
    sizes = [(side - 1) * rate + 1 for side, rate in zip(kernel.shape[:2], dilation_rate, strict=True)]
    if padding == "same":
        x = np.pad(x, [(0, 0), *map(_same_padding, x.shape[1:3], sizes, strides), (0, 0)])
    rows, columns = ((x.shape[axis + 1] - sizes[axis]) // strides[axis] + 1 for axis in (0, 1))
    result = np.zeros((len(x), rows, columns, kernel.shape[3]))
    for row, column in np.ndindex(*kernel.shape[:2]):
        window = x[:, row * dilation_rate[0] :: strides[0], column * dilation_rate[1] :: strides[1]]
        result += _product(window[:, :rows, :columns], kernel[row, column])
    return ACTIVATIONS[activation](result + bias)


def _separable_convolution(x, depthwise_kernel, pointwise_kernel, bias=0.0, **settings):
    # As one convolution, whose kernel is the product of the two.
    channels, multiplier = depthwise_kernel.shape[2:]
    pointwise_kernel = pointwise_kernel.reshape(channels, multiplier, -1)
    kernel = np.einsum("hwcm,cmf->hwcf", depthwise_kernel, pointwise_kernel)
    return _convolution(x, kernel, bias, **settings)


def _product(x, matrix):
    # As one product of two matrices, which is many times faster than one for each row.
    return (x.reshape(-1, x.shape[-1]) @ matrix).reshape(*x.shape[:-1], -1)


def _same_padding(side, kernel_side, stride):
    missing = max((-(-side // stride) - 1) * stride + kernel_side - side, 0)
    return missing // 2, missing - missing // 2


def _transposed_convolution(x, kernel, bias=0.0, *, strides, padding, activation, **_):
    batch, rows, columns, _ = x.shape
    height, width, filters, _ = kernel.shape
    # How far a kernel extends beyond its stride.
    below, right = max(height - strides[0], 0), max(width - strides[1], 0)
    result = np.zeros((batch, rows * strides[0] + below, columns * strides[1] + right, filters))
    for row, column in np.ndindex(height, width):
        # Every position of the source adds its own multiple of the kernel.
        lattice = result[:, row :: strides[0], column :: strides[1]][:, :rows, :columns]
        lattice += _product(x, kernel[row, column].T)
    if padding == "same":
        result = result[:, below // 2 :, right // 2 :][:, : rows * strides[0], : columns * strides[1]]
    return ACTIVATIONS[activation](result + bias)


def _batch_normalization(x, gamma=1.0, beta=0.0, *, moving_mean, moving_variance, epsilon, **_):
    return (x - moving_mean) / np.sqrt(moving_variance + epsilon) * gamma + beta


def _group_normalization(x, gamma=1.0, beta=0.0, *, groups, epsilon, **_):
    batch, rows, columns, channels = x.shape
    grouped = x.reshape(batch, rows, columns, channels if groups == -1 else groups, -1)
    mean = grouped.mean(axis=(1, 2, 4), keepdims=True)
    variance = grouped.var(axis=(1, 2, 4), keepdims=True)
    return ((grouped - mean) / np.sqrt(variance + epsilon)).reshape(x.shape) * gamma + beta


def _upsampling(x, *, size, interpolation):
    for axis, factor in zip((1, 2), size, strict=True):
        last = x.shape[axis] - 1
        # Centre of each new pixel, in pixels of the source.
        centres = np.clip((np.arange(x.shape[axis] * factor) + 0.5) / factor - 0.5, 0, last)
        if interpolation == "nearest":
            x = x.take(np.arange(x.shape[axis] * factor) // factor, axis)
        else:
            before = np.floor(centres).astype(int)
            share = (centres - before).reshape([-1 if each == axis else 1 for each in range(4)])
            x = x.take(before, axis) * (1 - share) + x.take(np.minimum(before + 1, last), axis) * share
    return x


def _cropping(x, *, cropping):
    (top, bottom), (left, right) = cropping
    return x[:, top : x.shape[1] - bottom, left : x.shape[2] - right]


def _pooling(reduce):
    def pool(x, *, pool_size):
        rows, columns = (side // size for side, size in zip(x.shape[1:3], pool_size, strict=True))
        x = x[:, : rows * pool_size[0], : columns * pool_size[1]]
        x = x.reshape(len(x), rows, pool_size[0], columns, pool_size[1], -1)
        return reduce(x, axis=(2, 4))

    return pool


def _relu(x, *, max_value=None, negative_slope=0.0, threshold=0.0):
    return np.where(
        x >= threshold, np.minimum(x, np.inf if max_value is None else max_value), negative_slope * (x - threshold)
    )


_EVALUATIONS: dict[str, Callable] = {
    "Conv2D": _convolution,
    "Conv2DTranspose": _transposed_convolution,
    "SeparableConv2D": _separable_convolution,
    "UpSampling2D": _upsampling,
    "ZeroPadding2D": lambda x, padding: np.pad(x, [(0, 0), *padding, (0, 0)]),
    "Pad": lambda x, pad_width, mode: np.pad(x, pad_width, mode),
    "Cropping2D": _cropping,
    "MaxPooling2D": _pooling(np.max),
    "AveragePooling2D": _pooling(np.mean),
    "ReLU": _relu,
    "LeakyReLU": lambda x, negative_slope: np.where(x > 0, x, negative_slope * x),
    "Activation": lambda x, activation: ACTIVATIONS[activation](x),
    "Rescaling": lambda x, scale, offset: x * scale + offset,
    "Dropout": lambda x, rate: x,
    "SpatialDropout2D": lambda x, rate: x,
    "Concatenate": lambda *inputs: np.concatenate(inputs, axis=-1),
    "Add": lambda *inputs: sum(inputs),
    "BatchNormalization": _batch_normalization,
    "GroupNormalization": _group_normalization,
}
