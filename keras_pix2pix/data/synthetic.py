"""Drawn facades and their label maps: a data set that needs no download."""

import operator
from pathlib import Path

import numpy as np
from PIL import Image

from keras_pix2pix.data.facade_painter import FacadePainter

__all__ = ["PALETTE", "facade", "write_facades"]

# Medians of the flat areas of the 400 label maps in the pix2pix `facades` archive, freed of the JPEG error.
# Names as in the CMP Facade Database, where a molding is a band across the building and a cornice the hood
# above one window; only the wall is called "facade" there. Later classes are drawn over earlier ones.
PALETTE = {
    "background": (0, 0, 222),
    "wall": (0, 48, 255),
    "pillar": (255, 0, 0),
    "molding": (255, 80, 0),
    "deco": (255, 159, 0),
    "window": (0, 128, 255),
    "blind": (255, 240, 0),
    "cornice": (32, 255, 224),
    "sill": (112, 255, 144),
    "door": (0, 207, 255),
    "shop": (174, 0, 0),
    "balcony": (192, 255, 63),
}


def facade(seed: int, image_size: tuple[int, int] = (256, 256)) -> tuple[np.ndarray, np.ndarray]:
    """Draws one building: its label map and a photo-like picture of it.

    The pair depends only on the two arguments. Wall material, colours and the side of the sun are
    chosen per picture and are not in the label map, as in real photos.

    Args:
        seed: Integer, 0 or more.
        image_size: Tuple `(height, width)` in pixels, each from 16 to 1024. Defaults to `(256, 256)`.

    Returns:
        Tuple `(labels, picture)` of two `uint8` arrays of shape `(height, width, 3)`, values in
        `[0, 255]`. `labels` only has the colours of `PALETTE`.

    Raises:
        ValueError: If `seed` is negative or `image_size` is not two whole numbers from 16 to 1024.

    Example:

    ```python
    from keras_pix2pix.data.synthetic import facade

    labels, picture = facade(seed=7, image_size=(128, 128))
    print(labels.shape, picture.dtype)  # (128, 128, 3) uint8
    ```
    """
    height, width = _check_size(image_size)
    seed = _check_whole("seed", seed, least=0)
    boxes = _layout(np.random.default_rng([seed, 0]), height, width)
    labels = np.full((height, width, 3), PALETTE["background"], np.uint8)
    # A separate generator, so that changes to the drawing don't change the label maps.
    painter = FacadePainter(np.random.default_rng([seed, 1]), height, width)
    painter.background(*boxes[0][1])
    for name, box in boxes:
        labels[box[0] : box[2], box[1] : box[3]] = PALETTE[name]
        painter.draw(name, *box)
    return labels, painter.photograph()


def write_facades(
    directory: str | Path,
    count: int,
    *,
    image_size: tuple[int, int] = (256, 256),
    seed: int = 0,
    direction: str = "AtoB",
) -> list[Path]:
    """Writes drawn facades as side-by-side PNG files, the layout of the pix2pix data sets.

    Picture `i` is `facade(seed + i)` and its file is named after that sum: a training and a test set share
    no picture if their seeds are at least `count` apart.

    Args:
        directory: Path of the folder to write to. It is created if missing.
        count: Integer, number of files, 1 or more.
        image_size: Tuple `(height, width)` of one half in pixels, each 16 to 1024. Defaults to `(256, 256)`.
        seed: Integer, 0 or more, seed of the first picture. Defaults to `0`.
        direction: `"AtoB"` puts the label map left and the facade right; `"BtoA"` puts the facade left, as
            the CMP Facade files have it. Defaults to `"AtoB"`.

    Returns:
        List of `count` `pathlib.Path`s in the order of the seeds.

    Raises:
        ValueError: If `direction` is neither name, or `count`, `seed` or `image_size` is out of range.

    Example:

    ```python
    import tempfile
    from keras_pix2pix.data.synthetic import write_facades

    paths = write_facades(tempfile.mkdtemp(), 2, image_size=(64, 64))
    print([path.name for path in paths])  # ['facade_000000.png', 'facade_000001.png']
    ```
    """
    if direction not in ("AtoB", "BtoA"):
        raise ValueError(
            f'`direction` must be "AtoB" (label map left) or "BtoA" (facade left). Received: {direction!r}. '
            "Pass one of the two names."
        )
    count, seed = _check_whole("count", count, least=1), _check_whole("seed", seed, least=0)
    _check_size(image_size)
    directory = Path(directory).expanduser()
    directory.mkdir(parents=True, exist_ok=True)
    paths = [directory / _file_name(number) for number in range(seed, seed + count)]
    for number, path in enumerate(paths, start=seed):
        halves = facade(number, image_size)[:: 1 if direction == "AtoB" else -1]
        Image.fromarray(np.concatenate(halves, axis=1)).save(path)
    return paths


def holds_only_facades(directory, count, *, seed=0):
    """Whether a folder holds exactly the files that `write_facades` writes, of any size."""
    directory = Path(directory).expanduser()
    if directory.is_symlink() or not directory.is_dir():
        return False
    numbers = {_file_name(number): number for number in range(seed, seed + count)}
    paths = list(directory.iterdir())
    return {path.name for path in paths} == numbers.keys() and all(_shows(path, numbers[path.name]) for path in paths)


def _shows(path, seed):
    try:
        with Image.open(path) as picture:
            size = _check_size((picture.height, picture.width // 2))
            pixels = np.asarray(picture)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False
    return np.array_equal(pixels, np.concatenate(facade(seed, size), axis=1))


def _file_name(number):
    return f"facade_{number:06d}.png"


def _check_whole(name, value, least):
    if not hasattr(value, "__index__") or value < least:
        raise ValueError(f"`{name}` must be a whole number of {least} or more. Received: {value!r}. Pass an integer.")
    return operator.index(value)


def _check_size(image_size):
    sides = tuple(image_size) if hasattr(image_size, "__iter__") else ()
    if len(sides) != 2 or not all(hasattr(side, "__index__") and 16 <= side <= 1024 for side in sides):
        raise ValueError(
            "`image_size` must be (height, width), two whole numbers from 16 to 1024 pixels. "
            f"Received: {image_size!r}. Pass for example (128, 128)."
        )
    return tuple(operator.index(side) for side in sides)


def _layout(random, height, width):
    """Lists `(class, (top, left, bottom, right))` in pixels, the wall first, in the order of painting."""
    # The unit is the short side, so that storeys keep their proportions in a rectangle.
    short = min(height, width)
    sky, before, after, street = random.uniform(0.03, 0.13, 4) * (random.random(4) < [0.8, 0.5, 0.5, 0.4])
    top, left, bottom, right = sky * 1.5, before, height / short - street * 0.5, width / short - after
    eaves = top + random.uniform(0.025, 0.055)
    # Below 10 pixels a storey has no room for a window with a sill, below 7 a column none for a wall.
    tall, wide = bottom - top, right - left
    storeys = round(min(max(2, random.uniform(2.0, 5.4) * tall), max(1, tall * short / 10)))
    columns = round(min(max(2, random.uniform(2.2, 6.6) * wide), max(1, wide * short / 7)))
    storey = (bottom - eaves) / (storeys + 0.25)
    ground = bottom - 1.25 * storey
    axes = np.linspace(left + 0.03, right - 0.03, 2 * columns + 1)[1::2]
    boxes = [("wall", (top, left, bottom, right)), ("molding", (top, left - 0.012, eaves, right + 0.012))]
    if random.random() < 0.3:
        boxes += [("pillar", (eaves, edge, bottom, edge + 0.03)) for edge in (left, right - 0.03)]
    bands = [ground] * (random.random() < 0.8)
    bands += [eaves + floor * storey for floor in range(1, storeys - 1)] * (random.random() < 0.3)
    boxes += [("molding", (band - 0.01, left, band + 0.01, right)) for band in bands]
    column = (wide - 0.06) / columns
    boxes += _upper_floors(random, eaves + storey * np.arange(storeys - 1), storey, axes, column)
    boxes += _ground_floor(random, ground, bottom, axes, column)
    boxes.sort(key=lambda box: list(PALETTE).index(box[0]))
    edges = np.rint(np.array([box for _, box in boxes]) * short).astype(int)
    edges = np.clip(edges, 0, [height - 1, width - 1, height, width])
    edges[:, 2:] = np.maximum(edges[:, 2:], edges[:, :2] + 1)
    return [(name, tuple(box)) for (name, _), box in zip(boxes, edges.tolist(), strict=True)]


def _upper_floors(random, ceilings, storey, axes, column):
    tall = storey * random.uniform(0.44, 0.54)
    half = min(column * random.uniform(0.2, 0.3), tall * 0.4)
    hood, sill, shutters, panels = random.random(4) < [0.45, 0.75, 0.35, 0.3]
    balconies = random.random((len(ceilings), len(axes))) < random.choice([0.0, 0.15, 0.45])
    balconies |= balconies[:, ::-1]  # facades are mostly symmetric
    boxes = []
    for (floor, index), balcony in np.ndenumerate(balconies):
        head, start, end = ceilings[floor] + 0.26 * storey, axes[index] - half, axes[index] + half
        foot, ledge, leaf = head + tall, half * 0.3, half * 0.7
        boxes.append(("window", (head, start, foot, end)))
        if shutters:
            boxes += [("blind", (head, edge, foot, edge + leaf)) for edge in (start - leaf, end)]
        if hood:
            boxes.append(("cornice", (head - 0.1 * storey, start - ledge, head, end + ledge)))
        if balcony:
            boxes.append(("balcony", (foot - tall * 0.42, start - leaf, foot + 0.06 * storey, end + leaf)))
        elif sill:
            boxes.append(("sill", (foot, start - ledge, foot + 0.05 * storey, end + ledge)))
        if panels and not balcony:
            boxes.append(("deco", (foot + 0.07 * storey, start, foot + 0.17 * storey, end)))
    return boxes


def _ground_floor(random, top, bottom, axes, column):
    tall = bottom - top
    half = min(column * 0.3, tall * 0.22)
    entrance, hood = random.integers(len(axes)), random.random() < 0.4
    shops = random.random(len(axes)) < random.choice([0.0, 0.0, 0.5, 1.0])
    boxes = []
    for index, axis in enumerate(axes):
        start, end, ledge = axis - half, axis + half, half * 0.3
        if index == entrance:
            boxes.append(("door", (top + tall * 0.32, start, bottom, end)))
            if hood:
                boxes.append(("deco", (top + tall * 0.2, start - ledge, top + tall * 0.32, end + ledge)))
        elif shops[index]:
            boxes.append(("shop", (top + tall * 0.16, axis - column * 0.44, bottom, axis + column * 0.44)))
        else:
            foot = top + tall * 0.74
            boxes.append(("window", (top + tall * 0.3, start, foot, end)))
            boxes.append(("sill", (foot, start - ledge, foot + tall * 0.04, end + ledge)))
    return boxes
