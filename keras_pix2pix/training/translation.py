"""A trained generator on arrays, files and folders of any size."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_pix2pix.data.pairs import list_picture_files, match_files, split_side_by_side
from keras_pix2pix.encodings import EXTENSIONS, Stacked
from keras_pix2pix.networks.serving import encodings_of, serving_model


def translate(model, inputs, output_directory=None, *, side_by_side=None):
    """Translate pictures that have no target: see `Pix2Pix.translate`.

    Args:
        model: `Pix2Pix`, or a functional generator from and to 8-bit pictures.
        inputs: Pixels `(height, width, channels)` or `(batch, height, width, channels)`, a file, a folder, or a list
            of these; with stacked sources, a list of files or folders, one for each source, or a list of such lists.
        output_directory: Folder for files; None returns pixels. Defaults to None.
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
    encoding, target_encoding = encodings_of(model)
    if side_by_side and isinstance(encoding, Stacked):
        raise ValueError(
            f"Side-by-side files hold one source, and {encoding.word!r} needs {len(encoding.parts)}. Accepted: a list "
            "of so many files or folders. Received: `side_by_side`."
        )
    serving = serving_model(model)
    run = tf.function(
        lambda pixels: serving(pixels, training=False),
        input_signature=[tf.TensorSpec(serving.input_shape, encoding.raw_dtype)],
    )

    def generate(pixels):
        return run(pixels[np.newaxis])[0].numpy()

    sources = list(_sources(inputs, encoding, side_by_side))
    if output_directory is not None:
        return _write(sources, generate, Path(output_directory), target_encoding)
    generated = [generate(read()) for _, read in sources]
    if _is_one_picture(inputs, encoding):
        return generated[0]
    return generated if isinstance(inputs, (list, tuple)) or _is_path(inputs) else np.stack(generated)


def _sources(inputs, encoding, side_by_side):
    """(name, function that reads the pixels) of every picture meant by `inputs`."""
    if _is_place(inputs, encoding):
        for file in _files(inputs, encoding):
            encoding.size(file)  # Raises now, before the first picture is translated.
            yield _first(file).stem, lambda file=file: _read(file, encoding, side_by_side)
    elif isinstance(inputs, (list, tuple)):
        for position, each in enumerate(inputs):
            for name, read in _sources(each, encoding, side_by_side):
                yield (name if _is_place(each, encoding) else f"{position:04d}"), read
    elif _is_path(inputs):
        raise ValueError(
            f"Every picture has {len(encoding.parts)} sources. Accepted: a list of so many files or folders. "
            f"Received: {inputs}."
        )
    else:
        for position, each in enumerate(_checked_arrays(inputs, encoding)):
            yield f"{position:04d}", lambda each=each: each


def _checked_arrays(inputs, encoding):
    pixels = np.asarray(inputs)
    channels = encoding.raw_channels
    suits = pixels.dtype == np.uint8 if encoding.raw_dtype == "uint8" else pixels.dtype.kind in "uif"
    if not suits or pixels.ndim not in (3, 4) or pixels.shape[-1] != channels or not pixels.size:
        raise ValueError(
            f"Pixels must be {encoding.raw_dtype}, (height, width, {channels}) or (batch, height, width, {channels}), "
            f"as the encoding {encoding.word!r} stores them. Received: {pixels.dtype} of shape {pixels.shape}. "
            "Convert images in [-1, 1] with the encoding's `to_raw`, those of 8-bit pictures with `images.to_pixels`."
        )
    return encoding.checked(pixels if pixels.ndim == 4 else pixels[np.newaxis], "The array").astype(encoding.raw_dtype)


def _read(file, encoding, side_by_side):
    opened = encoding.open(file)
    if side_by_side:
        _, width = encoding.size(file)
        if width % 2:
            raise ValueError(
                f"{file} has an odd width, so that it does not hold two equal halves. Accepted: an even width. "
                f"Received: {width}."
            )
        opened, _ = split_side_by_side(opened, side_by_side)
    return encoding.raw(opened, file)


def _write(sources, generate, directory, encoding):
    names = [name for name, _ in sources]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(
                f"Two of the pictures are called {name!r}, and would be written to the same file. "
                "Rename one of them, or translate them into different folders."
            )
    return [encoding.write(directory / name, generate(read())) for name, read in sources]


def _files(place, encoding):
    """The files, or tuples of files of stacked sources, of a file or folder, or of a list of these."""
    places = [Path(each) for each in place] if isinstance(encoding, Stacked) else [Path(place)]
    folders = [each.is_dir() for each in places]
    if len(set(folders)) > 1:
        raise ValueError(
            f"The sources of one picture must be all files, or all folders. Received: {' and '.join(map(str, places))}."
        )
    if not isinstance(encoding, Stacked):
        return list_picture_files(place, EXTENSIONS) if folders[0] else places
    return match_files(places) if folders[0] else [tuple(places)]


def _first(file):
    return file[0] if isinstance(file, tuple) else file


def _is_path(inputs):
    return isinstance(inputs, (str, Path))


def _is_place(inputs, encoding):
    """Whether this is a file or folder of sources; of stacked sources, a list with one for each."""
    if not isinstance(encoding, Stacked):
        return _is_path(inputs)
    is_list = isinstance(inputs, (list, tuple)) and all(map(_is_path, inputs))
    return is_list and len(inputs) == len(encoding.parts)


def _is_one_picture(inputs, encoding):
    if _is_place(inputs, encoding):
        return not Path(inputs[0] if isinstance(encoding, Stacked) else inputs).is_dir()
    return not isinstance(inputs, (list, tuple)) and np.ndim(inputs) == 3
