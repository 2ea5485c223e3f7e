"""What a TFLite file says of itself."""

import hashlib
import json
import zipfile

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from keras_pix2pix import __version__, export_tflite, unet_generator
from keras_pix2pix.deploy.metadata import _weights_digest, read_metadata


@pytest.fixture
def generator():
    return unet_generator((16, 32, 3), filters=2, num_downsamples=3)


def test_a_file_says_what_it_is(generator, tmp_path):
    config = {"preset": "paper", "image_size": [16, 32]}
    export_tflite(generator, tmp_path / "x.tflite", quantization="float16", license="CC BY 4.0", config=config)
    side = {"shape": [1, 16, 32, 3], "dtype": "uint8", "encoding": "rgb", "value_range": [0, 255]}
    assert read_metadata(tmp_path / "x.tflite") == {
        "name": "unet_generator",
        "made_by": f"keras_pix2pix {__version__}",
        "signature": "serving_default",
        "source": side,
        "generated": side,
        "quantization": "float16",
        "license": "CC BY 4.0",
        "config": config,
        "weights_sha256": _weights_digest(generator),
    }


def test_signature_and_sizes_are_those_of_the_file(make_encoded_model, tmp_path):
    export_tflite(make_encoded_model("classes:5", "gray16"), tmp_path / "x.tflite")
    interpreter, said = Interpreter(str(tmp_path / "x.tflite")), read_metadata(tmp_path / "x.tflite")
    names = interpreter.get_signature_list()[said["signature"]]
    assert names == {"inputs": ["source"], "outputs": ["generated"]}
    for side, (details,) in (
        ("source", interpreter.get_input_details()),
        ("generated", interpreter.get_output_details()),
    ):
        assert said[side]["shape"] == details["shape"].tolist()
        assert np.dtype(said[side]["dtype"]) == details["dtype"]
    assert (said["source"]["encoding"], "value_range" in said["source"]) == ("classes:5", False)
    assert (said["generated"]["encoding"], said["generated"]["value_range"]) == ("gray16", [0, 65535])
    assert said["license"] is said["config"] is None


def test_any_size_is_no_size(generator, tmp_path):
    export_tflite(generator, tmp_path / "x.tflite", image_size="any")
    assert read_metadata(tmp_path / "x.tflite")["source"]["shape"] == [1, None, None, 3]


def test_any_unzip_reads_it_and_equal_models_give_equal_files(generator, tmp_path):
    for name in ("x.tflite", "y.tflite"):
        export_tflite(generator, tmp_path / name)
    with zipfile.ZipFile(tmp_path / "x.tflite") as archive:
        assert archive.testzip() is None
        assert json.loads(archive.read("metadata.json")) == read_metadata(tmp_path / "x.tflite")
    assert (tmp_path / "x.tflite").read_bytes() == (tmp_path / "y.tflite").read_bytes()


def test_the_digest_is_that_of_the_weights(generator):
    digest = hashlib.sha256()
    for weight in generator.get_weights():
        digest.update(f"float32 {weight.shape}".encode() + weight.tobytes())
    before = _weights_digest(generator)
    assert before == digest.hexdigest()
    weights = generator.get_weights()
    weights[-1].flat[0] += 1e-3
    generator.set_weights(weights)
    assert _weights_digest(generator) != before


def test_a_configuration_that_is_no_json_is_refused_before_any_work(generator, tmp_path):
    with pytest.raises(ValueError, match="`config` must be a dictionary that JSON can hold.*Received: .'a'"):
        export_tflite(generator, tmp_path / "x.tflite", config={"a": object()})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [None, b"", b"mine"])
def test_a_file_without_it_is_named(tmp_path, content):
    if content is not None:
        (tmp_path / "x.tflite").write_bytes(content)
    with pytest.raises(ValueError, match=r"x\.tflite has no metadata\.json at its end"):
        read_metadata(tmp_path / "x.tflite")
