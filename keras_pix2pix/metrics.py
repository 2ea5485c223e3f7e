"""PSNR and SSIM of generated images against their targets: as functions, and as Keras metrics to compile with."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

__all__ = ["PSNR", "SSIM", "psnr", "ssim"]

MOST_DECIBELS = 100.0  # The value of an equal pair, so that one doesn't make a mean infinite.
SSIM_WINDOW = 11  # Pixels: Gaussian weights of standard deviation 1.5, cut off (Section III.B of the SSIM paper).


def psnr(target: Any, generated: Any) -> Any:
    """Peak signal-to-noise ratio of each image of a batch, in dB.

    Args:
        target: Images in [-1, 1], `(batch, height, width, channels)`.
        generated: Images of the same shape.

    Returns:
        A float32 tensor, `(batch,)`; at most 100, for equal images.

    Raises:
        ValueError: Shapes that differ.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix.metrics import psnr

    white = np.ones((1, 64, 64, 3))
    decibels = psnr(white, white * 0.8)  # 20: the difference is a tenth of the range.
    ```
    """
    return ops.minimum(tf.image.psnr(*_from_0_to_1(target, generated), 1.0), MOST_DECIBELS)


def ssim(target: Any, generated: Any) -> Any:
    """Structural similarity of each image of a batch: the mean over its channels and over all windows that fit in.

    The windows have 11x11 pixels with Gaussian weights. Images are compared in [0, 1], because the measure is defined
    for positive values, so the result is that of the pixels.

    Args:
        target: Images in [-1, 1], `(batch, height, width, channels)`, of at least 11x11 pixels.
        generated: Images of the same shape.

    Returns:
        A float32 tensor, `(batch,)`, between -1 and 1; 1 for equal images.

    Raises:
        ValueError: A side of less than 11 pixels, or shapes that differ.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix.metrics import ssim

    white = np.ones((1, 64, 64, 3))
    similarity = ssim(white, white)  # 1
    ```

    Reference:
        Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity", IEEE Transactions on
        Image Processing 13 (2004).
    """
    target, generated = _from_0_to_1(target, generated)
    for side in target.shape[-3:-1]:
        if side is not None and side < SSIM_WINDOW:
            raise ValueError(
                f"SSIM looks at windows of {SSIM_WINDOW}x{SSIM_WINDOW} pixels. Accepted: images of {SSIM_WINDOW} "
                f"pixels or more on both sides. Received: images of shape {tuple(target.shape)}. Use larger images, or "
                "PSNR alone."
            )
    return tf.image.ssim(target, generated, 1.0, filter_size=SSIM_WINDOW, filter_sigma=1.5)


class _MeanOverImages(keras.metrics.MeanMetricWrapper):
    """The mean of a function of (target, generated) over the images, weighted by `sample_weight`."""

    def __init__(self, function, name, dtype):
        super().__init__(function, name=name, dtype=dtype)
        self._direction = "up"  # Larger is better, for callbacks whose mode is "auto".

    def get_config(self):
        return {"name": self.name, "dtype": self.dtype}  # The function follows from the class.


@keras.saving.register_keras_serializable("keras_pix2pix")
class PSNR(_MeanOverImages):
    """The mean peak signal-to-noise ratio of generated images, in dB.

    `update_state(target, generated, sample_weight=None)` takes batches of images in [-1, 1]. Equal images count as
    100 dB.

    Args:
        name: Name in the logs. Defaults to "psnr".
        dtype: Type of the sums. Defaults to None: Keras' floatx.

    Example:

    ```python
    from keras_pix2pix import Pix2Pix, metrics, patchgan_discriminator, unet_generator

    shape = (64, 64, 3)
    model = Pix2Pix(unet_generator(shape, filters=8), patchgan_discriminator(shape, filters=8))
    model.compile(metrics=[metrics.PSNR(), metrics.SSIM()])
    ```
    """

    def __init__(self, name: str = "psnr", dtype: str | None = None) -> None:
        super().__init__(psnr, name, dtype)


@keras.saving.register_keras_serializable("keras_pix2pix")
class SSIM(_MeanOverImages):
    """The mean structural similarity of generated images to their targets.

    `update_state(target, generated, sample_weight=None)` takes batches of images in [-1, 1], of at least 11x11
    pixels.

    Args:
        name: Name in the logs. Defaults to "ssim".
        dtype: Type of the sums. Defaults to None: Keras' floatx.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix import metrics

    metric = metrics.SSIM()
    metric.update_state(np.ones((2, 64, 64, 3)), np.ones((2, 64, 64, 3)))
    similarity = metric.result()  # 1
    ```
    """

    def __init__(self, name: str = "ssim", dtype: str | None = None) -> None:
        super().__init__(ssim, name, dtype)


def _from_0_to_1(target, generated):
    # In float32 whatever the precision of the network: squares of 8-bit differences are small.
    target, generated = (ops.cast(image, "float32") for image in (target, generated))
    if not target.shape.is_compatible_with(generated.shape):
        raise ValueError(
            "Images are compared one by one. Accepted: `target` and `generated` of one shape. Received: "
            f"{tuple(target.shape)} and {tuple(generated.shape)}."
        )
    return (target + 1.0) / 2.0, (generated + 1.0) / 2.0
