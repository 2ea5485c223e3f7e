"""Which layers of other networks are known here, and what their configurations say in Keras 3's words."""

from keras_pix2pix.convert.keras.numpy_layers import ACTIVATIONS
from keras_pix2pix.convert.keras.steps import SETTINGS

ADDONS = {
    "Addons>InstanceNormalization": "tensorflow-addons InstanceNormalization",
    "Addons>GroupNormalization": "tensorflow-addons GroupNormalization",
}
KINDS = {
    **{kind: kind for kind in SETTINGS},
    **dict.fromkeys(ADDONS, "GroupNormalization"),
    "SyncBatchNormalization": "BatchNormalization",
}
OLD_NAMES = {"negative_slope": "alpha"}
# Settings with one value that is read; other values are refused, as no network of this kind has them.
LAST_AXIS = (-1, 3, [-1], [3])
ONLY = {"data_format": ("channels_last", None), "axis": LAST_AXIS, "output_padding": (None,)}
ONLY_OF = {
    "Conv2D": {"groups": (1,), "padding": ("same", "valid"), "activation": tuple(ACTIVATIONS)},
    "Conv2DTranspose": {
        "groups": (1,),
        "padding": ("same", "valid"),
        "activation": tuple(ACTIVATIONS),
        "dilation_rate": ([1, 1], (1, 1), 1),
    },
    "Activation": {"activation": tuple(ACTIVATIONS)},
    "UpSampling2D": {"interpolation": ("nearest", "bilinear")},
    "MaxPooling2D": {"padding": ("valid",)},
    "AveragePooling2D": {"padding": ("valid",)},
}
INSTEAD = "Or build the network here, and load its weights alone: `from_legacy_keras(path, into=network)`."


def name_of(layer):
    """The name of a layer, wherever its configuration has it."""
    return layer.get("name") or layer["config"]["name"]


def settings_of(layer):
    """The arguments of the Keras 3 layer that a configuration describes."""
    kind, config = KINDS[layer["class_name"]], layer["config"]
    settings = {
        name: config.get(name, config.get(OLD_NAMES.get(name), default)) for name, default in SETTINGS[kind].items()
    }
    if layer["class_name"] == "Addons>InstanceNormalization":
        settings["groups"] = -1  # The file has the number of channels, or -1.
    return settings


def require_known(layers, path):
    """Refuse layers and settings that are not known, all of them named."""
    lambdas = [name_of(layer) for layer in layers if layer["class_name"] == "Lambda"]
    if lambdas:
        raise ValueError(
            f"{path}: a Lambda layer holds Python code, and code from a file is never run. Received: "
            f"{', '.join(map(repr, lambdas))}. Save the network without it. {INSTEAD}"
        )
    unknown = [
        f"{name_of(layer)!r} ({layer['class_name']})"
        for layer in layers
        if layer["class_name"] not in (*KINDS, "InputLayer")
    ]
    if unknown:
        raise ValueError(
            f"{path}: has layers that are not known here. Accepted: {', '.join(KINDS)}. "
            f"Received: {', '.join(unknown)}. Replace them. {INSTEAD}"
        )
    refused = [text for layer in layers if layer["class_name"] in KINDS for text in _refused_settings(layer)]
    if refused:
        raise ValueError(
            f"{path}: has settings that are not read here. Received: {'; '.join(refused)}. Change them. {INSTEAD}"
        )


def _refused_settings(layer):
    kind, config = KINDS[layer["class_name"]], layer["config"]
    label = f"{name_of(layer)!r} ({layer['class_name']})"
    for name, accepted in {**ONLY, **ONLY_OF.get(kind, {})}.items():
        if name in config and config[name] not in accepted:
            yield f"{label} {name}={config[name]!r}, accepted: {accepted}"
    if "pool_size" in config and config.get("strides") not in (None, config["pool_size"]):
        yield f"{label} strides={config['strides']!r}, accepted: its pool_size"
    if len(layer.get("inbound_nodes", [])) > 1:
        yield f"{label} is called {len(layer['inbound_nodes'])} times, accepted: once"
