"""SavedModel: for TensorFlow Serving, and for machines without this package."""

import errno
import os
from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_pix2pix.deploy.parity import Parity
from keras_pix2pix.deploy.pipeline import write_judged
from keras_pix2pix.deploy.replacing import refuse_to_replace_folder
from keras_pix2pix.deploy.verdict import refuse_to_replace_records
from keras_pix2pix.inference.serving import encodings_of, serving_model

__all__ = ["export_saved_model"]

_SAVED_MODEL = "saved_model.pb"
_FILES = (_SAVED_MODEL, "fingerprint.pb", "variables/variables.index", "variables/variables.data-*", "assets/*")
# Accepted by both TensorFlow's decoders and its PNG encoder.
_ENCODED_CHANNELS = (1, 3, 4)


def export_saved_model(
    model: keras.Model, path: str | Path, *, pixels: np.ndarray | None = None, accept: Mapping[str, float] | None = None
) -> Parity:
    """Write a trained generator as a SavedModel: pixels in, pixels out, pictures of any size.

    It loads with `tf.saved_model.load` and `keras.layers.TFSMLayer`, without this package. Its signatures:

    - "serve" (and "serving_default"): `source`, `(batch, height, width, channels)`, to `generated`, both in the form
      that the encodings of the `Pix2Pix` store: uint8 for pictures of 8 bits and label maps, float32 otherwise;
    - "serve_encoded", for pictures of 8 bits in 1, 3 or 4 channels, label colours, and class indices of a target:
      `source_bytes`, strings `(batch,)` with a JPEG, PNG, BMP or GIF file each, of any sizes, to `generated_bytes`,
      PNG files. Unlike in training, the orientation in a photo's EXIF data is ignored: rotate such photos
      first.

    The folder is then loaded and run beside the Keras model; the verdict is returned, and stored beside the
    folder: `facades.export.json` beside `facades`, and the worst picture as `facades.export.png`.

    Args:
        model: `Pix2Pix`, or a functional generator.
        path: Folder to write, under a temporary name first. A SavedModel of that name is replaced. On Linux and macOS
            the two are swapped in one step, so that one of them is always there and complete. Elsewhere, and on
            drives that can't swap, a process killed between two renames leaves neither; the next export to this name
            first restores the old one.
        pixels: Source pixels `(pictures, height, width, channels)` to compare on. Defaults to None: drawn
            label maps.
        accept: Dictionary of what is accepted in place of the defaults: "psnr", the smallest signal-to-noise ratio in
            dB, 0 to 100; "levels", the largest difference in grey levels, 0 to 255; or, of a label map, "equal", the
            smallest share of pixels of the same class, 0 to 1. Defaults to None: 1 level, or 0.999.

    Returns:
        A `Parity`: size, PSNR, SSIM, largest and mean difference; for label maps, the share of
        equal pixels.

    Raises:
        ValueError: `path` exists and isn't a SavedModel or holds other files, or other files have the names of the
            verdict's, or the model isn't a generator, or `pixels` or `accept` don't suit.
        OSError: The folder can't be written; the error names it, and nothing is left behind.
        RuntimeError: The SavedModel differs from the Keras model by more than is accepted; it is not kept.

    Example:

    ```python
    from keras_pix2pix import export_saved_model, unet_generator

    parity = export_saved_model(unet_generator((64, 64, 3), filters=8), "saved_model")
    ```
    """
    path = Path(path).expanduser()
    if set("*?[") & set(str(path)):
        raise ValueError(f"{path} contains *, ? or [, which TensorFlow treats as a pattern. Choose another path.")
    refuse_to_replace_folder(path, "a SavedModel", lambda folder: _FILES if (folder / _SAVED_MODEL).is_file() else None)
    refuse_to_replace_records(path)
    serving = serving_model(model)
    source_encoding, target_encoding = encodings_of(model)
    # Not `archive.track(serving)`: Keras would then write every variable twice.
    archive = keras.export.ExportArchive()
    archive.add_endpoint(
        "serve",
        lambda source: {"generated": serving(source, training=False)},
        input_signature=[tf.TensorSpec(serving.input_shape, serving.input.dtype, name="source")],
    )
    if _is_decodable(source_encoding) and _fits_a_png(target_encoding):
        archive.add_endpoint(
            "serve_encoded",
            lambda source_bytes: {"generated_bytes": _translate_files(serving, source_bytes)},
            input_signature=[tf.TensorSpec((None,), tf.string, name="source_bytes")],
        )

    def write(temporary):
        try:
            archive.write_out(temporary, verbose=False)
        except (tf.errors.OpError, UnicodeError) as error:  # Mostly a full disk, or a limit on the size of files.
            raise _os_error(error, path) from error

    # TensorFlow's threads are set once for the whole process.
    return write_judged(
        model, path, format="saved_model", write=write, run=_runner, pixels=pixels, accept=accept, threads=()
    )


def _runner(path, threads):
    loaded = tf.saved_model.load(path)
    return lambda source: loaded.serve(source)["generated"]


def _os_error(error, path):
    """The system's error behind TensorFlow's, which keeps only the message."""
    message = str(getattr(error, "message", error))
    for number in (errno.EFBIG, errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
        if os.strerror(number) in message:
            return OSError(number, os.strerror(number), str(path))
    return OSError(errno.EIO, message, str(path))


def _is_decodable(encoding):
    # Not class indices: TensorFlow decodes palette files to colours.
    return len(encoding.parts) == 1 and not encoding.holds_indices and _fits_a_png(encoding)


def _fits_a_png(encoding):
    return encoding.raw_dtype == "uint8" and encoding.raw_channels in _ENCODED_CHANNELS


def _translate_files(serving, source_bytes):
    def translate_file(contents):
        pixels = tf.io.decode_image(contents, channels=serving.input_shape[-1], expand_animations=False)
        return tf.io.encode_png(serving(pixels[tf.newaxis], training=False)[0])

    return tf.map_fn(translate_file, source_bytes, fn_output_signature=tf.string)
