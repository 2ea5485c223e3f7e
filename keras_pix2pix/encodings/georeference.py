"""Where on Earth a raster lies: the tags of a GeoTIFF file, and pictures written with them."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from keras_pix2pix.encodings.base import SingleEncoding
from keras_pix2pix.encodings.rasters import is_tiff_file, tifffile_for
from keras_pix2pix.files import whole_file
from keras_pix2pix.images import SOFTWARE

__all__ = ["OWN_TIFF", "GeoTiff", "georeference_of", "is_own_tiff"]

OWN_TIFF = "a TIFF file that this package has written"
# ModelPixelScale, ModelTiepoint, ModelTransformation and GeoKeyDirectory place a picture; the rest goes with them.
_PLACING = (33550, 33922, 34264, 34735)
_CARRIED = (*_PLACING, 34736, 34737, 42113)  # GeoDoubleParams, GeoAsciiParams, GDAL_NODATA.
_KINDS = {1: "minisblack", 3: "rgb", 4: "rgb"}  # tifffile's, of 8-bit pictures by their channels.


@dataclass(frozen=True)
class GeoTiff:
    """A writer in the place of an encoding's own: TIFF, with the georeference of another file.

    Args:
        encoding: How the picture is stored.
        tags: What `georeference_of` returns.
    """

    encoding: SingleEncoding
    tags: tuple

    extension: ClassVar[str] = ".tif"

    def write(self, path, raw):
        """Write raw values under a path without extension; return the file's path."""
        path = Path(f"{path}{self.extension}")
        raw = np.asarray(raw).astype(self.encoding.file_dtype, copy=False)
        kind = _KINDS.get(raw.shape[-1], "minisblack") if raw.dtype == np.uint8 else "minisblack"
        with whole_file(path) as temporary:
            tifffile_for(path).imwrite(
                temporary,
                raw[..., 0] if raw.shape[-1] == 1 else raw,
                photometric=kind,
                planarconfig=None if raw.shape[-1] == 1 else "contig",
                extrasamples=("unassalpha",) if (kind, raw.shape[-1]) == ("rgb", 4) else None,
                extratags=self.tags,
                metadata=None,
                software=SOFTWARE,
            )
        return path


def georeference_of(files):
    """The tags of the first GeoTIFF file among these, as tifffile writes them; none without tifffile."""
    if importlib.util.find_spec("tifffile") is None:
        return ()
    return next(filter(None, map(_tags, files)), ())


def is_own_tiff(path):
    """Whether a file is a TIFF file that this package has written: what it may write anew."""
    if not is_tiff_file(path):
        return False
    try:
        with tifffile_for(path).TiffFile(path) as opened:
            return opened.pages[0].software == SOFTWARE
    except Exception:  # Of a broken file tifffile raises all.
        return False


def _tags(path):
    if not is_tiff_file(path):
        return ()
    try:
        with tifffile_for(path).TiffFile(path) as opened:
            tags = [tag for tag in opened.pages[0].tags if tag.code in _CARRIED]
            if not {tag.code for tag in tags} & set(_PLACING):
                return ()
            return tuple((tag.code, int(tag.dtype), _count(tag), tag.value, True) for tag in tags)
    except Exception:  # What Pillow has read may still be odd to tifffile.
        return ()


def _count(tag):
    return 0 if isinstance(tag.value, str) else tag.count  # tifffile counts letters itself.
