"""How far an exported file is from the Keras model, on the same pictures."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from keras_pix2pix.data.synthetic import facade
from keras_pix2pix.encodings import Encoding
from keras_pix2pix.encodings import get as get_encoding
from keras_pix2pix.inference.serving import encodings_of, generator_of
from keras_pix2pix.metrics import MOST_DECIBELS, SSIM_WINDOW, ssim

__all__ = ["GREY_LEVELS", "Parity", "compare", "grey_levels_apart", "keras_function", "sources_or_drawn"]

GREY_LEVELS = 255
_DRAWN_PICTURES = 4
_DRAWN_SIDES = (16, 1024)  # Sizes in pixels that `facade` draws; for others, its drawing is resized.


class Parity(NamedTuple):
    """The verdict on an exported file: how far it is from the Keras model, how large, and how fast.

    Grey levels are 255ths of the target's value range. For label maps, `equal` is given and the other measures are
    None.

    Args:
        size: Size of the file or folder in bytes.
        psnr: Peak signal-to-noise ratio in dB over all pixels compared; at most 100, when they are equal.
        largest_difference: In grey levels.
        equal: Share of a label map's pixels that have the same class. Defaults to None, for pictures.
        mean_difference: In grey levels. Defaults to None.
        ssim: Structural similarity, the mean over the pictures; None below 11x11 pixels. Defaults to None.
        pictures: Number of pictures compared. Defaults to None.
        worst: Index of the picture that is furthest from the Keras model's. Defaults to None.
        latency: Milliseconds a picture, medians of interleaved runs: a dictionary with "1 thread" and "2 threads" of
            the file, and "Keras", the model as a TensorFlow function on all processors. Defaults to None.
        operators: Dictionary from the names of the file's operators to their numbers. Defaults to None.
        gpu_fallbacks: Dictionary from the operators of a TFLite file that GPUs leave to the CPU, in words, to their
            numbers. Defaults to None.
        accepted: Dictionary of what was accepted, with the names of `accept`. Defaults to None.
        drawn_pictures: Whether it was compared on drawn label maps. Defaults to None.
        path: The file or folder. Defaults to None.
    """

    size: int
    psnr: float | None
    largest_difference: float | None
    equal: float | None = None
    mean_difference: float | None = None
    ssim: float | None = None
    pictures: int | None = None
    worst: int | None = None
    latency: dict | None = None
    operators: dict | None = None
    gpu_fallbacks: dict | None = None
    accepted: dict | None = None
    drawn_pictures: bool | None = None
    path: str | None = None

    def __repr__(self):
        return f"<{self.path}: {self}>"

    def __str__(self):
        words = [f"{self.size / 1e6:.1f} MB"]
        if self.equal is not None:
            words.append(f"{self.equal:.3%} of the pixels of the same class as the Keras model's")
        else:
            levels = "level" if self.largest_difference == 1 else "levels"
            words.append(f"PSNR {self.psnr:.1f} dB")
            words.append(f"largest difference {self.largest_difference:.3g} grey {levels} from the Keras model")
        if self.mean_difference is not None:
            words.append(f"mean difference {self.mean_difference:.2g}")
        if self.ssim is not None:
            words.append(f"SSIM {self.ssim:.4f}")
        words += [f"{milliseconds:.1f} ms ({name})" for name, milliseconds in (self.latency or {}).items()]
        return ", ".join(words)


def keras_function(model: keras.Model, image_size: tuple[int, int]) -> Callable[[np.ndarray], np.ndarray]:
    """The reference for an exported file: the generator in its original layers, in float32, from raw to raw values."""
    generator = generator_of(model)
    source_encoding, target_encoding = encodings_of(model)
    reference = keras.models.clone_model(
        generator,
        input_tensors=keras.Input((*image_size, source_encoding.channels)),
        clone_function=_in_float32,
    )
    reference.set_weights(generator.get_weights())

    @tf.function
    def translate(source):
        return target_encoding.to_raw(reference(source_encoding.to_image(source), training=False))

    return lambda source: np.asarray(translate(tf.convert_to_tensor(source)))


def _in_float32(layer):
    """A copy of a layer without 16-bit rounding, which costs several grey levels in bfloat16 and isn't in the file."""
    config = layer.get_config()
    if getattr(layer, "compute_dtype", "float32") != "float32":
        config["dtype"] = "float32"
    return layer.__class__.from_config(config)


def compare(
    path: str | Path, run: Callable, reference: Callable, pixels: np.ndarray, encoding: Encoding | str
) -> Parity:
    """Compare two functions from source pixels to generated pixels."""
    encoding = get_encoding(encoding)
    # One picture at a time, to need the memory of one.
    rows = [
        _differences(np.asarray(reference(picture[np.newaxis])), np.asarray(run(picture[np.newaxis])), encoding)
        for picture in pixels
    ]
    size, columns = _size(Path(path)), {name: [row[name] for row in rows] for name in rows[0]}
    if "equal" in columns:
        mean, worst = float(np.mean(columns["equal"])), int(np.argmin(columns["equal"]))
        return Parity(size, None, None, equal=mean, pictures=len(rows), worst=worst)
    mean_square, largest = np.mean(columns["mean_square"]), max(columns["largest"])
    psnr = 10 * np.log10(GREY_LEVELS**2 / mean_square) if mean_square else MOST_DECIBELS
    return Parity(
        size,
        psnr=min(float(psnr), MOST_DECIBELS),
        largest_difference=int(largest) if encoding.raw_dtype == "uint8" else float(largest),
        mean_difference=float(np.mean(columns["mean"])),
        ssim=None if None in columns["ssim"] else float(np.mean(columns["ssim"])),
        pictures=len(rows),
        worst=int(np.argmax(columns["mean_square"])),
    )


def _differences(expected, received, encoding):
    if expected.shape != received.shape:
        raise RuntimeError(
            f"The exported file gives an array of shape {received.shape}, and the Keras model one of {expected.shape}. "
            "Replace the layer that is converted wrongly."
        )
    if encoding.is_label_map:
        return {"equal": np.mean((expected == received).all(axis=-1))}
    levels = grey_levels_apart(expected, received, encoding)
    windows_fit = min(expected.shape[1:3]) >= SSIM_WINDOW
    return {
        "mean_square": np.mean(np.square(levels)),
        "mean": np.mean(levels),
        "largest": np.max(levels),
        "ssim": float(ssim(encoding.to_image(expected), encoding.to_image(received))[0]) if windows_fit else None,
    }


def grey_levels_apart(expected: np.ndarray, received: np.ndarray, encoding: Any) -> np.ndarray:
    """The absolute difference of two arrays of raw values, in grey levels."""
    low, high = encoding.value_range
    return np.abs(expected.astype("float64") - received) * (GREY_LEVELS / (high - low))


def _drawn_sources(image_size, channels):
    """Source pictures to compare on where none are given: drawn label maps of facades.

    Returns uint8 pixels, `(4, height, width, channels)`.
    """
    height, width = image_size
    drawn_size = tuple(np.clip(image_size, *_DRAWN_SIDES).tolist())
    drawn = [Image.fromarray(facade(seed, drawn_size)[0]) for seed in range(_DRAWN_PICTURES)]
    labels = np.stack([np.asarray(each.resize((width, height), Image.Resampling.NEAREST)) for each in drawn])
    return np.tile(labels, (1, 1, 1, -(-channels // 3)))[..., :channels]


def sources_or_drawn(pixels: Any, image_size: Any, encoding: Encoding | str, name: str = "`pixels`") -> np.ndarray:
    """Check the pictures to compare on, or draw some if there are none.

    Returns an array of the encoding's raw type, `(pictures, height, width, channels)`.
    """
    encoding = get_encoding(encoding)
    channels = encoding.raw_channels
    if pixels is None:
        return np.stack([encoding.from_pixels(picture) for picture in _drawn_sources(image_size, 3)])
    pixels = np.asarray(pixels)
    suits = pixels.dtype == encoding.raw_dtype and pixels.ndim == 4 and pixels.shape[1:] == (*image_size, channels)
    if not suits or not len(pixels):
        raise ValueError(
            f"{name} must be {encoding.raw_dtype} of shape (pictures, {image_size[0]}, {image_size[1]}, {channels}), "
            f"of one picture or more. Received: {pixels.dtype} of shape {pixels.shape}."
        )
    return encoding.checked(pixels, name)


def _size(path):
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
