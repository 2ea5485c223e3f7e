"""What a file says that its layers are called with is converted exactly, or refused by name."""

import json

import h5py
import keras
import numpy as np
import pytest

from keras_pix2pix import unet_generator
from keras_pix2pix.convert.keras.loading import from_legacy_keras

SOURCE = {"class_name": "InputLayer", "name": "source", "inbound_nodes": []}
SOURCE["config"] = {"batch_input_shape": [None, 8, 8, 3], "name": "source"}


def operation(name, *references, **config):
    return {
        "class_name": "TFOpLambda",
        "name": name,
        "config": {"name": name, **config},
        "inbound_nodes": list(references),
    }


@pytest.fixture
def save(tmp_path):
    """A function (layers, end) -> HDF5 file of a network without weights, as Keras 2 writes it."""

    def write(*layers, end):
        path = tmp_path / "old.h5"
        ends = {"input_layers": [["source", 0, 0]], "output_layers": [end]}
        config = {"class_name": "Functional", "config": {"name": "model", "layers": [SOURCE, *layers], **ends}}
        with h5py.File(path, "w") as file:
            file.attrs["model_config"] = json.dumps(config)
            file.create_group("model_weights").attrs["layer_names"] = [b"source"]
            file["model_weights"].create_group("source").attrs["weight_names"] = []
        return path

    return write


PICTURE = np.random.default_rng(0).uniform(-1, 1, (1, 8, 8, 3)).astype("float32")
PADDING = {"paddings": [[0, 0], [1, 0], [0, 1], [0, 0]], "mode": "REFLECT", "constant_values": 0}
ARITHMETIC = {
    "add": ("__operators__.add", ["source", 0, 0, {"y": 0.5, "name": None}], PICTURE + 0.5),
    "subtract": ("math.subtract", ["source", 0, 0, {"y": 0.25}], PICTURE - 0.25),
    "subtract from": ("math.subtract", ["_CONSTANT_VALUE", -1, 1.0, {"y": ["source", 0, 0]}], 1 - PICTURE),
    "multiply": ("math.multiply", ["source", 0, 0, {"y": 3}], 3 * PICTURE),
    "divide": ("math.truediv", ["source", 0, 0, {"y": 4.0}], PICTURE / 4),
    "tanh": ("math.tanh", ["source", 0, 0, {}], np.tanh(PICTURE)),
    "leaky": ("nn.leaky_relu", ["source", 0, 0, {"alpha": 0.1}], np.where(PICTURE > 0, PICTURE, 0.1 * PICTURE)),
    "itself": ("__operators__.add", ["source", 0, 0, {"y": ["source", 0, 0]}], 2 * PICTURE),
}


@pytest.mark.parametrize("case", ARITHMETIC)
def test_an_operation_computes_what_the_file_says(case, save):
    function, node, expected = ARITHMETIC[case]
    network = from_legacy_keras(save(operation("op", node, function=function), end=["op", 0, 0])).network
    np.testing.assert_allclose(network(PICTURE), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (operation("op", ["source", 0, 0, {}], function="math.floor"), r"'op' \(tf\.math\.floor\)"),
        (operation("op", ["source", 0, 0, {"y": [1, 2, 3]}], function="math.multiply"), r"'op' is .*y=\[1, 2, 3\]"),
        (operation("op", ["source", 0, 0, {"y": 0}], function="math.truediv"), "'op' is .*math.truediv.*y=0"),
        (operation("op", ["_CONSTANT_VALUE", -1, 1.0, {"y": ["source", 0, 0]}], function="math.truediv"), "'op' is"),
        (
            {
                "class_name": "Add",
                "name": "sum",
                "config": {"name": "sum"},
                "inbound_nodes": [[["source", 0, 0, {}], ["_CONSTANT_VALUE", -1, [[0.5]], {}]]],
            },
            r"'sum' is the operation Add .*Accepted: sums .*\[\[0\.5\]\]",
        ),
        (
            {
                "class_name": "Concatenate",
                "name": "join",
                "config": {"name": "join"},
                "inbound_nodes": [[["source", 0, 0, {}], ["_CONSTANT_VALUE", -1, 0.5, {}]]],
            },
            r"the layer 'join' is called with .*Accepted: tensors .*Received: 0\.5",
        ),
    ],
    ids=["unknown", "vector", "zero", "quotient", "sum", "concatenation"],
)
def test_other_operations_and_constants_are_refused_by_name(layer, words, save):
    with pytest.raises(ValueError, match=words):
        from_legacy_keras(save(layer, end=[layer["name"], 0, 0]))


def test_a_number_added_by_keras_3_counts(tmp_path):
    source = keras.Input((8, 8, 3))
    keras.Model(source, (2 - source) * 0.5 + 1).save(tmp_path / "old.h5")
    network = from_legacy_keras(tmp_path / "old.h5").network
    np.testing.assert_allclose(network(PICTURE), (2 - PICTURE) * 0.5 + 1, atol=1e-6)


def test_a_layer_called_again_has_its_weights_again(randomised, tmp_path):
    source = keras.Input((8, 8, 3))
    convolution, relu = keras.layers.Conv2D(3, 3, padding="same"), keras.layers.ReLU()
    network = randomised(keras.Model(source, keras.layers.Conv2D(3, 1)(convolution(relu(convolution(relu(source)))))))
    network.save(tmp_path / "old.h5")
    conversion = from_legacy_keras(tmp_path / "old.h5")
    np.testing.assert_allclose(conversion.network(PICTURE), network(PICTURE), atol=1e-5)
    assert "1 of its layers copies, where the file calls a layer again" in conversion.recognised


def composite(*generators):
    """Generators and a discriminator in one network, and so in one file."""
    source, target = keras.Input((32, 32, 3)), keras.Input((32, 32, 3))
    judge = keras.Model([source, target], keras.layers.Conv2D(1, 4)(keras.layers.Concatenate()([source, target])))
    judge.name = "judge"
    photo = keras.Input((32, 32, 3))
    made = [generator(photo) for generator in generators]
    return keras.Model(photo, [judge([photo, made[0]]), *made])


@pytest.fixture
def generators(randomised):
    """Two of a kind: the one chosen shows in the pixels."""
    networks = [unet_generator((32, 32, 3), filters=2, num_downsamples=3, normalization="batch") for _ in range(2)]
    for network, name in zip(networks, ("first", "second"), strict=True):
        network.name = name
        randomised(network)
    networks[1].set_weights([2 * weight for weight in networks[1].get_weights()])
    return networks


def test_the_only_generator_of_a_composite_model_is_taken(generators, images, tmp_path):
    composite(generators[1]).save(tmp_path / "gan.h5")
    conversion = from_legacy_keras(tmp_path / "gan.h5")
    source, _ = images(1)
    np.testing.assert_allclose(conversion.network(source), generators[1](source), atol=1e-4)
    assert "; 'second' of the networks 'second', 'judge'" in conversion.recognised


def test_of_several_generators_one_is_taken_by_name(generators, images, tmp_path):
    composite(*generators).save(tmp_path / "gan.h5")
    source, _ = images(1)
    for generator in generators:
        network = from_legacy_keras(tmp_path / "gan.h5", submodel=generator.name).network
        np.testing.assert_allclose(network(source), generator(source), atol=1e-4)
    for name, words in ((None, "2 of them make a picture"), ("third", "Received: 'third'"), ("judge", "one input")):
        with pytest.raises(ValueError, match=words) as error:
            from_legacy_keras(tmp_path / "gan.h5", submodel=name)
        assert name == "judge" or all(repr(each) in str(error.value) for each in ("first", "second", "judge"))


def test_layers_that_double_without_end_are_refused(save):
    def twice(depth):
        if not depth:
            return {"class_name": "ReLU", "name": "relu", "config": {"name": "relu"}, "inbound_nodes": []}
        inner = twice(depth - 1)
        inner["inbound_nodes"] = [[["source", 0, 0, {}]], [[inner["name"], 0, 0, {}]]]
        ends = {"input_layers": [["source", 0, 0]], "output_layers": [[inner["name"], 1, 0]]}
        name = f"inner{depth}"
        return {"class_name": "Functional", "name": name, "config": {"name": name, "layers": [SOURCE, inner], **ends}}

    outer = {**twice(20), "inbound_nodes": [[["source", 0, 0, {}]]]}
    with pytest.raises(ValueError, match="has 10,000 layers or more"):
        from_legacy_keras(save(outer, end=["inner20", 0, 0]))
