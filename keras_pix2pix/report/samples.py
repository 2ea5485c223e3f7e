"""The same samples over the epochs, side by side, from the pictures that `callbacks.SampleGrid` writes."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from keras_pix2pix.images import UNREADABLE, write_png

PATTERN = "epoch_*.png"
COLUMN_WIDTH = 160  # Pixels: twelve columns fill a screen.
CAPTION_HEIGHT = 24


def samples_over_time(directory, most=10, width=COLUMN_WIDTH):
    """The fixed samples of a run, epoch beside epoch: closer in time at the beginning, when most changes.

    Args:
        directory: Folder of `epoch_0000.png` and so on, each a column of sources, of generated and of target pictures.
        most: Epochs shown at most, the first and the last among them, 2 or more. Defaults to 10.
        width: Width of a column in pixels; larger pictures are reduced to it. Defaults to 160.

    Returns:
        A list of (caption, pixels): "source", "epoch 0" and so on, "target"; uint8 arrays of one shape. Empty where
        there are no pictures. A picture that can't be read is left out.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix.report.samples import samples_over_time
    from keras_pix2pix.images import write_png

    for epoch in range(3):
        write_png(f"samples/epoch_{epoch:04d}.png", np.zeros((128, 192, 3), "uint8"))
    captions = [caption for caption, _ in samples_over_time("samples")]
    ```
    """
    files = sorted(Path(directory).glob(PATTERN))
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


def write_over_time(directory, path):
    """Write what `samples_over_time` shows as one picture, with captions.

    Args:
        directory: Folder of `epoch_0000.png` and so on.
        path: PNG file to write, whole or not at all; nothing is written where there are no pictures.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix.report.samples import write_over_time
    from keras_pix2pix.images import write_png

    write_png("samples/epoch_0000.png", np.zeros((128, 192, 3), "uint8"))
    write_over_time("samples", "samples/over_time.png")
    ```
    """
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
    strip = Image.new("RGB", (pixels.shape[1], CAPTION_HEIGHT), "white")
    font = ImageFont.load_default(size=min(14, pixels.shape[1] / 5))
    middle = (strip.width / 2, strip.height / 2)
    ImageDraw.Draw(strip).text(middle, caption, fill="black", font=font, anchor="mm")
    return np.concatenate([np.asarray(strip), pixels])
