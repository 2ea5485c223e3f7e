"""TFLite files, run with LiteRT alone."""

import hashlib
import json
import subprocess
import sys

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from keras_pix2pix import export_tflite, resnet_generator, serving_model, unet_generator
from keras_pix2pix.data.synthetic import facade
from keras_pix2pix.deploy.gpu_delegate import operators
from keras_pix2pix.deploy.parity import _drawn_sources
from keras_pix2pix.images import to_image, to_pixels
from keras_pix2pix.inference import lean as rewrite


@pytest.fixture(scope="module")
def generator():
    """Normalised sharply, so that the pictures have contrast to lose."""
    keras.utils.set_random_seed(3)
    network = unet_generator((32, 64, 3), filters=8, num_downsamples=4)
    network.set_weights([weight * 1.5 for weight in network.get_weights()])
    return network


def expected_pixels(generator, pixels):
    return np.asarray(to_pixels(generator(to_image(pixels)))).astype(int)


def slow(parameter):
    return pytest.param(parameter, marks=pytest.mark.slow)


def representative(height, width):
    """Other label maps than `drawn_sources`, on which the files are compared."""
    return np.stack([facade(seed, (height, width))[0] for seed in range(100, 116)])


def exported(generator, path, quantization, **options):
    if quantization == "int8":
        options["representative"] = representative(*generator.input_shape[1:3])
    return export_tflite(generator, path, quantization=quantization, **options)


@pytest.mark.parametrize(
    ("quantization", "smallest_psnr"), [("none", 80), ("float16", 45), ("weights", 40), ("dynamic", 40), ("int8", 40)]
)
def test_the_file_computes_what_the_model_does(generator, tmp_path, capsys, quantization, smallest_psnr):
    path = tmp_path / "facades.tflite"
    parity = exported(generator, path, quantization)
    runner = Interpreter(str(path)).get_signature_runner("serving_default")
    pixels = _drawn_sources((32, 64), 3)
    generated = np.concatenate([runner(source=each[np.newaxis])["generated"] for each in pixels])
    difference = np.abs(generated.astype(int) - expected_pixels(generator, pixels))
    assert generated.dtype == np.uint8
    assert parity.size == path.stat().st_size
    assert parity.largest_difference == difference.max()
    mean_square = np.mean(difference**2)
    assert parity.psnr == pytest.approx(10 * np.log10(255**2 / mean_square) if mean_square else 100)
    assert parity.psnr > smallest_psnr
    record = json.loads((tmp_path / "facades.tflite.export.json").read_text())
    assert (record["format"], record["quantization"], record["psnr"]) == ("tflite", quantization, parity.psnr)
    assert record["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert record["drawn_pictures"]
    assert record["operators"]["DEPTH_TO_SPACE"] == 4
    assert parity.latency.keys() == {"1 thread", "2 threads", "Keras"}
    assert (tmp_path / "facades.tflite.export.png").exists()
    assert f"{path}: {parity.size / 1e6:.1f} MB, PSNR {parity.psnr:.1f} dB" in repr(parity)
    assert f"largest difference {parity.largest_difference} grey" in repr(parity)
    assert capsys.readouterr().out == ""


@pytest.fixture(scope="module")
def large():
    """Weights enough for what a file holds besides them not to count."""
    keras.utils.set_random_seed(3)
    return unet_generator((64, 64, 3), filters=16)


def test_quantized_files_are_a_half_and_a_quarter(large, tmp_path):
    whole = export_tflite(large, tmp_path / "x.tflite").size
    for quantization, share in (("float16", 0.5), ("weights", 0.25), ("dynamic", 0.25), ("int8", 0.25)):
        size = exported(large, tmp_path / f"{quantization}.tflite", quantization).size
        assert share < size / whole < share + 0.03


@pytest.mark.parametrize("quantization", ["none", slow("float16"), slow("weights"), "dynamic"])
def test_a_file_of_any_size(generator, tmp_path, quantization):
    path = tmp_path / "x.tflite"
    parity = export_tflite(generator, path, quantization=quantization, image_size="any")
    assert parity.size == path.stat().st_size
    interpreter, expected = Interpreter(str(path)), serving_model(generator)
    (source,), (generated,) = interpreter.get_input_details(), interpreter.get_output_details()
    assert source["shape_signature"].tolist() == [1, -1, -1, 3]
    assert "CUSTOM" not in operators(path)
    for size in ((32, 64), (64, 32), (50, 70), (1, 5), (33, 16)):
        pixels = np.random.default_rng(0).integers(0, 256, (1, *size, 3), "uint8")
        interpreter.resize_tensor_input(source["index"], pixels.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(source["index"], pixels)
        interpreter.invoke()
        difference = interpreter.get_tensor(generated["index"]).astype(int) - np.asarray(expected(pixels))
        assert difference.shape == (1, *size, 3)
        assert np.abs(difference).max() <= (1 if quantization == "none" else 40)
        assert np.abs(difference).mean() < 3


def test_a_network_of_any_size_is_compared_at_256_or_on_given_pixels(tmp_path):
    network, compared = unet_generator((None, None, 3), filters=2, num_downsamples=3), []
    for pixels in (None, _drawn_sources((24, 40), 3)):
        export_tflite(network, tmp_path / "x.tflite", image_size="any", pixels=pixels)
        compared.append(json.loads((tmp_path / "x.tflite.export.json").read_text())["source"])
    assert compared == ["256x256 rgb", "24x40 rgb"]


@pytest.mark.parametrize("policy", [slow("mixed_float16"), "mixed_bfloat16"])
def test_a_network_of_mixed_precision_is_exported_in_float32(generator, tmp_path, policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        mixed = unet_generator((32, 64, 3), filters=8, num_downsamples=4)
    finally:
        keras.config.set_dtype_policy(before)
    mixed.set_weights(generator.get_weights())
    assert export_tflite(mixed, tmp_path / "mixed.tflite").largest_difference <= 1
    export_tflite(generator, tmp_path / "float32.tflite")
    files = [(tmp_path / name).read_bytes() for name in ("mixed.tflite", "float32.tflite")]
    runs = [Interpreter(model_content=each).get_signature_runner() for each in files]
    for pixels in _drawn_sources((32, 64), 3):
        results = [run(source=pixels[np.newaxis])["generated"] for run in runs]
        np.testing.assert_array_equal(*results)


def test_input_and_output_are_named_pixels_of_one_picture(generator, tmp_path):
    export_tflite(generator, tmp_path / "x.tflite")
    interpreter = Interpreter(str(tmp_path / "x.tflite"))
    assert interpreter.get_signature_list() == {"serving_default": {"inputs": ["source"], "outputs": ["generated"]}}
    for details in (*interpreter.get_input_details(), *interpreter.get_output_details()):
        assert details["shape"].tolist() == [1, 32, 64, 3]
        assert details["dtype"] == np.uint8


def test_operators_are_builtin_and_tensors_have_four_dimensions_at_most(generator, tmp_path):
    export_tflite(generator, tmp_path / "x.tflite")
    interpreter = Interpreter(str(tmp_path / "x.tflite"))
    operators = {operator["op_name"] for operator in interpreter._get_ops_details()}
    assert "DEPTH_TO_SPACE" in operators
    assert not {"TRANSPOSE_CONV", "CUSTOM"} & operators
    assert not [name for name in operators if name.startswith("Flex")]
    assert max(len(tensor["shape"]) for tensor in interpreter.get_tensor_details()) <= 4


def test_a_resnet_needs_no_transposed_convolution_and_its_batch_norm_no_operator(tmp_path):
    operators = []
    for normalization in ("batch", None):
        options = {"filters": 4, "num_blocks": 1, "normalization": normalization, "use_bias": True}
        export_tflite(resnet_generator((32, 64, 3), **options), tmp_path / "x.tflite")
        operators.append(sorted(each["op_name"] for each in Interpreter(str(tmp_path / "x.tflite"))._get_ops_details()))
    assert operators[0] == operators[1]
    assert operators[0].count("DEPTH_TO_SPACE") == 2
    assert not {"TRANSPOSE_CONV", "STRIDED_SLICE"} & set(operators[0])


def test_image_size_is_that_of_the_file(generator, tmp_path):
    export_tflite(generator, tmp_path / "x.tflite", image_size=(48, 32))
    details = Interpreter(str(tmp_path / "x.tflite")).get_input_details()
    assert details[0]["shape"].tolist() == [1, 48, 32, 3]


def test_given_pixels_are_compared_on(generator, tmp_path):
    with pytest.raises(ValueError, match=r"shape \(pictures, 32, 64, 3\).*Received: uint8 of shape \(1, 16, 16, 3\)"):
        export_tflite(generator, tmp_path / "x.tflite", pixels=np.zeros((1, 16, 16, 3), "uint8"))
    assert export_tflite(generator, tmp_path / "x.tflite", pixels=_drawn_sources((32, 64), 3)[:1]).psnr > 60


@pytest.mark.parametrize("normalization", ["batch", None])
def test_other_normalizations_are_exported_too(tmp_path, normalization):
    network = unet_generator((32, 32, 3), filters=4, normalization=normalization)
    assert export_tflite(network, tmp_path / "x.tflite").largest_difference <= 1


def test_gray_to_two_channels(tmp_path):
    network = unet_generator((32, 32, 1), 2, filters=4)
    assert export_tflite(network, tmp_path / "x.tflite").largest_difference <= 1


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_a_network_that_resizes(tmp_path, interpolation):
    source = keras.Input((32, 32, 3))
    x = keras.layers.UpSampling2D(interpolation=interpolation)(keras.layers.AveragePooling2D(2)(source))
    network = keras.Model(source, keras.layers.Conv2D(3, 3, padding="same", activation="tanh")(x))
    assert export_tflite(network, tmp_path / "x.tflite").largest_difference <= 1


def test_a_folder_is_not_a_file_name(generator, tmp_path):
    with pytest.raises(ValueError, match="is a folder"):
        export_tflite(generator, tmp_path)


@pytest.mark.parametrize("quantization", ["none", *(slow(each) for each in ("float16", "weights", "dynamic", "int8"))])
def test_a_file_that_computes_something_else_is_not_kept(generator, tmp_path, monkeypatch, quantization):
    lean_layer = rewrite._lean_layer

    def with_one_weight_doubled(layer, taken, name):
        copy, weights = lean_layer(layer, taken, name)
        return copy, [weights[0] * 2, *weights[1:]] if name == "up3_convolution" else weights

    # Or the norm behind the convolution would undo it.
    network = unet_generator((32, 64, 3), filters=8, num_downsamples=4, normalization=None)
    network.set_weights([weight * 4 for weight in network.get_weights()])
    exported(network, tmp_path / "x.tflite", quantization)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    monkeypatch.setattr(rewrite, "_lean_layer", with_one_weight_doubled)
    with pytest.raises(RuntimeError, match=r"not kept as .*x\.tflite.*Received: .* PSNR"):
        exported(network, tmp_path / "x.tflite", quantization)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert before.keys() == {"x.tflite", "x.tflite.export.json", "x.tflite.export.png"}


def test_what_is_accepted_can_be_chosen(generator, tmp_path, monkeypatch):
    kernel = rewrite.subpixel_kernel
    monkeypatch.setattr(rewrite, "subpixel_kernel", lambda *original, **form: kernel(*original, **form) * 2)
    export_tflite(generator, tmp_path / "x.tflite", accept={"levels": 255})
    assert json.loads((tmp_path / "x.tflite.export.json").read_text())["accepted"] == {"levels": 255}
    with pytest.raises(RuntimeError, match="at most 255 grey level.* and at least 99 dB"):
        export_tflite(generator, tmp_path / "x.tflite", accept={"levels": 255, "psnr": 99})
    with pytest.raises(ValueError, match="'equal' of `accept` does not apply"):
        export_tflite(generator, tmp_path / "x.tflite", accept={"equal": 0.5})


def test_five_dimensions_are_refused(tmp_path):
    source = keras.Input((16, 16, 4))
    x = keras.layers.GroupNormalization(groups=2)(keras.layers.Conv2D(4, 3, padding="same")(source))
    with pytest.raises(RuntimeError, match="4 dimensions at most"):
        export_tflite(keras.Model(source, x), tmp_path / "x.tflite")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"quantization": "int4"}, "one of 'none', 'float16', 'weights', 'dynamic', 'int8'. Received: 'int4'"),
        ({"quantization": "int8"}, "measures its ranges on source pictures.*`representative`.*--images FOLDER"),
        ({"quantization": "int8", "representative": np.zeros((0, 32, 64, 3), "uint8")}, "Received: none"),
        (
            {"quantization": "int8", "representative": np.zeros((1, 8, 8, 3), "uint8")},
            r"`representative` must be uint8 of shape \(pictures, 32, 64, 3\)",
        ),
        ({"quantization": "int8", "image_size": "any"}, 'ranges, for pictures of one size.*quantization="dynamic"'),
        ({"image_size": (40, 40)}, r"divisible by 16 .*Received: image_size=\(40, 40\)"),
    ],
)
def test_mistakes_are_refused_before_any_work(generator, tmp_path, arguments, words):
    with pytest.raises(ValueError, match=words):
        export_tflite(generator, tmp_path / "x.tflite", **arguments)
    assert not list(tmp_path.iterdir())


def test_a_network_of_any_size_needs_one(tmp_path):
    network = unet_generator((None, None, 3), filters=2, num_downsamples=3)
    with pytest.raises(ValueError, match="`image_size` is needed"):
        export_tflite(network, tmp_path / "x.tflite")
    assert export_tflite(network, tmp_path / "x.tflite", image_size=(24, 40)).largest_difference <= 1


def test_the_file_runs_without_tensorflow_and_this_package(generator, tmp_path):
    export_tflite(generator, tmp_path / "x.tflite")
    program = (
        "import sys\n"
        "sys.modules.update(dict.fromkeys(['keras_pix2pix', 'tensorflow', 'keras']))\n"
        "import numpy\n"
        "from ai_edge_litert.interpreter import Interpreter\n"
        f"runner = Interpreter({str(tmp_path / 'x.tflite')!r}).get_signature_runner()\n"
        "print(runner(source=numpy.zeros((1, 32, 64, 3), 'uint8'))['generated'].sum())\n"
    )
    result = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    expected = expected_pixels(generator, np.zeros((1, 32, 64, 3), "uint8")).sum()
    assert int(result.stdout) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("image_size", [(64, 64, 3), (0, 32), "64", (-32, 32), 1.5])
def test_sizes_that_are_none(image_size, tmp_path):
    with pytest.raises(ValueError, match=r"`image_size` must be \(height, width\) or one integer"):
        export_tflite(unet_generator((32, 32, 3), filters=2), tmp_path / "x.tflite", image_size=image_size)


def test_one_number_is_a_square(tmp_path):
    export_tflite(unet_generator((32, 32, 3), filters=2), tmp_path / "x.tflite", image_size=64)
    (source,) = Interpreter(str(tmp_path / "x.tflite")).get_input_details()
    assert source["shape"].tolist() == [1, 64, 64, 3]
