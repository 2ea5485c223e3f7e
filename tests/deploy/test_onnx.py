"""ONNX files, run with ONNX Runtime alone."""

import importlib.util
import json
import subprocess
import sys
import tempfile

import keras
import numpy as np
import pytest

from keras_pix2pix import encodings, export_onnx, serving_model, unet_generator
from keras_pix2pix.deploy.parity import _drawn_sources
from keras_pix2pix.inference import lean as rewrite

onnxruntime = pytest.importorskip("onnxruntime")
onnx = pytest.importorskip("onnx")
pytest.importorskip("tf2onnx")


@pytest.fixture(scope="module")
def generator():
    """Normalised sharply, so that the pictures have contrast to lose."""
    keras.utils.set_random_seed(3)
    network = unet_generator((32, 64, 3), filters=4, num_downsamples=4)
    network.set_weights([weight * 3 for weight in network.get_weights()])
    return network


@pytest.fixture(scope="module")
def exported(generator, tmp_path_factory):
    path = tmp_path_factory.mktemp("exported") / "facades.onnx"
    return path, export_onnx(generator, path)


def session_of(path):
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def run(path, pixels):
    return session_of(path).run(["generated"], {"source": pixels})[0]


def draw(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("size", [(32, 64), (50, 70), (17, 96), (128, 128)])
def test_pictures_of_any_number_and_size(generator, exported, size):
    pixels = draw(2, *size, 3)
    generated = run(exported[0], pixels)
    assert generated.dtype == np.uint8
    assert generated.shape == pixels.shape
    difference = np.abs(generated.astype(int) - np.asarray(serving_model(generator)(pixels)))
    assert difference.max() <= 1
    assert np.mean(difference != 0) < 0.01


def test_the_verdict_is_that_of_the_file(generator, tmp_path, capsys):
    path = tmp_path / "x.onnx"
    parity = export_onnx(generator, path)
    assert parity.size == path.stat().st_size
    assert parity.largest_difference <= 1
    assert parity.psnr > 80
    assert parity.path == str(path)
    assert capsys.readouterr() == ("", "")


def test_input_and_output_have_names_and_so_have_their_axes(exported):
    session = session_of(exported[0])
    for value, name in ((session.get_inputs(), "source"), (session.get_outputs(), "generated")):
        assert [(each.name, each.shape, each.type) for each in value] == [
            (name, ["batch", "height", "width", 3], "tensor(uint8)")
        ]


def test_image_size_is_that_of_the_file(generator, tmp_path):
    export_onnx(generator, tmp_path / "x.onnx", image_size=(48, 32))
    assert session_of(tmp_path / "x.onnx").get_inputs()[0].shape == ["batch", 48, 32, 3]
    assert run(tmp_path / "x.onnx", draw(1, 48, 32, 3)).shape == (1, 48, 32, 3)


def test_the_file_has_none_of_the_operators_that_were_rewritten(exported):
    file = onnx.load(exported[0])
    onnx.checker.check_model(file)
    operators = {node.op_type for node in file.graph.node}
    assert "DepthToSpace" in operators
    assert not {"ConvTranspose", "BatchNormalization", "Dropout"} & operators


def test_given_pixels_are_compared_on(generator, tmp_path):
    with pytest.raises(ValueError, match=r"shape \(pictures, 32, 64, 3\).*Received: uint8 of shape \(1, 16, 16, 3\)"):
        export_onnx(generator, tmp_path / "x.onnx", image_size=(32, 64), pixels=draw(1, 16, 16, 3))
    with pytest.raises(ValueError, match=r"`pixels` must be uint8.*Received: float64"):
        export_onnx(generator, tmp_path / "x.onnx", pixels=np.zeros((1, 16, 16, 3)))
    assert export_onnx(generator, tmp_path / "x.onnx", pixels=_drawn_sources((48, 32), 3)[:1]).psnr > 60


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("classes:5", "rgb"),
        ("rgb", "classes:5"),
        ("palette:#000000,#ff0000", "gray"),
        (["gray", "values:2:0:9"], "gray16"),
    ],
)
def test_encodings_are_inside(make_encoded_model, tmp_path, source, target):
    model = make_encoded_model(source, target)
    parity = export_onnx(model, tmp_path / "x.onnx")
    session = session_of(tmp_path / "x.onnx")
    raw = model.source_encoding.from_pixels(draw(13, 21, 3))[np.newaxis]
    generated = session.run(["generated"], {"source": raw})[0]
    expected = np.asarray(serving_model(model)(raw))
    assert generated.dtype == model.target_encoding.raw_dtype
    assert generated.shape == expected.shape
    if isinstance(model.target_encoding, encodings.Picture):
        assert parity.largest_difference <= 1
        np.testing.assert_allclose(generated.astype(float), expected, rtol=1e-4, atol=1)
    else:
        assert parity.equal > 0.999
        assert np.mean(generated == expected) > 0.99


def test_a_file_that_computes_something_else_is_not_kept(generator, tmp_path, monkeypatch):
    kernel = rewrite.subpixel_kernel
    monkeypatch.setattr(rewrite, "subpixel_kernel", lambda *original, **form: kernel(*original, **form) * 2)
    with pytest.raises(RuntimeError, match=r"not kept as .*x\.onnx.*Received: .* PSNR"):
        export_onnx(generator, tmp_path / "x.onnx")
    assert not list(tmp_path.iterdir())


def test_what_is_accepted_can_be_chosen(generator, tmp_path, monkeypatch):
    kernel = rewrite.subpixel_kernel
    monkeypatch.setattr(rewrite, "subpixel_kernel", lambda *original, **form: kernel(*original, **form) * 2)
    export_onnx(generator, tmp_path / "x.onnx", accept={"levels": 255})
    record = json.loads((tmp_path / "x.onnx.export.json").read_text())
    assert (record["format"], record["accepted"]) == ("onnx", {"levels": 255})
    assert record["latency"].keys() == {"1 thread", "2 threads", "Keras"}
    assert "onnxruntime" in record["versions"]
    with pytest.raises(RuntimeError, match="at most 255 grey level.* and at least 99 dB"):
        export_onnx(generator, tmp_path / "x.onnx", accept={"levels": 255, "psnr": 99})
    with pytest.raises(ValueError, match="'equal' of `accept` does not apply"):
        export_onnx(generator, tmp_path / "x.onnx", accept={"equal": 0.5})


def test_a_folder_is_not_a_file_name(generator, tmp_path):
    with pytest.raises(ValueError, match="is a folder"):
        export_onnx(generator, tmp_path)


def test_a_size_that_does_not_suit_is_refused(generator, tmp_path):
    with pytest.raises(ValueError, match=r"divisible by 16 .*Received: image_size=\(40, 40\)"):
        export_onnx(generator, tmp_path / "x.onnx", image_size=(40, 40))
    assert not list(tmp_path.iterdir())


def test_without_the_packages_one_message_says_what_to_do(generator, tmp_path, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "tf2onnx" else find(name))
    with pytest.raises(ImportError, match=r"x\.onnx needs tf2onnx, which .* `pip install .*\[onnx\]`"):
        export_onnx(generator, tmp_path / "x.onnx")


def test_the_file_runs_without_tensorflow_and_this_package(generator, exported):
    program = (
        "import sys\n"
        "sys.modules.update(dict.fromkeys(['keras_pix2pix', 'tensorflow', 'keras', 'tf2onnx']))\n"
        "import numpy, onnxruntime\n"
        f"session = onnxruntime.InferenceSession({str(exported[0])!r})\n"
        "print(session.run(None, {'source': numpy.zeros((1, 32, 64, 3), 'uint8')})[0].sum())\n"
    )
    result = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    expected = np.asarray(serving_model(generator)(np.zeros((1, 32, 64, 3), "uint8"))).sum()
    assert int(result.stdout) == pytest.approx(int(expected), rel=1e-3)


def test_no_weight_is_left_to_transpose(exported, generator):
    graph = onnx.load(exported[0]).graph
    weights = {value.name: value for value in graph.initializer}
    assert [value.name for value in graph.input] == ["source"]
    assert not [node for node in graph.node if node.op_type == "Transpose" and node.input[0] in weights]
    numbers = sum(int(np.prod(value.dims)) for value in weights.values())
    assert numbers == pytest.approx(generator.count_params(), rel=0.1)


@pytest.mark.slow
def test_weights_are_not_copied_many_times_over():
    """13.6 MB of weights, for which tf2onnx by itself takes 1.4 GB."""
    script = (
        "import resource, tf2onnx\n"
        "from keras_pix2pix import export_onnx, unet_generator\n"
        "export_onnx(unet_generator((32, 32, 3), filters=4, num_downsamples=4), 'small.onnx')\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "export_onnx(unet_generator((256, 256, 3), filters=16), 'x.onnx')\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000)\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=folder)
    assert finished.returncode == 0, finished.stderr
    assert float(finished.stdout.split()[-1]) < 900  # MB.
