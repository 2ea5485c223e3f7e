"""A trained generator on arrays, files and folders of any size."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_pix2pix.data.pairs import list_picture_files, split_side_by_side
from keras_pix2pix.images import read_image_file, read_image_size, write_png
from keras_pix2pix.networks.serving import serving_model


def translate(generator, inputs, output_directory=None, *, side_by_side=None):
    """Translate pictures that have no target: see `Pix2Pix.translate`.

    Args:
        generator: Functional `keras.Model` from images to images of the same size.
        inputs: uint8 pixels `(height, width, channels)` or `(batch, height, width, channels)`, a file, a folder, or
            a list of these.
        output_directory: Folder for PNG files; None returns pixels. Defaults to None.
        side_by_side: "AtoB" or "BtoA" if the files hold pairs of which the source half is to be translated.
            Defaults to None: the files are sources.

    Returns:
        Pixels as `inputs` came (an array for an array or a file, a list for a folder or a list); with
        `output_directory`, the list of files written.

    Raises:
        ValueError: Pixels of another type or shape, or a file that can't be read, which is named.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix import unet_generator
    from keras_pix2pix.training.translation import translate

    pixels = np.zeros((50, 70, 3), "uint8")
    generated = translate(unet_generator((64, 64, 3), filters=8), pixels)
    ```
    """
    serving = serving_model(generator)
    run = tf.function(
        lambda pixels: serving(pixels, training=False),
        input_signature=[tf.TensorSpec(serving.input_shape, tf.uint8)],
    )

    def generate(pixels):
        return run(pixels[np.newaxis])[0].numpy()

    sources = list(_sources(inputs, serving.input_shape[-1], side_by_side))
    if output_directory is not None:
        return _write(sources, generate, Path(output_directory))
    generated = [generate(read()) for _, read in sources]
    if isinstance(inputs, (list, tuple)) or _is_folder(inputs):
        return generated
    return np.stack(generated) if np.ndim(inputs) == 4 else generated[0]


def _sources(inputs, channels, side_by_side):
    """(name, function that reads the pixels) of every picture meant by `inputs`."""
    if isinstance(inputs, (list, tuple)):
        for position, each in enumerate(inputs):
            for name, read in _sources(each, channels, side_by_side):
                yield (name if _is_path(each) else f"{position:04d}"), read
    elif _is_path(inputs):
        files = list_picture_files(inputs) if _is_folder(inputs) else [Path(inputs)]
        for path in files:
            read_image_size(path)  # Raises now, before the first picture is translated.
            yield path.stem, lambda path=path: _read(path, side_by_side)
    else:
        pixels = np.asarray(inputs)
        if pixels.dtype != np.uint8 or pixels.ndim not in (3, 4) or pixels.shape[-1] != channels or not pixels.size:
            raise ValueError(
                f"Pixels must be uint8, (height, width, {channels}) or (batch, height, width, {channels}). "
                f"Received: {pixels.dtype} of shape {pixels.shape}. Convert images in [-1, 1] with `images.to_pixels`."
            )
        for position, each in enumerate(pixels if pixels.ndim == 4 else [pixels]):
            yield f"{position:04d}", lambda each=each: each


def _read(path, side_by_side):
    picture = read_image_file(path)
    if side_by_side:
        if picture.width % 2:
            raise ValueError(
                f"{path} has an odd width, so that it does not hold two equal halves. Accepted: an even width. "
                f"Received: {picture.width}."
            )
        picture, _ = split_side_by_side(picture, side_by_side)
    return np.asarray(picture)


def _write(sources, generate, directory):
    names = [name for name, _ in sources]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(
                f"Two of the pictures are called {name!r}, and would be written to the same file. "
                "Rename one of them, or translate them into different folders."
            )
    paths = []
    for name, read in sources:
        write_png(directory / f"{name}.png", generate(read()))
        paths.append(directory / f"{name}.png")
    return paths


def _is_path(inputs):
    return isinstance(inputs, (str, Path))


def _is_folder(inputs):
    return _is_path(inputs) and Path(inputs).is_dir()
