"""Files as Keras 2 writes them, made by hand from networks of Keras 3, which are the oracle."""

import json

import h5py
import keras
import numpy as np
import pytest


def keras_2_config(layer):
    """What Keras 2 and tensorflow-addons say of a layer, a dictionary."""
    config = layer.get_config()
    kind = type(layer).__name__
    if isinstance(layer, keras.Sequential):
        inside = [{"class_name": "InputLayer", "config": {"batch_input_shape": list(layer.input_shape), "name": "in"}}]
        inside += [keras_2_config(each) for each in layer.layers]
        return {"class_name": "Sequential", "config": {"name": layer.name, "layers": inside}}
    for name in ("dtype", "optional", "ragged", "sparse", "output_padding"):
        config.pop(name, None)
    if kind == "InputLayer":
        config["batch_input_shape"] = config.pop("batch_shape")
    if kind == "LeakyReLU":
        config["alpha"] = float(np.float32(config.pop("negative_slope")))
    if kind == "Conv2DTranspose":
        config["groups"] = 1
    if kind == "BatchNormalization":
        config["axis"] = [3]
    if kind == "GroupNormalization":
        instance = config["groups"] in (-1, layer.input_spec.axes[-1])
        kind = "Addons>InstanceNormalization" if instance else "Addons>GroupNormalization"
        config["groups"] = layer.input_spec.axes[-1] if instance else config["groups"]
    return {"class_name": kind, "config": config}


def keras_2_network(network):
    layers = []
    for layer in network.layers:
        inputs = [] if isinstance(layer, keras.layers.InputLayer) else layer._inbound_nodes[-1].input_tensors
        called = {} if not inputs else layer._inbound_nodes[-1].arguments.kwargs
        arguments = {name: value for name, value in called.items() if value is not None}
        sources = [[tensor._keras_history.operation.name, 0, 0, arguments] for tensor in inputs]
        layers.append(
            {**keras_2_config(layer), "name": layer.name, "inbound_nodes": [sources] if sources else []},
        )
    ends = {"input_layers": [[network.layers[0].name, 0, 0]], "output_layers": [[network.layers[-1].name, 0, 0]]}
    return {"class_name": "Functional", "config": {"name": "model", "trainable": True, "layers": layers, **ends}}


def write(group, layers):
    group.attrs["layer_names"] = [layer.name.encode() for layer in layers]
    group.attrs["keras_version"] = b"2.15.0"
    for layer in layers:
        inside = layer.layers if isinstance(layer, keras.Sequential) else [layer]
        own = group.create_group(layer.name)
        weights = [(f"{each.name}/{weight.name}:0", weight) for each in inside for weight in each.weights]
        weights = [(name, weight) for name, weight in weights if "seed" not in name]
        # Those that don't train come last.
        weights.sort(key=lambda pair: "moving" in pair[0])
        own.attrs["weight_names"] = [name.encode() for name, _ in weights]
        for name, weight in weights:
            own.create_dataset(name, data=weight.numpy())


@pytest.fixture
def randomised():
    """A function that gives every weight of a network a random value, and returns the network."""

    def fill(network):
        rng = np.random.default_rng(2)
        for weight in network.weights:
            if "seed" in weight.name:
                continue
            values = rng.normal(0, 0.25 if len(weight.shape) == 1 else np.prod(weight.shape[:-1]) ** -0.5, weight.shape)
            weight.assign({"gamma": values + 1, "moving_variance": values**2 + 0.5}.get(weight.name, values))
        return network

    return fill


@pytest.fixture
def save_keras_2(tmp_path):
    """A function (network, weights_only, change) -> HDF5 file; `change` edits the configuration."""

    def save(network, weights_only=False, change=lambda config: None):
        path = tmp_path / "old.h5"
        with h5py.File(path, "w") as file:
            if not weights_only:
                config = keras_2_network(network)
                change(config)
                file.attrs["model_config"] = json.dumps(config)
            write(file if weights_only else file.create_group("model_weights"), network.layers)
        return path

    return save


@pytest.fixture
def old_unet(randomised):
    """A function that builds a U-Net as older code has it, layer by layer or in blocks, with random weights."""

    def build(blocks=False, norm=None, slope=0.2, widths=(2, 4, 8), size=32, resize=False):
        layers = keras.layers
        keras.backend.clear_session()  # Keras 2's names begin without a number.
        norm = norm or (lambda: layers.GroupNormalization(groups=-1, epsilon=1e-3, name=name("instance_normalization")))
        counts = {}

        def name(kind):
            counts[kind] = counts.get(kind, -1) + 1
            return f"{kind}_{counts[kind]}" if counts[kind] else kind

        def apply(x, *stack):
            if blocks:
                return keras.Sequential(list(stack), name=name("sequential"))(x)
            for layer in stack:
                x = layer(x)
            return x

        source = x = keras.Input((size, size, 3), name="input_1")
        skips = []
        for depth, width in enumerate(widths):
            convolution = layers.Conv2D(width, 4, strides=2, padding="same", use_bias=depth == 0)
            norms = [norm()] if depth else []
            x = apply(x, convolution, *norms, layers.LeakyReLU(slope))
            skips.append(x)
        for width, skip in zip(widths[-2::-1], skips[-2::-1], strict=True):
            if resize:
                x = layers.Conv2D(width, 4, padding="same", activation="relu")(layers.UpSampling2D()(x))
                x = norm()(x)
            else:
                convolution = layers.Conv2DTranspose(width, 4, strides=2, padding="same", use_bias=False)
                x = apply(x, convolution, norm(), layers.Dropout(0.5), layers.ReLU())
            x = layers.Concatenate()([x, skip])
        if resize:
            x = layers.Conv2D(3, 4, padding="same", activation="tanh")(layers.UpSampling2D()(x))
        else:
            x = layers.Conv2DTranspose(3, 4, strides=2, padding="same", activation="tanh")(x)
        return randomised(keras.Model(source, x))

    return build
