"""Which int8 keeps the picture? TensorFlow's converter beside ai-edge-quantizer's recipes, on a trained generator.

Ranges come from label maps of the facades' training pairs, spread evenly over them. Every file translates label maps of
the test pairs; PSNR is against the Keras model's pixels, picture by picture: mean and least.

    KERAS_PIX2PIX_FACADES=facades python benchmarks/quantization.py run/model.keras
    KERAS_PIX2PIX_FACADES=facades python benchmarks/quantization.py run/model.keras --formats --pictures 106

The first line compares ways to quantise; the second only the five formats of `export_tflite`. Printed: a table in
Markdown. Without the data set, a folder with `train/` and `test/` that the environment variable names, the exit code is
2.
"""

import argparse
import os
import re
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from ai_edge_quantizer.qtyping import TFLOperationName
from ai_edge_quantizer.quantizer import Quantizer

from keras_pix2pix.deploy import quantization, tflite
from keras_pix2pix.images import to_image, to_pixels
from keras_pix2pix.inference.serving import serving_model
from keras_pix2pix.quiet import quiet_native_code
from keras_pix2pix.runs.data import run_sources
from keras_pix2pix.runs.model import load_model

FACADES = "KERAS_PIX2PIX_FACADES"
REPRESENTATIVE = 32
GREY_LEVELS = 255
CONVOLUTIONS = (TFLOperationName.CONV_2D, TFLOperationName.DEPTHWISE_CONV_2D)
FLOAT_NORMS = ["MEAN", "SQUARED_DIFFERENCE", "SUB", "RSQRT", "MUL", "ADD", "TANH", "CAST", "ROUND", "MINIMUM"]
FLOAT_ALL = [*FLOAT_NORMS, "CONCATENATION", "LEAKY_RELU", "RELU", "DEPTH_TO_SPACE", "STRIDED_SLICE", "PAD"]
FLOAT_ALL += ["MIRROR_PAD", "RESIZE_NEAREST_NEIGHBOR", "RESIZE_BILINEAR"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="run folder or .keras file, trained on the facades")
    parser.add_argument(
        "--pictures", type=int, default=24, help="test pictures to compare on, at most 106 (default 24)"
    )
    parser.add_argument("--formats", action="store_true", help="only the formats of export_tflite")
    options = parser.parse_args()
    train, test = (facades(split, options.pictures if split == "test" else None) for split in ("train", "test"))
    comparison = Comparison(load_model(options.model), train, test)
    print(f"{len(test)} test pictures\n\n| quantization | MB | dB, mean | dB, least |\n| --- | --- | --- | --- |")
    for name, make in (comparison.formats() if options.formats else comparison.ways()).items():
        print_row(name, make, comparison)


def facades(split, count=None):
    """Label maps of the facades, `(pictures, 256, 256, 3)` pixels, evenly spread."""
    directory = os.environ.get(FACADES)
    if not directory:
        print(f"Set {FACADES} to the folder of the `facades` data set, with `train` and `test`.", file=sys.stderr)
        raise SystemExit(2)
    folders = Path(directory) / split, None
    config = {"data": str(folders[0]), "preset": "paper", "direction": "BtoA"}
    return run_sources(config, folders, (256, 256), count or REPRESENTATIVE)


def print_row(name, make, comparison):
    try:
        with quiet_native_code():
            content = make()
    except Exception as error:  # What a converter can't do belongs into the table.
        print(f"| {name} | {str(error).splitlines()[0][:80]} | - | - |", flush=True)
        return
    decibels = comparison.decibels(content)
    print(f"| {name} | {len(content) / 1e6:.2f} | {np.mean(decibels):.1f} | {np.min(decibels):.1f} |", flush=True)


class Comparison:
    """A trained generator, the pictures to take ranges from, and those to compare on with what it makes of them."""

    def __init__(self, model, train, test):
        self.train, self.test = train, test
        self.serving = serving_model(model, train.shape[1:3])
        self.whole = tflite._convert(self.serving, [])
        generator = getattr(model, "generator", model)
        translate = tf.function(lambda pixels: to_pixels(generator(to_image(pixels), training=False)))
        self.expected = [translate(picture[np.newaxis]).numpy()[0].astype(float) for picture in test]

    def decibels(self, content):
        """PSNR of each test picture."""
        run = Interpreter(model_content=content, num_threads=2).get_signature_runner()
        received = (run(source=picture[np.newaxis]) for picture in self.test)
        errors = [
            np.mean((next(iter(each.values()))[0] - expected) ** 2)
            for each, expected in zip(received, self.expected, strict=True)
        ]
        # A picture without any difference: as if one value of it were off by one.
        least = 1 / self.expected[0].size
        return [10 * np.log10(GREY_LEVELS**2 / max(error, least)) for error in errors]

    def formats(self):
        """What `export_tflite` writes."""
        return {
            "none": lambda: self.whole,
            "float16": lambda: tflite._convert(self.serving, [tf.float16]),
            **{
                name: lambda name=name: quantization.quantize(self.whole, name, self.train)
                for name in ("weights", "dynamic", "int8")
            },
        }

    def ways(self):
        """And what it might."""
        last = len(self._convolutions()) - 1
        named = TFLOperationName
        return {
            **self.formats(),
            "dynamic, converter": lambda: self._converter(None),
            "dynamic, quantizer, all it can": lambda: self._recipe(dynamic=[named.ALL_SUPPORTED]),
            "int8, converter, everything": lambda: self._converter([]),
            "int8, converter, norms in float": lambda: self._converter(FLOAT_NORMS),
            "int8, converter, convolutions only": lambda: self._converter(FLOAT_ALL),
            "int8, quantizer, everything": lambda: self._recipe(static=[named.ALL_SUPPORTED]),
            "int8, quantizer, convolutions": lambda: self._recipe(static=CONVOLUTIONS),
            "int8, quantizer, no depthwise ones": lambda: self._recipe(static=CONVOLUTIONS[:1]),
            "... without the last": lambda: self._selected(lambda at, side: at < last),
            "... without first and last": lambda: self._selected(lambda at, side: 0 < at < last),
            "... without those of half the side and more (ours)": lambda: self._selected(lambda at, side: side < 1 / 2),
            "... ours, ranges of 4 pictures": lambda: self._ours(self.train[::8]),
            "... ours, ranges of 100 pictures": lambda: self._ours(facades("train", 100)),
            "... ours, weights by least square error": lambda: self._selected(lambda at, side: side < 1 / 2, "MSE"),
            "... ours, weights by OCTAV": lambda: self._selected(lambda at, side: side < 1 / 2, "OCTAV"),
            "... without those of a quarter and more": lambda: self._selected(lambda at, side: side < 1 / 4),
        }

    def _ours(self, pictures):
        return quantization.quantize(self.whole, "int8", pictures)

    def _converter(self, in_float):
        module = tf.Module()
        module.weights = [variable.value for variable in self.serving.variables]
        signature = tf.TensorSpec((1, *self.train.shape[1:]), tf.uint8, name="source")
        serve = tf.function(lambda source: {"generated": self.serving(source, training=False)}, [signature])
        converter = tf.lite.TFLiteConverter.from_concrete_functions([serve.get_concrete_function()], module)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if in_float is None:
            return converter.convert()

        def pictures():
            yield from ({"source": picture[np.newaxis]} for picture in self.train)

        converter.representative_dataset = pictures
        if not in_float:
            return converter.convert()
        options = tf.lite.experimental.QuantizationDebugOptions(denylisted_ops=in_float)
        debugger = tf.lite.experimental.QuantizationDebugger(
            converter=converter, debug_dataset=pictures, debug_options=options
        )
        return debugger.get_nondebug_quantized_model()

    def _recipe(self, static=(), dynamic=()):
        quantizer = Quantizer(bytearray(self.whole))
        for operation in static:
            quantizer.add_static_config(".*", operation, 8, 8)
        for operation in dynamic:
            quantizer.add_dynamic_config(".*", operation, 8)
        return self._quantized(quantizer)

    def _selected(self, is_static, algorithm="min_max_uniform_quantize"):
        """Convolutions in static int8 by their place and the side of what they give, as a share of the picture's."""
        quantizer = Quantizer(bytearray(self.whole))
        for at, (name, side) in enumerate(self._convolutions()):
            if is_static(at, side / self.train.shape[1]):
                quantizer.add_static_config(
                    f"^{re.escape(name)};?$", TFLOperationName.CONV_2D, 8, 8, algorithm_key=algorithm
                )
        return self._quantized(quantizer)

    def _quantized(self, quantizer):
        with quantization._quiet():
            pictures = {"serving_default": [{"source": picture[np.newaxis]} for picture in self.train]}
            ranges = quantizer.calibrate(pictures) if quantizer.need_calibration else None
            return bytes(quantizer.quantize(ranges, enable_progress_report=False).quantized_model)

    def _convolutions(self):
        model = schema.Model.GetRootAs(self.whole)
        graph = model.Subgraphs(0)
        results = [
            graph.Tensors(graph.Operators(index).Outputs(0))
            for index in range(graph.OperatorsLength())
            if model.OperatorCodes(graph.Operators(index).OpcodeIndex()).BuiltinCode() == schema.BuiltinOperator.CONV_2D
        ]
        return [(result.Name().decode(), result.Shape(1)) for result in results]


if __name__ == "__main__":
    main()
