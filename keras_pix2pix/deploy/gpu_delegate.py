"""The operators of a TFLite file, and which of them TFLite's GPU delegate leaves to the CPU.

Read from the file alone, without a GPU. The rules are those of `CheckGpuDelegateCompatibility` in TensorFlow's
tensorflow/lite/tools/versioning/gpu_compatibility.cc, as far as image networks can run into them.
"""

import re
from collections import Counter
from pathlib import Path

from ai_edge_litert import schema_py_generated as schema

__all__ = ["OF_NO_FIXED_SIZE", "gpu_fallbacks", "operators"]

_MOST_DIMENSIONS = 4
_TAKEN = frozenset(
    re.findall(
        r"\w+",
        """
ABS ADD ADD_N ATAN2 AVERAGE_POOL_2D BATCH_MATMUL CAST CEIL CONCATENATION CONV_2D COS CUMSUM DENSIFY
DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE DIV DYNAMIC_UPDATE_SLICE ELU EMBEDDING_LOOKUP EQUAL EXP FLOOR FLOOR_DIV
FLOOR_MOD FULLY_CONNECTED GATHER GELU GREATER GREATER_EQUAL HARD_SWISH LEAKY_RELU LESS LESS_EQUAL LOG LOGICAL_AND
LOGISTIC MAXIMUM MAX_POOL_2D MEAN MINIMUM MIRROR_PAD MUL NEG NOT_EQUAL ONE_HOT PACK PAD PADV2 POW PRELU QUANTIZE
REDUCE_MAX REDUCE_MIN REDUCE_PROD RELU RELU6 RELU_N1_TO_1 RESHAPE RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR RSQRT
SELECT SELECT_V2 SIGN SIN SLICE SOFTMAX SPACE_TO_DEPTH SPLIT SPLIT_V SQRT SQUARE SQUARED_DIFFERENCE STRIDED_SLICE
SUB SUM TANH TILE TRANSPOSE TRANSPOSE_CONV
""",
    )
)
_CASTS = {("FLOAT32", "FLOAT32"), ("FLOAT32", "INT32"), ("INT32", "FLOAT32"), ("INT32", "INT32")}
_CASTS |= {pair for kind in ("FLOAT16", "FLOAT32") for pair in ((kind, "BOOL"), ("BOOL", kind))}
_REDUCTIONS = {"MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD"}
_SLICES = {"SLICE", "STRIDED_SLICE"}
_MASKS = ("ellipsisMask", "newAxisMask", "shrinkAxisMask")
_PADDINGS = {"PAD", "PADV2", "MIRROR_PAD"}
OF_NO_FIXED_SIZE = "of no fixed size"


def operators(path: str | Path) -> dict[str, int]:
    """How many of each operator a TFLite file has."""
    return _counted(name for name, *_ in _read(path))


def gpu_fallbacks(path: str | Path) -> dict[str, int]:
    """The operators of a TFLite file that the GPU delegate leaves to the CPU, and why.

    The first and last operators of a file from pixels to pixels are always among them, because GPUs take no 8-bit
    pixels. Those in the middle cost the most, because the data go to the CPU and back.
    """
    return _counted(
        f"{name} ({reason})" if reason else name
        for name, options, sources, results in _read(path)
        if (reason := _reason(name, options, sources, results)) is not None
    )


class _Tensor:
    """A tensor in the file: its type, its shape, and whether it is constant."""

    def __init__(self, tensor, model):
        self.kind = _name(schema.TensorType, tensor.Type())
        self.shape = [tensor.Shape(axis) for axis in range(tensor.ShapeLength())]
        signature = [tensor.ShapeSignature(axis) for axis in range(tensor.ShapeSignatureLength())]
        self.is_sized = -1 not in signature
        self.is_constant = model.Buffers(tensor.Buffer()).DataLength() > 0


def _reason(name, options, sources, results):
    """Why an operator is left to the CPU: "" if the delegate doesn't know it, None if the GPU runs it."""
    tensors = [*sources, *results]
    if name not in _TAKEN:
        return ""
    if not all(tensor.is_sized for tensor in tensors):
        return OF_NO_FIXED_SIZE
    if any(len(tensor.shape) > _MOST_DIMENSIONS for tensor in tensors):
        return f"of more than {_MOST_DIMENSIONS} dimensions"
    kinds = sources[0].kind, results[0].kind
    faults = {
        f"{kinds[0]} to {kinds[1]}": name == "CAST" and kinds not in _CASTS,
        f"of {kinds[0]}": (name, kinds[0]) in {("DEQUANTIZE", "INT16"), ("GATHER", "INT32")},
        "of other than 3 or 4 dimensions": name in _SLICES and len(sources[0].shape) not in (3, 4),
        "that adds or drops an axis": name == "STRIDED_SLICE" and any(getattr(options, mask) for mask in _MASKS),
        "over axes of the run": name in _REDUCTIONS and not (sources[1].is_constant and sources[1].kind == "INT32"),
        "of other than 3 or 4 axes": name in _PADDINGS and sources[1].shape not in ([3, 2], [4, 2]),
        "not by reflection": name == "MIRROR_PAD" and options.mode != schema.MirrorPadMode.REFLECT,
        "of tensors that extend each other": name == "MUL" and _extend_each_other(*sources),
        "with a depth multiplier": name == "DEPTHWISE_CONV_2D"
        and sources[0].shape[-1] != 1
        and results[0].shape[-1] != sources[0].shape[-1],
        "with a beta": name == "SOFTMAX" and options.beta != 1,
        "aligned twice": name == "RESIZE_BILINEAR" and options.alignCorners and options.halfPixelCenters,
    }
    return next((words for words, applies in faults.items() if applies), None)


def _extend_each_other(first, second):
    if len(first.shape) != len(second.shape):
        return False
    sides = list(zip(first.shape, second.shape, strict=True))
    return any(one < other for one, other in sides) and any(other < one for one, other in sides)


def _read(path):
    """For each operator: name, options, input tensors, output tensors."""
    path = Path(path)
    content = path.read_bytes() if path.is_file() else b""
    if content[4:8] != b"TFL3":
        raise ValueError(f"{path} is not a TFLite file. Check the path, or export again.")
    model = schema.Model.GetRootAs(content)
    for number in range(model.SubgraphsLength()):
        graph = model.Subgraphs(number)
        tensors = [_Tensor(graph.Tensors(index), model) for index in range(graph.TensorsLength())]
        for index in range(graph.OperatorsLength()):
            operator = graph.Operators(index)
            code = model.OperatorCodes(operator.OpcodeIndex())
            # The second field dates from when there were fewer than 128 operators.
            name = _name(schema.BuiltinOperator, max(code.BuiltinCode(), code.DeprecatedBuiltinCode()))
            sources = [operator.Inputs(each) for each in range(operator.InputsLength())]
            results = [operator.Outputs(each) for each in range(operator.OutputsLength())]
            options = schema.OperatorT.InitFromObj(operator).builtinOptions
            # -1 stands for an optional input that is missing.
            yield name, options, [tensors[each] for each in sources if each >= 0], [tensors[each] for each in results]


def _name(enumeration, value):
    return next(name for name, each in vars(enumeration).items() if each == value)


def _counted(names):
    return dict(Counter(names).most_common())
