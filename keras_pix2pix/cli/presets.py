"""`keras-pix2pix presets`."""

import rich.console
import rich.table

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
    from keras_pix2pix import Pix2Pix, receptive_field

    recipe = preset(name)
    model = Pix2Pix.from_preset(name, schedule="constant")
    generator, discriminator = model.generator.count_params(), model.discriminator.count_params()
    side = receptive_field(model.discriminator)
    norm = recipe["generator"].get("normalization", "instance").replace("_no_affine", ", not affine")
    loss = f"{recipe['compile']['gan_loss']} + {recipe['compile']['lambda_l1']:g} L1"
    # A file holds little more than the weights.
    size = f"~{generator * _FLOAT32_BYTES / 1e6:.0f} MB"
    return name, f"{generator:,}", f"{discriminator:,}", f"{side}x{side}", size, norm, loss
