"""ONNX: one file for ONNX Runtime and other readers of the format, without TensorFlow."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_pix2pix.deploy.parity import Parity
from keras_pix2pix.deploy.pipeline import write_judged
from keras_pix2pix.deploy.verdict import refuse_to_replace_records
from keras_pix2pix.files import refuse_to_replace
from keras_pix2pix.images import height_and_width
from keras_pix2pix.inference.serving import serving_model
from keras_pix2pix.quiet import quiet_native_code

__all__ = ["export_onnx"]

_NEEDED = ("onnx", "onnxruntime", "tf2onnx")
_OPSET = 15  # From 2021: the default of tf2onnx, which old runtimes read, too.
_LARGE = 1024  # Numbers in a weight that makes a difference.
_AXES = ("batch", "height", "width")  # Names of the axes that may have any size.


def export_onnx(
    model: keras.Model,
    path: str | Path,
    *,
    image_size: int | tuple[int, int] | None = None,
    pixels: np.ndarray | None = None,
    accept: Mapping[str, float] | None = None,
) -> Parity:
    """Write a trained generator as an ONNX file: pixels in, pixels out, pictures of any size.

    It has the input `source`, `(batch, height, width, channels)`, and the output `generated` of the same size, both
    in the form that the encodings of the `Pix2Pix` store: uint8 for pictures of 8 bits and label maps, float32
    otherwise. Any number of pictures of one size go in at once. The file is then run with ONNX Runtime beside the
    Keras model; the verdict is returned, and stored beside the file: `facades.onnx.export.json` beside `facades.onnx`,
    and the worst picture as `facades.onnx.export.png`. Needs `pip install .[onnx]` in a checkout. The paper's network
    takes tf2onnx a minute or two.

    Args:
        model: `Pix2Pix`, or a functional generator.
        path: File to write, under a temporary name first; one of that name is replaced.
        image_size: (height, width) in pixels to fix the size, for runtimes that need one. Defaults to None: any
            size.
        pixels: Source pixels `(pictures, height, width, channels)` to compare on. Defaults to None: drawn
            label maps.
        accept: Dictionary of what is accepted in place of the defaults: "psnr", the smallest signal-to-noise ratio in
            dB, 0 to 100; "levels", the largest difference in grey levels, 0 to 255; or, of a label map, "equal", the
            smallest share of pixels of the same class, 0 to 1. Defaults to None: 1 level, or 0.999.

    Returns:
        A `Parity`: size, PSNR, SSIM, largest and mean difference, latency; for label maps, the share of
        equal pixels.

    Raises:
        ImportError: The packages that write and run ONNX files are not installed.
        ValueError: `path` exists and isn't an ONNX file, or the generator can't take `image_size`, or takes one size
            only and none is given, or `pixels` or `accept` don't suit.
        RuntimeError: The file differs from the Keras model by more than is accepted; it is not kept.

    Example:

    ```python
    from keras_pix2pix import export_onnx, unet_generator

    parity = export_onnx(unet_generator((64, 64, 3), filters=8), "facades.onnx")
    ```
    """
    path = Path(path).expanduser()
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(
            f"Writing {path} needs {', '.join(missing)}, which is not installed. Run `pip install .[onnx]` in a "
            f"checkout of keras_pix2pix, or `pip install {' '.join(missing)}`."
        )
    refuse_to_replace(path, "an ONNX file", _is_onnx)
    refuse_to_replace_records(path)
    image_size = None if image_size is None else height_and_width(image_size)
    serving = serving_model(model, image_size)
    return write_judged(
        model,
        path,
        format="onnx",
        write=lambda temporary: _convert(serving, temporary),
        run=_runner,
        image_size=image_size,
        pixels=pixels,
        accept=accept,
        packages=_NEEDED,
    )


def _is_onnx(file):
    import onnx
    from google.protobuf.message import DecodeError

    try:
        return bool(onnx.load_model(file, load_external_data=False).graph.node)
    except (DecodeError, ValueError):
        return False


def _convert(serving, path):
    import tf2onnx

    # tf2onnx copies the graph for each of its passes: weights are inputs of it, and put in afterwards.
    weights = {
        f"weight_{index}": each for index, each in enumerate(serving.variables) if each.shape.num_elements() >= _LARGE
    }
    signature = [tf.TensorSpec(serving.input_shape, serving.input.dtype, name="source")]
    signature += [tf.TensorSpec(each.shape, each.dtype, name=name) for name, each in weights.items()]

    @tf.function(input_signature=signature)
    def serve(source, *values):
        with keras.StatelessScope(state_mapping=list(zip(weights.values(), values, strict=True))):
            return {"generated": serving(source, training=False)}

    with quiet_native_code():
        written, _ = tf2onnx.convert.from_function(serve, input_signature=signature, opset=_OPSET)
    _put_in(written.graph, {name: each.numpy() for name, each in weights.items()})
    for value in (*written.graph.input, *written.graph.output):
        for axis, name in zip(value.type.tensor_type.shape.dim, _AXES, strict=False):
            if not axis.dim_value:
                axis.dim_param = name
    path.write_bytes(written.SerializeToString())


def _put_in(graph, weights):
    """Make initializers of the inputs that are weights, transposed where that is what the graph does with them."""
    from onnx import numpy_helper

    transposing = [node for node in graph.node if node.op_type == "Transpose" and node.input[0] in weights]
    for node in transposing:
        (order,) = (attribute.ints for attribute in node.attribute)
        transposed = np.ascontiguousarray(weights[node.input[0]].transpose(order))
        graph.initializer.append(numpy_helper.from_array(transposed, node.output[0]))
        graph.node.remove(node)
    used = {name for node in graph.node for name in node.input}
    graph.initializer.extend(numpy_helper.from_array(weights[name], name) for name in weights.keys() & used)
    for value in [value for value in graph.input if value.name in weights]:
        graph.input.remove(value)


def _runner(path, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    with quiet_native_code():
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda source: session.run(["generated"], {"source": source})[0]
