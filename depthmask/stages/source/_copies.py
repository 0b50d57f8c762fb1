"""Assets of an object store, copied to this machine once for each content."""

from __future__ import annotations

import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from pathlib import Path

from depthmask.caching import cache_folder
from depthmask.errors import UsageError
from depthmask.storage import object_store
from depthmask.storage.record import is_inside
from depthmask.storage.remote import ObjectPath

_AT_ONCE = 16
_DEPTH = 2
"""Levels of a name: `bg/photo.jpg`; a file further down is no asset."""


def copies(root: ObjectPath) -> Path:
    """A folder with the files of `root` as they are now, in the user's cache.

    Its name follows from names, sizes and etags, so that it never changes: processes may share it,
    and one list request says whether it is there. A file is fetched once and linked from then on.
    """
    objects = {
        name: one
        for one in object_store.list_objects(root.root, f"{root.key}/" if root.key else "")
        if len((name := one.key.removeprefix(root.key).strip("/")).split("/")) <= _DEPTH
    }
    for name in objects:
        if not is_inside(name):
            raise UsageError(f"{root}: {name!r} is no name for a file; rename it")
    kept = cache_folder() / "assets"
    files = {name: kept / "files" / _digest(root, one) for name, one in objects.items()}
    folder = kept / _digest(*sorted((name, path.name) for name, path in files.items()))
    if not folder.is_dir():
        (kept / "files").mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            list(threads.map(lambda name: _fetch(root / name, objects[name], files[name]), files))
        _link(files, folder)
    return folder


def _digest(*parts: object) -> str:
    return blake2b(repr(parts).encode(), digest_size=16).hexdigest()


def _fetch(address: ObjectPath, listed: object_store.ObjectInfo, target: Path) -> None:
    if not target.exists():
        # Whoever else fetches it meanwhile writes the same.
        with (
            tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file,
            object_store.stream(address.root, address.key) as (now, pieces),
        ):
            if (now.bytes, now.version.etag) != (listed.bytes, listed.version.etag):
                raise UsageError(f"{address}: changed while it was read; run the command again")
            file.writelines(pieces)
        os.replace(file.name, target)


def _link(files: dict[str, Path], folder: Path) -> None:
    draft = Path(tempfile.mkdtemp(dir=folder.parent))
    for name, path in files.items():
        (draft / name).parent.mkdir(exist_ok=True)
        os.link(path, draft / name)
    try:
        os.rename(draft, folder)
    except OSError:
        # Another process was first, and it is the same folder.
        shutil.rmtree(draft)
        if not folder.is_dir():
            raise
