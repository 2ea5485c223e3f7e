"""Equivalent, leaner clones of a trained generator, for `translate` and the exports.

A network is trained with stock layers. Some of them are slow or unsupported on a phone, and some do nothing after
training; a clone has fewer and faster layers that compute the same function from the same weights.
"""

from typing import Any

import keras
import tensorflow as tf
from keras import layers, ops

from keras_pix2pix.inference.folding import folded_weights, followers
from keras_pix2pix.inference.subpixel import SubpixelConvolution, is_subpixel, subpixel_cropping, subpixel_kernel
from keras_pix2pix.inference.walk import rebuilt

__all__ = ["InstanceNormalization", "lean_clone", "size_multiple"]

_LARGEST_MULTIPLE = 1024


def lean_clone(generator: keras.Model, image_size: tuple[int | None, int | None] = (None, None)) -> keras.Model:
    """A copy of a functional network that gives the same results, with layers that run faster and convert better.

    A transposed convolution becomes a convolution to more channels, followed by depth-to-space; batch norm on moving
    averages is folded into the weights of the convolution before it; dropout and noise are removed; instance
    normalisation and upsampling use operators of 4 dimensions. Nested networks are flattened. All other layers stay
    as they are, and so do networks with a class of their own.
    """
    source = keras.Input((*image_size, generator.input_shape[-1]), dtype="float32", name="source")
    taken_by = followers(generator)
    taken = {id(layer) for each in taken_by.values() for layer in each}
    copies: dict[int, layers.Layer] = {}

    def visit(layer, *inputs, **options):
        if id(layer) in taken:
            return inputs[0]
        if id(layer) in copies:
            return copies[id(layer)](*inputs, **options)
        # Layers of two `Sequential` networks may have the same name.
        known = layer.name in {copy.name for copy in copies.values()}
        name = f"{layer.name}_{len(copies)}" if known else layer.name
        copies[id(layer)], weights = _lean_layer(layer, taken_by.get(id(layer), []), name)
        output = copies[id(layer)](*inputs, **options)
        if weights:
            copies[id(layer)].set_weights(weights)
        return output

    return rebuilt(generator, visit, source)


def size_multiple(generator: keras.Model) -> int:
    """The number that height and width of a network's input must be multiples of."""
    generate = tf.function(lambda source: generator(source, training=False))
    multiple = 1
    while multiple <= _LARGEST_MULTIPLE:
        # Three times the multiple: a network that needs more halves an odd number somewhere, so that its skips don't
        # fit. Tracing finds out without computing anything.
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
        f"Received: {generator.name!r}, which doesn't for any multiple of a power of two up to {_LARGEST_MULTIPLE}. "
        "If it does at one size, export a TFLite file of that size."
    )


class InstanceNormalization(layers.Layer):
    """Instance normalisation in operators of at most 4 dimensions, which GPU delegates require."""

    def __init__(self, epsilon: float, center: bool = True, scale: bool = True, **kwargs: Any) -> None:
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


class _Resize(layers.Layer):
    """`keras.layers.UpSampling2D` in one operator of 4 dimensions, at any height and width.

    Keras' own becomes a tensor of 5 dimensions for "nearest", and needs a fixed size for the others.
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


def _lean_layer(layer, taken, name):
    """The layer that replaces `layer` and those merged into it, and its weights."""
    if not isinstance(layer, layers.Layer):
        return layer, []
    norms = [each for each in taken if isinstance(each, layers.BatchNormalization)]
    crops = [each for each in taken if isinstance(each, layers.Cropping2D)]
    weights = folded_weights(layer, norms)
    kept = {"name": name, "dtype": "float32"}
    if is_subpixel(layer):
        form = {"stride": layer.strides[0], "cropping": subpixel_cropping(layer, crops)}
        use_bias = layer.use_bias or bool(norms)
        copy = SubpixelConvolution(
            layer.filters, layer.kernel_size, use_bias=use_bias, activation=layer.activation, **form, **kept
        )
        return copy, [subpixel_kernel(weights[0], **form), *weights[1:]]
    if type(layer) is layers.GroupNormalization and _is_instance_normalization(layer):
        return InstanceNormalization(layer.epsilon, layer.center, layer.scale, **kept), weights
    if type(layer) is layers.UpSampling2D and layer.data_format == "channels_last":
        return _Resize(layer.size, layer.interpolation, **kept), weights
    config = {**layer.get_config(), **kept, **({"use_bias": True} if norms else {})}
    return layer.__class__.from_config(config), weights


def _is_instance_normalization(layer):
    # Keras replaces groups=-1 by the number of channels when it builds the layer.
    return layer.axis == -1 and layer.groups == layer.input_spec.axes[-1]
