"""Distances between two sets of pictures, by the features that a network computes: KID and FID."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_pix2pix.evaluation.scores import Score
from keras_pix2pix.images import to_image

__all__ = ["features_of", "fid", "kid"]

_SUBSETS, _LARGEST_SUBSET = 100, 1000
_BATCH = 16
_RESIZES = {"antialiased": True, "bilinear": False}


def features_of(extractor: keras.Model, pixels: np.ndarray, *, resize: str = "antialiased") -> np.ndarray:
    """Compute a network's features of pictures.

    Args:
        extractor: `keras.Model` from pictures `(batch, height, width, 3)` in [-1, 1], as `keras.applications`'
            Inception takes them, to features `(batch, features)` or `(batch, rows, columns, features)`, which are
            averaged over rows and columns.
        pixels: uint8 `(pictures, height, width, 3)`.
        resize: How pixels are resized for the extractor: "antialiased" (as clean-fid does), or "bilinear", without a
            filter (as the first FIDs were computed). Published numbers depend on it. Defaults to "antialiased".

    Returns:
        float64 `(pictures, features)`.

    Raises:
        ValueError: Pixels of another type or shape, or an unknown `resize`.

    Example:

    ```python
    import keras
    import numpy as np
    from keras_pix2pix.evaluation import features_of

    source = keras.Input((32, 32, 3))
    extractor = keras.Model(source, keras.layers.Conv2D(8, 3)(source))
    features = features_of(extractor, np.zeros((2, 64, 64, 3), "uint8"))
    ```

    Reference:
        Parmar et al., "On Aliased Resizing and Surprising Subtleties in GAN Evaluation".
    """
    pixels = np.asarray(pixels)
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[-1] != 3 or not len(pixels):
        raise ValueError(
            f"`pixels` must be uint8, (pictures, height, width, 3). Received: {pixels.dtype} of shape {pixels.shape}."
        )
    if resize not in _RESIZES:
        raise ValueError(f"`resize` must be one of {', '.join(map(repr, _RESIZES))}. Received: resize={resize!r}.")
    size = extractor.input_shape[1:3]
    batches = (pixels[start : start + _BATCH] for start in range(0, len(pixels), _BATCH))
    return np.concatenate([_features(extractor, batch, size, resize) for batch in batches])


def kid(real: np.ndarray, generated: np.ndarray, *, seed: int = 0) -> Score:
    """Kernel Inception Distance: the squared maximum mean discrepancy of features under a cubic kernel, unbiased.

    Its mean doesn't depend on the number of pictures, unlike FID's: use it for a few hundred pictures. It may be
    negative where the sets are alike.

    Args:
        real: Features of real pictures, `(pictures, features)`, two or more.
        generated: Features of generated ones.
        seed: Of the 100 subsets of at most 1000 pictures that it is averaged over. Defaults to 0.

    Returns:
        A `Score`: 0 for equal sets, on average; its standard error is that of the mean over subsets.

    Raises:
        ValueError: Features of another shape, or fewer than two pictures.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix.evaluation import kid

    features = np.random.default_rng(0).normal(size=(2, 50, 8))
    distance = kid(*features).value
    ```

    Reference:
        Bińkowski et al., "Demystifying MMD GANs".
    """
    real, generated = _checked(real, generated)
    rng = np.random.default_rng(seed)
    # At most half of the pictures, or all subsets would be the same.
    size = min(_LARGEST_SUBSET, max(2, min(len(real), len(generated)) // 2))
    drawn = [[each[rng.permutation(len(each))[:size]] for each in (real, generated)] for _ in range(_SUBSETS)]
    values = [_discrepancy(*subsets) for subsets in drawn]
    return Score(float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(_SUBSETS)))


def fid(real: np.ndarray, generated: np.ndarray) -> Score:
    """Fréchet Inception Distance: between two normal distributions, each fitted to the features of one set.

    Args:
        real: Features of real pictures, `(pictures, features)`, two or more.
        generated: Features of generated ones.

    Returns:
        A `Score`, with a warning where there are fewer pictures than features: then the value is mostly bias, and
        comparable only between equal numbers of pictures.

    Raises:
        ValueError: Features of another shape, or fewer than two pictures.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix.evaluation import fid

    features = np.random.default_rng(0).normal(size=(2, 50, 8))
    distance = fid(*features).value
    ```

    Reference:
        Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium".
    """
    real, generated = _checked(real, generated)
    means = real.mean(axis=0), generated.mean(axis=0)
    covariances = [np.atleast_2d(np.cov(each, rowvar=False)) for each in (real, generated)]
    # The trace of the square root of their product, by the symmetric matrix that has the same eigenvalues.
    root = _square_root(covariances[0])
    shared = np.sqrt(np.clip(np.linalg.eigvalsh(root @ covariances[1] @ root), 0, None)).sum()
    value = np.square(means[0] - means[1]).sum() + np.trace(covariances[0]) + np.trace(covariances[1]) - 2 * shared
    fewest = min(len(real), len(generated))
    warning = f"{fewest} pictures for {real.shape[1]} features: mostly bias" if fewest <= real.shape[1] else ""
    return Score(float(value), None, warning)


def _features(extractor, pixels, size, resize):
    images = to_image(pixels)
    if size != tuple(pixels.shape[1:3]) and None not in size:
        images = tf.image.resize(images, size, "bilinear", antialias=_RESIZES[resize])
    found = extractor(images, training=False)
    return np.asarray(keras.ops.mean(found, axis=(1, 2)) if len(found.shape) == 4 else found, np.float64)


def _checked(real, generated) -> tuple[np.ndarray, np.ndarray]:
    real, generated = np.asarray(real, np.float64), np.asarray(generated, np.float64)
    shapes: list[Any] = [each.shape for each in (real, generated)]
    if any(len(shape) != 2 or shape[0] < 2 for shape in shapes) or shapes[0][1] != shapes[1][1]:
        raise ValueError(
            "Features must be (pictures, features), of two pictures or more each, with the same number of features. "
            f"Received: shapes {shapes[0]} and {shapes[1]}."
        )
    return real, generated


def _discrepancy(one, other):
    number, width = one.shape
    within = [(_kernel(each, each, width).sum() - np.trace(_kernel(each, each, width))) for each in (one, other)]
    return sum(within) / (number * (number - 1)) - 2 * _kernel(one, other, width).mean()


def _kernel(one, other, width):
    return (one @ other.T / width + 1) ** 3


def _square_root(matrix):
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
