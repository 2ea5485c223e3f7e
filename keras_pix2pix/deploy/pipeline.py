"""The steps of every export: check, write under another name, compare with the Keras model, judge, publish."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_pix2pix.deploy.acceptance import accepted_of
from keras_pix2pix.deploy.parity import Parity, sources_or_drawn
from keras_pix2pix.deploy.verdict import THREADS, judge, publish, record_of
from keras_pix2pix.files import remove_leftovers, whole_file
from keras_pix2pix.inference.serving import encodings_of, generator_of

__all__ = ["write_judged"]

_USUAL_SIZE = 256


def write_judged(
    model: keras.Model,
    path: Path,
    *,
    format: str,
    write: Callable[[Path], Any],
    run: Callable,
    quantization: str = "none",
    image_size: tuple[int, int] | None = None,
    pixels: np.ndarray | None = None,
    accept: Mapping[str, float] | None = None,
    count: Callable[[Path], dict] | None = None,
    threads: Sequence[int] = THREADS,
    packages: Sequence[str] = (),
) -> Parity:
    """Write a file and keep it if it computes the same as the Keras model; returns the `Parity`.

    A format supplies `write(path)`; `run(path, threads)`, which returns a function from source pixels to generated
    pixels; and optionally `count(path)`, which returns further fields of `Parity` as a dictionary.
    """
    source_encoding, target_encoding = encodings_of(model)
    accepted = accepted_of(quantization, target_encoding, accept)
    sources = sources_or_drawn(pixels, image_size or _usual_size(model, pixels), source_encoding)
    about = {
        "format": format,
        "quantization": quantization,
        "source": f"{sources.shape[1]}x{sources.shape[2]} {source_encoding.word}",
    }
    remove_leftovers(path.parent, path.name)
    with whole_file(path) as temporary:
        write(temporary)
        parity, drawing, factor = judge(
            temporary,
            path,
            model,
            sources,
            lambda threads: run(temporary, threads),
            about=about,
            accepted=accepted,
            drawn=pixels is None,
            threads=threads,
            counted=count and count(temporary),
        )
        record = record_of(temporary, parity, factor, about, packages)
    publish(path, drawing, record)
    return parity


def _usual_size(model, pixels):
    if pixels is not None:
        return np.shape(pixels)[1:3]
    return tuple(side or _USUAL_SIZE for side in generator_of(model).input_shape[1:3])
