"""Downloads the published data sets of pix2pix, resumes interrupted downloads, and unpacks the archives safely."""

from __future__ import annotations

import hashlib
import http.client
import json
import shutil
import tarfile
import urllib.error
import urllib.request
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import rich.console
import rich.progress

from keras_pix2pix.files import whole_file

__all__ = ["Downloaded", "download_dataset"]

_HOSTS = (
    "http://efrosgans.eecs.berkeley.edu/pix2pix/datasets",
    "https://people.eecs.berkeley.edu/~tinghuiz/projects/pix2pix/datasets",
)
# Name -> which half is the source, by its name or otherwise as in the paper.
_DATASETS = {
    "cityscapes": "BtoA",
    "edges2handbags": "AtoB",
    "edges2shoes": "AtoB",
    "facades": "BtoA",
    "maps": "AtoB",
    "night2day": "AtoB",
}
_CHUNK = 2**18
_TRIES = 3  # Per host; each resumes the one before.
_TIMEOUT = 30  # Seconds without a byte.
_GZIP = b"\x1f\x8b"
_PARTIAL = ".partial"


class Downloaded(NamedTuple):
    """A downloaded data set.

    Attributes:
        folder: Where it is: one folder of side-by-side files for each split.
        direction: Which half is the source, by its name or otherwise as in the paper: "AtoB" or "BtoA".
        sha256: Digest of the archive.

    Example:

    ```python
    from keras_pix2pix.data.download import Downloaded

    folder, direction, sha256 = Downloaded("data/facades", "BtoA", "...")
    ```
    """

    folder: Path
    direction: str
    sha256: str


def download_dataset(name: str, directory: str | Path = ".", *, hosts: tuple[str, ...] = _HOSTS) -> Downloaded:
    """Download and unpack one of the data sets published by the authors of pix2pix.

    An interrupted download is resumed, also by the next call: the part received is kept in `directory` as
    `NAME.tar.gz.partial`. The archive is deleted after it is unpacked.

    Args:
        name: "facades", "maps", "edges2shoes", "edges2handbags", "cityscapes" or "night2day".
        directory: Folder in which to put the folder `name`. Defaults to the working folder.
        hosts: URLs of folders with the archives, tried in this order. Defaults to the authors' two.

    Returns:
        A `Downloaded`.

    Raises:
        ValueError: An unknown name, a folder that already exists, or an archive that holds anything but files and
            folders of that name.
        OSError: No host has it, or the disk is full.

    Example:

    ```python
    from keras_pix2pix import download_dataset

    try:
        download_dataset("facades", hosts=("http://127.0.0.1:9",))
    except OSError as error:
        print(error)  # Nobody serves it there.
    ```
    """
    if name not in _DATASETS:
        raise ValueError(f"The data set must be one of {', '.join(_DATASETS)}. Received: {name!r}.")
    directory = Path(directory).expanduser()
    folder = directory / name
    if folder.exists():
        raise ValueError(f"{folder} already exists. Move it away, or choose another folder to download to.")
    directory.mkdir(parents=True, exist_ok=True)
    archive = directory / f"{name}.tar.gz{_PARTIAL}"
    _fetch_from_any([f"{host}/{name}.tar.gz" for host in hosts], archive)
    try:
        with whole_file(folder) as temporary:
            _unpack(archive, name, temporary)
    except ValueError:
        _forget(archive)  # Otherwise the next call would use it again.
        raise
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    _forget(archive)
    return Downloaded(folder, _DATASETS[name], digest)


def _fetch_from_any(addresses, archive):
    faults = []
    for address in addresses:
        for _ in range(_TRIES):
            try:
                return _fetch(address, archive)
            except urllib.error.HTTPError as error:
                faults.append(f"{address}: {error.code} {error.reason}")
                break
            except (OSError, http.client.HTTPException) as error:
                faults.append(f"{address}: {getattr(error, 'reason', None) or error or type(error).__name__}")
    raise OSError(f"The data set can't be downloaded. {'; '.join(dict.fromkeys(faults))}. Try again: it is resumed.")


def _fetch(address, archive):
    """Download a file; continue a partial one if the server still has the same file."""
    state, request = _state_of(archive), urllib.request.Request(address)
    start = _known_bytes(archive, state, address)
    if start:
        known = json.loads(state.read_text(encoding="utf-8"))
        if start == known.get("size"):
            return
        request.add_header("Range", f"bytes={start}-")
        request.add_header("If-Range", known["version"])
    with urllib.request.urlopen(request, timeout=_TIMEOUT) as response:
        if response.status != http.HTTPStatus.PARTIAL_CONTENT:
            start = 0
        version = response.headers.get("ETag") or response.headers.get("Last-Modified") or ""
        length = response.headers.get("Content-Length")
        size = start + int(length) if length else None
        state.write_text(json.dumps({"address": address, "version": version, "size": size}), encoding="utf-8")
        _require_room(archive.parent, (size or 0) - start)
        _receive(response, archive, start, size)
    received = archive.stat().st_size
    if size is not None and received != size:
        raise OSError(f"it stopped after {received:,} of {size:,} bytes")
    with archive.open("rb") as file:
        if file.read(len(_GZIP)) != _GZIP:
            _forget(archive)
            raise OSError("the response is not an archive")


def _state_of(archive):
    return archive.with_name(f"{archive.name}.json")


def _forget(archive):
    archive.unlink(missing_ok=True)
    _state_of(archive).unlink(missing_ok=True)


def _known_bytes(archive, state, address):
    """The number of bytes received so far; 0 if the server's file may have changed."""
    try:
        known = json.loads(state.read_text(encoding="utf-8"))
        same = known["address"] == address and known["version"] and not known["version"].startswith("W/")
        return archive.stat().st_size if same else 0
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return 0


def _require_room(folder, needed):
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise OSError(f"there is no room in {folder}: {needed:,} bytes are needed, and {free:,} are free")


def _receive(response, archive, start, size):
    with archive.open("ab" if start else "wb") as file, _progress() as progress:
        task = progress.add_task(archive.name.removesuffix(_PARTIAL), total=size, completed=start)
        while chunk := response.read(_CHUNK):
            file.write(chunk)
            progress.advance(task, len(chunk))


def _progress():
    console = rich.console.Console(stderr=True)
    columns = (
        rich.progress.TextColumn("{task.description}"),
        rich.progress.BarColumn(),
        rich.progress.DownloadColumn(),
        rich.progress.TransferSpeedColumn(),
        rich.progress.TimeRemainingColumn(),
    )
    return rich.progress.Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _unpack(archive, name, folder):
    """Unpack the archive's folder `name` into another folder; the archive may hold nothing else."""
    folder.mkdir()
    try:
        with tarfile.open(archive, "r|gz") as members:
            for member in members:
                _unpack_one(members, member, name, folder)
    except (tarfile.TarError, EOFError, OSError) as error:
        if getattr(error, "errno", None) is not None:
            raise
        raise ValueError(f"The archive of {name} is damaged: {error}. Download it again.") from error


def _unpack_one(members, member, name, folder):
    path = PurePosixPath(member.name)
    first, *inside = [part for part in path.parts if part != "."] or [name]
    if path.is_absolute() or ".." in path.parts or first != name or not (member.isreg() or member.isdir()):
        kind = "a link or device" if first == name and not (member.isreg() or member.isdir()) else "a path outside"
        raise ValueError(
            f"The archive of {name} wasn't unpacked: it holds {kind}, {member.name!r}. Accepted: files and folders in "
            f"{name}/. Try another host."
        )
    target = folder.joinpath(*inside)
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return
    _require_room(folder, member.size)
    target.parent.mkdir(parents=True, exist_ok=True)
    with members.extractfile(member) as source, target.open("xb") as file:
        shutil.copyfileobj(source, file)
