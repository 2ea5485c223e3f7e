"""The same samples over the epochs, side by side, from the pictures that `callbacks.SampleGrid` writes."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from keras_pix2pix.images import UNREADABLE, write_png

__all__ = ["samples_over_time", "write_over_time"]

_PATTERN = "epoch_*.png"
_COLUMN_WIDTH = 160  # Pixels: twelve columns fill a screen.
_CAPTION_HEIGHT = 24


def samples_over_time(
    directory: str | Path, most: int = 10, width: int = _COLUMN_WIDTH
) -> list[tuple[str, np.ndarray]]:
    """The fixed samples of a run at several epochs: more of them early on, when the pictures change most.

    Returns a list of (caption, pixels): "source", "epoch 0" and so on, "target".
    """
    files = sorted(Path(directory).glob(_PATTERN))
    chosen = np.unique(np.round(np.geomspace(1, max(1, len(files)), most)).astype(int)) - 1
    grids = [(file, _columns(file, width)) for file in (files[index] for index in chosen if files)]
    grids = [(file, columns) for file, columns in grids if columns is not None]
    if not grids:
        return []
    _, (source, newest, target) = grids[-1]
    shown = [("source", source)]
    for file, (_, generated, _) in grids:
        if generated.shape == newest.shape:
            shown.append((f"epoch {int(file.stem.rpartition('_')[2])}", generated))
    return [*shown, ("target", target)]


def write_over_time(directory: str | Path, path: str | Path) -> None:
    """Write the result of `samples_over_time` as one picture, with captions."""
    columns = samples_over_time(directory)
    if columns:
        write_png(path, np.concatenate([_captioned(*column) for column in columns], axis=1))


def _columns(file, width):
    """Sources, generated and targets of a grid, reduced; None if it can't be read."""
    try:
        with Image.open(file, formats=["PNG"]) as grid:
            grid = grid.convert("RGB")
    except UNREADABLE:
        return None
    side = grid.width // 3
    shown = min(side, width)
    grid = grid.resize((3 * shown, max(1, round(grid.height * shown / side))), Image.Resampling.LANCZOS)
    return np.split(np.asarray(grid), 3, axis=1)


def _captioned(caption, pixels):
    strip = Image.new("RGB", (pixels.shape[1], _CAPTION_HEIGHT), "white")
    font = ImageFont.load_default(size=min(14, pixels.shape[1] / 5))
    middle = (strip.width / 2, strip.height / 2)
    ImageDraw.Draw(strip).text(middle, caption, fill="black", font=font, anchor="mm")
    return np.concatenate([np.asarray(strip), pixels])
