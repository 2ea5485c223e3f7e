"""Operations on tensors, which Keras 2 and 3 list among the layers, as layers."""

import math

from keras_pix2pix.convert.keras.calls import Tensor
from keras_pix2pix.convert.keras.steps import SETTINGS

__all__ = ["LAST_AXIS", "OPERATIONS", "is_number", "layer_of", "operation_name"]

LAST_AXIS = (-1, 3, [-1], [3])
_SECOND = ("y", "x2")  # What the second operand is called.


def operation_name(layer):
    """The name of an operation in TensorFlow or Keras, from its configuration."""
    if layer["class_name"] in ("TFOpLambda", "SlicingOpLambda"):
        return f"tf.{layer['config'].get('function')}"
    return layer["class_name"]


def layer_of(layer, call):
    """The layer equal to an operation with the arguments of its call; None if there is none.

    Returns a tuple (class of the layer, its settings), or None.
    """
    found = OPERATIONS[operation_name(layer)](call)
    return found and (found[0], {**SETTINGS[found[0]], **found[1]})


def _only(call, *accepted):
    """Whether a call takes one tensor and only these keywords."""
    return len(call.arguments) == len(call.tensors) == 1 and call.keywords.keys() <= {"name", *accepted}


def _arithmetic(scale_and_offset):
    """An operation on a tensor and a number, in either order; `scale_and_offset` of (number, whether it is first)."""

    def read(call):
        operands = [*call.arguments, *(call.keywords[name] for name in _SECOND if name in call.keywords)]
        if len(operands) != 2 or call.keywords.keys() - {"name", *_SECOND}:
            return None
        first = not isinstance(operands[0], Tensor)
        number, other = operands if first else operands[::-1]
        if not isinstance(other, Tensor) or not is_number(number):
            return None
        found = scale_and_offset(number, first)
        return found and ("Rescaling", dict(zip(("scale", "offset"), found, strict=True)))

    return read


def is_number(value):
    """Whether it is one finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _add(call):
    if len(call.tensors) == 2 and len(call.arguments) + len(call.keywords.keys() & {*_SECOND}) == 2:
        return "Add", {}
    return _arithmetic(lambda number, first: (1.0, number))(call)


def _activation(kind, **settings):
    return lambda call: (kind, settings) if _only(call) else None


def _leaky_relu(call):
    slope = call.keywords.get("alpha", 0.2)  # TensorFlow's default.
    return ("LeakyReLU", {"negative_slope": slope}) if _only(call, "alpha") and is_number(slope) else None


def _concatenation(call):
    whole = len(call.arguments) == len(call.tensors) and call.keywords.keys() <= {"axis", "name"}
    return ("Concatenate", {}) if whole and call.keywords.get("axis") in LAST_AXIS else None


def _pad(call):
    mode = str(call.keywords.get("mode", "constant")).lower()
    if not _only(call, "paddings", "mode", "constant_values") or call.keywords.get("constant_values", 0) != 0:
        return None
    return "Pad", {"pad_width": call.keywords["paddings"], "mode": mode}


_subtract = _arithmetic(lambda number, first: (-1.0, number) if first else (1.0, -number))
_multiply = _arithmetic(lambda number, first: (number, 0.0))
_divide = _arithmetic(lambda number, first: None if first or not number else (1 / number, 0.0))
# By what TensorFlow calls them; those without "tf." by the class that Keras 3 has for them.
OPERATIONS = {
    **dict.fromkeys(["tf.math.add", "tf.__operators__.add", "Add"], _add),
    **dict.fromkeys(["tf.math.subtract", "Subtract"], _subtract),
    **dict.fromkeys(["tf.math.multiply", "Multiply"], _multiply),
    **dict.fromkeys(["tf.math.truediv", "tf.math.divide", "TrueDivide", "Divide"], _divide),
    **dict.fromkeys(["tf.math.tanh", "tf.nn.tanh"], _activation("Activation", activation="tanh")),
    **dict.fromkeys(["tf.math.sigmoid", "tf.nn.sigmoid"], _activation("Activation", activation="sigmoid")),
    "tf.nn.relu": _activation("ReLU"),
    "tf.nn.leaky_relu": _leaky_relu,
    "tf.concat": _concatenation,
    **dict.fromkeys(["tf.compat.v1.pad", "tf.pad"], _pad),
}
