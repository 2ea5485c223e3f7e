"""A trained generator on arrays, files and folders of any size."""

import itertools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_pix2pix.encodings.georeference import OWN_TIFF, GeoTiff, georeference_of, is_own_tiff
from keras_pix2pix.files import (
    NPY,
    refuse_to_replace,
    refuse_to_replace_what_is_read,
    remove_leftovers,
    starts_with,
    temporary_folder,
)
from keras_pix2pix.images import OWN_KIND, is_own_png
from keras_pix2pix.inference.fixed_statistics import FixedStatistics
from keras_pix2pix.inference.kept_serving import kept_serving_model
from keras_pix2pix.inference.serving import encodings_of, generator_of
from keras_pix2pix.inference.source_pictures import find_pictures, is_one_picture, is_path
from keras_pix2pix.inference.tiling import blended_patches, reflected_indices, tile_spans
from keras_pix2pix.terminal import with_progress

__all__ = ["translate"]

_KINDS = {  # By a file's extension: what it is, and whether an existing file is one and may be replaced.
    ".npy": ("a .npy file", lambda file: starts_with(file, NPY)),
    ".png": (OWN_KIND, is_own_png),
    ".tif": (OWN_TIFF, is_own_tiff),
}
_IN_MEMORY_AT_MOST = 2**25  # Pixels of a result; a larger one is kept on disk until it is written.


def translate(
    model: keras.Model,
    inputs: np.ndarray | str | Path | Sequence,
    output_directory: str | Path | None = None,
    *,
    side_by_side: str | None = None,
    tile: int | None = None,
    overlap: int = 64,
    fixed_statistics: bool = False,
) -> np.ndarray | list[np.ndarray] | list[Path]:
    """Translate pictures that have no target: see `Pix2Pix.translate`.

    Returns pixels in the form of `inputs` (an array for an array or a file, a list for a folder or a list).
    """
    encoding, target_encoding = encodings_of(model)
    if side_by_side and len(encoding.parts) > 1:
        raise ValueError(
            f"Side-by-side files hold one source, and {encoding.word!r} needs {len(encoding.parts)}. Accepted: a list "
            "with a file or folder for each. Received: `side_by_side`."
        )
    if fixed_statistics and tile is None:
        raise ValueError(
            "`fixed_statistics` is for tiles; a whole picture already has its own statistics. "
            "Received: tile=None. Pass `tile`, or leave `fixed_statistics` out."
        )
    patches_of = _whole(model) if tile is None else _tiled(model, tile, overlap, fixed_statistics)
    sources = find_pictures(inputs, encoding, side_by_side, tiled=tile is not None)
    if output_directory is not None:
        # A half of a file lies elsewhere than the file.
        tags = [() if side_by_side else georeference_of(source.files) for source in sources]
        writers = [GeoTiff(target_encoding.parts[0], each) if each else target_encoding for each in tags]
        directory = Path(output_directory).expanduser()
        return _write(sources, writers, patches_of, directory, target_encoding, beside=tile is None)
    generated = [_fill(source.open(), patches_of, target_encoding) for source in sources]
    if is_one_picture(inputs, encoding):
        return generated[0]
    return generated if isinstance(inputs, (list, tuple)) or is_path(inputs) else np.stack(generated)


def _whole(model):
    """A function from a `_SourcePicture` to patches (rows, columns, generated raw values): here a single one."""
    run = _traced(kept_serving_model(model))

    def patches_of(picture):
        yield slice(None), slice(None), run(picture.rows(0, picture.size[0])[np.newaxis])[0].numpy()

    return patches_of


def _tiled(model, tile, overlap, fixed_statistics):
    """The same in tiles, blended as images before they are rounded to levels or classes."""
    encoding, target_encoding = encodings_of(model)
    serving = kept_serving_model(model)
    served = serving.get_layer("generated")
    multiple = served.pad_to
    tile_spans(1, tile, overlap, multiple)  # Raise now, before files are read.
    fixed = FixedStatistics(generator_of(model)) if fixed_statistics else None
    network = fixed.generator if fixed else served.generator
    source = serving.input
    run = tf.function(
        lambda pixels: network(encoding.to_image(pixels), training=False),
        input_signature=[tf.TensorSpec(source.shape, source.dtype)],
    )

    def generate(pixels):
        return run(pixels[np.newaxis])[0].numpy()

    def patches_of(picture):
        if fixed:
            # A tile-sized version, to need no more memory than a tile.
            fixed.measure(encoding.to_image(_extended(picture.small(tile), multiple)[np.newaxis]))
        number = np.prod([len(tile_spans(length, tile, overlap, multiple)) for length in picture.size])
        patches = blended_patches(picture.rows, picture.size, generate, tile, overlap, multiple)
        for rows, columns, image in with_progress(patches, int(number), "Translating tiles"):
            yield rows, columns, np.asarray(target_encoding.to_raw(image))

    return patches_of


def _traced(serving):
    """The model as one graph for pictures of all sizes, traced once."""
    if not hasattr(serving, "traced"):
        signature = [tf.TensorSpec(serving.input.shape, serving.input.dtype)]
        serving.traced = tf.function(partial(serving, training=False), input_signature=signature)
    return serving.traced


def _extended(pixels, multiple):
    height, width = pixels.shape[:2]
    rows, columns = (reflected_indices(0, -(-side // multiple) * multiple, side) for side in (height, width))
    return pixels[rows][:, columns]


def _fill(picture, patches_of, target_encoding, allocate=np.empty):
    result = allocate((*picture.size, target_encoding.raw_channels), target_encoding.raw_dtype)
    for rows, columns, raw in patches_of(picture):
        result[rows, columns] = raw
    return result


def _write(sources, writers, patches_of, directory, encoding, beside):
    names = [source.name for source in sources]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(
                f"Two of the pictures are called {name!r}, and would be written to the same file. "
                "Rename one of them, or translate them into different folders."
            )
    if directory.exists() and not directory.is_dir():
        raise ValueError(f"{directory} is a file. Accepted: a folder to write to. Choose another path.")
    outputs = [directory / f"{name}{writer.extension}" for name, writer in zip(names, writers, strict=True)]
    refuse_to_replace_what_is_read(outputs, [file for source in sources for file in source.files])
    for output in outputs:
        refuse_to_replace(output, *_KINDS[output.suffix])
    directory.mkdir(parents=True, exist_ok=True)
    remove_leftovers(directory)
    write = partial(_write_beside if beside else _write_in_turn, directory, patches_of, encoding)
    return list(with_progress(write(sources, writers), len(sources), "Translating pictures"))


def _write_in_turn(directory, patches_of, encoding, sources, writers):
    """File by file: there may not be memory for two large pictures."""
    for source, writer in zip(sources, writers, strict=True):
        yield _write_one(directory / source.name, source.open, patches_of, encoding, writer)


def _write_beside(directory, patches_of, encoding, sources, writers):
    """File by file; meanwhile the next one is read and the last one written."""
    with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(1) as writer:
        reading = [reader.submit(source.open) for source in sources[:1]]
        writing = []
        for source, following, file_writer in itertools.zip_longest(sources, sources[1:], writers):
            picture = reading.pop().result()
            if following:
                reading.append(reader.submit(following.open))
            result = _fill(picture, patches_of, encoding)
            yield from (each.result() for each in writing)
            writing = [writer.submit(file_writer.write, directory / source.name, result)]
        yield from (each.result() for each in writing)


def _write_one(path, open_source, patches_of, encoding, writer):
    with temporary_folder(path) as directory:

        def allocate(shape, dtype):
            if shape[0] * shape[1] <= _IN_MEMORY_AT_MOST:
                return np.empty(shape, dtype)
            return np.lib.format.open_memmap(directory / "generated.npy", "w+", dtype, shape)

        # Frees the decoded source before the result is encoded.
        return writer.write(path, _fill(open_source(), patches_of, encoding, allocate))
