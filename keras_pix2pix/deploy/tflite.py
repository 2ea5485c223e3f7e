"""TFLite: one file that a phone runs, with builtin operators only."""

from pathlib import Path

import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from keras_pix2pix.deploy import parity
from keras_pix2pix.images import whole_file
from keras_pix2pix.networks.serving import check_generator, encodings_of, serving_model
from keras_pix2pix.quiet import quiet_native_code

# What is converted, and what is accepted of it: `parity.require`.
QUANTIZATIONS = {
    "none": {"types": [], "accepted": {"levels": 1}},
    "float16": {"types": [tf.float16], "accepted": {"psnr": 45}},
}
MOST_DIMENSIONS = 4  # GPU delegates take no more.


def export_tflite(model, path, *, quantization="none", image_size=None, pixels=None):
    """Write a trained generator as a TFLite file: pixels in, pixels out, one picture of a fixed size.

    Its signature "serving_default" has the input `source`, `(1, height, width, channels)`, and the output `generated`
    of the same size, both as the encodings of the `Pix2Pix` store them: uint8 for pictures of 8 bits and label maps,
    float32 otherwise. It needs builtin operators only, and no tensor has more than 4
    dimensions. The file is then run with LiteRT beside the Keras model, and the result printed.

    Args:
        model: `Pix2Pix`, or a functional generator.
        path: File to write, under a temporary name first; one of that name is replaced.
        quantization: "none": float32 weights; "float16": weights in half the space. Defaults to "none".
        image_size: (height, width) in pixels. Defaults to None: the size that the generator was built for.
        pixels: Source pixels `(pictures, height, width, channels)` to compare on. Defaults to None: drawn
            label maps.

    Returns:
        A `Parity`: size in bytes, PSNR in dB, largest difference in grey levels; for label maps, the share of equal
        pixels.

    Raises:
        ValueError: An unknown quantization, a size that the generator can't take, or none given where the generator
            has none.
        RuntimeError: The file differs from the Keras model by more than 1 grey level ("none"), or is under 45 dB
            ("float16"), or gives another class to more than 0.1% ("none") or 1% ("float16") of the pixels, or has a
            tensor of more than 4 dimensions; it is not kept.

    Example:

    ```python
    from keras_pix2pix import export_tflite, unet_generator

    parity = export_tflite(unet_generator((64, 64, 3), filters=8), "facades.tflite", quantization="float16")
    ```
    """
    path = Path(path)
    if quantization not in QUANTIZATIONS:
        raise ValueError(
            f"`quantization` must be one of {', '.join(map(repr, QUANTIZATIONS))}. Received: {quantization!r}."
        )
    if path.is_dir():
        raise ValueError(f"{path} is a folder. Accepted: the name of a file to write. Choose another path.")
    generator = getattr(model, "generator", model)
    check_generator(generator)
    image_size = _fixed_size(generator, image_size)
    serving = serving_model(model, image_size)
    pixels = parity.sources_or_drawn(pixels, image_size, encodings_of(model)[0])
    with whole_file(path) as temporary:
        with quiet_native_code():
            temporary.write_bytes(_convert(serving, QUANTIZATIONS[quantization]["types"]))
            interpreter = Interpreter(str(temporary), num_threads=2)
            interpreter.allocate_tensors()
        _refuse_many_dimensions(interpreter)
        run = interpreter.get_signature_runner("serving_default")
        result = parity.measure(temporary, lambda source: run(source=source)["generated"], model, pixels)
        parity.require(result, path, **QUANTIZATIONS[quantization]["accepted"])
    print(f"{path}: {result}", flush=True)
    return result


def _fixed_size(generator, image_size):
    height, width = image_size or generator.input_shape[1:3]
    if height is None:
        raise ValueError(
            "`image_size` is needed, as the generator was built for images of any size. "
            "Accepted: (height, width) in pixels. Received: None. On the command line: --image-size HEIGHTxWIDTH."
        )
    return height, width


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


def _refuse_many_dimensions(interpreter):
    for tensor in interpreter.get_tensor_details():
        if len(tensor["shape"]) > MOST_DIMENSIONS:
            raise RuntimeError(
                f"Tensors of the file may have {MOST_DIMENSIONS} dimensions at most, or phones' GPUs refuse them. "
                f"Received: {tensor['name']!r} of shape {tensor['shape'].tolist()}. Replace the layer that makes it."
            )
