"""Files of weights: what is read, what is taken off, what is refused. The tests of pickles are beside the oracle's."""

import importlib.util
import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from keras_pix2pix.convert.pytorch.state_dicts import read_state_dict


@pytest.fixture
def tensors():
    return {"model.0.weight": np.arange(6, dtype="float32").reshape(1, 6), "model.0.bias": np.ones(1, "float32")}


def test_tensors_come_with_their_keys(tensors, tmp_path):
    save_file(tensors, tmp_path / "x.safetensors")
    state = read_state_dict(tmp_path / "x.safetensors")
    assert state.keys() == tensors.keys()
    for key, value in tensors.items():
        np.testing.assert_array_equal(state[key], value)


def test_half_precision_becomes_float32(tensors, tmp_path):
    save_file({key: value.astype("float16") for key, value in tensors.items()}, tmp_path / "x.safetensors")
    assert {value.dtype for value in read_state_dict(tmp_path / "x.safetensors").values()} == {np.dtype("float32")}


def test_the_prefix_of_data_parallel_and_the_counters_are_taken_off(tensors, tmp_path):
    parallel = {f"module.{key}": value for key, value in tensors.items()}
    parallel["module.model.3.num_batches_tracked"] = np.array(7)
    save_file(parallel, tmp_path / "x.safetensors")
    assert read_state_dict(tmp_path / "x.safetensors").keys() == tensors.keys()


@pytest.mark.parametrize(
    ("name", "contents", "words"),
    [
        ("x.h5", b"", ["ends in .pth, .pt, .safetensors", "x.h5"]),
        ("missing.safetensors", None, ["There is no file"]),
        ("x.safetensors", b"", ["Can't read", "SafetensorError"]),
        ("x.safetensors", b"\x10\0\0\0\0\0\0\0not what it says", ["Can't read", "SafetensorError"]),
        ("x.safetensors", b"\x02\0\0\0\0\0\0\0{}", ["holds no tensors"]),
    ],
)
def test_what_is_no_file_of_tensors_is_named(name, contents, words, tmp_path):
    path = tmp_path / name
    if contents is not None:
        path.write_bytes(contents)
    with pytest.raises(ValueError, match=r"\.") as error:
        read_state_dict(path)
    for word in (name, *words):
        assert word in str(error.value)


@pytest.mark.parametrize(("suffix", "package"), [(".pth", "torch"), (".safetensors", "safetensors")])
def test_without_the_package_the_message_says_what_to_install(suffix, package, tmp_path, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else find(name))
    (tmp_path / f"x{suffix}").write_bytes(b"x")
    with pytest.raises(ImportError, match=rf"x{suffix} needs {package}.*pip install \.\[{package}\]` in a checkout"):
        read_state_dict(tmp_path / f"x{suffix}")


@pytest.mark.slow
def test_tensors_without_numbers_of_their_own_are_refused(tmp_path):
    torch = pytest.importorskip("torch")
    tensors = {
        "meta": torch.ones(2, device="meta"),
        "quantised": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8),
        "sparse": torch.ones(2, 2).to_sparse(),
    }
    for kind, tensor in tensors.items():
        torch.save({"conv.weight": tensor}, tmp_path / f"{kind}.pth")
        with pytest.raises(ValueError, match=rf"{kind}\.pth .*conv\.weight"):
            read_state_dict(tmp_path / f"{kind}.pth")


@pytest.mark.parametrize("kind", ["F8_E4M3", "F8_E5M2", "BF16", "F4", "?"])
def test_types_that_numpy_lacks_are_read_or_refused(tmp_path, kind):
    header = json.dumps({"conv.weight": {"dtype": kind, "shape": [4], "data_offsets": [0, 8]}}).encode()
    path = tmp_path / "x.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + b"\0" * 8)
    try:
        state = read_state_dict(path)
    except ValueError as error:
        message = str(error)
    else:
        message = str(path)
        assert state["conv.weight"].dtype == "float32"
    assert str(path) in message
