"""TFLite: one file that a phone runs, with builtin operators only."""

from pathlib import Path

import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from keras_pix2pix.deploy.acceptance import accepted_of
from keras_pix2pix.deploy.parity import sources_or_drawn
from keras_pix2pix.deploy.verdict import judge, publish
from keras_pix2pix.images import whole_file
from keras_pix2pix.networks.serving import check_generator, encodings_of, serving_model
from keras_pix2pix.quiet import quiet_native_code

QUANTIZATIONS = {"none": [], "float16": [tf.float16]}  # Types of the weights, for the converter.
MOST_DIMENSIONS = 4  # GPU delegates take no more.


def export_tflite(
    model,
    path,
    *,
    quantization="none",
    image_size=None,
    pixels=None,
    least_psnr=None,
    most_levels=None,
    least_equal=None,
):
    """Write a trained generator as a TFLite file: pixels in, pixels out, one picture of a fixed size.

    Its signature "serving_default" has the input `source`, `(1, height, width, channels)`, and the output `generated`
    of the same size, both as the encodings of the `Pix2Pix` store them: uint8 for pictures of 8 bits and label maps,
    float32 otherwise. It needs builtin operators only, and no tensor has more than 4
    dimensions. The file is then run with LiteRT beside the Keras model; the verdict is printed and lies beside the
    file: `facades.tflite.export.json` beside `facades.tflite`, and the worst picture as `facades.tflite.export.png`.

    Args:
        model: `Pix2Pix`, or a functional generator.
        path: File to write, under a temporary name first; one of that name is replaced.
        quantization: "none": float32 weights; "float16": weights in half the space. Defaults to "none".
        image_size: (height, width) in pixels. Defaults to None: the size that the generator was built for.
        pixels: Source pixels `(pictures, height, width, channels)` to compare on. Defaults to None: drawn
            label maps.
        least_psnr: Smallest signal-to-noise ratio accepted, in dB. Defaults to None: 45 for "float16".
        most_levels: Largest difference accepted, in grey levels, 0 to 255. Defaults to None: 1 for "none".
        least_equal: Smallest share of a label map's pixels of the same class accepted, 0 to 1. Defaults to None:
            0.999 for "none", 0.99 for "float16".

    Returns:
        A `Parity`: size, PSNR, SSIM, largest and mean difference, latency; for label maps, the share of
        equal pixels.

    Raises:
        ValueError: An unknown quantization, a size that the generator can't take, or none given where the generator
            has none, or pixels or a number accepted that don't suit.
        RuntimeError: The file differs from the Keras model by more than is accepted, or has a tensor of more than 4
            dimensions; it is not kept.

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
    source_encoding, target_encoding = encodings_of(model)
    sources = sources_or_drawn(pixels, image_size, source_encoding)
    limits = {"least_psnr": least_psnr, "most_levels": most_levels, "least_equal": least_equal}
    accepted = accepted_of(quantization, target_encoding, **limits)
    with whole_file(path) as temporary:
        with quiet_native_code():
            temporary.write_bytes(_convert(serving, QUANTIZATIONS[quantization]))
        _refuse_many_dimensions(_interpreter(temporary))
        verdict = judge(
            temporary,
            path,
            model,
            sources,
            lambda threads: _runner(temporary, threads),
            accepted=accepted,
            about={"format": "tflite", "quantization": quantization},
            drawn=pixels is None,
            packages=["ai-edge-litert"],
        )
    return publish(verdict, path)


def _interpreter(path, threads=1):
    with quiet_native_code():
        interpreter = Interpreter(str(path), num_threads=threads)
        interpreter.allocate_tensors()  # Here XNNPACK takes the operators over.
    return interpreter


def _runner(path, threads):
    run = _interpreter(path, threads).get_signature_runner("serving_default")
    return lambda source: run(source=source)["generated"]


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
