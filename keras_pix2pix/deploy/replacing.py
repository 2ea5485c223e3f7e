"""Which folders an export may replace: earlier exports of its format that hold nothing else."""

import json
from collections.abc import Callable, Sequence
from fnmatch import fnmatch
from pathlib import Path

from keras_pix2pix.files import refuse_special_file

__all__ = ["read_json", "refuse_to_replace_folder"]

_NAMED_AT_MOST = 5


def refuse_to_replace_folder(path: str | Path, kind: str, patterns_of: Callable[[Path], Sequence[str] | None]) -> None:
    """Raise unless `path` is free or a folder of this kind.

    `patterns_of(path)` returns patterns of the names of the files in it, or None for another kind of folder.
    """
    path = Path(path)
    if path.resolve() in (Path.cwd(), *Path.cwd().parents):
        raise ValueError(f"{path} holds the working folder. Accepted: a new folder, such as one in it, or {kind}.")
    refuse_special_file(path)
    if not path.exists():
        return
    patterns = patterns_of(path) if path.is_dir() else None
    if patterns is None:
        raise ValueError(f"{path} exists and is not {kind}, so it is not replaced. Choose another path.")
    files = [each for each in path.rglob("*") if each.is_symlink() or not each.is_dir()]
    names = sorted(each.relative_to(path).as_posix() for each in files)
    others = [name for name in names if not any(fnmatch(name, pattern) for pattern in patterns)]
    if others:
        more = ", ..." if len(others) > _NAMED_AT_MOST else ""
        raise ValueError(
            f"{path} holds more than {kind}, which exporting again would delete: {', '.join(others[:_NAMED_AT_MOST])}"
            f"{more}. Move them away, or choose another path."
        )


def read_json(path: str | Path) -> dict:
    """The dictionary in a JSON file; an empty one if it doesn't hold one."""
    try:
        contents = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return contents if isinstance(contents, dict) else {}
