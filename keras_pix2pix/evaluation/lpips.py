"""LPIPS: the distance of two pictures in the layers of a network, with a learned weight for every channel."""

from collections.abc import Mapping, Sequence

import keras
import numpy as np
from keras import layers, ops

from keras_pix2pix.evaluation.published_weights import assign_published

__all__ = ["lpips", "lpips_vgg16"]

_EPSILON = 1e-10  # As in the published code.
_BATCH = 16
# What the published code subtracts from images in [-1, 1], and divides by, for torchvision's networks.
_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
# The last convolution before each pooling, and its place in torchvision's list of layers.
_COMPARED = ("block1_conv2", "block2_conv2", "block3_conv3", "block4_conv3", "block5_conv3")
_PLACES = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)


def lpips(
    extractor: keras.Model,
    weights: Sequence[np.ndarray] | Mapping[str, np.ndarray],
    generated: np.ndarray,
    target: np.ndarray,
) -> np.ndarray:
    """Learned perceptual similarity: how differently a network sees two pictures, near to how people do.

    In every layer the features of a pixel are scaled to length 1; the squared differences, weighted by channel, are
    averaged over the pixels, and summed over channels and layers.

    Args:
        extractor: `keras.Model` from images `(batch, height, width, 3)` in [-1, 1] to one or more feature
            maps `(batch, rows, columns, channels)`, such as `lpips_vgg16` makes.
        weights: For each feature map, an array of as many numbers as it has channels; or the tensors of a file of the
            `lpips` package, such as `vgg.pth`, by name ("lin0.model.1.weight").
        generated: Images `(pictures, height, width, 3)` in [-1, 1].
        target: The real ones, of the same shape.

    Returns:
        `(pictures,)`; 0 for equal pictures.

    Raises:
        ValueError: Images of different shapes, or weights that don't fit the extractor.

    Example:

    ```python
    import keras
    import numpy as np
    from keras_pix2pix.evaluation import lpips

    image = keras.Input((32, 32, 3))
    first = keras.layers.Conv2D(4, 3, activation="relu")(image)
    extractor = keras.Model(image, [first, keras.layers.Conv2D(8, 3)(first)])
    generated, target = np.random.default_rng(0).uniform(-1, 1, (2, 5, 32, 32, 3))
    distances = lpips(extractor, [np.ones(4), np.ones(8)], generated, target)
    ```

    Reference:
        Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric".
    """
    generated, target = np.asarray(generated, np.float32), np.asarray(target, np.float32)
    if generated.shape != target.shape or generated.ndim != 4 or not len(generated):
        raise ValueError(
            "`generated` and `target` must be images (pictures, height, width, 3) of the same shape. "
            f"Received: shapes {generated.shape} and {target.shape}."
        )
    of_layers = _weights_of_layers(weights)
    channels = [each.shape[-1] for each in extractor.outputs]
    if [len(each) for each in of_layers] != channels:
        raise ValueError(
            f"`weights` must have one array for each output of the extractor, of {channels} numbers. "
            f"Received: {[len(each) for each in of_layers]}."
        )
    batches = [slice(start, start + _BATCH) for start in range(0, len(target), _BATCH)]
    return np.concatenate([_distances(extractor, of_layers, generated[each], target[each]) for each in batches])


def lpips_vgg16(weights: Mapping[str, np.ndarray]) -> keras.Model:
    """The feature maps that LPIPS compares in VGG16, from torchvision's weights.

    Those that Keras downloads are of another training, with other colours; they give other distances.

    Args:
        weights: The tensors of torchvision's `vgg16-397923af.pth` by name ("features.0.weight"), as
            `{name: tensor.numpy() for name, tensor in torch.load(file, weights_only=True).items()}`.

    Returns:
        A functional `keras.Model` from images `(batch, height, width, 3)` in [-1, 1] to 5 feature maps. Sides are 32
        or more.

    Raises:
        ValueError: Tensors are missing, are of another shape, or belong to no layer.

    Example:

    ```python
    from keras_pix2pix.evaluation import lpips_vgg16

    try:
        extractor = lpips_vgg16({})
    except ValueError as error:
        print(error)
    ```

    Reference:
        Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric".
    """
    image = keras.Input((None, None, 3), name="image")
    scaled = layers.Normalization(mean=_SHIFT, variance=np.square(_SCALE))(image)
    vgg = keras.applications.VGG16(include_top=False, weights=None, input_tensor=scaled)
    convolutions = [layer for layer in vgg.layers if isinstance(layer, layers.Conv2D)]
    wanted = {
        f"features.{place}.{name}": variable
        for place, layer in zip(_PLACES, convolutions, strict=True)
        for name, variable in (("weight", layer.kernel), ("bias", layer.bias))
    }
    # The classifier is left out.
    convolutional = {key: tensor for key, tensor in weights.items() if not key.startswith("classifier.")}
    assign_published(wanted, convolutional, "vgg16-397923af.pth")
    return keras.Model(image, [vgg.get_layer(name).output for name in _COMPARED], name="lpips_vgg16")


def _weights_of_layers(weights):
    if isinstance(weights, Mapping):
        names = [f"lin{layer}.model.1.weight" for layer in range(len(weights))]
        if set(names) != set(weights):
            raise ValueError(
                "`weights` must be the tensors of a file of the lpips package, lin0.model.1.weight and so on, or a "
                f"list of arrays. Received: {', '.join(sorted(weights)[:5])}."
            )
        weights = [weights[name] for name in names]
    return [np.asarray(each, np.float32).ravel() for each in weights]


def _distances(extractor, weights, generated, target):
    sides = [keras.tree.flatten(extractor(images, training=False)) for images in (generated, target)]
    total = 0.0
    for weight, one, other in zip(weights, *sides, strict=True):
        difference = ops.square(_unit(one) - _unit(other))
        total += ops.mean(ops.sum(difference * weight, axis=-1), axis=(1, 2))
    return np.asarray(total, np.float64)


def _unit(features):
    length = ops.sqrt(ops.sum(ops.square(features), axis=-1, keepdims=True))
    return features / (length + _EPSILON)
