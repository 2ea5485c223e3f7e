"""The exported file beside the Keras model, on the same pictures: the verdict."""

from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from PIL import Image

from keras_pix2pix.data.synthetic import facade
from keras_pix2pix.encodings import Picture
from keras_pix2pix.encodings import get as get_encoding
from keras_pix2pix.networks.serving import encodings_of

# Of label maps, the share of pixels of the same class: where weights keep their precision, and where they lose some
# and the network can't tell two classes apart.
LEAST_EQUAL, LEAST_EQUAL_REDUCED = 0.999, 0.99
GREY_LEVELS = 255
DRAWN_PICTURES = 4
DRAWN_SIDES = (16, 1024)  # What `facade` draws, in pixels; others are enlarged or reduced.


class Parity(NamedTuple):
    """How far an exported file is from the Keras model.

    Args:
        size: Size of the file or folder in bytes.
        psnr: Peak signal-to-noise ratio in dB over all pixels compared; infinite if they are equal. None for label
            maps.
        largest_difference: In grey levels: 255ths of the target's value range. None for label maps.
        equal: Share of the pixels of a label map that are of the same class. Defaults to None, for pictures.
        gpu_fallbacks: Of a TFLite file, what `gpu_delegate.gpu_fallbacks` says. Defaults to None.

    Example:

    ```python
    from keras_pix2pix.deploy.parity import Parity

    parity = Parity(size=1_000_000, psnr=80.0, largest_difference=1)
    ```
    """

    size: int
    psnr: float | None
    largest_difference: float | None
    equal: float | None = None
    gpu_fallbacks: dict | None = None

    def __str__(self):
        if self.equal is not None:
            return f"{self.size / 1e6:.1f} MB, {self.equal:.3%} of the pixels of the same class as the Keras model's"
        levels = "level" if self.largest_difference == 1 else "levels"
        return (
            f"{self.size / 1e6:.1f} MB, PSNR {self.psnr:.1f} dB, "
            f"largest difference {self.largest_difference:.3g} grey {levels} from the Keras model"
        )


def measure(path, run, model, pixels):
    """Compare an exported file with the Keras generator that it was made from.

    Args:
        path: The file or folder, for its size.
        run: Function from source pixels `(1, height, width, channels)` to generated pixels: the exported file.
        model: `Pix2Pix` or functional generator, run in its own stock layers.
        pixels: Source pixels as the source's encoding stores them, `(pictures, height, width, channels)`.

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
    generator = getattr(model, "generator", model)
    source_encoding, target_encoding = encodings_of(model)
    reference = keras.models.clone_model(
        generator, input_tensors=keras.Input((*pixels.shape[1:3], source_encoding.channels))
    )
    reference.set_weights(generator.get_weights())
    expected, received = [], []
    for picture in pixels:
        source = picture[np.newaxis]
        generated = reference(source_encoding.to_image(source), training=False)
        expected.append(np.asarray(target_encoding.to_raw(generated)))
        received.append(np.asarray(run(source)))
    return _compare(_size(Path(path)), np.stack(expected), np.stack(received), target_encoding)


def _compare(size, expected, received, encoding):
    if not isinstance(encoding, Picture):
        same = (expected == received).all(axis=-1)
        return Parity(size, None, None, equal=float(np.mean(same)))
    low, high = encoding.value_range
    differences = np.abs(expected.astype("float64") - received) * (GREY_LEVELS / (high - low))
    mean_square = np.mean(np.square(differences))
    psnr = 10 * np.log10(GREY_LEVELS**2 / mean_square) if mean_square else float("inf")
    largest = np.max(differences)
    return Parity(size, float(psnr), int(largest) if encoding.raw_dtype == "uint8" else float(largest))


def require(parity, path, *, levels=None, psnr=None):
    """Refuse a file that differs by more than is accepted.

    Args:
        parity: What `measure` returned.
        path: Final name of the file, for the message.
        levels: Largest difference accepted, in grey levels. Defaults to None: any. Of label maps, 99.9% of the pixels
            must be of the same class if this is given, and 99% if not.
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
    if parity.equal is not None:
        share = LEAST_EQUAL_REDUCED if levels is None else LEAST_EQUAL
        accepted.append((parity.equal >= share, f"at least {share:.1%} of the pixels of the same class"))
        levels = psnr = None
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


def sources_or_drawn(pixels, image_size, encoding, name="`pixels`"):
    """The pictures to compare on, checked; drawn ones for None.

    Args:
        pixels: Array `(pictures, height, width, channels)` as the encoding stores it, or None.
        image_size: (height, width) that the exported file takes.
        encoding: How the source lies in files: see `encodings.get`.
        name: What the pictures are called in messages. Defaults to "`pixels`".

    Returns:
        An array of the encoding's raw type, `(pictures, height, width, channels)`.

    Raises:
        ValueError: Another type or shape.

    Example:

    ```python
    from keras_pix2pix.deploy.parity import sources_or_drawn

    pixels = sources_or_drawn(None, (64, 64), 3)
    ```
    """
    encoding = get_encoding(encoding)
    channels = encoding.raw_channels
    if pixels is None:
        return np.stack([encoding.from_pixels(picture) for picture in drawn_sources(image_size, 3)])
    pixels = np.asarray(pixels)
    if pixels.dtype != encoding.raw_dtype or pixels.ndim != 4 or pixels.shape[1:] != (*image_size, channels):
        raise ValueError(
            f"{name} must be {encoding.raw_dtype} of shape (pictures, {image_size[0]}, {image_size[1]}, {channels}). "
            f"Received: {pixels.dtype} of shape {pixels.shape}."
        )
    return encoding.checked(pixels, name)


def _size(path):
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
