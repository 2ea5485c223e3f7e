"""The layers that can be converted, and their settings in terms of Keras 3."""

from keras_pix2pix.convert.keras.calls import Tensor
from keras_pix2pix.convert.keras.operations import LAST_AXIS, OPERATIONS, is_number, layer_of, operation_name
from keras_pix2pix.convert.keras.steps import SETTINGS
from keras_pix2pix.convert.numpy_layers import ACTIVATIONS

__all__ = [
    "ADDONS",
    "INSTEAD",
    "KINDS",
    "is_operation",
    "name_of",
    "operation_as_layer",
    "parts_of",
    "require_known",
    "settings_of",
    "training_of",
]

ADDONS = {
    "Addons>InstanceNormalization": "tensorflow-addons InstanceNormalization",
    "Addons>GroupNormalization": "tensorflow-addons GroupNormalization",
}
KINDS = {
    **{kind: kind for kind in SETTINGS},
    **dict.fromkeys(ADDONS, "GroupNormalization"),
    "SyncBatchNormalization": "BatchNormalization",
}
_OLD_NAMES = {"negative_slope": "alpha"}
# Settings of which only one value is supported; other values are refused.
_ONLY = {"data_format": ("channels_last", None), "axis": LAST_AXIS, "output_padding": (None,)}
_ONLY_OF = {
    "Conv2D": {"groups": (1,), "padding": ("same", "valid"), "activation": tuple(ACTIVATIONS)},
    "Conv2DTranspose": {
        "groups": (1,),
        "padding": ("same", "valid"),
        "activation": tuple(ACTIVATIONS),
        "dilation_rate": ([1, 1], (1, 1), 1),
    },
    "SeparableConv2D": {"groups": (1,), "padding": ("same", "valid"), "activation": tuple(ACTIVATIONS)},
    "Activation": {"activation": tuple(ACTIVATIONS)},
    "UpSampling2D": {"interpolation": ("nearest", "bilinear")},
    "MaxPooling2D": {"padding": ("valid",)},
    "AveragePooling2D": {"padding": ("valid",)},
}
_ACTIVATION_LAYERS = ("ReLU", "LeakyReLU")  # Those that code also gives a convolution as its activation.
_LONGEST_VALUE = 60
INSTEAD = "Or build the network here, and load its weights alone: `from_legacy_keras(path, into=network)`."


def name_of(layer):
    """The name of a layer, wherever its configuration has it."""
    return layer.get("name") or layer["config"]["name"]


def parts_of(layer):
    """A layer as a list; if its activation is a layer of its own, the layer without it and that activation."""
    config = layer["config"]
    inner = config.get("activation")
    if not isinstance(inner, dict) or inner.get("class_name") not in _ACTIVATION_LAYERS:
        return [layer]
    if layer["class_name"] == "Activation":
        return [{**layer, **inner, "config": {**inner["config"], "name": name_of(layer)}}]
    name = f"{name_of(layer)}_activation"
    activation = {"class_name": inner["class_name"], "config": {**inner["config"], "name": name}}
    return [{**layer, "config": {**config, "activation": "linear"}}, activation]


def is_operation(layer, call):
    """Whether a call is an operation of TensorFlow or Keras 3, not a layer."""
    kind = layer["class_name"]
    constants = any(not isinstance(each, Tensor) for each in call.arguments)
    return operation_name(layer) in OPERATIONS and (kind not in KINDS or constants)


def operation_as_layer(layer, call, path):
    """The layer equal to an operation with its arguments, as (class, settings)."""
    found = layer_of(layer, call)
    if found is None:
        arguments = ["a tensor" if isinstance(each, Tensor) else _short(each) for each in call.arguments]
        arguments += [
            f"{name}={'a tensor' if isinstance(value, Tensor) else _short(value)}"
            for name, value in call.keywords.items()
        ]
        raise ValueError(
            f"{path}: {name_of(layer)!r} is the operation {operation_name(layer)} with arguments that are not read "
            "here. Accepted: sums of two tensors; sums, differences and products of a tensor and one number, and "
            "quotients by one; activations, padding with zeros, by reflection or symmetric, and concatenations of "
            f"channels. Received: {', '.join(arguments)}. {INSTEAD}"
        )
    return found


def training_of(layer, call, path):
    """The `training` argument of a layer's call, which is part of the network; other arguments are refused."""
    given = dict(call.keywords)
    training = given.pop("training", None)
    constants = [_short(each) for each in call.arguments if not isinstance(each, Tensor)]
    if given or constants or training not in (None, True, False):
        raise ValueError(
            f"{path}: the layer {name_of(layer)!r} is called with arguments that are not read here. Accepted: tensors "
            "of other layers, and training=True or False. Received: "
            f"{', '.join([*constants, *given]) or 'training'}. {INSTEAD}"
        )
    return training


def _short(value):
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]} ..."


def settings_of(layer):
    """The arguments of the Keras 3 layer that a configuration describes."""
    kind, config = KINDS[layer["class_name"]], layer["config"]
    settings = {
        name: config.get(name, config.get(_OLD_NAMES.get(name), default)) for name, default in SETTINGS[kind].items()
    }
    if layer["class_name"] == "Addons>InstanceNormalization":
        settings["groups"] = -1  # The file has the number of channels, or -1.
    return settings


def require_known(layers, path):
    """Refuse unknown layers and settings, naming all of them."""
    _require_known_layers(layers, path)
    first = [name_of(layer) for layer in layers if layer["config"].get("data_format") == "channels_first"]
    if first:
        raise ValueError(
            f"{path}: is a network of channels first, (batch, channels, height, width). Accepted: channels last, "
            "(batch, height, width, channels). Received: data_format='channels_first' in "
            f"{', '.join(map(repr, first))}. {INSTEAD} Kernels are the same in both."
        )
    refused = [text for layer in layers if layer["class_name"] in KINDS for text in _refused_settings(layer)]
    if refused:
        raise ValueError(
            f"{path}: has settings that are not read here. Received: {'; '.join(refused)}. Change them. {INSTEAD}"
        )


def _require_known_layers(layers, path):
    lambdas = [name_of(layer) for layer in layers if layer["class_name"] == "Lambda"]
    if lambdas:
        raise ValueError(
            f"{path}: a Lambda layer holds Python code, and code from a file is never run. Received: "
            f"{', '.join(map(repr, lambdas))}. Save the network without it. {INSTEAD}"
        )
    unknown = [
        f"{name_of(layer)!r} ({operation_name(layer)})"
        for layer in layers
        if layer["class_name"] not in (*KINDS, "InputLayer") and operation_name(layer) not in OPERATIONS
    ]
    if unknown:
        raise ValueError(
            f"{path}: has layers that are not known here. Accepted: {', '.join(dict.fromkeys([*KINDS, *OPERATIONS]))}. "
            f"Received: {', '.join(unknown)}. Replace them. {INSTEAD}"
        )


def _refused_settings(layer):
    kind, config = KINDS[layer["class_name"]], layer["config"]
    label = f"{name_of(layer)!r} ({layer['class_name']})"
    for name, accepted in {**_ONLY, **_ONLY_OF.get(kind, {})}.items():
        if name in config and config[name] not in accepted:
            yield f"{label} {name}={config[name]!r}, accepted: {accepted}"
    if "pool_size" in config and config.get("strides") not in (None, config["pool_size"]):
        yield f"{label} strides={config['strides']!r}, accepted: its pool_size"
    if kind == "Rescaling" and not (is_number(config["scale"]) and is_number(config.get("offset", 0.0))):
        given = f"scale={_short(config['scale'])} offset={_short(config.get('offset'))}"
        yield f"{label} {given}, accepted: one number each"
