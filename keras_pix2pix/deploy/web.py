"""A static page that runs the exported file in the browser: draw a source, see it generated."""

import colorsys
import contextlib
import glob
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_pix2pix import __version__
from keras_pix2pix.deploy import parity
from keras_pix2pix.deploy.replacing import read_json, refuse_to_replace_folder
from keras_pix2pix.deploy.tflite import export_tflite
from keras_pix2pix.deploy.verdict import PICTURE, RECORD
from keras_pix2pix.dominant_colors import dominant_colors
from keras_pix2pix.files import remove_leftovers, whole_file
from keras_pix2pix.images import beside, height_and_width, write_png
from keras_pix2pix.inference.serving import encodings_of, generator_of, serving_model

__all__ = ["export_web"]

_PAGE = Path(__file__).parent / "page"
_SETTINGS = "settings.json"
# Written beside the files of `_PAGE` and the model's.
_WRITTEN = (_SETTINGS, "check.png", "samples/[0-9].png", "made_from.json")
_RUNTIME = "node_modules"  # LiteRT.js, as npm installs it.
_PACKAGE = "package.json"
_OF_NPM = {_RUNTIME, _PACKAGE, "package-lock.json"}
_CHANNELS = (1, 3, 4)  # What a canvas can show.
_SAMPLES_SHOWN = 8
_GRAY = 0.1  # Below this saturation a colour counts as gray.


def export_web(
    model: keras.Model,
    directory: str | Path,
    *,
    quantization: str = "dynamic",
    image_size: int | tuple[int, int] | None = None,
    representative: Iterable[np.ndarray] | None = None,
    license: str | None = None,
    config: Mapping[str, Any] | None = None,
    pixels: np.ndarray | None = None,
    accept: Mapping[str, float] | None = None,
) -> parity.Parity:
    """Write a web page that runs a trained generator: draw a source, drop a picture or use the camera.

    The folder is static: any web server will do, and no picture leaves the browser. LiteRT.js runs the model; run
    `npm install` in the folder once to install it. The page offers a palette to draw with: the colours of the
    source's encoding, or the main colours of `pixels`. On loading, the page compares its first result with the
    Keras model's, and refuses to work if they differ. The file and the verdict on it are in the folder:
    `page/page.tflite`, `page/page.tflite.export.json` and `page/page.tflite.export.png`.

    Args:
        model: `Pix2Pix`, or a functional generator; both sides pictures of 8 bits, or label maps.
        directory: Folder to write, under a temporary name first; a page of that name is replaced, but its
            LiteRT.js is kept.
        quantization: As in `export_tflite`. Defaults to "dynamic": a quarter of the space, and the fastest on
            processors.
        image_size: (height, width) in pixels. Defaults to None: the size that the generator was built for.
        representative: Source pixels for quantization="int8", as in `export_tflite`. Defaults to None.
        license: License of the model, for the file's metadata. Defaults to None: not stated.
        config: Dictionary of the training run, for the file's metadata. Defaults to None.
        pixels: Source pixels `(pictures, height, width, channels)` to compare on; the page offers the first 8 as
            samples. Defaults to None: drawn label maps.
        accept: Dictionary of what is accepted, as in `export_tflite`. Defaults to None, likewise.

    Returns:
        A `Parity`, as from `export_tflite`.

    Raises:
        ValueError: Sides that a canvas can't show, a folder that holds something else, or anything that
            `export_tflite` refuses.
        RuntimeError: The file differs too much from the Keras model, as in `export_tflite`; no page is kept.

    Example:

    ```python
    from keras_pix2pix import export_web, unet_generator

    parity = export_web(unet_generator((64, 64, 3), filters=8), "page")
    ```
    """
    directory = Path(directory).expanduser().absolute()  # Absolute, because "." has no name.
    refuse_to_replace_folder(directory, "a page of this kind", _patterns_of)
    image_size = None if image_size is None else height_and_width(image_size)
    if image_size is None and None in generator_of(model).input_shape[1:3]:
        raise ValueError(
            "`image_size` is needed, as the generator was built for images of any size. Accepted: (height, width) in "
            "pixels. Received: None. On the command line: --image-size HEIGHTxWIDTH."
        )
    for side, encoding in zip(("source", "target"), encodings_of(model), strict=True):
        if encoding.raw_dtype != "uint8" or encoding.raw_channels not in _CHANNELS:
            raise ValueError(
                f"The page draws pictures of 8 bits with {', '.join(map(str, _CHANNELS))} channels, and label maps. "
                f"Received: a {side} of encoding {encoding.word!r}. Export it as tflite or onnx instead."
            )
    # Named after the page, so that the verdicts of several pages can be in one folder.
    file = f"{directory.name}.tflite"
    remove_leftovers(directory.parent, directory.name)
    with whole_file(directory) as temporary:
        temporary.mkdir()
        for path in _PAGE.iterdir():
            (temporary / path.name).write_bytes(path.read_bytes())
        with _as_if_in(directory, temporary):
            parity_of_file = export_tflite(
                model,
                temporary / file,
                quantization=quantization,
                image_size=image_size,
                representative=representative,
                license=license,
                config=config,
                pixels=pixels,
                accept=accept,
            )
        settings = _write_pictures(model, temporary, image_size, pixels)
        settings |= {"model": file, "quantization": quantization, "version": __version__}
        (temporary / _SETTINGS).write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
        if (directory / _RUNTIME).is_symlink():
            (temporary / _RUNTIME).symlink_to(os.readlink(directory / _RUNTIME))
        elif (directory / _RUNTIME).is_dir():
            shutil.copytree(directory / _RUNTIME, temporary / _RUNTIME, symlinks=True, copy_function=_link)
    return parity_of_file._replace(path=str(directory / file))


def _link(source, destination):
    try:
        os.link(source, destination)
    except OSError:  # Not on this file system.
        shutil.copy2(source, destination)


def _patterns_of(directory):
    """Patterns of the file names in a page's folder; None for another folder."""
    names = {path.name for path in directory.iterdir()}
    of_npm = (*_OF_NPM, f"{_RUNTIME}/*")
    if not {"index.html", "page.js", _SETTINGS} <= names:
        # npm may have run before there was a page. Another project's folder is left alone.
        fetched, wanted = (read_json(folder / _PACKAGE).get("dependencies") for folder in (directory, _PAGE))
        is_ours = _PACKAGE not in names or (isinstance(fetched, dict) and fetched.keys() == wanted.keys())
        return of_npm if names <= _OF_NPM and is_ours else None
    model = read_json(directory / _SETTINGS).get("model")
    if not isinstance(model, str):
        return None
    model_files = [glob.escape(f"{model}{suffix}") for suffix in ("", RECORD, PICTURE)]
    return (*of_npm, *_WRITTEN, *model_files, *(path.name for path in _PAGE.iterdir()))


@contextlib.contextmanager
def _as_if_in(directory, temporary):
    """In error messages, give files their final names instead of the temporary ones."""
    try:
        yield
    except RuntimeError as error:
        raise RuntimeError(str(error).replace(str(temporary), str(directory))) from error


def _write_pictures(model, directory, image_size, pixels):
    """Write the samples and the Keras model's result for the first; return the page's settings about pictures."""
    source_encoding, target_encoding = encodings_of(model)
    height, width = image_size or generator_of(model).input_shape[1:3]
    samples = parity.sources_or_drawn(pixels, (height, width), source_encoding).copy()
    samples[..., 3:] = 255  # A canvas is opaque.
    names = [f"samples/{number}.png" for number in range(1, len(samples[:_SAMPLES_SHOWN]) + 1)]
    for name, sample in zip(names, samples, strict=False):
        write_png(directory / name, beside(source_encoding.show(sample)))
    generated = np.asarray(serving_model(model, (height, width))(samples[:1]))[0]
    write_png(directory / "check.png", beside(target_encoding.show(generated)))
    background, colors = _palette(source_encoding, samples)
    return {
        "image_size": [height, width],
        "source": _side(source_encoding),
        "target": _side(target_encoding),
        # Only these colours have a meaning; those in between don't.
        "labels": source_encoding.is_label_map,
        "background": _hex(background),
        "palette": [_hex(color) for color in colors],
        "names": source_encoding.names,
        "samples": names,
        "check": {"source": names[0], "expected": "check.png"},
    }


def _side(encoding):
    # For colours, the file itself finds the nearest one; indices are mapped by the page.
    colors = encoding.colors if encoding.holds_indices else None
    return {"channels": encoding.raw_channels, "classes": colors and [_hex(color) for color in colors]}


def _palette(encoding, samples):
    """The background colour, and the colours to draw with: in declared order, or otherwise sorted by hue."""
    shown = np.stack([beside(encoding.show(sample)) for sample in samples])
    if not encoding.is_label_map:
        colors = dominant_colors(shown)
        return colors[0], sorted(colors, key=_place_in_rainbow)
    colors = encoding.colors
    nearest = np.abs(np.array(colors, int)[:, np.newaxis] - shown.reshape(-1, 3)[::97]).sum(axis=-1).argmin(axis=0)
    return colors[np.bincount(nearest).argmax()], colors


def _place_in_rainbow(color):
    hue, saturation, value = colorsys.rgb_to_hsv(*(level / 255 for level in color))
    return (True, -hue, value) if saturation > _GRAY else (False, 0, value)


def _hex(color):
    return "#{:02x}{:02x}{:02x}".format(*color)
