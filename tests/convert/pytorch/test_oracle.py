"""Converted networks beside the PyTorch modules themselves, and files that only PyTorch writes."""

import os

import keras
import numpy as np
import pytest

from keras_pix2pix import from_pytorch
from keras_pix2pix.convert.pytorch.modules import forward_pass
from keras_pix2pix.convert.pytorch.state_dicts import read_state_dict

torch = pytest.importorskip("torch")

import pytorch_twins as twins  # noqa: E402

pytestmark = pytest.mark.slow  # `make test` has no PyTorch.

SIDE = 256
LAYOUTS = {
    "U-Net-256": lambda **options: twins.UnetGenerator(8, **options),
    "U-Net-256 without dropout": lambda **options: twins.UnetGenerator(8, dropout=False, **options),
    "U-Net-128": lambda **options: twins.UnetGenerator(7, **options),
    "ResNet-9": lambda **options: twins.ResnetGenerator(9, **options),
    "ResNet-6": lambda **options: twins.ResnetGenerator(6, **options),
    "ResNet-6 without dropout": lambda **options: twins.ResnetGenerator(6, dropout=False, **options),
    "PatchGAN": lambda **options: twins.NLayerDiscriminator(3, **options),
    "PatchGAN 1": lambda **options: twins.NLayerDiscriminator(1, **options),
    "PatchGAN 5": lambda **options: twins.NLayerDiscriminator(5, **options),
    "PixelGAN": lambda **options: twins.PixelDiscriminator(**options),
}
OF_THE_ARTICLE = {"PyTorch-GAN's U-Net": twins.GeneratorUNet, "PyTorch-GAN's discriminator": twins.Discriminator}
# The norm of the PyTorch network, and what it is read as.
NORMS = [("batch", "instance"), ("batch", "moving"), ("instance", "instance"), ("instance_affine", "instance")]
FULL_SIZE = ("U-Net-256", "U-Net-128", "ResNet-9", "ResNet-6", "PatchGAN", "PixelGAN")


def cases():
    """All layouts with all norms at 2 filters; the published networks at their full size of 64."""
    for norms in NORMS:
        yield from ((layout, *norms, 2) for layout in LAYOUTS)
        yield from ((layout, *norms, 64) for layout in FULL_SIZE if norms[0] != "instance_affine")


def on_batch_statistics(network):
    """What junyanz's test.py runs without --eval, but for dropout."""
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.running_mean = layer.running_var = None
            layer.track_running_stats = False
    return network


def largest_difference(network, twin):
    """On one random picture, or pair, of 256x256; a network of a fixed size is rebuilt for it."""
    images = np.random.default_rng(1).uniform(-1, 1, (len(network.inputs), 1, SIDE, SIDE, 3)).astype("float32")
    if network.inputs[0].shape[1] not in (None, SIDE):
        larger = keras.models.clone_model(network, input_tensors=keras.Input((SIDE, SIDE, 3)))
        larger.set_weights(network.get_weights())
        network = larger
    with torch.no_grad():
        theirs = twin(*(torch.from_numpy(image).permute(0, 3, 1, 2) for image in images)).permute(0, 2, 3, 1).numpy()
    ours = np.asarray(network(list(images) if len(images) > 1 else images[0], training=False))
    assert ours.shape == theirs.shape
    assert theirs.std() > 0.05
    return np.abs(ours - theirs).max()


@pytest.mark.parametrize(("layout", "normalization", "norm", "filters"), list(cases()))
def test_converted_networks_of_junyanz_equal_the_modules(layout, normalization, norm, filters, tmp_path):
    twin = twins.randomize(LAYOUTS[layout](filters=filters, normalization=normalization))
    torch.save(twin.state_dict(), tmp_path / "net.pth")
    network = from_pytorch(tmp_path / "net.pth", norm=norm).network
    assert largest_difference(network, twin if norm == "moving" else on_batch_statistics(twin)) < 1e-4


@pytest.mark.parametrize("filters", [2, 64])
@pytest.mark.parametrize("layout", OF_THE_ARTICLE)
def test_converted_networks_of_pytorch_gan_equal_the_modules(layout, filters, tmp_path):
    twin = twins.randomize(OF_THE_ARTICLE[layout](filters=filters))
    torch.save(twin.state_dict(), tmp_path / "net.pth")
    assert largest_difference(from_pytorch(tmp_path / "net.pth").network, twin) < 1e-4


@pytest.mark.parametrize("layout", [*LAYOUTS, *OF_THE_ARTICLE])
def test_the_numpy_layers_that_conversions_are_checked_against_equal_the_modules(layout):
    twin = twins.randomize({**LAYOUTS, **OF_THE_ARTICLE}[layout](filters=2)).double()
    state = {key: value.numpy() for key, value in twin.state_dict().items()}
    count = 1 if "Net" in layout else 2  # A generator's source, or a discriminator's pair.
    images = np.random.default_rng(2).uniform(-1, 1, (count, SIDE, SIDE, 3))
    with torch.no_grad():
        (theirs,) = twin(*(torch.from_numpy(image).permute(2, 0, 1)[None] for image in images)).permute(0, 2, 3, 1)
    ours = forward_pass(type(twin).__name__, state, list(images), moving=layout in LAYOUTS)
    np.testing.assert_allclose(ours, theirs.numpy(), rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: {"state_dict": state, "epoch": 7},
        lambda state: {"model_state_dict": state},
        lambda state: {f"module.{key}": value for key, value in state.items()},
        lambda state: {key: value.half() for key, value in state.items()},
    ],
    ids=["state_dict", "model_state_dict", "DataParallel", "half precision"],
)
@pytest.mark.parametrize("suffix", [".pth", ".pt"])
def test_state_dicts_in_their_wrappers(wrap, suffix, tmp_path):
    state = twins.NLayerDiscriminator(filters=2).state_dict()
    torch.save(wrap(state), tmp_path / f"net{suffix}")
    read = read_state_dict(tmp_path / f"net{suffix}")
    assert read.keys() == {key for key in state if not key.endswith("num_batches_tracked")}
    for key, value in read.items():
        assert value.dtype == "float32"
        np.testing.assert_allclose(value, state[key], atol=1e-3)


def test_files_of_both_formats_are_read_alike(tmp_path):
    from safetensors.torch import save_file

    state = twins.PixelDiscriminator().state_dict()
    torch.save(state, tmp_path / "net.pth")
    torch.save(state, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    save_file(state, tmp_path / "net.safetensors")
    first, *others = (read_state_dict(tmp_path / name) for name in ("net.safetensors", "net.pth", "old.pth"))
    for other in others:
        assert first.keys() == other.keys()
        for key in first:
            np.testing.assert_array_equal(first[key], other[key])


class Malicious:
    """Unpickled without care, it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("zipped", [True, False])
def test_pickled_code_is_refused_and_not_run(zipped, tmp_path):
    trace = tmp_path / "trace"
    state = {**twins.PixelDiscriminator().state_dict(), "net.9.weight": Malicious(trace)}
    torch.save(state, tmp_path / "net.pth", _use_new_zipfile_serialization=zipped)
    with pytest.raises(ValueError, match=r"net\.pth is refused: .* Nothing of it was run.*Received: \w+\.system"):
        from_pytorch(tmp_path / "net.pth")
    assert not trace.exists()
    torch.load(tmp_path / "net.pth", weights_only=False)
    assert trace.exists()  # The file does what it is meant to do.


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        (lambda: torch.nn.Conv2d(1, 1, 1), ["is refused", "Conv2d"]),
        (lambda: [torch.ones(2)], ["Received: a list"]),
        (lambda: {"epoch": 3, "netG": {}}, ["others under epoch, netG"]),
        (lambda: {0: torch.ones(2)}, ["others under 0"]),
        (lambda: {"weight": torch.ones(2, dtype=torch.complex64)}, ["others under weight"]),
        (lambda: {"weight": torch.ones(2, 2).to_sparse()}, ["others under weight"]),
        (lambda: {}, ["holds no tensors"]),
    ],
)
def test_what_is_no_state_dict_is_named(contents, words, tmp_path):
    torch.save(contents(), tmp_path / "net.pth")
    with pytest.raises(ValueError, match=r"net\.pth") as error:
        read_state_dict(tmp_path / "net.pth")
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize("contents", [b"", b"text", b"PK\x03\x04", None])
def test_a_broken_file_is_named(contents, tmp_path):
    path = tmp_path / "net.pth"
    if contents is None:
        torch.save(twins.PixelDiscriminator().state_dict(), path)
        contents = path.read_bytes()[:1000]
    path.write_bytes(contents)
    with pytest.raises(ValueError, match=r"net\.pth.* Replace the file"):
        read_state_dict(path)


def test_a_torch_that_could_be_got_round_is_refused(tmp_path, monkeypatch):
    torch.save(twins.PixelDiscriminator().state_dict(), tmp_path / "net.pth")
    monkeypatch.setattr(torch, "__version__", "2.5.1+cpu")
    with pytest.raises(ImportError, match=r"torch 2\.6 or newer\. Received: torch 2\.5\.1"):
        read_state_dict(tmp_path / "net.pth")
