"""ONNX: one file for ONNX Runtime and what else reads the format, without TensorFlow."""

import importlib.util
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_pix2pix.deploy.acceptance import accepted_of
from keras_pix2pix.deploy.parity import sources_or_drawn
from keras_pix2pix.deploy.verdict import judge, publish, refuse_to_replace_records
from keras_pix2pix.files import refuse_to_replace, remove_leftovers, whole_file
from keras_pix2pix.images import height_and_width
from keras_pix2pix.inference.serving import check_generator, encodings_of, serving_model
from keras_pix2pix.quiet import quiet_native_code

NEEDED = ("onnx", "onnxruntime", "tf2onnx")
OPSET = 15  # Of 2021: what tf2onnx writes unless told, and runtimes of any age read.
AXES = ("batch", "height", "width")  # What the file calls those of any size.


def export_onnx(model, path, *, image_size=None, pixels=None, least_psnr=None, most_levels=None, least_equal=None):
    """Write a trained generator as an ONNX file: pixels in, pixels out, pictures of any size.

    It has the input `source`, `(batch, height, width, channels)`, and the output `generated` of the same size, both
    as the encodings of the `Pix2Pix` store them: uint8 for pictures of 8 bits and label maps, float32 otherwise. Any
    number of pictures of one size go in at once. The file is then run with ONNX Runtime beside the Keras model; the
    verdict is printed and lies beside the file: `facades.onnx.export.json` beside `facades.onnx`, and the worst
    picture as `facades.onnx.export.png`. Needs `pip install .[onnx]` in a checkout. The paper's network takes tf2onnx a
    minute or two.

    Args:
        model: `Pix2Pix`, or a functional generator.
        path: File to write, under a temporary name first; one of that name is replaced.
        image_size: (height, width) in pixels to fix the size, for runtimes that ask for one. Defaults to None: any
            size.
        pixels: Source pixels `(pictures, height, width, channels)` to compare on. Defaults to None: drawn
            label maps.
        least_psnr: Smallest signal-to-noise ratio accepted, in dB, 0 to 100. Defaults to None: any.
        most_levels: Largest difference accepted, in grey levels, 0 to 255. Defaults to None: 1.
        least_equal: Smallest share of a label map's pixels of the same class accepted, 0 to 1. Defaults to None:
            0.999.

    Returns:
        A `Parity`: size, PSNR, SSIM, largest and mean difference, latency; for label maps, the share of
        equal pixels.

    Raises:
        ImportError: The packages that write and run ONNX files are not installed.
        ValueError: `path` exists and is no ONNX file, or the generator can't take `image_size`, or takes one size only
            and none is given, or pixels or a number accepted don't suit.
        RuntimeError: The file differs from the Keras model by more than is accepted; it is not kept.

    Example:

    ```python
    from keras_pix2pix import export_onnx, unet_generator

    parity = export_onnx(unet_generator((64, 64, 3), filters=8), "facades.onnx")
    ```
    """
    path = Path(path)
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(
            f"Writing {path} needs {', '.join(missing)}, which is not installed. Run `pip install .[onnx]` in a "
            f"checkout of keras_pix2pix, or `pip install {' '.join(missing)}`."
        )
    refuse_to_replace(path, "an ONNX file", _is_onnx)
    refuse_to_replace_records(path)
    generator = getattr(model, "generator", model)
    check_generator(generator)
    image_size = None if image_size is None else height_and_width(image_size)
    serving = serving_model(model, image_size)
    height, width = image_size or (side or 256 for side in generator.input_shape[1:3])
    size = (height, width) if pixels is None or image_size else np.shape(pixels)[1:3]
    source_encoding, target_encoding = encodings_of(model)
    sources = sources_or_drawn(pixels, size, source_encoding)
    limits = {"least_psnr": least_psnr, "most_levels": most_levels, "least_equal": least_equal}
    accepted = accepted_of("none", target_encoding, **limits)
    remove_leftovers(path.parent, path.name)
    with whole_file(path) as temporary:
        with quiet_native_code():
            _convert(serving, temporary)
        verdict = judge(
            temporary,
            path,
            model,
            sources,
            lambda threads: _runner(temporary, threads),
            accepted=accepted,
            about={"format": "onnx"},
            drawn=pixels is None,
            packages=NEEDED,
        )
    return publish(verdict, path)


def _is_onnx(file):
    import onnx
    from google.protobuf.message import DecodeError

    try:
        return bool(onnx.load_model(file, load_external_data=False).graph.node)
    except (DecodeError, ValueError):
        return False


def _convert(serving, path):
    import tf2onnx

    signature = [tf.TensorSpec(serving.input_shape, serving.input.dtype, name="source")]
    serve = tf.function(lambda source: {"generated": serving(source, training=False)}, input_signature=signature)
    written, _ = tf2onnx.convert.from_function(serve, input_signature=signature, opset=OPSET)
    for value in (*written.graph.input, *written.graph.output):
        for axis, name in zip(value.type.tensor_type.shape.dim, AXES, strict=False):
            if not axis.dim_value:
                axis.dim_param = name
    path.write_bytes(written.SerializeToString())


def _runner(path, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    with quiet_native_code():
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda source: session.run(["generated"], {"source": source})[0]
