"""The networks of two PyTorch implementations of pix2pix, for comparisons and as the oracle of the weight conversion.

Written from the papers and the published layer lists; the names in their state dicts are exactly those of the
originals, so that a file saved by either repository loads here with `strict=True`, and the other way round:

- pytorch-CycleGAN-and-pix2pix (junyanz): `UnetGenerator`, `ResnetGenerator`, `NLayerDiscriminator`,
  `PixelDiscriminator`;
- PyTorch-GAN (eriklindernoren), the version of the article: `GeneratorUNet`, `Discriminator`.

`TutorialGenerator` and `TutorialDiscriminator` are TensorFlow's pix2pix tutorial in PyTorch; their modules have the
names of our layers. `training_step` trains any two of them.

Images are `(batch, channels, height, width)` in [-1, 1]; every discriminator is called with (source, target) and
returns logits. `normalization` is "batch", "instance" (PyTorch's default, without gamma and beta, behind convolutions
that have biases) or "instance_affine" (with gamma and beta, and no biases: batch norm at batch 1).
"""

import functools

import torch
from torch import nn

LEAKY_SLOPE = 0.2
DROPOUT = 0.5
WIDEST = 8  # Widths double from `filters` up to 8 * filters.
NORMALIZATIONS = {
    "batch": nn.BatchNorm2d,
    "instance": nn.InstanceNorm2d,
    "instance_affine": functools.partial(nn.InstanceNorm2d, affine=True),
}


class UnetGenerator(nn.Module):
    """junyanz's U-Net: blocks around blocks, each with its skip."""

    def __init__(
        self, num_downs=8, *, filters=64, normalization="batch", dropout=True, source_channels=3, target_channels=3
    ):
        super().__init__()
        widths = [filters * min(2**depth, WIDEST) for depth in range(num_downs)]
        outside = [target_channels, *widths]
        block = []
        for depth in reversed(range(num_downs)):
            outermost, innermost = depth == 0, depth == num_downs - 1
            biased = normalization == "instance"
            down = convolution(widths[depth - 1] if depth else source_channels, widths[depth], 2, biased)
            channels = widths[depth] * (1 if innermost else 2)
            up = transposed_convolution(channels, outside[depth], biased or outermost)
            if outermost:
                layers = [down, *block, nn.ReLU(True), up, nn.Tanh()]
            else:
                down_norm = [] if innermost else [NORMALIZATIONS[normalization](widths[depth])]
                layers = [nn.LeakyReLU(LEAKY_SLOPE, True), down, *down_norm, *block, nn.ReLU(True), up]
                layers.append(NORMALIZATIONS[normalization](outside[depth]))
            # The blocks of full width at both ends, but not the innermost one.
            if dropout and not innermost and depth > 3:
                layers.append(nn.Dropout(DROPOUT))
            block = [_SkipBlock(layers, has_skip=not outermost)]
        (self.model,) = block

    def forward(self, source):
        return self.model(source)


class _SkipBlock(nn.Module):
    def __init__(self, layers, has_skip):
        super().__init__()
        self.model = nn.Sequential(*layers)
        self.has_skip = has_skip

    def forward(self, x):
        return torch.cat([x, self.model(x)], dim=1) if self.has_skip else self.model(x)


class ResnetGenerator(nn.Module):
    """junyanz's ResNet, after Johnson et al.: halvings, residual blocks, doublings; reflection at the edges.

    With four halvings, instance norm and without dropout it is pix2pixHD's `GlobalGenerator`.
    """

    def __init__(
        self,
        num_blocks=9,
        *,
        filters=64,
        num_downsamples=2,
        normalization="batch",
        dropout=True,
        source_channels=3,
        target_channels=3,
    ):
        super().__init__()
        layers = _residual_trunk(filters, num_downsamples, num_blocks, normalization, dropout, source_channels)
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(filters, target_channels, 7), nn.Tanh()]
        self.model = nn.Sequential(*layers)

    def forward(self, source):
        return self.model(source)


class LocalEnhancer(nn.Module):
    """pix2pixHD's generator for twice the size, around a global one without its last convolution."""

    def __init__(
        self, *, filters=32, num_downsamples=4, num_blocks=9, enhancer_blocks=3, source_channels=3, target_channels=3
    ):
        super().__init__()
        norm = NORMALIZATIONS["instance"]
        self.model = nn.Sequential(
            *_residual_trunk(2 * filters, num_downsamples, num_blocks, "instance", False, source_channels)
        )
        self.model1_1 = nn.Sequential(
            *(nn.ReflectionPad2d(3), nn.Conv2d(source_channels, filters, 7), norm(filters), nn.ReLU(True)),
            *(nn.Conv2d(filters, 2 * filters, 3, stride=2, padding=1), norm(2 * filters), nn.ReLU(True)),
        )
        doubling = nn.ConvTranspose2d(2 * filters, filters, 3, stride=2, padding=1, output_padding=1)
        self.model1_2 = nn.Sequential(
            *(_ResidualBlock(2 * filters, norm, True, False) for _ in range(enhancer_blocks)),
            *(doubling, norm(filters), nn.ReLU(True)),
            *(nn.ReflectionPad2d(3), nn.Conv2d(filters, target_channels, 7), nn.Tanh()),
        )
        self.halved = nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False)

    def forward(self, source):
        return self.model1_2(self.model1_1(source) + self.model(self.halved(source)))


def _residual_trunk(filters, num_downsamples, num_blocks, normalization, dropout, source_channels):
    norm, biased = NORMALIZATIONS[normalization], normalization == "instance"

    def normalized(layer, channels):
        return [layer, norm(channels), nn.ReLU(True)]

    layers = [nn.ReflectionPad2d(3), *normalized(nn.Conv2d(source_channels, filters, 7, bias=biased), filters)]
    widths = [filters * 2**depth for depth in range(num_downsamples + 1)]
    for channels in widths[:-1]:
        halving = nn.Conv2d(channels, 2 * channels, 3, stride=2, padding=1, bias=biased)
        layers += normalized(halving, 2 * channels)
    layers += [_ResidualBlock(widths[-1], norm, biased, dropout) for _ in range(num_blocks)]
    for channels in widths[:0:-1]:
        doubling = nn.ConvTranspose2d(channels, channels // 2, 3, stride=2, padding=1, output_padding=1, bias=biased)
        layers += normalized(doubling, channels // 2)
    return layers


class _ResidualBlock(nn.Module):
    def __init__(self, channels, norm, biased, dropout):
        super().__init__()

        def convolve():
            return [nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3, bias=biased), norm(channels)]

        middle = [nn.ReLU(True), *([nn.Dropout(DROPOUT)] if dropout else [])]
        self.conv_block = nn.Sequential(*convolve(), *middle, *convolve())

    def forward(self, x):
        return x + self.conv_block(x)


class NLayerDiscriminator(nn.Module):
    """junyanz's PatchGAN of `num_layers` convolutions with stride 2 and two with stride 1."""

    def __init__(self, num_layers=3, *, filters=64, normalization="batch", source_channels=3, target_channels=3):
        super().__init__()
        channels, layers = source_channels + target_channels, []
        for depth in range(num_layers + 1):
            width = filters * min(2**depth, WIDEST)
            stride = 2 if depth < num_layers else 1
            layers.append(convolution(channels, width, stride, depth == 0 or normalization == "instance"))
            if depth:
                layers.append(NORMALIZATIONS[normalization](width))
            layers.append(nn.LeakyReLU(LEAKY_SLOPE, True))
            channels = width
        self.model = nn.Sequential(*layers, convolution(channels, 1, 1, True))

    def forward(self, source, target):
        return self.model(torch.cat([source, target], dim=1))


class MultiscaleDiscriminator(nn.Module):
    """pix2pixHD's: PatchGANs padded by 2 on the pair and on its halves; returns logits and all activations.

    Its layers have the names of ours; the logits come the finest scale first.
    """

    def __init__(self, num_scales=3, *, filters=64, num_layers=3, source_channels=3, target_channels=3):
        super().__init__()
        self.stages = []
        for scale in range(1, num_scales + 1):
            channels, stages = source_channels + target_channels, []
            for depth in range(1, num_layers + 2):
                width = filters * min(2 ** (depth - 1), WIDEST)
                name = f"scale{scale}_layer{depth}_convolution"
                self.add_module(name, nn.Conv2d(channels, width, 4, 2 if depth <= num_layers else 1, 2))
                stages.append(name)
                channels = width
            self.add_module(f"scale{scale}_logits", nn.Conv2d(channels, 1, 4, 1, 2))
            self.stages.append(stages)
        self.halved = nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False)

    def forward(self, source, target):
        x, logits, features = torch.cat([source, target], dim=1), [], []
        for scale, stages in enumerate(self.stages, start=1):
            inside = x
            for depth, name in enumerate(stages):
                inside = getattr(self, name)(inside)
                inside = nn.functional.instance_norm(inside) if depth else inside
                inside = nn.functional.leaky_relu(inside, LEAKY_SLOPE)
                features.append(inside)
            logits.append(getattr(self, f"scale{scale}_logits")(inside))
            x = self.halved(x)
        return logits, features


class PixelDiscriminator(nn.Module):
    """junyanz's PixelGAN: each pixel by itself."""

    def __init__(self, *, filters=64, normalization="batch", source_channels=3, target_channels=3):
        super().__init__()
        biased = normalization == "instance"
        self.net = nn.Sequential(
            nn.Conv2d(source_channels + target_channels, filters, 1),
            nn.LeakyReLU(LEAKY_SLOPE, True),
            nn.Conv2d(filters, 2 * filters, 1, bias=biased),
            NORMALIZATIONS[normalization](2 * filters),
            nn.LeakyReLU(LEAKY_SLOPE, True),
            nn.Conv2d(2 * filters, 1, 1, bias=biased),
        )

    def forward(self, source, target):
        return self.net(torch.cat([source, target], dim=1))


class GeneratorUNet(nn.Module):
    """PyTorch-GAN's U-Net: normalised before the activation, skips of the finished blocks behind the decoder's own."""

    WIDTHS = (1, 2, 4, 8, 8, 8, 8, 8)
    NUM_DOWNS = len(WIDTHS)

    def __init__(self, *, filters=64, dropout=True, source_channels=3, target_channels=3):
        super().__init__()
        widths = [filters * width for width in self.WIDTHS]
        channels = source_channels
        for block, width in enumerate(widths, start=1):
            normalized, dropped = 1 < block < self.NUM_DOWNS, dropout and block >= 4
            layers = [convolution(channels, width, 2, False), *([nn.InstanceNorm2d(width)] if normalized else [])]
            layers += [nn.LeakyReLU(LEAKY_SLOPE), *([nn.Dropout(DROPOUT)] if dropped else [])]
            setattr(self, f"down{block}", _Chain(layers))
            channels = width
        for block, width in enumerate(reversed(widths[:-1]), start=1):
            layers = [transposed_convolution(channels, width, False), nn.InstanceNorm2d(width), nn.ReLU(True)]
            layers += [nn.Dropout(DROPOUT)] if dropout and block <= 4 else []
            setattr(self, f"up{block}", _Chain(layers))
            channels = 2 * width
        self.final = nn.Sequential(
            nn.Upsample(scale_factor=2),
            nn.ZeroPad2d((1, 0, 1, 0)),
            nn.Conv2d(channels, target_channels, 4, padding=1),
            nn.Tanh(),
        )

    def forward(self, source):
        x, skips = source, []
        for block in range(1, self.NUM_DOWNS + 1):
            x = getattr(self, f"down{block}")(x)
            skips.append(x)
        for block, skip in enumerate(reversed(skips[:-1]), start=1):
            x = torch.cat([getattr(self, f"up{block}")(x), skip], dim=1)
        return self.final(x)


class _Chain(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.model = nn.Sequential(*layers)

    def forward(self, x):
        return self.model(x)


class Discriminator(nn.Module):
    """PyTorch-GAN's discriminator: four halvings, then a convolution padded more at the left and at the top."""

    def __init__(self, *, filters=64, source_channels=3, target_channels=3):
        super().__init__()
        channels, layers = source_channels + target_channels, []
        for width in (filters, 2 * filters, 4 * filters, 8 * filters):
            norm = [nn.InstanceNorm2d(width)] if layers else []
            layers += [convolution(channels, width, 2, True), *norm, nn.LeakyReLU(LEAKY_SLOPE, True)]
            channels = width
        self.model = nn.Sequential(*layers, nn.ZeroPad2d((1, 0, 1, 0)), convolution(channels, 1, 1, False))

    def forward(self, source, target):
        return self.model(torch.cat([target, source], dim=1))


class TutorialGenerator(nn.Module):
    """The U-Net of TensorFlow's tutorial: a normalised bottleneck, and skips that stay leaky."""

    NUM_DOWNS = 8
    LEAKY_SLOPE = 0.3  # Keras' default.
    EPSILON = 1e-3  # Keras' default.

    def __init__(self, *, filters=64, source_channels=3, target_channels=3):
        super().__init__()
        widths = [filters * min(2**depth, WIDEST) for depth in range(self.NUM_DOWNS)]
        channels = source_channels
        for block, width in enumerate(widths, start=1):
            self.add_module(f"down{block}_convolution", convolution(channels, width, 2, False))
            if block > 1:
                self.add_module(f"down{block}_normalization", nn.BatchNorm2d(width, eps=self.EPSILON))
            channels = width
        for block, width in enumerate(reversed(widths[:-1]), start=1):
            self.add_module(f"up{block}_convolution", transposed_convolution(channels, width, False))
            self.add_module(f"up{block}_normalization", nn.BatchNorm2d(width, eps=self.EPSILON))
            channels = 2 * width
        self.add_module(f"up{self.NUM_DOWNS}_convolution", transposed_convolution(channels, target_channels, True))

    def forward(self, source):
        x, skips = source, []
        for block in range(1, self.NUM_DOWNS + 1):
            x = getattr(self, f"down{block}_convolution")(x)
            if block > 1:
                x = on_batch_statistics(getattr(self, f"down{block}_normalization"), x)
            x = nn.functional.leaky_relu(x, self.LEAKY_SLOPE)
            skips.append(x)
        for block, skip in enumerate(reversed(skips[:-1]), start=1):
            x = getattr(self, f"up{block}_convolution")(x)
            x = on_batch_statistics(getattr(self, f"up{block}_normalization"), x)
            x = torch.cat([nn.functional.relu(x), skip], dim=1)
        return torch.tanh(getattr(self, f"up{self.NUM_DOWNS}_convolution")(x))


class TutorialDiscriminator(nn.Module):
    """The discriminator of TensorFlow's tutorial: the paper's, without a bias in its first convolution."""

    def __init__(self, *, filters=64, source_channels=3, target_channels=3):
        super().__init__()
        channels = source_channels + target_channels
        for block, (width, stride) in enumerate([(1, 2), (2, 2), (4, 2), (8, 1)], start=1):
            self.add_module(f"layer{block}_convolution", convolution(channels, filters * width, stride, False))
            if block > 1:
                norm = nn.BatchNorm2d(filters * width, eps=TutorialGenerator.EPSILON)
                self.add_module(f"layer{block}_normalization", norm)
            channels = filters * width
        self.logits = convolution(channels, 1, 1, True)

    def forward(self, source, target):
        x = torch.cat([source, target], dim=1)
        for block in range(1, 5):
            x = getattr(self, f"layer{block}_convolution")(x)
            if block > 1:
                x = on_batch_statistics(getattr(self, f"layer{block}_normalization"), x)
            x = nn.functional.leaky_relu(x, TutorialGenerator.LEAKY_SLOPE)
        return self.logits(x)


def on_batch_statistics(norm, x):
    """Batch norm as in training, which PyTorch refuses for a single value (the 1x1 bottleneck at batch 1)."""
    mean, variance = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), keepdim=True, correction=0)
    x = (x - mean) / torch.sqrt(variance + norm.eps)
    return x * norm.weight[:, None, None] + norm.bias[:, None, None]


def training_step(generator, discriminator, *, lambda_l1=100.0, learning_rate=2e-4, fused=False):
    """A plain training step on two of these networks, as both repositories have it.

    The discriminator is updated on the detached picture, its loss halved; then the generator against the updated
    discriminator; one generator pass for both; stock `torch.optim.Adam`.

    Args:
        generator: Network from source to generated images.
        discriminator: Network from (source, target) to logits.
        lambda_l1: Weight of the L1 term. Defaults to 100.
        learning_rate: Of both networks. Defaults to 2e-4.
        fused: Whether Adam is PyTorch's fused one, which few of the published programs use. Defaults to False.

    Returns:
        A function (source, target) -> {"d_loss", "g_gan", "g_l1"}, tensors, which trains.
    """
    cross_entropy, l1 = nn.BCEWithLogitsLoss(), nn.L1Loss()
    generator_optimizer = torch.optim.Adam(generator.parameters(), learning_rate, betas=(0.5, 0.999), fused=fused)
    discriminator_optimizer = torch.optim.Adam(
        discriminator.parameters(), learning_rate, betas=(0.5, 0.999), fused=fused
    )

    def step(source, target):
        generated = generator(source)

        discriminator.requires_grad_(True)
        discriminator_optimizer.zero_grad()
        real_logits = discriminator(source, target)
        fake_logits = discriminator(source, generated.detach())
        d_real = cross_entropy(real_logits, torch.ones_like(real_logits))
        d_fake = cross_entropy(fake_logits, torch.zeros_like(fake_logits))
        d_loss = (d_real + d_fake) / 2
        d_loss.backward()
        discriminator_optimizer.step()

        # The generator's update needs no gradients for the discriminator's weights.
        discriminator.requires_grad_(False)
        generator_optimizer.zero_grad()
        fake_logits = discriminator(source, generated)
        g_gan, g_l1 = cross_entropy(fake_logits, torch.ones_like(fake_logits)), l1(generated, target)
        (g_gan + lambda_l1 * g_l1).backward()
        generator_optimizer.step()
        return {"d_loss": d_loss.detach(), "g_gan": g_gan.detach(), "g_l1": g_l1.detach()}

    return step


def pix2pixhd_step(generator, discriminator, *, lambda_features=10.0, learning_rate=2e-4):
    """pix2pixHD's training step, without the VGG loss: both losses against the same discriminator, summed over scales.

    Args:
        generator: Network from source to generated images.
        discriminator: `MultiscaleDiscriminator`.
        lambda_features: Weight of feature matching. Defaults to 10.
        learning_rate: Of both networks. Defaults to 2e-4.

    Returns:
        A function (source, target) -> {"d_loss", "g_gan", "g_features"}, tensors, which trains.
    """
    generator_optimizer = torch.optim.Adam(generator.parameters(), learning_rate, betas=(0.5, 0.999))
    discriminator_optimizer = torch.optim.Adam(discriminator.parameters(), learning_rate, betas=(0.5, 0.999))

    def summed(logits, label):
        return sum(nn.functional.mse_loss(each, torch.full_like(each, label)) for each in logits)

    def step(source, target):
        generated = generator(source)
        d_fake = summed(discriminator(source, generated.detach())[0], 0.0)
        real_logits, real_features = discriminator(source, target)
        fake_logits, fake_features = discriminator(source, generated)
        g_gan = summed(fake_logits, 1.0)
        differences = zip(fake_features, real_features, strict=True)
        g_features = sum(nn.functional.l1_loss(fake, real.detach()) for fake, real in differences) / len(fake_logits)
        d_loss = (d_fake + summed(real_logits, 1.0)) / 2

        generator_gradients = torch.autograd.grad(
            g_gan + lambda_features * g_features, list(generator.parameters()), retain_graph=True
        )
        discriminator_gradients = torch.autograd.grad(d_loss, list(discriminator.parameters()))
        for network, gradients, optimizer in (
            (generator, generator_gradients, generator_optimizer),
            (discriminator, discriminator_gradients, discriminator_optimizer),
        ):
            for parameter, gradient in zip(network.parameters(), gradients, strict=True):
                parameter.grad = gradient
            optimizer.step()
        return {"d_loss": d_loss.detach(), "g_gan": g_gan.detach(), "g_features": g_features.detach()}

    return step


def convolution(channels, filters, stride, biased):
    """A 4x4 convolution, padded by one row on every side."""
    return nn.Conv2d(channels, filters, 4, stride=stride, padding=1, bias=biased)


def transposed_convolution(channels, filters, biased):
    """A 4x4 transposed convolution that doubles height and width."""
    return nn.ConvTranspose2d(channels, filters, 4, stride=2, padding=1, bias=biased)


def randomize(network, seed=0):
    """Fill a network with what training could have left: weights, biases, gammas, betas and moving averages.

    Args:
        network: Any of the modules above; it is changed and returned in evaluation mode.
        seed: Integer that decides all values. Defaults to 0.

    Returns:
        The network.
    """
    generator = torch.Generator().manual_seed(seed)

    def normal(tensor, mean, stddev):
        tensor.copy_(torch.randn(tensor.shape, generator=generator) * stddev + mean)

    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
                # What keeps the spread of the signal, whatever the width.
                inputs = layer.weight[0].numel() if isinstance(layer, nn.Conv2d) else 4 * layer.weight.shape[0]
                normal(layer.weight, 0.0, inputs**-0.5)
            elif isinstance(layer, (nn.BatchNorm2d, nn.InstanceNorm2d)) and layer.affine:
                normal(layer.weight, 1.0, 0.2)
            if getattr(layer, "bias", None) is not None:
                normal(layer.bias, 0.0, 0.2)
            if isinstance(layer, nn.BatchNorm2d):
                normal(layer.running_mean, 0.0, 0.2)
                layer.running_var.copy_(torch.rand(layer.running_var.shape, generator=generator) + 0.5)
    return network.eval()
