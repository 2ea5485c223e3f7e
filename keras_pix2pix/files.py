"""Writes files and folders completely or not at all, and checks what they may replace."""

import contextlib
import ctypes
import glob
import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows.
    fcntl = None  # type: ignore[assignment]

__all__ = [
    "NPY",
    "PNG",
    "refuse_special_file",
    "refuse_to_replace",
    "refuse_to_replace_what_is_read",
    "regular_file",
    "remove_leftovers",
    "starts_with",
    "temporary_folder",
    "whole_file",
]

# No file of the user may have such a name, because leftovers under these names are removed.
_PARTIAL = ".keras_pix2pix_partial"  # Ending of the name of a file that is being written.
_REPLACED = ".keras_pix2pix_replaced"  # And of a folder being replaced, if two can't be exchanged.
PNG, NPY = b"\x89PNG\r\n\x1a\n", b"\x93NUMPY"  # The first bytes of such files.


@contextlib.contextmanager
def whole_file(path):
    """A temporary name beside `path` that replaces it when the block ends without an error.

    Anyone who reads `path` meanwhile, or after a crash, finds either the complete old file or the complete new one. The
    block may make a file or a folder. An existing folder is exchanged with the new one in one system call on Linux and
    macOS. Elsewhere it is renamed first, and a process killed at that moment leaves nothing under the name until the
    next call for it, which puts the old folder back.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    refuse_special_file(path)
    _restore_replaced(path)
    with temporary_folder(path) as directory:
        # The suffix is kept, because writers choose their format by it.
        temporary = directory / path.name
        with _errors_that_name(path, directory):
            yield temporary
            for each in (temporary, *temporary.rglob("*")):
                if each.exists() and not each.is_symlink():
                    _write_through(each)
            if temporary.is_dir() and os.path.lexists(path):
                _exchange(temporary, path)
            else:
                os.replace(temporary, path)
            _write_through(path.parent)


@contextlib.contextmanager
def temporary_folder(path):
    """A hidden folder beside `path`, removed at the end; after SIGKILL, by `remove_leftovers`."""
    directory, lock = _locked_folder(path)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def remove_leftovers(folder, name=""):
    """Remove what killed processes were writing in a folder, under one name or any."""
    for each in list(Path(folder).glob(f".{glob.escape(name) or '*'}.*{_PARTIAL}")):
        lock = _lock(each)
        if lock is not None:  # No running process is writing there.
            shutil.rmtree(each, ignore_errors=True)
            os.close(lock)


def regular_file(path):
    """Whether this is a file, or a link to one: opening a pipe or a device may block forever."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def refuse_special_file(path):
    """Raise for a device, pipe or socket, which must not be replaced by a file."""
    path = Path(path)
    if path.exists() and not path.is_dir() and not regular_file(path):
        raise ValueError(f"{path} is a device, pipe or socket, and not to be replaced. Choose the name of a file.")


def refuse_to_replace(path, kind, is_one):
    """Raise unless `path` is free, or a file of this kind according to the function `is_one`."""
    path = Path(path)
    refuse_special_file(path)
    if path.is_dir():
        raise ValueError(f"{path} is a folder. Accepted: the name of a file to write. Choose another path.")
    if path.exists() and not is_one(path):
        raise ValueError(f"{path} exists and is not {kind}, so it is not replaced. Choose another path.")


def refuse_to_replace_what_is_read(outputs, read):
    """Raise if a file to be written is one of those that are read, under any name or link."""
    sources = {identity: file for file in read for identity in _identities(file)}
    for output in outputs:
        for identity in _identities(output):
            if identity in sources:
                raise ValueError(
                    f"{sources[identity]} is read, and {output} would take its place. Nothing was written. Choose "
                    "another folder or name."
                )


def _identities(path):
    yield os.path.realpath(path)
    with contextlib.suppress(OSError):
        state = os.stat(path)
        yield state.st_dev, state.st_ino


def starts_with(file, magic, offset=0):
    """Whether a file has these bytes at an offset."""
    with open(file, "rb") as opened:
        return opened.read(offset + len(magic))[offset:] == magic


@contextlib.contextmanager
def _errors_that_name(path, directory):
    """Make errors of writing name the final file: some name none, and some the temporary one."""
    try:
        yield
    except OSError as error:
        if error.errno is None or (error.filename and not str(error.filename).startswith(str(directory))):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


def _locked_folder(path):
    while True:
        try:
            directory = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=_PARTIAL, dir=path.parent))
        except OSError as error:  # It names the temporary folder.
            raise OSError(error.errno, error.strerror, str(path)) from error
        lock = _lock(directory, wait=True)
        # Another process may have removed it as a leftover just before it was locked.
        if directory.exists():
            return directory, lock


def _lock(directory, wait=False):
    """A descriptor that locks the folder until it is closed; None if another process has locked it."""
    if fcntl is None:
        return None
    try:
        descriptor = os.open(directory, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:  # Locked, or a file system without locks.
        os.close(descriptor)
        return None
    return descriptor


def _exchange(new, old):
    """Replace a folder by another; the old one then has the new one's temporary name."""
    if not _exchanged_in_one_call(new, old):
        try:
            os.replace(old, _replaced(old))
            os.replace(new, old)
        finally:
            _restore_replaced(old)


def _exchanged_in_one_call(new, old):
    library = ctypes.CDLL(None, use_errno=True) if os.name == "posix" else None
    paths = os.fsencode(new), os.fsencode(old)
    if sys.platform == "darwin" and hasattr(library, "renamex_np"):
        return library.renamex_np(*paths, 2) == 0  # RENAME_SWAP
    if hasattr(library, "renameat2"):
        here = -100  # AT_FDCWD
        return library.renameat2(here, paths[0], here, paths[1], 2) == 0  # RENAME_EXCHANGE
    return False


def _restore_replaced(path):
    """Finish an `_exchange` that was interrupted."""
    replaced = _replaced(path)
    if os.path.lexists(replaced) and not os.path.lexists(path):
        os.replace(replaced, path)
    elif os.path.lexists(replaced):
        replaced.unlink() if replaced.is_symlink() else shutil.rmtree(replaced)


def _replaced(path):
    return path.with_name(f".{path.name}{_REPLACED}")


def _write_through(path):
    """Flush a file, or the names in a folder, to the disk."""
    if os.name != "posix" and path.is_dir():
        return  # Windows can't open folders.
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
