"""Recognises which PyTorch network a state dict belongs to by its keys and shapes, and maps its names to ours."""

from collections.abc import Callable
from typing import NamedTuple

from keras_pix2pix.networks.patchgan import patchgan_discriminator, pytorch_gan_discriminator
from keras_pix2pix.networks.resnet import enhanced_resnet_generator, resnet_generator
from keras_pix2pix.networks.unet import unet_generator

__all__ = ["JUNYANZ", "layout_of"]

JUNYANZ = "pytorch-CycleGAN-and-pix2pix"
_PYTORCH_GAN = "PyTorch-GAN"
_PIX2PIXHD = "pix2pixHD"
_SMALLEST = 64  # Four halvings leave 4x4.
_DROPOUT = 0.5


class _Layout(NamedTuple):
    """A network of one of the repositories, and how to build it in Keras.

    Args:
        kind: Name of its class.
        repository: Where it comes from.
        facts: What its keys and shapes show, in words.
        build: Function (normalization, use_bias) -> functional `keras.Model`.
        convolutions: Dictionary from our layers' names to prefixes of keys.
        norms: The same for normalisation layers; of a convolution's name, "normalization" replaces "convolution".
        smallest: Side in pixels of the smallest square images to compare it on.
    """

    kind: str
    repository: str
    facts: str
    build: Callable
    convolutions: dict
    norms: dict
    smallest: int


def layout_of(state):
    """The likely layout of a state dict; not all keys are checked."""
    for is_kernel_of, layout in _MARKS.items():
        if _is_kernel(state, is_kernel_of):
            return layout(state)
    return None


def _unet_generator(state):
    blocks, block = ["model"], "model.model.1"
    while _is_kernel(state, f"{block}.model.1"):
        blocks.append(block)
        block += ".model.3"
    depth, innermost = len(blocks), len(blocks) - 1
    convolutions, norms = {}, {}
    for number, block in enumerate(blocks):
        # Outermost: convolution 0, transposed 3. Inside: 1 and 5, norms 2 and 6. Innermost: 1 and 3, norm 4.
        inside = f"{block}.model"
        up = 5 if 0 < number < innermost else 3
        convolutions[f"down{number + 1}_convolution"] = f"{inside}.{1 if number else 0}"
        convolutions[f"up{depth - number}_convolution"] = f"{inside}.{up}"
        if 0 < number < innermost:
            norms[f"down{number + 1}_normalization"] = f"{inside}.2"
        if number:
            norms[f"up{depth - number}_normalization"] = f"{inside}.{up + 1}"
    # Dropout leaves no key: where the repository's pix2pix has it.
    options = {"dropout": _DROPOUT, "dropout_blocks": tuple(range(2, depth - 3))}
    return _unet("UnetGenerator", JUNYANZ, state, depth, convolutions, norms, **options)


def _generator_unet(state):
    depth = 1
    while _is_kernel(state, f"down{depth + 1}.model.0"):
        depth += 1
    blocks = [*(f"down{block}" for block in range(1, depth + 1)), *(f"up{block}" for block in range(1, depth))]
    convolutions = {f"{block}_convolution": f"{block}.model.0" for block in blocks}
    convolutions[f"up{depth}_convolution"] = "final.2"
    normalized = [block for block in blocks if block not in ("down1", f"down{depth}")]
    norms = {f"{block}_normalization": f"{block}.model.1" for block in normalized}
    options = {
        "skip_activation": "leaky_relu",
        "last_upsampling": "nearest",
        "dropout": _DROPOUT,
        "dropout_blocks": (1, 2, 3, 4),
        "encoder_dropout_blocks": tuple(range(4, depth + 1)),
    }
    return _unet("GeneratorUNet", _PYTORCH_GAN, state, depth, convolutions, norms, **options)


def _unet(kind, repository, state, depth, convolutions, norms, **options):
    filters, source_channels = _shape(state, convolutions["down1_convolution"])[:2]
    last = convolutions[f"up{depth}_convolution"]
    # A transposed convolution's kernel is (in, out, height, width), the article's last one is a convolution.
    target_channels = _shape(state, last)[0 if "last_upsampling" in options else 1]
    side = 2**depth

    def build(normalization, use_bias):
        return unet_generator(
            (side, side, source_channels),
            target_channels,
            filters=filters,
            num_downsamples=depth,
            normalization=normalization,
            use_bias=use_bias,
            **options,
        )

    facts = f"{depth} halvings ({side}x{side}), {_channels(filters, source_channels, target_channels)}"
    return _Layout(kind, repository, facts, build, convolutions, norms, smallest=side)


def _resnet_generator(state):
    filters, source_channels = _shape(state, "model.1")[:2]
    num_downsamples, num_blocks, normalized, after = _residual_layers(state)
    head = f"model.{after + 1}"
    target_channels = _shape(state, head)[0]
    has_dropout = _has_dropout(state, num_downsamples)

    def build(normalization, use_bias):
        return resnet_generator(
            (None, None, source_channels),
            target_channels,
            filters=filters,
            num_downsamples=num_downsamples,
            num_blocks=num_blocks,
            normalization=normalization,
            use_bias=use_bias,
            dropout=_DROPOUT if has_dropout else 0.0,
        )

    is_junyanz = num_downsamples == 2  # pix2pixHD's has 4 by default, and the same layers.
    return _Layout(
        "ResnetGenerator" if is_junyanz else "GlobalGenerator",
        JUNYANZ if is_junyanz else _PIX2PIXHD,
        f"{num_downsamples} halvings, {num_blocks} residual blocks, "
        f"{_channels(filters, source_channels, target_channels)}",
        build,
        *_of_normalized(normalized, head_convolution=head),
        smallest=max(_SMALLEST, 4 * 2**num_downsamples),
    )


def _local_enhancer(state):
    filters, source_channels = _shape(state, "model1_1.1")[:2]
    num_downsamples, num_blocks, normalized, _ = _residual_layers(state)
    normalized |= {"enhancer_stem_{}": "model1_1.1", "enhancer_down_{}": "model1_1.4"}
    enhancer_blocks = 0
    while _is_kernel(state, f"model1_2.{enhancer_blocks}.conv_block.1"):
        inside = f"model1_2.{enhancer_blocks}.conv_block"
        enhancer_blocks += 1
        normalized |= {f"enhancer_block{enhancer_blocks}_{{}}{each + 1}": f"{inside}.{1 + 4 * each}" for each in (0, 1)}
    normalized["enhancer_up_{}"] = f"model1_2.{enhancer_blocks}"
    head = f"model1_2.{enhancer_blocks + 4}"
    target_channels = _shape(state, head)[0]

    def build(normalization, use_bias):
        return enhanced_resnet_generator(
            (None, None, source_channels),
            target_channels,
            filters=filters,
            num_downsamples=num_downsamples,
            num_blocks=num_blocks,
            enhancer_blocks=enhancer_blocks,
            normalization=normalization,
            use_bias=use_bias,
        )

    return _Layout(
        "LocalEnhancer",
        _PIX2PIXHD,
        f"{num_downsamples} halvings, {num_blocks} residual blocks and {enhancer_blocks} of the enhancer, "
        f"{_channels(filters, source_channels, target_channels)}",
        build,
        *_of_normalized(normalized, enhancer_head_convolution=head),
        smallest=max(_SMALLEST, 4 * 2 ** (num_downsamples + 1)),
    )


def _residual_layers(state):
    """Halvings, blocks, {our layer with "{}" for its kind: prefix}, and the index after the last doubling."""
    num_downsamples = 0
    while _is_kernel(state, f"model.{4 + 3 * num_downsamples}"):
        num_downsamples += 1
    first = 4 + 3 * num_downsamples
    second = 6 if _has_dropout(state, num_downsamples) else 5
    normalized = {"stem_{}": "model.1"}
    normalized |= {f"down{depth}_{{}}": f"model.{1 + 3 * depth}" for depth in range(1, num_downsamples + 1)}
    num_blocks = 0
    while _is_kernel(state, f"model.{first + num_blocks}.conv_block.1"):
        inside = f"model.{first + num_blocks}.conv_block"
        num_blocks += 1
        normalized |= {f"block{num_blocks}_{{}}1": f"{inside}.1", f"block{num_blocks}_{{}}2": f"{inside}.{second}"}
    doublings = range(first + num_blocks, first + num_blocks + 3 * num_downsamples, 3)
    normalized |= {f"up{number}_{{}}": f"model.{index}" for number, index in enumerate(doublings, start=1)}
    return num_downsamples, num_blocks, normalized, doublings.stop


def _has_dropout(state, num_downsamples):
    return _is_kernel(state, f"model.{4 + 3 * num_downsamples}.conv_block.6")


def _of_normalized(normalized, **others):
    """Convolutions and norms of a `_Layout`; `others` are convolutions without a norm."""
    convolutions = {name.format("convolution"): prefix for name, prefix in normalized.items()}
    return convolutions | others, {name.format("normalization"): _next(each) for name, each in normalized.items()}


def _nlayer_discriminator(state):
    indices = [0, 2]
    while _is_kernel(state, f"model.{indices[-1] + 3}"):
        indices.append(indices[-1] + 3)
    num_layers = len(indices) - 2
    return _patchgan("NLayerDiscriminator", state, "model", indices, num_layers, f"n_layers={num_layers}, ")


def _pixel_discriminator(state):
    return _patchgan("PixelDiscriminator", state, "net", [0, 2, 5], num_layers=0, depth="")


def _patchgan(kind, state, prefix, indices, num_layers, depth):
    filters, source_channels, target_channels = _pair(state, f"{prefix}.0")

    def build(normalization, use_bias):
        return patchgan_discriminator(
            (None, None, source_channels),
            target_channels,
            filters=filters,
            num_layers=num_layers,
            normalization=normalization,
            use_bias=use_bias,
        )

    facts = f"{depth}{_channels(filters, source_channels, target_channels, 'and')}"
    return _Layout(kind, JUNYANZ, facts, build, *_chain(prefix, indices[:-1], indices[-1]), 4 * 2**num_layers)


def _discriminator(state):
    filters, source_channels, target_channels = _pair(state, "model.0")

    def build(normalization, use_bias):
        return pytorch_gan_discriminator(
            (None, None, source_channels), target_channels, filters=filters, normalization=normalization
        )

    facts = _channels(filters, source_channels, target_channels, "and")
    return _Layout("Discriminator", _PYTORCH_GAN, facts, build, *_chain("model", [0, 2, 5, 8], 12), _SMALLEST)


# By a kernel that only this layout has, of those that are left.
_MARKS = {
    "model.model.0": _unet_generator,
    "down1.model.0": _generator_unet,
    "model1_1.1": _local_enhancer,
    **{f"model.{4 + 3 * number}.conv_block.1": _resnet_generator for number in range(1, 7)},
    "net.0": _pixel_discriminator,
    "model.12": _discriminator,
    "model.0": _nlayer_discriminator,
}


def _chain(prefix, hidden, last):
    convolutions = {f"layer{depth}_convolution": f"{prefix}.{index}" for depth, index in enumerate(hidden, start=1)}
    norms = {f"layer{depth}_normalization": f"{prefix}.{index + 1}" for depth, index in enumerate(hidden, start=1)}
    del norms["layer1_normalization"]
    return {**convolutions, "logits": f"{prefix}.{last}"}, norms


def _pair(state, first):
    filters, channels = _shape(state, first)[:2]
    # The file doesn't tell the two apart. Both are pictures; a label map may have other channels than a photo.
    target_channels = 3 if channels > 3 else max(1, channels // 2)
    return filters, channels - target_channels, target_channels


def _next(prefix):
    place, _, index = prefix.rpartition(".")
    return f"{place}.{int(index) + 1}"


def _channels(filters, source_channels, target_channels, word="to"):
    return f"{filters} filters, {source_channels} {word} {target_channels} channels"


def _is_kernel(state, prefix):
    return f"{prefix}.weight" in state and state[f"{prefix}.weight"].ndim == 4


def _shape(state, prefix):
    if not _is_kernel(state, prefix):
        raise ValueError(f"A kernel of 4 dimensions must be under {prefix}.weight. Received: none.")
    return state[f"{prefix}.weight"].shape
