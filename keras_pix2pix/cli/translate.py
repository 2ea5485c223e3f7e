"""`keras-pix2pix translate`."""

from typing import Annotated, Any

import typer

from keras_pix2pix.cli.documentation import option, parameter_help
from keras_pix2pix.runs.model import load_model

__all__ = ["translate"]

_TRANSLATE = "training.model:Pix2Pix.translate"


def translate(
    run: Annotated[str, typer.Argument(help=parameter_help("runs.model:load_model", "path"))],
    inputs: Annotated[list[str], typer.Argument(help="Picture files, or folders of them.")],
    output: Annotated[str, option(_TRANSLATE, "output_directory", "--output")],
    side_by_side: Annotated[bool, option(_TRANSLATE, "side_by_side", "--side-by-side")] = False,
    tile: Annotated[int | None, option(_TRANSLATE, "tile")] = None,
    overlap: Annotated[int | None, option(_TRANSLATE, "overlap")] = None,
    fixed_statistics: Annotated[bool, option(_TRANSLATE, "fixed_statistics", "--fixed-statistics")] = False,
):
    """Generate the targets of pictures of any size, as PNG files."""
    if overlap is not None and tile is None:
        raise ValueError(
            f"--overlap is for pictures in tiles. Received: --overlap {overlap} without --tile. Give both."
        )
    tiling: dict[str, Any] = {"tile": tile, "fixed_statistics": fixed_statistics}
    if overlap is not None:
        tiling["overlap"] = overlap
    model = load_model(run)
    from keras_pix2pix import Pix2Pix

    if not isinstance(model, Pix2Pix):
        if side_by_side:
            raise ValueError(
                f"--side-by-side needs a Pix2Pix, which knows its direction. Received: a generator, {run}."
            )
        model = Pix2Pix(model)
    paths = model.translate(inputs, output, side_by_side=side_by_side, **tiling)
    print(f"{len(paths)} picture{'s' if len(paths) > 1 else ''} in {output}")
