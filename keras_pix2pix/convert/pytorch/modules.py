"""The PyTorch networks in plain NumPy, computed from the tensors of a file.

It checks conversions, so it shares no code with them: it walks the keys as PyTorch's `Sequential` walks its modules.
Images are `(1, height, width, channels)`.
"""

import numpy as np

from keras_pix2pix.convert.numpy_layers import evaluate

__all__ = ["forward_pass"]

_EPSILON = 1e-5  # PyTorch's default for both norms, which none of the repositories changes.
_LEAKY_SLOPE = 0.2


def forward_pass(kind, state, images, moving=False):
    """Compute the output of a PyTorch network for images, without dropout.

    Returns an array, `(height, width, channels)`: the generated image, or logits.
    """
    return _EVALUATIONS[kind](_Layers(state, moving), *(image[np.newaxis] for image in images))[0]


class _Layers:
    """PyTorch's layers by the prefixes of their keys."""

    def __init__(self, state, moving):
        self.state = state
        self.moving = moving

    def __contains__(self, prefix):
        return f"{prefix}.weight" in self.state

    def is_convolution(self, prefix):
        return prefix in self and self.state[f"{prefix}.weight"].ndim == 4

    def convolution(self, prefix, x, stride=1, padding=0):
        x = _padded(x, padding, padding)
        settings = {"strides": (stride, stride), "padding": "valid", "dilation_rate": (1, 1), "activation": "linear"}
        return evaluate("Conv2D", x, self._kernel(prefix), self._bias(prefix), **settings)

    def transposed_convolution(self, prefix, x, output_padding=0):
        """With stride 2 and padding 1, as all of them have."""
        settings = {"strides": (2, 2), "padding": "valid", "activation": "linear"}
        whole = evaluate("Conv2DTranspose", x, self._kernel(prefix), self._bias(prefix), **settings)
        below, right = (side - 1 + output_padding for side in whole.shape[1:3])
        return whole[:, 1:below, 1:right]

    def norm(self, prefix, x):
        if self.moving:
            mean, variance = (self.state[f"{prefix}.running_{statistic}"] for statistic in ("mean", "var"))
        else:
            mean, variance = x.mean((1, 2), keepdims=True), x.var((1, 2), keepdims=True)
        x = (x - mean) / np.sqrt(variance + _EPSILON)
        return (x * self.state[f"{prefix}.weight"] if prefix in self else x) + self._bias(prefix)

    def _kernel(self, prefix):
        return self.state[f"{prefix}.weight"].transpose(2, 3, 1, 0)

    def _bias(self, prefix):
        return self.state.get(f"{prefix}.bias", 0.0)


def _relu(x, slope=0.0):
    return np.maximum(x, slope * x)


def _leaky(x):
    return _relu(x, _LEAKY_SLOPE)


def _padded(x, *margins, **mode):
    """Left and top, right and bottom."""
    return np.pad(x, [(0, 0), margins, margins, (0, 0)], **mode)


def _unet_generator(layers, source):
    def block(prefix, x):
        # 0 leaky ReLU, 1 convolution, 2 norm, 3 the blocks inside, 4 ReLU, 5 transposed convolution, 6 norm; the
        # innermost has 0, 1, 2 ReLU, 3 transposed convolution, 4 norm.
        inner = layers.convolution(f"{prefix}.1", _leaky(x), 2, 1)
        if f"{prefix}.3" in layers:
            inner = layers.norm(f"{prefix}.4", layers.transposed_convolution(f"{prefix}.3", _relu(inner)))
        else:
            inner = block(f"{prefix}.3.model", layers.norm(f"{prefix}.2", inner))
            inner = layers.norm(f"{prefix}.6", layers.transposed_convolution(f"{prefix}.5", _relu(inner)))
        return np.concatenate([x, inner], axis=-1)

    x = block("model.model.1.model", layers.convolution("model.model.0", source, 2, 1))
    return np.tanh(layers.transposed_convolution("model.model.3", _relu(x)))


def _resnet_generator(layers, source):
    x, index = _residual_trunk(layers, source)
    return np.tanh(layers.convolution(f"model.{index + 1}", _padded(x, 3, 3, mode="reflect")))


def _residual_trunk(layers, source):
    """What comes before the last convolution, and the index of the padding there."""
    x = layers.convolution("model.1", _padded(source, 3, 3, mode="reflect"))
    x, index = _relu(layers.norm("model.2", x)), 4
    while layers.is_convolution(f"model.{index}"):
        x = _relu(layers.norm(f"model.{index + 1}", layers.convolution(f"model.{index}", x, 2, 1)))
        index += 3
    halvings = (index - 4) // 3
    while f"model.{index}.conv_block.1" in layers:
        x = x + _residual(layers, f"model.{index}.conv_block", x)
        index += 1
    for _ in range(halvings):
        x = layers.transposed_convolution(f"model.{index}", x, output_padding=1)
        x = _relu(layers.norm(f"model.{index + 1}", x))
        index += 3
    return x, index


def _local_enhancer(layers, source):
    x = layers.convolution("model1_1.1", _padded(source, 3, 3, mode="reflect"))
    x = _relu(layers.norm("model1_1.2", x))
    x = _relu(layers.norm("model1_1.5", layers.convolution("model1_1.4", x, 2, 1)))
    x, index = x + _residual_trunk(layers, _halved(source))[0], 0
    while f"model1_2.{index}.conv_block.1" in layers:
        x = x + _residual(layers, f"model1_2.{index}.conv_block", x)
        index += 1
    x = layers.transposed_convolution(f"model1_2.{index}", x, output_padding=1)
    x = _relu(layers.norm(f"model1_2.{index + 1}", x))
    return np.tanh(layers.convolution(f"model1_2.{index + 4}", _padded(x, 3, 3, mode="reflect")))


def _halved(source):
    """`AvgPool2d(3, stride=2, padding=1, count_include_pad=False)` of sides that are even."""
    padded = _padded(source, 1, 0, constant_values=np.nan)
    rows, columns = (side // 2 for side in source.shape[1:3])
    seen = [padded[:, row : row + 2 * rows : 2, column : column + 2 * columns : 2] for row, column in np.ndindex(3, 3)]
    return np.nanmean(seen, axis=0)


def _residual(layers, block, x):
    second = 6 if layers.is_convolution(f"{block}.6") else 5  # A dropout in between moves it.
    x = layers.convolution(f"{block}.1", _padded(x, 1, 1, mode="reflect"))
    x = _padded(_relu(layers.norm(f"{block}.2", x)), 1, 1, mode="reflect")
    return layers.norm(f"{block}.{second + 1}", layers.convolution(f"{block}.{second}", x))


def _nlayer_discriminator(layers, source, target):
    x, index = _leaky(layers.convolution("model.0", np.concatenate([source, target], axis=-1), 2, 1)), 2
    while layers.is_convolution(f"model.{index + 3}"):
        # Of the convolutions, the last two have stride 1.
        stride = 2 if layers.is_convolution(f"model.{index + 6}") else 1
        x = _leaky(layers.norm(f"model.{index + 1}", layers.convolution(f"model.{index}", x, stride, 1)))
        index += 3
    return layers.convolution(f"model.{index}", x, 1, 1)


def _pixel_discriminator(layers, source, target):
    x = _leaky(layers.convolution("net.0", np.concatenate([source, target], axis=-1)))
    return layers.convolution("net.5", _leaky(layers.norm("net.3", layers.convolution("net.2", x))))


def _generator_unet(layers, source):
    x, encoded = source, []
    while (prefix := f"down{len(encoded) + 1}.model") and f"{prefix}.0" in layers:
        x = layers.convolution(f"{prefix}.0", x, 2, 1)
        # Neither the first nor the innermost is normalised.
        innermost = f"down{len(encoded) + 2}.model.0" not in layers
        x = _leaky(layers.norm(f"{prefix}.1", x) if encoded and not innermost else x)
        encoded.append(x)
    for block, skip in enumerate(encoded[-2::-1], start=1):
        x = layers.transposed_convolution(f"up{block}.model.0", x)
        x = np.concatenate([_relu(layers.norm(f"up{block}.model.1", x)), skip], axis=-1)
    x = x.repeat(2, axis=1).repeat(2, axis=2)
    return np.tanh(layers.convolution("final.2", _padded(x, 1, 0), 1, 1))


def _discriminator(layers, source, target):
    x = _leaky(layers.convolution("model.0", np.concatenate([target, source], axis=-1), 2, 1))
    for index in (2, 5, 8):
        x = _leaky(layers.norm(f"model.{index + 1}", layers.convolution(f"model.{index}", x, 2, 1)))
    return layers.convolution("model.12", _padded(x, 1, 0), 1, 1)


_EVALUATIONS = {
    "UnetGenerator": _unet_generator,
    "ResnetGenerator": _resnet_generator,
    "GlobalGenerator": _resnet_generator,
    "LocalEnhancer": _local_enhancer,
    "NLayerDiscriminator": _nlayer_discriminator,
    "PixelDiscriminator": _pixel_discriminator,
    "GeneratorUNet": _generator_unet,
    "Discriminator": _discriminator,
}
