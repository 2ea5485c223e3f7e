"""8-bit quantization of a TFLite file: which operators get it, and which stay in float32."""

import contextlib
import io
import re
import warnings
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_quantizer.qtyping import TFLOperationName
from ai_edge_quantizer.quantizer import Quantizer

from keras_pix2pix.quiet import quiet_native_code

__all__ = ["RECIPES", "quantize"]

# All weights are quantized per channel. `benchmarks/quantization.py` compares these recipes with the converter's.
_BITS = 8
# Depthwise convolutions stay in float32 where activations are quantized: they hold few weights, XNNPACK has no
# dynamic-range version (with TFLite's, `mobile` takes twice as long), and in static int8 they are no faster than in
# float32.
_QUANTIZED = (TFLOperationName.CONV_2D, TFLOperationName.FULLY_CONNECTED)


def quantize(model: bytes, quantization: str, representative: Any = None) -> bytes:
    """A float32 TFLite model with weights, or weights and activations, of 8 bits.

    "weights": int8 weights, converted back to float32 before use. "dynamic": convolutions and dense layers compute in
    int8, with activation ranges measured at run time. "int8": convolutions compute in int8, with activation ranges
    measured on representative pictures; norms, activations and concatenations stay in float32. So do convolutions
    whose output has half the picture's side or more: few weights make most of the pixels there, and quantization
    would be visible.
    """
    if quantization not in RECIPES:
        raise ValueError(f"`quantization` must be one of {', '.join(RECIPES)}. Received: {quantization!r}.")
    quantizer = Quantizer(bytearray(model))
    RECIPES[quantization](quantizer, model)
    with _quiet():
        ranges = None
        if quantizer.need_calibration:
            pictures = [{"source": picture[np.newaxis]} for picture in representative]
            ranges = quantizer.calibrate({"serving_default": pictures})
        return bytes(quantizer.quantize(ranges, enable_progress_report=False).quantized_model)


def _weights(quantizer, model):
    quantizer.add_weight_only_config(".*", TFLOperationName.ALL_SUPPORTED, _BITS)


def _dynamic(quantizer, model):
    for operation in _QUANTIZED:
        quantizer.add_dynamic_config(".*", operation, _BITS)


def _static(quantizer, model):
    names = _small_convolutions(model)
    if not names:
        raise ValueError(
            'quantization="int8" quantizes convolutions whose output has less than half the picture\'s side, and this '
            'network has none. Use "dynamic" or "weights".'
        )
    for name in names:
        quantizer.add_static_config(f"^{re.escape(name)};?$", TFLOperationName.CONV_2D, _BITS, _BITS)


RECIPES = {"weights": _weights, "dynamic": _dynamic, "int8": _static}


def _small_convolutions(model):
    """The convolutions of a TFLite model whose output has less than half the input's side."""
    read = schema.Model.GetRootAs(model)
    graph = read.Subgraphs(0)
    height = graph.Tensors(graph.Inputs(0)).Shape(1)
    operators = [graph.Operators(index) for index in range(graph.OperatorsLength())]
    convolutions = [
        graph.Tensors(operator.Outputs(0))
        for operator in operators
        if read.OperatorCodes(operator.OpcodeIndex()).BuiltinCode() == schema.BuiltinOperator.CONV_2D
    ]
    # A transposed convolution becomes one with a row more than half the side, cropped after depth-to-space.
    return [result.Name().decode() for result in convolutions if 2 * result.Shape(1) < height]


@contextlib.contextmanager
def _quiet():
    """Hide the quantizer's progress bars, and the warnings about its own use of the interpreter."""
    with quiet_native_code(), contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
