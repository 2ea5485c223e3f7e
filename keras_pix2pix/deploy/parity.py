"""The exported file beside the Keras model, on the same pictures: the verdict."""

from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from PIL import Image

from keras_pix2pix.data.synthetic import facade
from keras_pix2pix.images import to_image, to_pixels

DRAWN_PICTURES = 4
DRAWN_SIDES = (16, 1024)  # What `facade` draws, in pixels; others are enlarged or reduced.


class Parity(NamedTuple):
    """How far an exported file is from the Keras model.

    Args:
        size: Size of the file or folder in bytes.
        psnr: Peak signal-to-noise ratio in dB over all pixels compared; infinite if they are equal.
        largest_difference: In grey levels, 0 to 255.

    Example:

    ```python
    from keras_pix2pix.deploy.parity import Parity

    parity = Parity(size=1_000_000, psnr=80.0, largest_difference=1)
    ```
    """

    size: int
    psnr: float
    largest_difference: int

    def __str__(self):
        levels = "level" if self.largest_difference == 1 else "levels"
        return (
            f"{self.size / 1e6:.1f} MB, PSNR {self.psnr:.1f} dB, "
            f"largest difference {self.largest_difference} grey {levels} from the Keras model"
        )


def measure(path, run, generator, pixels):
    """Compare an exported file with the Keras generator that it was made from.

    Args:
        path: The file or folder, for its size.
        run: Function from uint8 pixels `(1, height, width, channels)` to generated pixels: the exported file.
        generator: Functional `keras.Model`, run in its own stock layers.
        pixels: Source pixels, `(pictures, height, width, channels)`.

    Returns:
        A `Parity`.

    Example:

    ```python
    from keras_pix2pix import serving_model, unet_generator
    from keras_pix2pix.deploy.parity import drawn_sources, measure

    generator = unet_generator((64, 64, 3), filters=8)
    parity = measure("x.tflite", serving_model(generator), generator, drawn_sources((64, 64), 3))
    ```
    """
    reference = keras.models.clone_model(generator, input_tensors=keras.Input(pixels.shape[1:]))
    reference.set_weights(generator.get_weights())
    differences = []
    for picture in pixels:
        source = picture[np.newaxis]
        expected = np.asarray(to_pixels(reference(to_image(source), training=False)))
        differences.append(np.abs(expected.astype(int) - np.asarray(run(source))))
    mean_square = np.mean(np.square(differences))
    psnr = 10 * np.log10(255**2 / mean_square) if mean_square else float("inf")
    return Parity(_size(Path(path)), float(psnr), int(np.max(differences)))


def require(parity, path, *, levels=None, psnr=None):
    """Refuse a file that differs by more than is accepted.

    Args:
        parity: What `measure` returned.
        path: Final name of the file, for the message.
        levels: Largest difference accepted, in grey levels. Defaults to None: any.
        psnr: Smallest ratio accepted, in dB. Defaults to None: any.

    Raises:
        RuntimeError: The file differs by more.

    Example:

    ```python
    from keras_pix2pix.deploy.parity import Parity, require

    require(Parity(size=1_000_000, psnr=80.0, largest_difference=1), "x.tflite", levels=1)
    ```
    """
    accepted = []
    if levels is not None:
        accepted.append((parity.largest_difference <= levels, f"at most {levels} grey level(s)"))
    if psnr is not None:
        accepted.append((parity.psnr >= psnr, f"at least {psnr} dB"))
    if not all(passed for passed, _ in accepted):
        raise RuntimeError(
            f"The exported file does not compute what the Keras model does, and was not kept as {path}. Accepted: "
            f"{' and '.join(words for _, words in accepted)}. Received: {parity}. "
            "Try another `quantization`, if one was asked for, or replace the layer that is converted wrongly."
        )


def drawn_sources(image_size, channels):
    """Source pictures to compare on where none are given: label maps of drawn facades.

    Args:
        image_size: (height, width) in pixels.
        channels: Channels of the source; label maps are repeated or cut to that many.

    Returns:
        uint8 pixels, `(4, height, width, channels)`.

    Example:

    ```python
    from keras_pix2pix.deploy.parity import drawn_sources

    pixels = drawn_sources((64, 64), 3)
    ```
    """
    height, width = image_size
    drawn_size = tuple(np.clip(image_size, *DRAWN_SIDES).tolist())
    drawn = [Image.fromarray(facade(seed, drawn_size)[0]) for seed in range(DRAWN_PICTURES)]
    labels = np.stack([np.asarray(each.resize((width, height), Image.Resampling.NEAREST)) for each in drawn])
    return np.tile(labels, (1, 1, 1, -(-channels // 3)))[..., :channels]


def sources_or_drawn(pixels, image_size, channels):
    """The pictures to compare on, checked; drawn ones for None.

    Args:
        pixels: uint8 array, `(pictures, height, width, channels)`, or None.
        image_size: (height, width) that the exported file takes.
        channels: Channels of the source.

    Returns:
        A uint8 array, `(pictures, height, width, channels)`.

    Raises:
        ValueError: Another type or shape.

    Example:

    ```python
    from keras_pix2pix.deploy.parity import sources_or_drawn

    pixels = sources_or_drawn(None, (64, 64), 3)
    ```
    """
    if pixels is None:
        return drawn_sources(image_size, channels)
    pixels = np.asarray(pixels)
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[1:] != (*image_size, channels):
        raise ValueError(
            f"`pixels` must be uint8 of shape (pictures, {image_size[0]}, {image_size[1]}, {channels}). "
            f"Received: {pixels.dtype} of shape {pixels.shape}."
        )
    return pixels


def _size(path):
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
