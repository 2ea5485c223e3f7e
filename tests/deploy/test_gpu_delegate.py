"""Operators of a file, and those that GPUs leave to the CPU."""

from collections import Counter

import keras
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from keras_pix2pix import export_tflite, unet_generator
from keras_pix2pix.deploy.gpu_delegate import gpu_fallbacks, operators

IMAGE = tf.TensorSpec((1, 8, 8, 4))
ENDS = {"CAST (UINT8 to FLOAT32)": 1, "ROUND": 1, "CAST (FLOAT32 to UINT8)": 1}


def converted(function, path, *signature):
    concrete = tf.function(function, input_signature=signature or [IMAGE]).get_concrete_function()
    path.write_bytes(tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert())
    return path


def test_operators_are_those_that_litert_sees(tmp_path):
    export_tflite(unet_generator((32, 32, 3), filters=2), tmp_path / "x.tflite")
    expected = Counter(each["op_name"] for each in Interpreter(str(tmp_path / "x.tflite"))._get_ops_details())
    assert operators(tmp_path / "x.tflite") == expected


@pytest.mark.parametrize(
    "options",
    [{}, {"upsampling": "bilinear"}, {"normalization": "batch"}, {"upsampling": "nearest", "separable": True}],
)
def test_of_our_networks_only_the_ends_are_left_to_the_cpu(tmp_path, options):
    network = unet_generator((32, 32, 3), filters=2, num_downsamples=3, **options)
    parity = export_tflite(network, tmp_path / "x.tflite")
    assert parity.gpu_fallbacks == gpu_fallbacks(tmp_path / "x.tflite") == ENDS


def test_a_file_of_any_size_is_for_cpus(tmp_path):
    network = unet_generator((32, 32, 3), filters=2, num_downsamples=3)
    parity = export_tflite(network, tmp_path / "x.tflite", image_size="any")
    counted = operators(tmp_path / "x.tflite")
    assert parity.gpu_fallbacks["CONV_2D (of no fixed size)"] == counted["CONV_2D"]


def test_an_operator_in_the_middle_is_told(tmp_path):
    source = keras.Input((16, 16, 3))
    x = keras.layers.Conv2D(3, 3, padding="same")(source)
    network = keras.Model(source, keras.ops.tanh(keras.ops.floor(x) + keras.ops.round(x)))
    parity = export_tflite(network, tmp_path / "x.tflite")
    assert parity.gpu_fallbacks == {**ENDS, "ROUND": 2}


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda x: tf.cast(x > 1, tf.float32), None),
        (lambda x: tf.cast(x, tf.int64), "CAST (FLOAT32 to INT64)"),
        (lambda x: x[:, 0] * 1.5, "STRIDED_SLICE (that adds or drops an axis)"),
        (lambda x: x[:, :4, ::2] * 1.5, None),
        (lambda x: tf.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)], "SYMMETRIC"), "MIRROR_PAD (not by reflection)"),
        (lambda x: tf.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)], "REFLECT"), None),
        (lambda x: x[:, :1] * tf.reduce_max(x, 2, keepdims=True), "MUL (of tensors that extend each other)"),
        (lambda x: tf.sin(x) * tf.reduce_mean(x, (1, 2), keepdims=True), None),
        (lambda x: tf.math.top_k(x, 2)[0], "TOPK_V2"),
        (lambda x: tf.reshape(tf.sin(x), (1, 2, 4, 8, 4)), "RESHAPE (of more than 4 dimensions)"),
        (lambda x: tf.nn.depthwise_conv2d(x, tf.ones((3, 3, 4, 2)), [1] * 4, "SAME"), "with a depth multiplier"),
    ],
)
def test_limits_of_types_and_shapes(tmp_path, function, words):
    fallbacks = gpu_fallbacks(converted(function, tmp_path / "x.tflite"))
    assert not fallbacks if words is None else any(words in each for each in fallbacks), fallbacks


@pytest.mark.parametrize("content", [None, b"", b"mine, not a model"])
def test_what_is_no_tflite_file_is_named(tmp_path, content):
    if content is not None:
        (tmp_path / "x.tflite").write_bytes(content)
    for function in (operators, gpu_fallbacks):
        with pytest.raises(ValueError, match=r"x\.tflite is not a TFLite file"):
            function(tmp_path / "x.tflite")
