"""`keras-pix2pix presets`."""

import rich.console
import rich.table

from keras_pix2pix.runs.model import preset_networks
from keras_pix2pix.runs.startup import start_tensorflow
from keras_pix2pix.training.presets import PRESETS, preset

__all__ = ["presets"]

_NUMBERS = {"justify": "right", "no_wrap": True}
_FLOAT32_BYTES = 4


def presets():
    """List the published systems that `train --preset` knows, and ours for phones."""
    start_tensorflow()
    table = rich.table.Table(box=None, pad_edge=False)
    table.add_column("preset", no_wrap=True)
    for heading in ("generator\nparameters", "discriminator\nparameters", "receptive\nfield", "TFLite\nfloat32"):
        table.add_column(heading, **_NUMBERS)
    table.add_column("norm", min_width=9)
    table.add_column("loss", min_width=9)
    for name in PRESETS:
        table.add_row(*_row(name))
    rich.console.Console().print(table)


def _row(name):
    from keras_pix2pix import receptive_field

    recipe = preset(name)
    networks = preset_networks(recipe)
    generator, discriminator = (network.count_params() for network in networks)
    side = receptive_field(networks[1])
    norm = recipe["generator"].get("normalization", "instance").replace("_no_affine", ", not affine")
    compiled = recipe["compile"]
    weights = {"L1": compiled["lambda_l1"], "features": compiled.get("lambda_features", 0)}
    loss = ", ".join([compiled["gan_loss"], *(f"{weight:g} {term}" for term, weight in weights.items() if weight)])
    # A file holds little more than the weights.
    size = f"~{generator * _FLOAT32_BYTES / 1e6:.0f} MB"
    return name, f"{generator:,}", f"{discriminator:,}", f"{side}x{side}", size, norm, loss
