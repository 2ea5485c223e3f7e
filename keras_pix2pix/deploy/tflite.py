"""TFLite: one file that a phone runs, with builtin operators only."""

from pathlib import Path

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from keras_pix2pix.deploy import parity
from keras_pix2pix.deploy.gpu_delegate import gpu_fallbacks
from keras_pix2pix.deploy.metadata import describe, write_metadata
from keras_pix2pix.deploy.quantization import quantize
from keras_pix2pix.images import whole_file
from keras_pix2pix.networks.serving import check_generator, encodings_of, serving_model
from keras_pix2pix.quiet import quiet_native_code

# What the converter makes float16, and what is accepted of the file: `parity.require`. Networks trained on the facades
# reach 49 to 56 dB with int8 weights and 45 to 51 in static int8 (benchmarks/quantization.py). From 40 dB, where the
# root of the mean square is 2.6 grey levels, differences begin to be seen.
QUANTIZATIONS = {
    "none": {"types": [], "accepted": {"levels": 1}},
    "float16": {"types": [tf.float16], "accepted": {"psnr": 45}},
    "weights": {"types": [], "accepted": {"psnr": 40}},
    "dynamic": {"types": [], "accepted": {"psnr": 40}},
    "int8": {"types": [], "accepted": {"psnr": 40}},
}
IN_EIGHT_BITS = ("weights", "dynamic", "int8")
ANY_SIZE = "any"
USUAL_SIZE = 256
MOST_DIMENSIONS = 4  # GPU delegates take no more.


def export_tflite(
    model,
    path,
    *,
    quantization="none",
    image_size=None,
    representative=None,
    license=None,
    config=None,
    pixels=None,
):
    """Write a trained generator as a TFLite file: pixels in, pixels out, one picture of a fixed size, or of any.

    Its signature "serving_default" has the input `source`, `(1, height, width, channels)`, and the output `generated`
    of the same size, both as the encodings of the `Pix2Pix` store them: uint8 for pictures of 8 bits and label maps,
    float32 otherwise. It needs builtin operators only, and no tensor has more than 4
    dimensions. What it is stands in the file: `metadata.read_metadata`. The file is then run with LiteRT beside the
    Keras model, and the result printed, with the operators that a phone's GPU leaves to its CPU.

    Args:
        model: `Pix2Pix`, or a functional generator.
        path: File to write, under a temporary name first; one of that name is replaced.
        quantization: "none": float32 weights; "float16": weights in half the space; in a quarter of it: "weights":
            int8 weights, as slow as float32; "dynamic": convolutions compute in int8, on ranges taken from every
            picture, fastest on CPUs; "int8": on fixed ranges, which need `representative`. Defaults to "none".
        image_size: (height, width) in pixels, or "any" for a file whose input can be resized to any height and width,
            for CPUs; not with "int8". Defaults to None: the size that the generator was built for.
        representative: Source pixels `(pictures, height, width, channels)` of the user's data, 16 or more, which
            "int8" takes the ranges from. Defaults to None.
        license: Words on the license of the model, for the file's metadata. Defaults to None: not stated.
        config: Dictionary of the training run, for the file's metadata. Defaults to None.
        pixels: Source pixels `(pictures, height, width, channels)` to compare on. Defaults to None: drawn
            label maps.

    Returns:
        A `Parity`: size in bytes, PSNR in dB, largest difference in grey levels; for label maps, the share of equal
        pixels; and the operators that a GPU leaves to the CPU.

    Raises:
        ValueError: An unknown quantization, no representative pictures for "int8", a size that the generator can't
            take, or none given where the generator has none.
        RuntimeError: The file differs from the Keras model by more than 1 grey level ("none"), or is under 45 dB
            ("float16") or 40 dB (int8 of any kind), or gives another class to more than 0.1% ("none") or 1% (others)
            of the pixels, or has a tensor of more than 4 dimensions; it is not kept.

    Example:

    ```python
    from keras_pix2pix import export_tflite, unet_generator

    parity = export_tflite(unet_generator((64, 64, 3), filters=8), "facades.tflite", quantization="dynamic")
    ```
    """
    path = Path(path)
    _check_quantization(quantization, image_size, representative)
    if path.is_dir():
        raise ValueError(f"{path} is a folder. Accepted: the name of a file to write. Choose another path.")
    generator = getattr(model, "generator", model)
    check_generator(generator)
    encodings = encodings_of(model)
    image_size = _file_size(generator, image_size)
    serving = serving_model(model, image_size if image_size[0] else None)
    pixels = parity.sources_or_drawn(pixels, _compared_size(generator, image_size, pixels), encodings[0])
    if representative is not None:
        representative = parity.sources_or_drawn(representative, image_size, encodings[0], name="`representative`")
    description = describe(generator, encodings, image_size, quantization=quantization, license=license, config=config)
    with whole_file(path) as temporary:
        with quiet_native_code():
            content = _convert(serving, QUANTIZATIONS[quantization]["types"])
        if quantization in IN_EIGHT_BITS:
            content = quantize(content, quantization, representative)
        temporary.write_bytes(content)
        write_metadata(temporary, description)
        with quiet_native_code():
            interpreter = Interpreter(str(temporary), num_threads=2)
            interpreter.allocate_tensors()
        _refuse_many_dimensions(interpreter)
        run = interpreter.get_signature_runner("serving_default")
        result = parity.measure(temporary, lambda source: run(source=source)["generated"], model, pixels)
        parity.require(result, path, **QUANTIZATIONS[quantization]["accepted"])
        result = result._replace(gpu_fallbacks=gpu_fallbacks(temporary))
    print(f"{path}: {result}", flush=True)
    print(f"{path}: {_words_on_gpus(result.gpu_fallbacks, image_size)}", flush=True)
    return result


def _check_quantization(quantization, image_size, representative):
    if quantization not in QUANTIZATIONS:
        raise ValueError(
            f"`quantization` must be one of {', '.join(map(repr, QUANTIZATIONS))}. Received: {quantization!r}."
        )
    if quantization != "int8":
        return
    if image_size == ANY_SIZE:
        raise ValueError(
            'quantization="int8" has ranges for pictures of one size. Received: image_size="any". '
            'Pass (height, width), or quantization="dynamic".'
        )
    if representative is None or not len(representative):
        raise ValueError(
            'quantization="int8" takes its ranges from source pictures like those that will come. Accepted: '
            "`representative`, pixels (pictures, height, width, channels), 16 or more. Received: none. On the command "
            "line: export a run folder whose training data are there, or add --images FOLDER."
        )


def _file_size(generator, image_size):
    """(height, width) of the file's input, (None, None) for any."""
    if image_size == ANY_SIZE:
        return None, None
    height, width = image_size or generator.input_shape[1:3]
    if height is None or width is None:
        raise ValueError(
            "`image_size` is needed, as the generator was built for images of any size. "
            'Accepted: (height, width) in pixels, or "any". Received: None. On the command line: '
            "--image-size HEIGHTxWIDTH, or --image-size any."
        )
    return height, width


def _compared_size(generator, image_size, pixels):
    if image_size[0] is not None:
        return image_size
    if pixels is not None:
        return np.shape(pixels)[1:3]
    return tuple(side or USUAL_SIZE for side in generator.input_shape[1:3])


def _convert(serving, types):
    # The converter folds variables into constants only if it finds them on the object that it is given.
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


def _words_on_gpus(fallbacks, image_size):
    if image_size[0] is None:
        return "for CPUs: GPUs want a fixed size"
    listed = ", ".join(f"{count} {words}" for words, count in fallbacks.items())
    return f"operators that GPUs leave to the CPU: {listed or 'none'}"


def _refuse_many_dimensions(interpreter):
    for tensor in interpreter.get_tensor_details():
        if len(tensor["shape"]) > MOST_DIMENSIONS:
            raise RuntimeError(
                f"Tensors of the file may have {MOST_DIMENSIONS} dimensions at most, or phones' GPUs refuse them. "
                f"Received: {tensor['name']!r} of shape {tensor['shape'].tolist()}. Replace the layer that makes it."
            )
