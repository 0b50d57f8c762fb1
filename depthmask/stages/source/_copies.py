"""Copies the assets of an object store to this machine, each content once."""

from __future__ import annotations

import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from depthmask.caching import cache_folder, cache_written
from depthmask.errors import UsageError
from depthmask.storage import object_store
from depthmask.storage.record import is_inside
from depthmask.storage.remote import ObjectPath

_AT_ONCE = 16
_MOST_COMPONENTS = 2
"""Components of an asset's name, such as `bg/photo.jpg`; files in deeper folders are no assets."""


@dataclass(frozen=True, slots=True)
class LocalCopy:
    """A copy of the assets. deeper: names of the objects in sub-folders, which are not copied."""

    folder: Path
    deeper: tuple[str, ...]


def local_copy(root: ObjectPath) -> LocalCopy:
    """A folder in the user's cache with the current files of `root`.

    The folder is named after names, sizes and etags, so its content never changes: processes may
    share it, and one list request tells whether it exists. Each file is fetched once, and linked
    into later folders.
    """
    listed = {
        one.key.removeprefix(root.key).strip("/"): one
        for one in object_store.list_objects(root.root, f"{root.key}/" if root.key else "")
    }
    deeper = tuple(name for name in listed if name.count("/") >= _MOST_COMPONENTS)
    objects = {name: one for name, one in listed.items() if name.count("/") < _MOST_COMPONENTS}
    for name in objects:
        if not is_inside(name):
            raise UsageError(f"{root}: {name!r} is not a valid file name; rename it")
    cache = cache_folder() / "assets"
    files = {name: cache / "files" / _digest(root, one) for name, one in objects.items()}
    folder = cache / _digest(*sorted((name, path.name) for name, path in files.items()))
    if not folder.is_dir():
        with cache_written():
            (cache / "files").mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            list(threads.map(lambda name: _fetch(root / name, objects[name], files[name]), files))
        _link(files, folder)
    return LocalCopy(folder, deeper)


def _digest(*parts: object) -> str:
    return blake2b(repr(parts).encode(), digest_size=16).hexdigest()


def _fetch(address: ObjectPath, listed: object_store.ObjectInfo, target: Path) -> None:
    if not target.exists():
        # Another process may fetch it at the same time; it writes the same content.
        with (
            tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file,
            object_store.stream(address.root, address.key) as (now, pieces),
        ):
            if (now.bytes, now.version.etag) != (listed.bytes, listed.version.etag):
                raise UsageError(f"{address}: changed while it was read; run the command again")
            file.writelines(pieces)
        os.replace(file.name, target)


def _link(files: dict[str, Path], folder: Path) -> None:
    """Make a folder of links to the files, whole or not at all."""
    draft = Path(tempfile.mkdtemp(dir=folder.parent))
    for name, path in files.items():
        (draft / name).parent.mkdir(exist_ok=True)
        os.link(path, draft / name)
    try:
        os.rename(draft, folder)
    except OSError:
        # Another process has made the same folder.
        shutil.rmtree(draft)
        if not folder.is_dir():
            raise
