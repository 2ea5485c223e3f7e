"""Look at a data set before training on it."""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

from keras_pix2pix.data.pairs import find_side_by_side, match_folders
from keras_pix2pix.images import read_image_size, whole_file


class Findings(NamedTuple):
    """What `draw_pairs` found in a data set.

    Args:
        pairs: Number of pairs.
        sizes: (height, width) of one side in pixels -> number of pairs, the most frequent first.
        picture: File with the picture of the first pairs.

    Example:

    ```python
    from pathlib import Path
    from keras_pix2pix.data.inspection import Findings

    findings = Findings(pairs=400, sizes={(256, 256): 400}, picture=Path("pairs.png"))
    ```
    """

    pairs: int
    sizes: dict
    picture: Path


def draw_pairs(data, target=None, *, direction="AtoB", output="pairs.png", count=4):
    """Check a data set and draw its first pairs, source and target named as training would take them.

    Args:
        data: Folder of side-by-side files; or of sources, if `target` is given.
        target: Folder of targets under the same names. Defaults to None.
        direction: Which half of a side-by-side file is the source: "AtoB", the left one, or "BtoA", the right one.
            Defaults to "AtoB".
        output: PNG file to write. Defaults to "pairs.png".
        count: Pairs drawn, 1 or more. Defaults to 4.

    Returns:
        `Findings`: the number of pairs, their sizes, the file written.

    Raises:
        ValueError: An unusable folder or file, which is named.

    Example:

    ```python
    from keras_pix2pix import draw_pairs
    from keras_pix2pix.data import synthetic

    synthetic.write_facades("pairs", 4, image_size=(64, 64))
    findings = draw_pairs("pairs", output="pairs.png")
    ```
    """
    if count < 1:
        raise ValueError(f"`count` must be 1 or more. Received: count={count}.")
    if Path(output).is_dir():
        raise ValueError(f"{output} is a folder. Accepted: the name of a PNG file to write. Choose another path.")
    pairs = match_folders(data, target) if target else find_side_by_side(data, direction)
    half = 1 if target else 2
    sizes = Counter()
    for pair in pairs:
        height, width = read_image_size(pair.source_file)
        sizes[height, width // half] += 1
    _draw(pairs[:count], output, "two folders" if target else f'direction "{direction}"')
    return Findings(len(pairs), dict(sizes.most_common()), Path(output))


def _draw(pairs, output, layout):
    # Not pyplot, which keeps state and may look for a screen.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 0.6 + 2.8 * len(pairs)), layout="constrained")
    figure.suptitle(f"{layout}: source → target")
    for axes, pair in zip(figure.subplots(len(pairs), 2, squeeze=False), pairs, strict=True):
        sides = zip(axes, ("source", "target"), pair.read(), (pair.source_file, pair.target_file), strict=True)
        for each, side, picture, path in sides:
            each.imshow(picture)
            each.set_title(f"{side}: {path.name}", fontsize=9)
            each.set_axis_off()
    with whole_file(output) as temporary:
        figure.savefig(temporary, dpi=100, format="png")
