"""Recognition, conversion and its check, on state dicts written by hand: no PyTorch is needed here.

That the hand-written keys and the NumPy layers are PyTorch's is tested beside the real modules, in
`test_pytorch_oracle.py`.
"""

import keras
import numpy as np
import pytest
from safetensors.numpy import save_file

from keras_pix2pix import from_pytorch
from keras_pix2pix.convert.pytorch import modules as pytorch_modules

JUNYANZ = "pytorch-CycleGAN-and-pix2pix"
BATCH = ("weight", "bias", "running_mean", "running_var")
NORM_KEYS = {
    "batch": BATCH,
    "affine": BATCH[:2],
    "instance": (),
    "old instance": BATCH[2:],  # As PyTorch 0.3 saved them.
}


class Written(dict):
    """A state dict in the making, of random numbers."""

    def __init__(self, norm):
        self.norm = norm
        self.draws = np.random.default_rng(0)

    def kernel(self, prefix, *shape, biases=0):
        self[f"{prefix}.weight"] = self.draws.normal(0, 0.3, shape).astype("float32")
        if biases:
            self[f"{prefix}.bias"] = self.draws.normal(0, 0.3, biases).astype("float32")

    def normalized(self, prefix, norm, channels, *shape):
        """A convolution to `channels`, and its norm; junyanz's instance norm follows convolutions with biases."""
        self.kernel(prefix, *shape, biases=channels if "instance" in self.norm else 0)
        for key in NORM_KEYS[self.norm]:
            self[f"{norm}.{key}"] = self.draws.uniform(0.5, 1.5, channels).astype("float32")


def unet(norm, source=3, target=3):
    state, widths = Written(norm), [2, 4, 8, 16, 16]
    biased = "instance" in norm
    state.kernel("model.model.0", 2, source, 4, 4, biases=2 if biased else 0)
    state.kernel("model.model.3", 4, target, 4, 4, biases=target)
    for depth in (1, 2, 3):
        inside, outer, width = "model.model.1" + ".model.3" * (depth - 1) + ".model", widths[depth - 1], widths[depth]
        state.normalized(f"{inside}.1", f"{inside}.2", width, width, outer, 4, 4)
        state.normalized(f"{inside}.5", f"{inside}.6", outer, 2 * width, outer, 4, 4)
    inside = "model.model.1" + ".model.3" * 3 + ".model"
    state.kernel(f"{inside}.1", 16, 16, 4, 4, biases=16 if biased else 0)
    state.normalized(f"{inside}.3", f"{inside}.4", 16, 16, 16, 4, 4)
    return state


def resnet(norm, second=6):
    state = Written(norm)
    for index, width, channels, side in ((1, 2, 3, 7), (4, 4, 2, 3), (7, 8, 4, 3)):
        state.normalized(f"model.{index}", f"model.{index + 1}", width, width, channels, side, side)
    for block in ("model.10.conv_block", "model.11.conv_block"):
        for index in (1, second):
            state.normalized(f"{block}.{index}", f"{block}.{index + 1}", 8, 8, 8, 3, 3)
    for index, channels in ((12, 8), (15, 4)):
        state.normalized(f"model.{index}", f"model.{index + 1}", channels // 2, channels, channels // 2, 3, 3)
    state.kernel("model.19", 3, 2, 7, 7, biases=3)
    return state


def global_generator(filters=1, halvings=3):
    """pix2pixHD's, with two blocks."""
    state = Written("instance")
    state.normalized("model.1", "model.2", filters, filters, 3, 7, 7)
    widths = [filters * 2**depth for depth in range(halvings + 1)]
    for depth in range(halvings):
        state.normalized(f"model.{4 + 3 * depth}", "", widths[depth + 1], widths[depth + 1], widths[depth], 3, 3)
    blocks = 4 + 3 * halvings
    for block in (f"model.{blocks}.conv_block", f"model.{blocks + 1}.conv_block"):
        for index in (1, 5):
            state.normalized(f"{block}.{index}", "", widths[-1], widths[-1], widths[-1], 3, 3)
    for number, width in enumerate(widths[:0:-1]):
        state.normalized(f"model.{blocks + 2 + 3 * number}", "", width // 2, width, width // 2, 3, 3)
    state.kernel(f"model.{blocks + 3 + 3 * halvings}", 3, filters, 7, 7, biases=3)
    return state


def local_enhancer():
    """pix2pixHD's, with one block around a global generator that lost its last convolution."""
    whole = global_generator(filters=4, halvings=2)
    state = Written("instance")
    state.update({key: value for key, value in whole.items() if not key.startswith("model.19.")})
    state.normalized("model1_1.1", "", 2, 2, 3, 7, 7)
    state.normalized("model1_1.4", "", 4, 4, 2, 3, 3)
    for index in (1, 5):
        state.normalized(f"model1_2.0.conv_block.{index}", "", 4, 4, 4, 3, 3)
    state.normalized("model1_2.1", "", 2, 4, 2, 3, 3)
    state.kernel("model1_2.5", 3, 2, 7, 7, biases=3)
    return state


def patchgan(norm, layers=2, channels=6):
    state, widths = Written(norm), [channels, 2, 4, 8, 16, 16, 16, 16]
    state.kernel("model.0", 2, channels, 4, 4, biases=2)
    for depth in range(1, layers + 1):
        width = widths[depth + 1]
        state.normalized(f"model.{3 * depth - 1}", f"model.{3 * depth}", width, width, widths[depth], 4, 4)
    state.kernel(f"model.{3 * layers + 2}", 1, widths[layers + 1], 4, 4, biases=1)
    return state


def pixel(norm):
    state = Written(norm)
    state.kernel("net.0", 2, 6, 1, 1, biases=2)
    state.normalized("net.2", "net.3", 4, 4, 2, 1, 1)
    state.kernel("net.5", 1, 4, 1, 1, biases=1 if "instance" in norm else 0)
    return state


def article_unet():
    state, widths = Written("instance"), [3, 2, 4, 8, 16, 16]
    for block in range(1, 6):
        state.kernel(f"down{block}.model.0", widths[block], widths[block - 1], 4, 4)
    for block in range(1, 5):
        channels = widths[6 - block] * (2 if block > 1 else 1)
        state.kernel(f"up{block}.model.0", channels, widths[5 - block], 4, 4)
    state.kernel("final.2", 3, 4, 4, 4, biases=3)
    return state


def article_discriminator():
    state, widths = Written("instance"), [6, 2, 4, 8, 16]
    for depth, index in enumerate((0, 2, 5, 8)):
        state.kernel(f"model.{index}", widths[depth + 1], widths[depth], 4, 4, biases=widths[depth + 1])
    state.kernel("model.12", 1, 16, 4, 4)
    return state


@pytest.fixture
def converted(tmp_path):
    def convert(state, **options):
        save_file(dict(state), tmp_path / "net.safetensors")
        return from_pytorch(tmp_path / "net.safetensors", **options)

    return convert


def layers_of(network, kind):
    return [layer for layer in network.layers if isinstance(layer, kind)]


ON_BATCH_STATISTICS = "batch norm on batch statistics, which is affine instance norm"
OF_JUNYANZ = {
    "U-Net": (unet, "UnetGenerator", "5 halvings (32x32), 2 filters, 3 to 3 channels"),
    "ResNet": (resnet, "ResnetGenerator", "2 halvings, 2 residual blocks, 2 filters, 3 to 3 channels"),
    "PatchGAN": (patchgan, "NLayerDiscriminator", "n_layers=2, 2 filters, 3 and 3 channels"),
    "PixelGAN": (pixel, "PixelDiscriminator", "2 filters, 3 and 3 channels"),
}


@pytest.mark.parametrize("network", OF_JUNYANZ)
@pytest.mark.parametrize(
    ("norm", "words"),
    [
        ("batch", ON_BATCH_STATISTICS),
        ("affine", "affine instance norm"),
        ("instance", "instance norm"),
        ("old instance", "instance norm"),
    ],
)
def test_the_networks_of_junyanz_are_recognised_and_equal(network, norm, words, converted):
    write, kind, facts = OF_JUNYANZ[network]
    network, recognised, difference = converted(write(norm))
    assert recognised == f"{kind} of {JUNYANZ}: {facts}, {words}, {network.count_params():,} parameters"
    assert difference < 1e-6
    norms = layers_of(network, keras.layers.GroupNormalization)
    assert norms
    assert all(layer.scale == layer.center == (norm in ("batch", "affine")) for layer in norms)
    assert {layer.epsilon for layer in norms} == {1e-5}


@pytest.mark.parametrize(
    ("write", "kind", "facts"),
    [
        (article_unet, "GeneratorUNet", "5 halvings (32x32), 2 filters, 3 to 3 channels"),
        (article_discriminator, "Discriminator", "2 filters, 3 and 3 channels"),
    ],
)
def test_the_networks_of_pytorch_gan_are_recognised_and_equal(write, kind, facts, converted):
    network, recognised, difference = converted(write())
    assert recognised == f"{kind} of PyTorch-GAN: {facts}, instance norm, {network.count_params():,} parameters"
    assert difference < 1e-6
    assert not any(layer.scale for layer in layers_of(network, keras.layers.GroupNormalization))


@pytest.mark.parametrize(
    ("write", "kind", "facts"),
    [
        (global_generator, "GlobalGenerator", "3 halvings, 2 residual blocks, 1 filters, 3 to 3 channels"),
        (
            local_enhancer,
            "LocalEnhancer",
            "2 halvings, 2 residual blocks and 1 of the enhancer, 2 filters, 3 to 3 channels",
        ),
    ],
)
def test_the_generators_of_pix2pixhd_are_recognised_and_equal(write, kind, facts, converted):
    network, recognised, difference = converted(write())
    assert recognised == f"{kind} of pix2pixHD: {facts}, instance norm, {network.count_params():,} parameters"
    assert difference < 1e-6
    assert not any(layer.scale for layer in layers_of(network, keras.layers.GroupNormalization))


@pytest.mark.parametrize("write", [unet, resnet, patchgan, pixel])
def test_norm_moving_keeps_the_moving_averages(write, converted):
    network, recognised, difference = converted(write("batch"), norm="moving")
    assert "batch norm with its moving averages" in recognised
    assert difference < 1e-6
    norms = layers_of(network, keras.layers.BatchNormalization)
    assert norms
    assert not layers_of(network, keras.layers.GroupNormalization)
    assert all(0.5 <= float(layer.moving_mean[0]) <= 1.5 for layer in norms)


@pytest.mark.parametrize("layers", range(1, 7))
def test_a_patchgan_of_any_depth(layers, converted):
    network, recognised, _ = converted(patchgan("batch", layers))
    assert f"n_layers={layers}, " in recognised
    convolutions = layers_of(network, keras.layers.Conv2D)
    assert [layer.strides[0] for layer in convolutions] == [2] * layers + [1, 1]


@pytest.mark.parametrize(("channels", "source", "target"), [(2, 1, 1), (4, 1, 3), (6, 3, 3), (7, 4, 3), (3, 2, 1)])
def test_channels_of_a_discriminator(channels, source, target, converted):
    network, recognised, _ = converted(patchgan("batch", channels=channels))
    assert f"{source} and {target} channels" in recognised
    assert [shape[-1] for shape in network.input_shape] == [source, target]


def test_channels_of_a_generator(converted):
    network, recognised, _ = converted(unet("batch", source=5, target=2))
    assert "5 to 2 channels" in recognised
    assert network.input_shape == (None, 32, 32, 5)
    assert network.output_shape == (None, 32, 32, 2)


def test_generators_drop_out_where_their_authors_do(converted):
    def dropouts(state):
        return [(layer.name, layer.rate) for layer in layers_of(converted(state).network, keras.layers.Dropout)]

    assert dropouts(resnet("batch", second=6)) == [("block1_dropout", 0.5), ("block2_dropout", 0.5)]
    assert dropouts(resnet("batch", second=5)) == []
    assert dropouts(unet("batch")) == []  # Five halvings leave no block of full width between the ends.
    assert dropouts(article_unet()) == [
        (f"{block}_dropout", 0.5) for block in ("down4", "down5", "up1", "up2", "up3", "up4")
    ]


def test_the_keys_of_data_parallel(converted):
    plain, parallel = unet("batch"), {f"module.{key}": value for key, value in unet("batch").items()}
    for ours, theirs in zip(*(converted(state).network.get_weights() for state in (plain, parallel)), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_file_opens_and_says_the_same(converted, tmp_path, images):
    network = converted(resnet("batch")).network
    network.save(tmp_path / "x.keras")
    source, _ = images(1, 256, 256)
    np.testing.assert_allclose(keras.saving.load_model(tmp_path / "x.keras")(source), network(source), atol=1e-6)


def without(state, *keys):
    return {key: value for key, value in state.items() if key not in keys}


def changed(state, key, value):
    return {**state, key: np.asarray(value, "float32")}


FAULTS = {
    "another network": ({"encoder.weight": np.ones(2, "float32")}, {}, ["any known network", "encoder.weight"]),
    "unknown key": (
        changed(unet("batch"), "model.model.9.weight", [1]),
        {},
        ["has unknown model.model.9.weight", "UnetGenerator", "5 halvings"],
    ),
    "many unknown keys": (
        {**unet("batch"), **{f"extra{n}": np.ones(1, "float32") for n in range(8)}},
        {},
        ["extra0, extra1, extra2, extra3, extra4 and 3 more"],
    ),
    "missing gamma": (
        without(unet("batch"), "model.model.1.model.2.weight"),
        {},
        ["lacks model.model.1.model.2.weight"],
    ),
    "missing bias": (without(resnet("instance"), "model.4.bias"), {}, ["lacks model.4.bias", "ResnetGenerator"]),
    "missing average": (
        without(unet("batch"), "model.model.1.model.2.running_var"),
        {"norm": "moving"},
        ["lacks model.model.1.model.2.running_var"],
    ),
    "missing last": (without(resnet("batch"), "model.19.weight"), {}, ["is not whole", "model.19.weight"]),
    "shape": (
        changed(unet("batch"), "model.model.1.model.1.weight", np.ones((4, 2, 3, 3))),
        {},
        ["model.model.1.model.1.weight of shape (4, 2, 4, 4)", "Received: shape (4, 2, 3, 3)"],
    ),
    "shape of a transposed kernel": (
        changed(article_unet(), "up2.model.0.weight", np.ones((32, 4, 4, 4))),
        {},
        ["up2.model.0.weight of shape (32, 8, 4, 4)", "(32, 4, 4, 4)"],
    ),
    "not finite": (changed(pixel("batch"), "net.0.bias", [np.nan, 1]), {}, ["NaN or infinity in net.0.bias"]),
    "no norm": (
        {
            key: value
            for key, value in unet("batch").items()
            if ".2." not in key and ".6." not in key and ".4." not in key
        },
        {},
        ["net.safetensors, with neither keys of norms nor biases", "--norm none"],
    ),
    "no averages": (unet("instance"), {"norm": "moving"}, ['norm="moving"', "moving averages", "net.safetensors"]),
    "norm": (unet("batch"), {"norm": "running"}, ["'instance', 'moving'", "norm='running'"]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_file_that_does_not_fit_is_refused_as_a_whole(fault, converted):
    state, options, words = FAULTS[fault]
    with pytest.raises(ValueError, match="Received") as error:
        converted(state, **options)
    for word in words:
        assert word in str(error.value)


def test_the_check_fails_where_the_network_is_another_one(converted, monkeypatch):
    monkeypatch.setattr(pytorch_modules, "_LEAKY_SLOPE", 0.3)
    with pytest.raises(RuntimeError, match=r"net.safetensors must be within 1e-05 .* Received: \d"):
        converted(unet("batch"))
