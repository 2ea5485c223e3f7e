"""Look at a data set before training on it."""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

from keras_pix2pix.data.folders import removed_endings, searched_folder
from keras_pix2pix.data.pairs import encoding_of_folders, find_side_by_side, match_folders
from keras_pix2pix.encodings import get as get_encoding
from keras_pix2pix.files import refuse_to_replace, refuse_to_replace_what_is_read, remove_leftovers, whole_file
from keras_pix2pix.images import OWN_KIND, SOFTWARE, is_own_png
from keras_pix2pix.terminal import printable


class Findings(NamedTuple):
    """What `draw_pairs` found in a data set.

    Args:
        pairs: Number of pairs.
        sizes: (height, width) of one side in pixels -> number of pairs, the most frequent first.
        picture: File with the picture of the first pairs.
        endings: The endings of the names that were removed to match them, in words; empty if there are none.
    """

    pairs: int
    sizes: dict
    picture: Path
    endings: str = ""


def draw_pairs(
    data,
    target=None,
    *,
    direction="AtoB",
    source_encoding="rgb",
    target_encoding="rgb",
    output=None,
    count=4,
):
    """Check a data set and draw its first pairs, source and target named as training would take them.

    Args:
        data: Folder of side-by-side files; or of sources, if `target` is given, or a list of such folders. A pattern
            may stand for a folder: see `paired_dataset`.
        target: Folder of targets under the same names. Defaults to None.
        direction: Which half of a side-by-side file is the source: "AtoB", the left one, or "BtoA", the right one.
            Defaults to "AtoB".
        source_encoding: How the source is stored: see `encodings.get`. Defaults to "rgb".
        target_encoding: The same of the target. Defaults to "rgb".
        output: PNG file to write, outside the folders of pictures. Default: "pairs.png" in the working folder; beside
            that folder, if it holds the pictures.
        count: Pairs drawn, 1 or more. Defaults to 4.

    Returns:
        `Findings`: the number of pairs, their sizes, the file written.

    Raises:
        ValueError: An unusable folder or file, which is named, or unknown encodings.

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
    folders = list(data) if isinstance(data, (list, tuple)) else [data]
    output = _output(output, [*folders, target] if target else folders)
    encodings = encoding_of_folders(source_encoding, folders), get_encoding(target_encoding)
    pairs = match_folders(folders, target, *encodings) if target else find_side_by_side(data, direction, *encodings)
    half = 1 if target else 2
    refuse_to_replace_what_is_read([output], {file for pair in pairs for side in pair[:2] for file in _files(side)})
    sizes = Counter()
    for pair in pairs:
        height, width = encodings[0].size(pair.source_file)
        sizes[height, width // half] += 1
    _draw(pairs[:count], encodings, output, _layout(folders) if target else f'direction "{direction}"')
    endings = removed_endings([*folders, target]) if target else ""
    return Findings(len(pairs), dict(sizes.most_common()), output, endings)


def _output(output, folders):
    """Where to draw: never where the picture would count as one of the data set."""
    searched = [searched_folder(folder).resolve() for folder in folders]
    if output is None:
        here = Path.cwd()
        while here in searched and here != here.parent:
            here = here.parent
        output = "pairs.png" if here == Path.cwd() else here / f"{Path.cwd().name}_pairs.png"
    output = Path(output).expanduser()
    if output.parent.resolve() in searched:
        raise ValueError(f"{output} would be one of the pictures in {output.parent}. Choose a path outside.")
    refuse_to_replace(output, OWN_KIND, is_own_png)
    remove_leftovers(output.parent, output.name)
    return output


def _files(side):
    return side if isinstance(side, tuple) else (side,)


def _layout(folders):
    return "two folders" if len(folders) == 1 else f"{len(folders)} folders of sources, one of targets"


def _draw(pairs, encodings, output, layout):
    # Not pyplot, which keeps state and may look for a screen.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 0.6 + 2.8 * len(pairs)), layout="constrained")
    figure.suptitle(f"{layout}: source → target")
    for axes, pair in zip(figure.subplots(len(pairs), 2, squeeze=False), pairs, strict=True):
        sides = zip(axes, ("source", "target"), encodings, pair.read(*encodings), pair[:2], strict=True)
        for each, side, encoding, opened, file in sides:
            each.imshow(encoding.show(encoding.raw(opened, file)))
            name = _files(file)[0].name
            each.set_title(printable(f"{side}: {name}"), fontsize=9, parse_math=False)
            each.set_axis_off()
    with whole_file(output) as temporary:
        figure.savefig(temporary, dpi=100, format="png", metadata={"Software": SOFTWARE})
