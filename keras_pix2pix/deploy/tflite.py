"""TFLite: one file that a phone runs, with builtin operators only."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from keras_pix2pix.deploy.gpu_delegate import gpu_fallbacks, operators
from keras_pix2pix.deploy.metadata import metadata_of, write_metadata
from keras_pix2pix.deploy.parity import Parity, sources_or_drawn
from keras_pix2pix.deploy.pipeline import write_judged
from keras_pix2pix.deploy.quantization import RECIPES, quantize
from keras_pix2pix.deploy.verdict import refuse_to_replace_records
from keras_pix2pix.files import refuse_to_replace, starts_with
from keras_pix2pix.images import height_and_width
from keras_pix2pix.inference.serving import encodings_of, generator_of, serving_model
from keras_pix2pix.quiet import quiet_native_code

__all__ = ["export_tflite"]

_QUANTIZATIONS = ("none", "float16", "weights", "dynamic", "int8")
_ANY_SIZE = "any"
_MOST_DIMENSIONS = 4  # The limit of GPU delegates.


def export_tflite(
    model: keras.Model,
    path: str | Path,
    *,
    quantization: str = "none",
    image_size: int | tuple[int, int] | None = None,
    representative: Iterable[np.ndarray] | None = None,
    license: str | None = None,
    config: Mapping[str, Any] | None = None,
    pixels: np.ndarray | None = None,
    accept: Mapping[str, float] | None = None,
) -> Parity:
    """Write a trained generator as a TFLite file: pixels in, pixels out, one picture of a fixed size, or of any.

    Its signature "serving_default" has the input `source`, `(1, height, width, channels)`, and the output `generated`
    of the same size, both in the form that the encodings of the `Pix2Pix` store: uint8 for pictures of 8 bits and
    label maps, float32 otherwise. It needs builtin operators only, and no tensor has more than 4
    dimensions. It contains metadata: see `read_metadata`. The file is then run with LiteRT beside the Keras
    model; the verdict is returned, with the operators that a phone's GPU leaves to its CPU, and stored beside the
    file: `facades.tflite.export.json` beside `facades.tflite`, and the worst picture as `facades.tflite.export.png`.

    Args:
        model: `Pix2Pix`, or a functional generator.
        path: File to write, under a temporary name first; one of that name is replaced.
        quantization: "none": float32 weights; "float16": weights in half the space; in a quarter of it: "weights":
            int8 weights, as slow as float32; "dynamic": convolutions compute in int8, with ranges measured on each
            picture, fastest on CPUs; "int8": with fixed ranges, which need `representative`. Defaults to "none".
        image_size: (height, width) in pixels, or "any" for a file whose input can be resized to any height and width,
            for CPUs; not with "int8". Defaults to None: the size that the generator was built for.
        representative: Source pixels `(pictures, height, width, channels)` of the user's data, 16 or more, on
            which "int8" measures its ranges. Defaults to None.
        license: License of the model, for the file's metadata. Defaults to None: not stated.
        config: Dictionary of the training run, for the file's metadata. Defaults to None.
        pixels: Source pixels `(pictures, height, width, channels)` to compare on. Defaults to None: drawn
            label maps.
        accept: Dictionary of what is accepted in place of the defaults: "psnr", the smallest signal-to-noise ratio in
            dB, 0 to 100; "levels", the largest difference in grey levels, 0 to 255; or, of a label map, "equal", the
            smallest share of pixels of the same class, 0 to 1. Defaults to None: 1 level for
            "none", 45 dB for "float16" and 40 for int8 of any kind; 0.999 for "none", and 0.99 for others.

    Returns:
        A `Parity`: size, PSNR, SSIM, largest and mean difference, latency, operators, and those that a GPU leaves to
        the CPU; for label maps, the share of equal pixels.

    Raises:
        ValueError: `path` exists and isn't a TFLite file, an unknown quantization, no representative pictures for
            "int8", a size that the generator can't take, or no size where the generator has none, or `pixels` or
            `accept` that don't suit.
        RuntimeError: The file differs from the Keras model by more than is accepted, or has a tensor of more than 4
            dimensions; it is not kept.

    Example:

    ```python
    from keras_pix2pix import export_tflite, unet_generator

    parity = export_tflite(unet_generator((64, 64, 3), filters=8), "facades.tflite", quantization="dynamic")
    ```
    """
    path = Path(path).expanduser()
    if quantization not in _QUANTIZATIONS:
        raise ValueError(
            f"`quantization` must be one of {', '.join(map(repr, _QUANTIZATIONS))}. Received: {quantization!r}."
        )
    refuse_to_replace(path, "a TFLite file", lambda file: starts_with(file, b"TFL3", offset=4))
    refuse_to_replace_records(path)
    generator, encodings = generator_of(model), encodings_of(model)
    size = _file_size(generator, image_size)
    if quantization == "int8":
        _check_fixed_ranges(size, representative)
    is_fixed = size[0] is not None
    serving = serving_model(model, size if is_fixed else None)
    if representative is not None:
        representative = sources_or_drawn(representative, size, encodings[0], name="`representative`")
    description = metadata_of(generator, encodings, size, quantization=quantization, license=license, config=config)

    def write(temporary):
        temporary.write_bytes(_content(serving, quantization, representative))
        write_metadata(temporary, description)
        _refuse_many_dimensions(_interpreter(temporary))

    def count(temporary):
        return {"operators": operators(temporary), "gpu_fallbacks": gpu_fallbacks(temporary)}

    return write_judged(
        model,
        path,
        format="tflite",
        write=write,
        run=_runner,
        quantization=quantization,
        image_size=size if is_fixed else None,
        pixels=pixels,
        accept=accept,
        count=count,
        packages=["ai-edge-litert"],
    )


def _content(serving, quantization, representative):
    with quiet_native_code():
        content = _convert(serving, [tf.float16] if quantization == "float16" else [])
    return quantize(content, quantization, representative) if quantization in RECIPES else content


def _interpreter(path, threads=1):
    with quiet_native_code():
        interpreter = Interpreter(str(path), num_threads=threads)
        interpreter.allocate_tensors()  # This is when XNNPACK takes over the operators.
    return interpreter


def _runner(path, threads):
    run = _interpreter(path, threads).get_signature_runner("serving_default")
    return lambda source: run(source=source)["generated"]


def _check_fixed_ranges(image_size, representative):
    if image_size[0] is None:
        raise ValueError(
            'quantization="int8" has fixed ranges, for pictures of one size. Received: image_size="any". '
            'Pass (height, width), or quantization="dynamic".'
        )
    if representative is None or not len(representative):
        raise ValueError(
            'quantization="int8" measures its ranges on source pictures like those that the file will get. Accepted: '
            "`representative`, pixels (pictures, height, width, channels), 16 or more. Received: none. On the command "
            "line: export a run folder whose training data are available, or add --images FOLDER."
        )


def _file_size(generator, image_size):
    """(height, width) of the file's input, (None, None) for any."""
    if image_size == _ANY_SIZE:
        return None, None
    height, width = generator.input_shape[1:3] if image_size is None else height_and_width(image_size)
    if height is None or width is None:
        raise ValueError(
            "`image_size` is needed, as the generator was built for images of any size. "
            'Accepted: (height, width) in pixels, or "any". Received: None. On the command line: '
            "--image-size HEIGHTxWIDTH, or --image-size any."
        )
    return height, width


def _convert(serving, types):
    # The converter only folds variables into constants if they are attributes of the object it is given.
    module = tf.Module()
    module.weights = [variable.value for variable in serving.variables]
    signature = tf.TensorSpec((1, *serving.input_shape[1:]), serving.input.dtype, name="source")
    serve = tf.function(lambda source: {"generated": serving(source, training=False)}, input_signature=[signature])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([serve.get_concrete_function()], module)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if types:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = types
    return converter.convert()


def _refuse_many_dimensions(interpreter):
    for tensor in interpreter.get_tensor_details():
        if len(tensor["shape"]) > _MOST_DIMENSIONS:
            raise RuntimeError(
                f"Tensors of the file may have {_MOST_DIMENSIONS} dimensions at most, or phones' GPUs refuse them. "
                f"Received: {tensor['name']!r} of shape {tensor['shape'].tolist()}. Replace the layer that makes it."
            )
