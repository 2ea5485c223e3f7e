"""Scores of each picture against its target, the standard error of their mean, and what a score of a set is."""

from typing import Any, NamedTuple

import numpy as np

from keras_pix2pix import metrics
from keras_pix2pix.encodings import get as get_encoding
from keras_pix2pix.images import HALF_RANGE

__all__ = ["Score", "bootstrap_draws", "picture_scores", "standard_error"]

_RESAMPLES = 1000


class Score(NamedTuple):
    """A score of a whole set of pictures.

    Attributes:
        value: The score.
        standard_error: How far chance may have moved it; None where that isn't known, as for FID.
        warning: Why the value says little; empty if it is meaningful.

    Example:

    ```python
    from keras_pix2pix.evaluation import Score

    value, standard_error, warning = Score(0.031, 0.002)
    ```
    """

    value: float
    standard_error: float | None = None
    warning: str = ""


def picture_scores(generated: Any, target: Any, encoding: Any = "rgb") -> dict[str, np.ndarray]:
    """How near each generated picture is to its target.

    Args:
        generated: Images `(batch, height, width, channels)` in [-1, 1].
        target: The real ones, of the same shape.
        encoding: How the target is stored: see `encodings.get`. Defaults to "rgb".

    Returns:
        Arrays `(batch,)` by name. For pictures "l1", the mean difference in grey levels of 255; "psnr" in dB; and
        "ssim", at most 1, for images of 11 or more pixels a side. For label maps "pixel_accuracy" and "class_iou", the
        mean over the classes that are in the target or generated, each from 0 to 1 (Section 4.1).

    Example:

    ```python
    import numpy as np
    from keras_pix2pix.evaluation import picture_scores

    target = np.zeros((2, 32, 32, 3), "float32")
    scores = picture_scores(target + 0.1, target)
    assert scores["l1"].round(2).tolist() == [12.75, 12.75]
    ```

    Reference:
        Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", Section 4.1.
    """
    generated, target = np.asarray(generated, np.float32), np.asarray(target, np.float32)
    encoding = get_encoding(encoding)
    counted = encoding.counted(target)
    if encoding.is_label_map:
        everywhere = np.ones(target.shape[:3], bool)
        return _scores_of_labels(
            _classes(generated), _classes(target), everywhere if counted is None else np.asarray(counted)[..., 0]
        )
    if counted is not None:
        generated = np.where(counted, generated, target)
    scores = {
        "l1": np.abs(generated - target).mean(axis=(1, 2, 3)) * HALF_RANGE,
        "psnr": np.asarray(metrics.psnr(target, generated)),
    }
    if min(target.shape[1:3]) >= metrics.SSIM_WINDOW:
        scores["ssim"] = np.asarray(metrics.ssim(target, generated))
    return scores


def standard_error(values: np.ndarray, seed: int = 0) -> float:
    """The standard error of a mean score, by bootstrap over the pictures.

    Args:
        values: Scores, `(pictures,)`, two or more.
        seed: Of the resamples. Defaults to 0.

    Returns:
        The standard deviation of the means of 1000 resamples; NaN for a single picture.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix.evaluation import standard_error

    error = standard_error(np.array([20.1, 22.4, 19.8, 21.0]))
    ```

    Reference:
        Efron, "Bootstrap Methods: Another Look at the Jackknife".
    """
    values = np.asarray(values, np.float64)
    if len(values) < 2:
        return float("nan")
    return float(values[bootstrap_draws(len(values), seed)].mean(axis=1).std(ddof=1))


def bootstrap_draws(pictures: int, seed: int = 0) -> np.ndarray:
    """The indices of the pictures in each resample, `(1000, pictures)`."""
    return np.random.default_rng(seed).integers(0, pictures, (_RESAMPLES, pictures))


def _classes(image):
    return image.argmax(axis=-1) if image.shape[-1] > 1 else (image[..., 0] > 0).astype(int)


def _scores_of_labels(generated, target, counted):
    """Scores of each picture from its confusion matrix: a row for each class of the target."""
    number = int(max(generated.max(), target.max())) + 1
    accuracy, iou = [], []
    for one, other, where in zip(generated, target, counted, strict=True):
        pairs = other[where] * number + one[where]
        confusion = np.bincount(pairs, minlength=number**2).reshape(number, number)
        either = confusion.sum(axis=0) + confusion.sum(axis=1) - confusion.diagonal()
        accuracy.append(confusion.trace() / max(1, confusion.sum()))
        iou.append((confusion.diagonal()[either > 0] / either[either > 0]).mean() if either.any() else 0.0)
    return {"pixel_accuracy": np.array(accuracy), "class_iou": np.array(iou)}
