"""The Inception of published FIDs: Inception-v3 as released in 2015."""

from collections.abc import Mapping

import keras
import numpy as np
from keras import layers

from keras_pix2pix.evaluation.published_weights import assign_published

__all__ = ["inception_features"]

_SIDE = 299
_EPSILON = 1e-3  # Of its batch norms.
_UNUSED = ("fc.weight", "fc.bias")  # The classifier, of 1008 classes.
_FILE = "pt_inception-2015-12-05-6726825d.pth"
_ATTRIBUTES = {
    "conv.weight": "kernel",
    "bn.weight": "gamma",
    "bn.bias": "beta",
    "bn.running_mean": "moving_mean",
    "bn.running_var": "moving_variance",
}


def inception_features(weights: Mapping[str, np.ndarray]) -> keras.Model:
    """Build the network whose features published FIDs compare, from the weights of pytorch-fid.

    It is Inception-v3 as TensorFlow released it in 2015: `keras.applications.InceptionV3` has other weights, and
    averages where the last block takes a maximum. For FIDs like those of papers, also resize as they do, with
    `features_of(..., resize="bilinear")`.

    Args:
        weights: The tensors of `pt_inception-2015-12-05-6726825d.pth` by their names in the file, as
            `{name: tensor.numpy() for name, tensor in torch.load(file, weights_only=True).items()}`.

    Returns:
        A functional `keras.Model` from images `(batch, 299, 299, 3)` in [-1, 1] to features `(batch, 2048)`.

    Raises:
        ValueError: Tensors are missing, are of another shape, or belong to no layer.

    Example:

    ```python
    from keras_pix2pix.evaluation import inception_features

    try:
        extractor = inception_features({})
    except ValueError as error:
        print(error)
    ```

    Reference:
        Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium";
        github.com/mseitzer/pytorch-fid.
    """
    model = _network()
    assign_published(_variables_by_key(model), weights, _FILE, unused=_UNUSED)
    return model


def _network():
    image = keras.Input((_SIDE, _SIDE, 3), name="image")
    x = _convolution(image, 32, 3, "Conv2d_1a_3x3", strides=2, padding="valid")
    x = _convolution(x, 32, 3, "Conv2d_2a_3x3", padding="valid")
    x = _convolution(x, 64, 3, "Conv2d_2b_3x3")
    x = layers.MaxPooling2D(3, 2)(x)
    x = _convolution(x, 80, 1, "Conv2d_3b_1x1", padding="valid")
    x = _convolution(x, 192, 3, "Conv2d_4a_3x3", padding="valid")
    x = layers.MaxPooling2D(3, 2)(x)
    for name, pooled in (("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)):
        x = _block_a(x, pooled, name)
    x = _block_b(x, "Mixed_6a")
    for name, width in (("Mixed_6b", 128), ("Mixed_6c", 160), ("Mixed_6d", 160), ("Mixed_6e", 192)):
        x = _block_c(x, width, name)
    x = _block_d(x, "Mixed_7a")
    x = _block_e(x, "Mixed_7b", layers.AveragePooling2D)
    x = _block_e(x, "Mixed_7c", layers.MaxPooling2D)  # As released in 2015, perhaps by mistake.
    return keras.Model(image, layers.GlobalAveragePooling2D(name="features")(x), name="inception_features")


def _convolution(x, filters, kernel, name, **options):
    """Convolution, batch norm and ReLU: `BasicConv2d`."""
    x = layers.Conv2D(filters, kernel, use_bias=False, name=f"{name}.conv", **{"padding": "same", **options})(x)
    x = layers.BatchNormalization(epsilon=_EPSILON, name=f"{name}.bn")(x)
    return layers.ReLU()(x)


def _chain(x, name, *steps):
    """Convolutions one after another; a step is (name of the layer, filters, kernel)."""
    for step, filters, kernel in steps:
        x = _convolution(x, filters, kernel, f"{name}.{step}")
    return x


def _pooled(x, pooling=layers.AveragePooling2D):
    return pooling(3, 1, padding="same")(x)  # Keras' average is over the pixels that there are, without the border.


def _block_a(x, pooled, name):
    return layers.Concatenate()(
        [
            _chain(x, name, ("branch1x1", 64, 1)),
            _chain(x, name, ("branch5x5_1", 48, 1), ("branch5x5_2", 64, 5)),
            _chain(x, name, ("branch3x3dbl_1", 64, 1), ("branch3x3dbl_2", 96, 3), ("branch3x3dbl_3", 96, 3)),
            _chain(_pooled(x), name, ("branch_pool", pooled, 1)),
        ]
    )


def _block_b(x, name):
    double = _chain(x, name, ("branch3x3dbl_1", 64, 1), ("branch3x3dbl_2", 96, 3))
    halving = {"strides": 2, "padding": "valid"}
    return layers.Concatenate()(
        [
            _convolution(x, 384, 3, f"{name}.branch3x3", **halving),
            _convolution(double, 96, 3, f"{name}.branch3x3dbl_3", **halving),
            layers.MaxPooling2D(3, 2)(x),
        ]
    )


def _block_c(x, width, name):
    seven = ("branch7x7_1", width, 1), ("branch7x7_2", width, (1, 7)), ("branch7x7_3", 192, (7, 1))
    twice = [("branch7x7dbl_1", width, 1)]
    twice += [(f"branch7x7dbl_{step}", width, (1, 7) if step % 2 else (7, 1)) for step in (2, 3, 4)]
    return layers.Concatenate()(
        [
            _chain(x, name, ("branch1x1", 192, 1)),
            _chain(x, name, *seven),
            _chain(x, name, *twice, ("branch7x7dbl_5", 192, (1, 7))),
            _chain(_pooled(x), name, ("branch_pool", 192, 1)),
        ]
    )


def _block_d(x, name):
    three = _chain(x, name, ("branch3x3_1", 192, 1))
    seven = ("branch7x7x3_1", 192, 1), ("branch7x7x3_2", 192, (1, 7)), ("branch7x7x3_3", 192, (7, 1))
    halving = {"strides": 2, "padding": "valid"}
    return layers.Concatenate()(
        [
            _convolution(three, 320, 3, f"{name}.branch3x3_2", **halving),
            _convolution(_chain(x, name, *seven), 192, 3, f"{name}.branch7x7x3_4", **halving),
            layers.MaxPooling2D(3, 2)(x),
        ]
    )


def _block_e(x, name, pooling):
    three = _chain(x, name, ("branch3x3_1", 384, 1))
    double = _chain(x, name, ("branch3x3dbl_1", 448, 1), ("branch3x3dbl_2", 384, 3))
    return layers.Concatenate()(
        [
            _chain(x, name, ("branch1x1", 320, 1)),
            _chain(three, name, ("branch3x3_2a", 384, (1, 3))),
            _chain(three, name, ("branch3x3_2b", 384, (3, 1))),
            _chain(double, name, ("branch3x3dbl_3a", 384, (1, 3))),
            _chain(double, name, ("branch3x3dbl_3b", 384, (3, 1))),
            _chain(_pooled(x, pooling), name, ("branch_pool", 192, 1)),
        ]
    )


def _variables_by_key(model):
    """The variable of each tensor in the file; a layer `X.conv` or `X.bn` has the tensors `X.conv.*` or `X.bn.*`."""
    found = {}
    for layer in model.layers:
        block, _, kind = layer.name.rpartition(".")
        for key, attribute in _ATTRIBUTES.items():
            if key.startswith(f"{kind}."):
                found[f"{block}.{key}"] = getattr(layer, attribute)
    return found
