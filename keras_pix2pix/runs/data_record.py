"""Name, size and digest of every file of a run's data, kept in the run folder and compared at --resume."""

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from keras_pix2pix.data.folders import list_picture_files, searched_folder
from keras_pix2pix.data.pair_lists import is_pair_list, read_pair_list
from keras_pix2pix.encodings import EXTENSIONS
from keras_pix2pix.files import whole_file
from keras_pix2pix.run_folder import RunFolder
from keras_pix2pix.terminal import with_progress

__all__ = ["difference", "digest_of", "read_record", "record_data", "write_record"]

_NAMED_AT_MOST = 3
_MANY = 1000  # Fewer files are read in a few seconds.


def record_data(folders, known):
    """The record of the results of `run_folders`: "ROLE/NAME" -> (size, time, digest).

    Files whose size and time are those in `known` aren't read again.
    """
    files = {f"{role}/{name}": file for role, place in _roles(folders) for name, file in _listed(place)}
    with ThreadPoolExecutor() as pool:
        found = pool.map(lambda item: _file_record(item[1], known.get(item[0])), files.items())
        return dict(zip(files, with_progress(found, len(files), "Reading the data", least=_MANY), strict=True))


def digest_of(record):
    """A digest of a record without its times."""
    lines = sorted(f"{name}\0{size}\0{digest}\n" for name, (size, _, digest) in record.items())
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def read_record(run_dir):
    """The record in a run folder; empty if it is missing or damaged."""
    try:
        record = json.loads(RunFolder(run_dir).data_record.read_text(encoding="utf-8"))
        return {str(name): (int(size), int(time), str(digest)) for name, (size, time, digest) in record.items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}


def write_record(run_dir, record):
    """Write `data.json`."""
    with whole_file(RunFolder(run_dir).data_record) as temporary:
        temporary.write_text(json.dumps(record) + "\n", encoding="utf-8")


def difference(before, after):
    """The difference between two records, as text."""
    gone, new = sorted(before.keys() - after.keys()), sorted(after.keys() - before.keys())
    # A renamed file is neither gone nor new.
    names = {after[name][2]: name for name in new}
    renamed = [(name, names[before[name][2]]) for name in gone if before[name][2] in names]
    gone = [name for name in gone if name not in dict(renamed)]
    new = [name for name in new if name not in dict(renamed).values()]
    other = sorted(name for name in before.keys() & after.keys() if before[name][2] != after[name][2])
    parts = {
        f"Gone: {len(gone)} of {len(before)} files": gone,
        f"New: {len(new)}": new,
        f"Renamed: {len(renamed)}": [f"{old}, now {name}" for old, name in renamed],
        f"Other contents: {len(other)}": other,
    }
    return "; ".join(f"{words} ({_some(names)})" for words, names in parts.items() if names)


def _roles(folders):
    for split, (sources, target) in zip(("training", "validation"), folders, strict=False):
        for number, folder in enumerate(sources if isinstance(sources, list) else [sources], start=1):
            yield (split if number == 1 else f"{split} {number}"), folder
        if target:
            yield f"{split} targets", target


def _listed(place):
    if is_pair_list(place):
        named = {file for row in read_pair_list(place) for file in (row.source, row.target)}
        folder = Path(place).parent
        return [(os.path.relpath(file, folder), file) for file in (Path(place), *sorted(named))]
    folder = searched_folder(place)
    return [(file.relative_to(folder).as_posix(), file) for file in list_picture_files(place, EXTENSIONS)]


def _file_record(file, known):
    state = file.stat()
    if known and known[:2] == (state.st_size, state.st_mtime_ns):
        return known
    with open(file, "rb") as opened:
        return state.st_size, state.st_mtime_ns, hashlib.file_digest(opened, "sha256").hexdigest()


def _some(names):
    return ", ".join(names[:_NAMED_AT_MOST]) + (", ..." if len(names) > _NAMED_AT_MOST else "")
