"""Eight bits: what of a file gets them."""

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from keras_pix2pix import export_tflite, unet_generator
from keras_pix2pix.deploy.gpu_delegate import operators
from keras_pix2pix.deploy.parity import _drawn_sources
from keras_pix2pix.deploy.quantization import _small_convolutions, quantize


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(3)
    return unet_generator((64, 64, 3), filters=8, num_downsamples=4, separable=True, upsampling="nearest")


@pytest.fixture(scope="module")
def content(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("float") / "x.tflite"
    export_tflite(network, path)
    return path.read_bytes()


def written(content, tmp_path):
    (tmp_path / "x.tflite").write_bytes(content)
    return tmp_path / "x.tflite"


def kinds_of_operator(content, name):
    """Of each operator of that name the types of what goes in and comes out."""
    interpreter = Interpreter(
        model_content=content, experimental_op_resolver_type=interpreter_without_delegates(), num_threads=1
    )
    kinds = {tensor["index"]: tensor["dtype"] for tensor in interpreter.get_tensor_details()}
    return [
        tuple(kinds[index] for index in (*each["inputs"][:2], each["outputs"][0]))
        for each in interpreter._get_ops_details()
        if each["op_name"] == name
    ]


def interpreter_without_delegates():
    from ai_edge_litert.interpreter import OpResolverType

    return OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES


def test_dynamic_computes_convolutions_in_int8_but_no_depthwise_ones(content):
    smaller = quantize(content, "dynamic")
    assert set(kinds_of_operator(smaller, "CONV_2D")) == {(np.float32, np.int8, np.float32)}
    assert set(kinds_of_operator(smaller, "DEPTHWISE_CONV_2D")) == {(np.float32,) * 3}


def test_weights_are_made_float32_again(content, tmp_path):
    smaller = quantize(content, "weights")
    before, after = operators(written(content, tmp_path)), operators(written(smaller, tmp_path))
    convolutions = before["CONV_2D"] + before["DEPTHWISE_CONV_2D"]
    assert after == {**before, "DEQUANTIZE": convolutions}
    assert set(kinds_of_operator(smaller, "CONV_2D")) == {(np.float32,) * 3}


def test_static_int8_leaves_norms_and_large_convolutions_in_float32(content, tmp_path):
    quantized = quantize(content, "int8", _drawn_sources((64, 64), 3))
    small = len(_small_convolutions(content))
    kinds = kinds_of_operator(quantized, "CONV_2D")
    assert 0 < small < len(kinds)
    assert kinds.count((np.int8, np.int8, np.int8)) == small
    assert kinds.count((np.float32,) * 3) == len(kinds) - small
    for name in ("MEAN", "RSQRT", "TANH", "CONCATENATION", "DEPTHWISE_CONV_2D"):
        assert {each[-1] for each in kinds_of_operator(quantized, name)} == {np.float32}
    added = operators(written(quantized, tmp_path))
    assert added["QUANTIZE"] == added["DEQUANTIZE"] == small


def test_convolutions_are_small_that_give_less_than_half_the_side(tmp_path):
    source = keras.Input((32, 32, 3))
    x = keras.layers.Conv2D(4, 3, 2, "same", name="half")(source)
    x = keras.layers.Conv2D(4, 3, 2, "same", name="quarter")(x)
    x = keras.layers.UpSampling2D(4)(x)
    network = keras.Model(source, keras.layers.Conv2D(3, 3, padding="same", activation="tanh", name="whole")(x))
    export_tflite(network, tmp_path / "x.tflite")
    (name,) = _small_convolutions((tmp_path / "x.tflite").read_bytes())
    assert "quarter" in name


def test_ranges_are_those_of_the_representative_pictures(content):
    plain = np.zeros((1, 64, 64, 3), "uint8")
    colourful = _drawn_sources((64, 64), 3)
    assert quantize(content, "int8", plain) != quantize(content, "int8", colourful)
    assert quantize(content, "int8", colourful) == quantize(content, "int8", colourful)


def test_a_network_without_small_convolutions_is_refused_static_int8(tmp_path):
    source = keras.Input((16, 16, 3))
    network = keras.Model(source, keras.layers.Conv2D(3, 3, padding="same", activation="tanh")(source))
    with pytest.raises(ValueError, match='less than half the picture\'s side.*Use "dynamic" or "weights"'):
        export_tflite(
            network, tmp_path / "x.tflite", quantization="int8", representative=np.zeros((1, 16, 16, 3), "uint8")
        )
    assert not list(tmp_path.iterdir())


def test_nothing_is_printed(content, capfd):
    quantize(content, "int8", _drawn_sources((64, 64), 3))
    assert capfd.readouterr() == ("", "")


def test_another_quantization_is_refused(content):
    with pytest.raises(ValueError, match="one of weights, dynamic, int8. Received: 'int4'"):
        quantize(content, "int4")
