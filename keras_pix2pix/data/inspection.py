"""Look at a data set before training on it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from keras_pix2pix.data.fitting import fitting_of, open_sides
from keras_pix2pix.data.folders import removed_endings, searched_folder
from keras_pix2pix.data.found_encodings import found_encodings
from keras_pix2pix.data.pair_lists import is_pair_list
from keras_pix2pix.data.pairs import as_list, encodings_of_sides, find_pairs
from keras_pix2pix.encodings.files import is_array_file
from keras_pix2pix.encodings.rasters import is_tiff_file
from keras_pix2pix.files import refuse_to_replace, refuse_to_replace_what_is_read, remove_leftovers, whole_file
from keras_pix2pix.images import OWN_KIND, SOFTWARE, UNREADABLE, height_and_width, is_own_png
from keras_pix2pix.terminal import printable, with_progress

__all__ = ["Findings", "draw_pairs"]

_SIDES = ("source", "target")


class Findings(NamedTuple):
    """The result of `draw_pairs`.

    Args:
        pairs: Number of pairs.
        sizes: (height, width) of one side in pixels -> number of pairs, the most frequent first.
        picture: File that shows the first pairs.
        endings: The endings removed from the names to match them, as text; empty if there are none.
        shares: "source" and "target", if they are label maps -> share of the pixels in each class, from 0 to 1; the
            rest of the pixels belong to no class.
        encodings: The names of the encodings of source and target, with those found for "palette:auto" and
            "classes:auto".
        subsets: The subsets named by the splits of a list of pairs; empty if there are none.
    """

    pairs: int
    sizes: dict
    picture: Path
    endings: str = ""
    shares: Mapping = MappingProxyType({})
    encodings: tuple = ("rgb", "rgb")
    subsets: frozenset = frozenset()


def draw_pairs(
    data: str | Path | Sequence[str | Path],
    target: str | Path | None = None,
    *,
    direction: str = "AtoB",
    source_encoding: Any = "rgb",
    target_encoding: Any = "rgb",
    output: str | Path | None = None,
    count: int = 4,
    full: bool = False,
    fit: str | None = None,
    image_size: int | Sequence[int] = (256, 256),
) -> Findings:
    """Check a data set, and draw its first pairs, with source and target as training would use them.

    All headers are checked, and label maps are read completely, to find wrong class indices before training.

    Args:
        data: Folder of side-by-side files; with `target`, a folder of sources or several; or a list of pairs. A folder
            can be given as a pattern: see `paired_dataset`.
        target: Folder of targets with the same names. Defaults to None.
        direction: Which half of a side-by-side file is the source: "AtoB", the left one, or "BtoA", the right one.
            Defaults to "AtoB".
        source_encoding: How the source is stored: see `encodings.get`; "palette:auto" and "classes:auto" are found in
            the files. Defaults to "rgb".
        target_encoding: The same for the target. Defaults to "rgb".
        output: PNG file to write, outside the folders of pictures. Default: "pairs.png" in the working folder, or
            beside that folder if it holds the pictures.
        count: Number of pairs to draw, 1 or more. Defaults to 4.
        full: Whether to decode all pictures, and verify the checksums of PNG files, to find damaged ones. Defaults to
            False.
        fit: Draw pairs as validation would have them: "stretch", "cover", "crop" or "pad", as in `paired_dataset`.
            Defaults to None: as they are stored.
        image_size: Height and width in pixels to fit them to, or one integer for a square. Defaults to (256, 256).

    Returns:
        `Findings`: the number of pairs, their sizes, the file written.

    Raises:
        ValueError: An unusable folder or file, which is named, an unknown encoding or fit, or, for "crop", a picture
            that is too small.

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
    fitting = None if fit is None else fitting_of(fit, height_and_width(image_size))
    folders = as_list(data)
    output = _output(output, [*folders, target] if target else folders)
    found = found_encodings([(data, target)], direction, source_encoding, target_encoding)
    encodings = encodings_of_sides(data, target, *found)
    pairs = find_pairs(data, target, direction, *encodings)
    refuse_to_replace_what_is_read([output], {file for pair in pairs for side in pair[:2] for file in _files(side)})
    sizes = Counter(pair.size(encodings[0]) for pair in pairs)
    if fitting:
        fitting.check(pairs, encodings)
    layout = _layout(folders, target, direction) + (f', fit "{fit}"' if fitting else "")
    _draw(pairs[:count], encodings, output, layout, fitting)
    endings = removed_endings([*folders, target]) if target else ""
    return Findings(
        len(pairs),
        dict(sizes.most_common()),
        output,
        endings,
        _shares(pairs, encodings, full),
        tuple(encoding.word for encoding in encodings),
        frozenset(pair.subset for pair in pairs) - {None},
    )


def _shares(pairs, encodings, full):
    """The share of each class, for each side that is a label map; reads all of its pictures."""
    labels = {name: side for side, name in enumerate(_SIDES) if encodings[side].is_label_map}
    if not labels and not full:
        return {}
    # A mask has two classes in one channel; the first number counts the pixels of no class.
    totals = {name: np.zeros(1 + max(2, encodings[side].channels)) for name, side in labels.items()}
    with ThreadPoolExecutor() as pool:
        for raw in with_progress(pool.map(partial(_raw, encodings, full), pairs), len(pairs), "Reading the pictures"):
            for name, side in labels.items():
                classes = encodings[side].classes_of(raw[side])
                totals[name] += np.bincount(classes.ravel() + 1, minlength=len(totals[name]))
    return {name: (total[1:] / total.sum()).tolist() for name, total in totals.items()}


def _raw(encodings, full, pair):
    for file in {file for side in pair[:2] for file in _files(side)} if full else ():
        _verify(file)
    opened = pair.read(*encodings)
    return [encoding.raw(each, file) for encoding, each, file in zip(encodings, opened, pair[:2], strict=True)]


def _verify(file):
    """Raise for a PNG file with wrong checksums, which Pillow otherwise decodes silently."""
    if is_array_file(file) or is_tiff_file(file):
        return  # TIFF has no checksums.
    try:
        with Image.open(file) as picture:
            picture.verify()
    except UNREADABLE as error:
        raise ValueError(f"{file} is damaged: {error}. Replace the file, or take it out of the folder.") from error


def _output(output, folders) -> Path:
    """The file to draw to, which must not be among the pictures of the data set."""
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


def _layout(folders, target, direction):
    if not target:
        return "list of pairs" if is_pair_list(folders[0]) else f'direction "{direction}"'
    return "two folders" if len(folders) == 1 else f"{len(folders)} folders of sources, one of targets"


def _draw(pairs, encodings, output, layout, fitting):
    # Not pyplot, which keeps state and may look for a screen.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 0.6 + 2.8 * len(pairs)), layout="constrained")
    figure.suptitle(f"{layout}: source → target")
    for axes, pair in zip(figure.subplots(len(pairs), 2, squeeze=False), pairs, strict=True):
        for each, name, side in zip(axes, _SIDES, open_sides(pair, encodings), strict=True):
            each.imshow(side.encoding.show(fitting.fitted(side) if fitting else side.raw()))
            each.set_title(printable(f"{name}: {_files(side.file)[0].name}"), fontsize=9, parse_math=False)
            each.set_axis_off()
    with whole_file(output) as temporary:
        figure.savefig(temporary, dpi=100, format="png", metadata={"Software": SOFTWARE})
