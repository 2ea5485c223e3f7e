"""`keras-pix2pix convert`: what is printed and written, and what comes of mistakes."""

import json

import h5py
import keras
import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file

import keras_pix2pix
from keras_pix2pix import unet_generator
from keras_pix2pix.cli.convert import _READERS
from keras_pix2pix.convert.conversion import Conversion
from keras_pix2pix.convert.pytorch import modules as pytorch_modules


@pytest.fixture
def weights(tmp_path):
    """A U-Net of junyanz's with batch norm, two halvings deep."""
    draws = np.random.default_rng(0)
    inside = "model.model.1.model"
    kernels = {
        "model.model.0": (2, 3, 4, 4),
        f"{inside}.1": (4, 2, 4, 4),
        f"{inside}.3": (4, 2, 4, 4),
        "model.model.3": (4, 3, 4, 4),
    }
    state = {f"{prefix}.weight": draws.normal(0, 0.3, shape) for prefix, shape in kernels.items()}
    state["model.model.3.bias"] = draws.normal(0, 0.3, 3)
    for key in ("weight", "bias", "running_mean", "running_var"):
        state[f"{inside}.4.{key}"] = draws.uniform(0.5, 1.5, 2)
    save_file({key: value.astype("float32") for key, value in state.items()}, tmp_path / "net_G.safetensors")
    return tmp_path / "net_G.safetensors"


def test_the_file_written_translates_and_exports(run, weights, tmp_path):
    output = tmp_path / "made" / "x.keras"
    code, printed, errors = run("convert", weights, "--from", "pytorch", "--output", output)
    assert (code, errors) == (0, "")
    recognised, check, path = printed.splitlines()
    assert recognised.startswith("Recognised: UnetGenerator of pytorch-CycleGAN-and-pix2pix: 2 halvings (4x4), 2 filt")
    assert float(check.removeprefix("Self-check: at most ").partition(" ")[0]) < 1e-5
    assert path == str(output)
    assert [each.name for each in output.parent.iterdir()] == ["x.keras"]

    Image.effect_noise((30, 20), 50).convert("RGB").save(tmp_path / "picture.png")
    code, _, errors = run("translate", output, tmp_path / "picture.png", "--output", tmp_path / "out")
    assert code == 0, errors
    assert Image.open(tmp_path / "out" / "picture.png").size == (30, 20)
    export = ("export", output, "--format", "tflite", "--output", tmp_path / "x.tflite")
    for options in ((), ("--image-size", 64)):
        code, _, errors = run(*export, *options)
        assert code == 0, errors


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ((), keras.layers.GroupNormalization),
        (("--norm", "instance"), keras.layers.GroupNormalization),
        (("--norm", "moving"), keras.layers.BatchNormalization),
    ],
)
def test_norm_is_passed_on(options, kind, run, weights, tmp_path):
    code, *_ = run("convert", weights, "--from", "pytorch", "--output", tmp_path / "x.keras", *options)
    assert code == 0
    network = keras.saving.load_model(tmp_path / "x.keras")
    assert type(network.get_layer("up1_normalization")) is kind


@pytest.mark.parametrize(("format", "name"), [("keras2", "from_legacy_keras"), ("tf_tutorial", "from_tf_tutorial")])
def test_each_format_has_its_reader(format, name, run, weights, tmp_path, monkeypatch):
    read = []

    def reader(path):
        read.append(path)
        return Conversion(unet_generator((8, 8, 3), filters=1), "A known file", 2e-6)

    monkeypatch.setattr(keras_pix2pix, name, reader, raising=False)
    code, printed, errors = run("convert", weights, "--from", format, "--output", tmp_path / "x.keras")
    assert code == 0, errors
    assert read == [str(weights)]
    assert "Recognised: A known file\nSelf-check: at most 2.0e-06 " in printed
    assert keras.saving.load_model(tmp_path / "x.keras").name == "unet_generator"


def test_the_readers_exist():
    for name in _READERS.values():
        assert callable(getattr(keras_pix2pix, name))


MISTAKES = {
    "format": ("pytoch", "x.keras", (), ["--from must be one of pytorch, keras2, tf_tutorial", "'pytoch'"]),
    "output": ("pytorch", "x.h5", (), ["--output must be the name of a .keras file", "x.h5"]),
    "folder": ("pytorch", "folder.keras", (), ["--output must be", "folder.keras"]),
    "norm": ("pytorch", "x.keras", ("--norm", "batch"), ["'instance', 'moving'", "norm='batch'"]),
    "norm of another format": ("keras2", "x.keras", ("--norm", "moving"), ["--norm is for --from pytorch"]),
    "submodel of another": ("pytorch", "x.keras", ("--submodel", "generator"), ["--submodel is for --from keras2"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_ends_in_one_message_and_exit_code_2(mistake, run, weights, tmp_path):
    format, output, options, words = MISTAKES[mistake]
    (tmp_path / "folder.keras").mkdir()
    code, printed, errors = run("convert", weights, "--from", format, "--output", tmp_path / output, *options)
    assert (code, printed) == (2, "")
    for word in words:
        assert word in errors
    assert len(errors.strip().splitlines()) == 1
    assert not (tmp_path / "x.keras").exists()


def test_an_unknown_file_is_named_with_its_keys(run, tmp_path):
    save_file({"encoder.weight": np.ones(2, "float32")}, tmp_path / "x.safetensors")
    code, _, errors = run("convert", tmp_path / "x.safetensors", "--from", "pytorch", "--output", tmp_path / "x.keras")
    assert code == 2
    assert f"{tmp_path / 'x.safetensors'} doesn't match any known network" in errors
    assert "unknown keys encoder.weight" in errors
    assert not (tmp_path / "x.keras").exists()


def test_nothing_but_an_earlier_conversion_is_replaced(run, weights, tmp_path):
    model = keras_pix2pix.Pix2Pix(unet_generator((8, 8, 3), filters=1))
    model.compile(lambda_gan=0)
    model.save(tmp_path / "trained.keras")
    unet_generator((8, 8, 3), filters=1).save(tmp_path / "generator.keras")
    (tmp_path / "notes.keras").write_text("mine")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text("{}")
    for name, code in (("trained", 2), ("notes", 2), ("run/model", 2), ("generator", 0)):
        file = tmp_path / f"{name}.keras"
        before = file.read_bytes() if file.exists() else None
        result = run("convert", weights, "--from", "pytorch", "--output", file)
        assert result[0] == code, name
        assert (file.read_bytes() if file.exists() else None) == before or not code
        assert not code or str(file) in result[2]


def test_what_is_converted_is_not_replaced_by_its_conversion(run, weights, tmp_path):
    unet_generator((32, 32, 3), filters=2).save(tmp_path / "source.keras")
    (tmp_path / "linked.keras").hardlink_to(tmp_path / "source.keras")
    before = (tmp_path / "source.keras").read_bytes()
    for name in ("source.keras", "linked.keras"):
        code, _, errors = run(
            "convert", tmp_path / "source.keras", "--from", "tf_tutorial", "--output", tmp_path / name
        )
        assert (code, "is read" in errors) == (2, True), errors
        assert (tmp_path / name).read_bytes() == before


def test_a_failed_check_keeps_nothing(run, weights, tmp_path, monkeypatch):
    monkeypatch.setattr(pytorch_modules, "_LEAKY_SLOPE", 0.3)
    code, _, errors = run("convert", weights, "--from", "pytorch", "--output", tmp_path / "x.keras")
    assert code == 1
    assert "must be within 1e-05 of the file's own layers" in errors
    assert not (tmp_path / "x.keras").exists()


@pytest.mark.slow
def test_pickled_code_is_refused_and_not_run(run, tmp_path):
    torch = pytest.importorskip("torch")

    class Malicious:
        def __reduce__(self):
            return exec, (f"open({str(tmp_path / 'trace')!r}, 'w')",)

    torch.save({"model.0.weight": Malicious()}, tmp_path / "net.pth")
    code, _, errors = run("convert", tmp_path / "net.pth", "--from", "pytorch", "--output", tmp_path / "x.keras")
    assert code == 2
    assert f"{tmp_path / 'net.pth'} is refused" in errors
    assert not (tmp_path / "trace").exists()
    assert not (tmp_path / "x.keras").exists()


def as_deep_json(path):
    with h5py.File(path, "w") as file:
        file.create_group("model_weights").attrs["layer_names"] = [b"conv"]
        file["model_weights"].create_group("conv").attrs["weight_names"] = []
        file.attrs["model_config"] = '{"config": ' * 5000 + "1" + "}" * 5000


def as_nested_networks(path):
    config = {"class_name": "ReLU", "config": {"name": "relu"}}
    for depth in range(300):
        config = {"class_name": "Sequential", "config": {"name": f"block{depth}", "layers": [config]}}
    with h5py.File(path, "w") as file:
        file.create_group("model_weights").attrs["layer_names"] = [b"conv"]
        file["model_weights"].create_group("conv").attrs["weight_names"] = []
        file.attrs["model_config"] = json.dumps(config)


def as_huge_array(path):
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"conv"]
        file.create_group("conv").attrs["weight_names"] = [b"conv/kernel:0"]
        file["conv"].create_dataset("conv/kernel:0", (4, 4, 3, 10**9), "float32", chunks=(4, 4, 3, 64))


def as_float8(path):
    header = json.dumps({"conv.weight": {"dtype": "F8_E4M3", "shape": [8], "data_offsets": [0, 8]}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(8))


def as_keras_3_weights(path):
    unet_generator((8, 8, 3), filters=1).save_weights(path)


HOSTILE = {
    "deep JSON": (as_deep_json, "keras2", "x.h5"),
    "nested networks": (as_nested_networks, "keras2", "x.h5"),
    "179 GiB": (as_huge_array, "keras2", "x.h5"),
    "179 GiB for the tutorial": (as_huge_array, "tf_tutorial", "x.h5"),
    "float8": (as_float8, "pytorch", "x.safetensors"),
    "weights of Keras 3": (as_keras_3_weights, "keras2", "x.weights.h5"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_or_unfit_file_ends_in_one_message_and_exit_code_2(case, run, tmp_path):
    write, format, name = HOSTILE[case]
    write(tmp_path / name)
    code, printed, errors = run("convert", tmp_path / name, "--from", format, "--output", tmp_path / "x.keras")
    assert (code, printed) == (2, ""), errors
    assert str(tmp_path / name) in errors
    assert len(errors.strip().splitlines()) == 1
    assert not (tmp_path / "x.keras").exists()


@pytest.mark.slow
def test_pytorch_tensors_without_numbers_end_in_one_message_and_exit_code_2(run, tmp_path):
    torch = pytest.importorskip("torch")
    tensors = {
        "meta": torch.ones(2, device="meta"),
        "quantised": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8),
    }
    for kind, tensor in tensors.items():
        torch.save({"model.0.weight": tensor}, tmp_path / f"{kind}.pth")
        options = ("--from", "pytorch", "--output", tmp_path / "x.keras")
        code, _, errors = run("convert", tmp_path / f"{kind}.pth", *options)
        assert (code, f"{kind}.pth" in errors, "model.0.weight" in errors) == (2, True, True), errors


def test_submodel_is_passed_on(run, weights, tmp_path, monkeypatch):
    def reader(path, *, submodel):
        return Conversion(unet_generator((8, 8, 3), filters=1), f"The network {submodel}", 2e-6)

    monkeypatch.setattr(keras_pix2pix, "from_legacy_keras", reader, raising=False)
    options = ("--from", "keras2", "--submodel", "generator", "--output", tmp_path / "x.keras")
    code, printed, errors = run("convert", weights, *options)
    assert code == 0, errors
    assert "Recognised: The network generator\n" in printed
