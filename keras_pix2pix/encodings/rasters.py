"""TIFF files of any number of bands: tifffile reads what Pillow can't, strip by strip and tile by tile."""

import contextlib
import importlib.util
import itertools
import logging
import os
import warnings
from pathlib import Path

import numpy as np

from keras_pix2pix.files import regular_file
from keras_pix2pix.images import UnreadablePicture

__all__ = ["TIFF_EXTENSIONS", "is_tiff_file", "open_raster", "pillow_or_tifffile", "tifffile_for"]

TIFF_EXTENSIONS = (".tif", ".tiff")
_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # The last two are BigTIFF's.
_MOST_PAGES = 1024  # Searched for bands that have a page each.
_MOST_AT_ONCE = 2**28  # Pixels of a strip or tile, or of a file that is read as a whole.
_MOST_MEASURED = 2**26  # Values of a file that an error message tells the range of.
_WHOLE_RANGES = {np.dtype(np.uint8): (0, 255), np.dtype(np.uint16): (0, 65535)}

for _name in ("tifffile", "PIL.TiffImagePlugin"):
    # Error messages say what they would log of a file that they can't read.
    logging.getLogger(_name).addHandler(logging.NullHandler())


class _Raster:
    """A TIFF file or a window of it, like an array `(height, width, bands)` that `np.asarray` decodes.

    Slices along height and width make smaller windows; of the file only the strips and tiles that a window touches are
    read.

    Args:
        path: The file.
        pages: tifffile's page of all bands, or one for each band.
        rows: Range of the rows of the window.
        columns: Range of its columns.
    """

    ndim = 3

    def __init__(self, path, pages, rows=None, columns=None):
        self.path, self.pages = path, pages
        self.rows = range(pages[0].imagelength) if rows is None else rows
        self.columns = range(pages[0].imagewidth) if columns is None else columns
        bands = pages[0].samplesperpixel if len(pages) == 1 else len(pages)
        self.shape = (len(self.rows), len(self.columns), bands)
        self.dtype = pages[0].dtype

    def __getitem__(self, key):
        rows, columns = key if isinstance(key, tuple) else (key, slice(None))
        return _Raster(self.path, self.pages, self.rows[rows], self.columns[columns])

    def __array__(self, dtype=None, copy=None):
        if len(self.rows) * len(self.columns) > _MOST_AT_ONCE:
            raise ValueError(
                f"{self.path} is too large. Accepted: up to {_MOST_AT_ONCE:,} pixels as a whole. Received: "
                f"{len(self.columns)}x{len(self.rows)} (width x height). Cut it into smaller files."
            )
        values = np.empty(self.shape, self.dtype)
        with _errors_that_name(self.path), open(self.path, "rb") as file:
            for band, page in enumerate(self.pages):
                self._decode(page, file, values if len(self.pages) == 1 else values[..., band : band + 1])
        return values if dtype is None else values.astype(dtype, copy=False)

    def _decode(self, page, file, values):
        """Fill in the values of a page."""
        length, width = _segment_size(page)
        down, across = -(-page.imagelength // length), -(-page.imagewidth // width)
        places = itertools.product(_touched(self.rows, length), _touched(self.columns, width))
        for (row, column), plane in itertools.product(places, range(_planes(page))):
            to_rows, from_rows = _overlap(self.rows, row * length, (row + 1) * length)
            to_columns, from_columns = _overlap(self.columns, column * width, (column + 1) * width)
            bands = slice(None) if _planes(page) == 1 else slice(plane, plane + 1)
            segment = _decoded(page, file, (plane * down + row) * across + column)
            values[to_rows, to_columns, bands] = segment[from_rows, from_columns] if np.ndim(segment) else segment


def is_tiff_file(path):
    """Whether a file is a TIFF file, by its name and its first bytes."""
    if Path(path).suffix.lower() not in TIFF_EXTENSIONS or not regular_file(path):
        return False
    with open(path, "rb") as opened:
        return opened.read(4) in _MAGIC


def pillow_or_tifffile(path, by_pillow, by_tifffile):
    """What a function makes of a file by Pillow; or another by tifffile, of a TIFF file that Pillow can't read."""
    try:
        with warnings.catch_warnings(action="ignore", category=UserWarning):  # Pillow's, of tags it doesn't know.
            return by_pillow()
    except UnreadablePicture as error:
        if not is_tiff_file(path):
            raise
        tifffile_for(path, f" ({error})")
    return by_tifffile()


def tifffile_for(path, reason=""):
    """The module tifffile; an error names the file that needs it."""
    if importlib.util.find_spec("tifffile") is None:
        raise ImportError(
            f"{path} is a TIFF file that only tifffile can read, which is not installed{reason}. Run `pip install "
            ".[tiff]` in a checkout of keras_pix2pix, or `pip install tifffile imagecodecs`."
        )
    import tifffile

    return tifffile


def open_raster(path, channels, kinds="uifb"):
    """Open a TIFF file, and check its header and first strip or tile; the others are decoded when they are used.

    Returns an array `(height, width, channels)`, mapped from the file if that holds the numbers as they are, or
    else a `_Raster`.
    """
    tifffile = tifffile_for(path)
    with _errors_that_name(path):
        if not regular_file(path):
            raise ValueError("it is not a regular file")
        with tifffile.TiffFile(path) as opened:
            raster = _Raster(path, _pages(opened, channels))
            _check_layout(raster)
    if raster.shape[-1] != channels or raster.dtype.kind not in kinds:
        numbers = "real numbers" if "f" in kinds else "integers"
        raise ValueError(
            f"{path} does not suit its encoding. Accepted: a TIFF file of {channels} band{'s' * (channels > 1)} of "
            f"{numbers}. Received: {raster.shape[-1]} of {raster.dtype}. Declare {_suggested(raster)}, or convert the "
            "file."
        )
    return raster if _mapped(raster) is None else _mapped(raster)


@contextlib.contextmanager
def _errors_that_name(path):
    """Whatever goes wrong within the block becomes an error that names the file: tifffile raises anything."""
    try:
        yield
    except Exception as error:
        reason = str(error).strip().partition("\n")[0][:200] or type(error).__name__
        raise ValueError(
            f"Can't read the TIFF file {path}: {reason}. Accepted: what tifffile decodes, with imagecodecs if it is "
            "compressed. Install both (`pip install tifffile imagecodecs`), write the file without compression, or "
            "take it out of the folder."
        ) from error


def _pages(opened, channels):
    """The first page; if it has one band and more are wanted, all pages that are like it, if there are so many."""
    first = opened.pages[0]
    pages = [first]
    if first.samplesperpixel == 1 < channels:
        pages = [page for page in itertools.islice(opened.pages, _MOST_PAGES) if _alike(page, first)]
    for page in pages:
        page.decode, page.dataoffsets, page.databytecounts  # noqa: B018 (they are kept, and need the open file)
    return pages


def _alike(page, first):
    same = page.shape == first.shape and page.dtype == first.dtype
    return same and page.samplesperpixel == 1 and not page.is_reduced and not page.is_mask


def _check_layout(raster):
    """Raise for what is cut short, turned, a volume, or can't be decoded."""
    end = os.path.getsize(raster.path)
    for page in raster.pages:
        if page.dtype is None:
            raise ValueError(f"its number type, of {page.bitspersample} bits, is unknown")
        if page.imagedepth != 1 or not all(raster.shape):
            raise ValueError(f"its shape is {page.shape}, and only pictures of two dimensions are accepted")
        orientation = page.tags.valueof(274, default=1)
        if orientation != 1:
            raise ValueError(f"its TIFF orientation is {int(orientation)}, and only 1 (upright) is accepted")
        if any(offset + count > end for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True)):
            raise ValueError("it is cut short")
    first = raster.pages[0]
    if _mapped(raster) is None:
        if np.prod(_segment_size(first), dtype=float) > _MOST_AT_ONCE:
            raise ValueError(f"a strip or tile has more than {_MOST_AT_ONCE:,} pixels")
        with open(raster.path, "rb") as file:
            _decoded(first, file, 0)


def _mapped(raster):
    """The file's own bytes as an array, if they are the numbers: nothing is read then until it is used."""
    page = raster.pages[0]
    if len(raster.pages) > 1 or not page.is_memmappable:
        return None
    height, width, bands = raster.shape
    planes = _planes(page)
    shape = (planes, height, width) if planes > 1 else (height, width, bands)
    dtype = raster.dtype.newbyteorder(page.parent.byteorder)
    array = np.memmap(raster.path, dtype, "r", page.dataoffsets[0], shape)
    return np.moveaxis(array, 0, -1) if planes > 1 else array


def _planes(page):
    """How many bands are stored one after the other; 1 where pixels have their bands side by side."""
    return page.samplesperpixel if page.planarconfig == 2 else 1


def _segment_size(page):
    """(height, width) of a strip or tile."""
    return (page.tilelength, page.tilewidth) if page.is_tiled else (page.rowsperstrip, page.imagewidth)


def _touched(positions, length):
    """The numbers of the segments of so many pixels in which a range of positions lies."""
    return range(positions[0] // length, positions[-1] // length + 1) if positions else range(0)


def _overlap(positions, start, end):
    """Which of a range of positions lie from start to end, and where from start on, as two slices."""
    first, last = (min(max(0, -(-(edge - positions.start) // positions.step)), len(positions)) for edge in (start, end))
    if first == last:
        return slice(0, 0), slice(0, 0)
    return slice(first, last), slice(positions[first] - start, positions[last - 1] - start + 1, positions.step)


def _decoded(page, file, index):
    """A strip or tile `(height, width, bands)`; one number for all of one that isn't stored."""
    if index >= len(page.dataoffsets):
        raise ValueError("it lacks strips or tiles")
    if not page.databytecounts[index]:
        return np.asarray(page.nodata, page.dtype)  # As GDAL writes what is empty.
    file.seek(page.dataoffsets[index])
    encoded = file.read(page.databytecounts[index])
    values, _, _ = page.decode(encoded, index, jpegtables=page.jpegtables, jpegheader=page.jpegheader)
    return values[0]


def _suggested(raster):
    """The word of the encoding that suits a file: its bands and the range of its numbers."""
    nodata = _declared_nodata(raster.pages[0])
    low, high = _range(raster, nodata)
    if low is None:
        return f'"values:{raster.shape[-1]}:LOW:HIGH" with its lowest and highest value'
    ending = "" if nodata is None or low <= nodata <= high else f":nodata={_plain(nodata)}"
    return f'"values:{raster.shape[-1]}:{_plain(low)}:{_plain(high)}{ending}"'


def _declared_nodata(page):
    """The number that the tag GDAL_NODATA names, or None."""
    try:
        return float(page.tags.valueof(42113))
    except (TypeError, ValueError):
        return None


def _range(raster, nodata):
    """(lowest, highest): of the number type if that has 8 or 16 bits, otherwise of the values, if they aren't many."""
    if raster.dtype in _WHOLE_RANGES:
        low, high = _WHOLE_RANGES[raster.dtype]
        return low + (nodata == low), high - (nodata == high)
    if raster.dtype.kind not in "uif" or np.prod(raster.shape, dtype=float) > _MOST_MEASURED:
        return None, None
    values = np.asarray(raster)
    values = values[np.isfinite(values) & (values != nodata if nodata is not None else True)]
    if not values.size:
        return None, None
    low, high = values.min().item(), values.max().item()
    return low, high if high > low else low + 1


def _plain(number):
    """As text without the plus sign of an exponent, which would part two sources."""
    return repr(number).removesuffix(".0").replace("+", "")
