"""Find and match the files of a paired data set. Every error names the file, and comes before any training."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import rich.console
import rich.progress

from keras_pix2pix.images import EXTENSIONS, read_image_file, read_image_size

DIRECTIONS = ("AtoB", "BtoA")
NAMED_AT_MOST = 3
SHOW_PROGRESS_FROM = 1000  # Fewer headers are read in about a second.


class Pair(NamedTuple):
    """Where one (source, target) pair lies: in two files, or side by side in one.

    Args:
        source_file: Path of the source, or of the side-by-side file.
        target_file: Path of the target; equal to `source_file` for a side-by-side file.
        direction: "AtoB" (the source is the left half), "BtoA" (the right half), or None for two files.

    Example:

    ```python
    from keras_pix2pix.data import synthetic
    from keras_pix2pix.data.pairs import Pair

    (path,) = synthetic.write_facades("pairs", 1)
    source, target = Pair(path, path, "AtoB").read()
    ```
    """

    source_file: Path
    target_file: Path
    direction: str | None = None

    def read(self):
        """Decode the pair: two `PIL.Image.Image` in RGB, source first."""
        if self.direction is None:
            return read_image_file(self.source_file), read_image_file(self.target_file)
        return split_side_by_side(read_image_file(self.source_file), self.direction)


def split_side_by_side(picture, direction):
    """The two halves of a side-by-side picture: source, target.

    Args:
        picture: `PIL.Image.Image` of even width.
        direction: "AtoB": the source is the left half; "BtoA": the right half.

    Returns:
        Two `PIL.Image.Image`, source first.

    Example:

    ```python
    from PIL import Image
    from keras_pix2pix.data.pairs import split_side_by_side

    source, target = split_side_by_side(Image.new("RGB", (512, 256)), "BtoA")
    ```
    """
    half = picture.width // 2
    left = picture.crop((0, 0, half, picture.height))
    right = picture.crop((half, 0, picture.width, picture.height))
    return (left, right) if direction == "AtoB" else (right, left)


def list_picture_files(directory):
    """The picture files directly inside a folder, sorted by name.

    Args:
        directory: Folder to look in; hidden files are passed over.

    Returns:
        A list of paths, never empty.

    Raises:
        ValueError: There is no such folder, or no picture in it.

    Example:

    ```python
    from keras_pix2pix.data import synthetic
    from keras_pix2pix.data.pairs import list_picture_files

    synthetic.write_facades("pairs", 2)
    files = list_picture_files("pairs")
    ```
    """
    directory = Path(directory)
    if not directory.is_dir():
        raise ValueError(
            f"There is no folder {directory}. Accepted: a folder of pictures. Received: "
            f"{'a file' if directory.exists() else 'a path that does not exist'}. Check the path."
        )
    files = sorted(
        path for path in directory.iterdir() if path.suffix.lower() in EXTENSIONS and not path.name.startswith(".")
    )
    if not files:
        folders = sorted(path.name for path in directory.iterdir() if path.is_dir())
        hint = f" It has folders: {', '.join(folders[:NAMED_AT_MOST])}; name one of them." if folders else ""
        raise ValueError(f"There are no pictures in {directory}. Extensions sought: {', '.join(EXTENSIONS)}.{hint}")
    return files


def find_side_by_side(directory, direction):
    """The pairs of a folder of side-by-side files, each checked by its header.

    Args:
        directory: Folder of pictures that hold two equal halves, left A and right B.
        direction: "AtoB": A is the source; "BtoA": B is.

    Returns:
        A list of `Pair`, sorted by file name.

    Raises:
        ValueError: An unknown direction, an empty folder, an unreadable file or an odd width.

    Example:

    ```python
    from keras_pix2pix.data import synthetic
    from keras_pix2pix.data.pairs import find_side_by_side

    synthetic.write_facades("pairs", 2)
    pairs = find_side_by_side("pairs", "AtoB")
    ```
    """
    if direction not in DIRECTIONS:
        raise ValueError(
            f'`direction` must be "AtoB" (the source is the left half) or "BtoA" (the right half). '
            f"Received: direction={direction!r}."
        )
    pairs = [Pair(path, path, direction) for path in list_picture_files(directory)]
    _check(pairs, _fault_of_side_by_side)
    return pairs


def match_folders(source_directory, target_directory):
    """The pairs of two folders, matched by file name without extension, each checked by its header.

    Args:
        source_directory: Folder of the source pictures.
        target_directory: Folder of the target pictures, under the same names; extensions may differ.

    Returns:
        A list of `Pair`, sorted by name.

    Raises:
        ValueError: A folder is empty, names don't match or are there twice, a file is unreadable, or the two
            sides of a pair differ in size.

    Example:

    ```python
    import numpy as np
    from keras_pix2pix.data.pairs import match_folders
    from keras_pix2pix.images import write_png

    for folder in ("labels", "photos"):
        write_png(f"{folder}/1.png", np.zeros((64, 64, 3), "uint8"))
    pairs = match_folders("labels", "photos")
    ```
    """
    sources, targets = _by_stem(source_directory), _by_stem(target_directory)
    alone = sorted(sources.keys() ^ targets.keys())
    if alone:
        files = [(sources.get(stem) or targets[stem]) for stem in alone]
        raise ValueError(
            f"{len(alone)} of {len(sources.keys() | targets.keys())} names are in only one of {source_directory} "
            f"and {target_directory}. Accepted: the same file names in both, with any extension. "
            f"Received without a partner: {_some(files)}. Rename them or take them out."
        )
    pairs = [Pair(sources[stem], targets[stem]) for stem in sources]
    _check(pairs, _fault_of_two_files)
    return pairs


def _by_stem(directory):
    files = {}
    for path in list_picture_files(directory):
        if path.stem in files:
            raise ValueError(
                f"{files[path.stem]} and {path} have the same name, so that no partner can be told for either. "
                "Accepted: one file for a name. Rename one of them."
            )
        files[path.stem] = path
    return files


def _fault_of_side_by_side(pair):
    try:
        height, width = read_image_size(pair.source_file)
    except ValueError as error:
        return str(error)
    if width % 2:
        return (
            f"{pair.source_file} has an odd width, so that it does not hold two equal halves. "
            f"Accepted: an even width. Received: {width}x{height} (width x height)."
        )
    return None


def _fault_of_two_files(pair):
    try:
        sizes = [read_image_size(path) for path in (pair.source_file, pair.target_file)]
    except ValueError as error:
        return str(error)
    if sizes[0] != sizes[1]:
        received = " and ".join(f"{width}x{height}" for height, width in sizes)
        return (
            f"{pair.source_file} and {pair.target_file} differ in size. Accepted: two sides of the same size, "
            f"pixel for pixel. Received: {received} (width x height)."
        )
    return None


def _check(pairs, fault_of):
    """Read every header, and raise once for all the faults found."""
    console = rich.console.Console(stderr=True)
    with ThreadPoolExecutor() as pool:
        results = pool.map(fault_of, pairs)
        if len(pairs) >= SHOW_PROGRESS_FROM and console.is_terminal:
            results = rich.progress.track(
                results, total=len(pairs), description="Checking pictures", console=console, transient=True
            )
        faults = [fault for fault in results if fault]
    if len(faults) == 1:
        raise ValueError(faults[0])
    if faults:
        shown = "\n".join(f"- {fault}" for fault in faults[:NAMED_AT_MOST])
        raise ValueError(f"{len(faults)} of {len(pairs)} pairs can't be used. The first ones:\n{shown}")


def _some(paths):
    named = ", ".join(str(path) for path in paths[:NAMED_AT_MOST])
    return named + (", ..." if len(paths) > NAMED_AT_MOST else "")
