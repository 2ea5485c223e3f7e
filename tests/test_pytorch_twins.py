"""The PyTorch networks that ours are compared with: published sizes, and the key names of the originals."""

import pytest

torch = pytest.importorskip("torch")

import pytorch_twins as twins  # noqa: E402

pytestmark = pytest.mark.slow

COUNTS = {
    "U-Net-256": (lambda: twins.UnetGenerator(8), 54_413_955),
    "U-Net-256, instance norm": (lambda: twins.UnetGenerator(8, normalization="instance"), 54_409_603),
    "U-Net-256, affine instance norm": (lambda: twins.UnetGenerator(8, normalization="instance_affine"), 54_413_955),
    "U-Net-128": (lambda: twins.UnetGenerator(7), 41_828_995),
    "U-Net-512": (lambda: twins.UnetGenerator(9), 66_998_915),
    "ResNet-9": (lambda: twins.ResnetGenerator(9), 11_383_427),
    "ResNet-9, instance norm": (lambda: twins.ResnetGenerator(9, normalization="instance"), 11_378_179),
    "ResNet-6": (lambda: twins.ResnetGenerator(6), 7_841_411),
    "ResNet-6, instance norm": (lambda: twins.ResnetGenerator(6, normalization="instance"), 7_837_699),
    "pix2pixHD's global generator": (
        lambda: twins.ResnetGenerator(num_downsamples=4, normalization="instance", dropout=False),
        182_443_267,
    ),
    "pix2pixHD's enhancer": (lambda: twins.LocalEnhancer(), 182_701_827),
    "pix2pixHD's discriminators": (lambda: twins.MultiscaleDiscriminator(), 3 * 2_767_809),
    "PatchGAN 1": (lambda: twins.NLayerDiscriminator(1), 139_585),
    "PatchGAN 2": (lambda: twins.NLayerDiscriminator(2), 666_433),
    "PatchGAN 3": (lambda: twins.NLayerDiscriminator(3), 2_768_705),
    "PatchGAN 4": (lambda: twins.NLayerDiscriminator(4), 6_964_033),
    "PatchGAN 5": (lambda: twins.NLayerDiscriminator(5), 11_159_361),
    "PatchGAN 6": (lambda: twins.NLayerDiscriminator(6), 15_354_689),
    "PixelGAN": (lambda: twins.PixelDiscriminator(), 9_024),
    "PyTorch-GAN's U-Net": (lambda: twins.GeneratorUNet(), 54_404_099),
    "PyTorch-GAN's discriminator": (lambda: twins.Discriminator(), 2_767_808),
}


@pytest.mark.parametrize("name", COUNTS)
def test_parameters_are_those_of_the_originals(name):
    build, count = COUNTS[name]
    with torch.device("meta"):
        assert sum(parameter.numel() for parameter in build().parameters()) == count


def shapes(network):
    return {key: tuple(value.shape) for key, value in network.state_dict().items()}


def test_keys_of_the_unet():
    keys = shapes(twins.UnetGenerator(8, filters=2))
    inner = "model.model.1" + ".model.3" * 6
    assert keys["model.model.0.weight"] == (2, 3, 4, 4)
    assert keys["model.model.1.model.1.weight"] == (4, 2, 4, 4)
    assert keys["model.model.1.model.2.running_mean"] == (4,)
    assert keys["model.model.1.model.5.weight"] == (8, 2, 4, 4)
    assert keys["model.model.1.model.6.bias"] == (2,)
    assert [key for key in keys if key.startswith(inner)] == [
        f"{inner}.model.{rest}"
        for rest in (
            *("1.weight", "3.weight", "4.weight", "4.bias"),
            *("4.running_mean", "4.running_var", "4.num_batches_tracked"),
        )
    ]
    assert keys["model.model.3.weight"] == (4, 3, 4, 4)
    assert "model.model.3.bias" in keys
    assert len(keys) == 2 * 8 + 1 + 13 * 5


@pytest.mark.parametrize(("dropout", "second"), [(True, 6), (False, 5)])
def test_keys_of_the_resnet(dropout, second):
    keys = shapes(twins.ResnetGenerator(9, filters=2, dropout=dropout))
    assert keys["model.1.weight"] == (2, 3, 7, 7)
    assert keys["model.4.weight"] == (4, 2, 3, 3)
    assert keys["model.7.weight"] == (8, 4, 3, 3)
    assert keys["model.10.conv_block.1.weight"] == (8, 8, 3, 3)
    assert keys[f"model.18.conv_block.{second}.weight"] == (8, 8, 3, 3)
    assert keys[f"model.18.conv_block.{second + 1}.running_var"] == (8,)
    assert keys["model.19.weight"] == (8, 4, 3, 3)
    assert keys["model.22.weight"] == (4, 2, 3, 3)
    assert keys["model.26.weight"] == (3, 2, 7, 7)
    assert "model.26.bias" in keys


def test_keys_of_the_discriminators():
    assert {key for key in shapes(twins.NLayerDiscriminator()) if key.endswith(("weight", "bias"))} == {
        *("model.0.weight", "model.0.bias", "model.2.weight", "model.3.weight", "model.3.bias", "model.5.weight"),
        *("model.6.weight", "model.6.bias", "model.8.weight", "model.9.weight", "model.9.bias"),
        *("model.11.weight", "model.11.bias"),
    }
    assert set(shapes(twins.PixelDiscriminator(normalization="instance"))) == {
        f"net.{index}.{name}" for index in (0, 2, 5) for name in ("weight", "bias")
    }
    assert set(shapes(twins.Discriminator())) == {
        *(f"model.{index}.{name}" for index in (0, 2, 5, 8) for name in ("weight", "bias")),
        "model.12.weight",
    }


def test_keys_of_the_articles_unet():
    assert set(shapes(twins.GeneratorUNet(filters=2))) == {
        *(f"down{block}.model.0.weight" for block in range(1, 9)),
        *(f"up{block}.model.0.weight" for block in range(1, 8)),
        *("final.2.weight", "final.2.bias"),
    }


@pytest.mark.parametrize("normalization", ["batch", "instance", "instance_affine"])
def test_images_are_as_large_as_their_sources_and_patches_as_published(normalization):
    source, target = torch.rand(2, 1, 3, 256, 256)
    options = {"filters": 2, "normalization": normalization}
    for generator in (
        *(twins.UnetGenerator(num_downs, **options) for num_downs in (7, 8)),
        *(twins.ResnetGenerator(num_blocks, **options) for num_blocks in (6, 9)),
        twins.GeneratorUNet(filters=2),
    ):
        assert generator.eval()(source).shape == (1, 3, 256, 256)
    for discriminator, side in (
        (twins.NLayerDiscriminator(3, **options), 30),
        (twins.PixelDiscriminator(**options), 256),
        (twins.Discriminator(filters=2), 16),
    ):
        assert discriminator(source, target).shape == (1, 1, side, side)


def test_dropout_is_where_the_originals_have_it():
    def dropouts(network):
        return [name for name, layer in network.named_modules() if isinstance(layer, torch.nn.Dropout)]

    blocks = ["model.model.1" + ".model.3" * depth for depth in (3, 4, 5)]
    assert dropouts(twins.UnetGenerator(8, filters=2)) == [f"{block}.model.7" for block in reversed(blocks)]
    assert dropouts(twins.ResnetGenerator(1, filters=2)) == ["model.10.conv_block.4"]
    assert dropouts(twins.GeneratorUNet(filters=2)) == [
        *(f"down{block}.model.3" for block in range(4, 8)),
        "down8.model.2",
        *(f"up{block}.model.3" for block in range(1, 5)),
    ]
    for build in (lambda **off: twins.UnetGenerator(8, **off), twins.ResnetGenerator, twins.GeneratorUNet):
        assert not dropouts(build(filters=2, dropout=False))


def test_random_values_depend_on_the_seed_and_reach_every_tensor():
    first, again, other = (twins.randomize(twins.UnetGenerator(5, filters=2), seed).state_dict() for seed in (0, 0, 1))
    for key, value in first.items():
        assert torch.equal(value, again[key])
        if not key.endswith("num_batches_tracked"):
            assert not torch.equal(value, other[key]), key
