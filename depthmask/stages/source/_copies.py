"""Copies the assets of an object store to this machine, each content once."""

from __future__ import annotations

import itertools
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path, PurePosixPath

from depthmask.caching import cache_folder, cache_written
from depthmask.concurrency import parallel_map
from depthmask.errors import UsageError
from depthmask.stages.source._folder import is_picture
from depthmask.stages.source._folders import FOLDERS, folder_names
from depthmask.stages.source._hidden import is_hidden
from depthmask.stages.source._names import TABLE, meaning
from depthmask.stages.source.base import Bar
from depthmask.storage import object_store
from depthmask.storage.path import TEMPORARY
from depthmask.storage.record import is_inside
from depthmask.storage.remote import ObjectPath

_AT_ONCE = 16
_MOST_COMPONENTS = 2
"""Components of the name of an asset that is in no sub-folder, such as `bg/photo.jpg`."""


@dataclass(frozen=True, slots=True)
class LocalCopy:
    """A copy of the assets.

    deeper: names of the objects in sub-folders that are not copied. versions: the name of each
    file -> a text that stands for its name, bytes and etag. files, bytes: what was
    fetched for it, and not copied before.
    """

    folder: Path
    deeper: tuple[str, ...]
    versions: Mapping[str, str]
    files: int
    bytes: int


def local_copy(root: ObjectPath, bar: Bar, *, is_nested: bool = True) -> LocalCopy:
    """A folder in the user's cache with the current files of `root`.

    is_nested: whether those in sub-folders belong to it; hidden ones never do.

    Files that no source reads are empty in it: they are named in messages only. The folder is named
    after names, sizes and etags, so its content never changes: processes may share it, and one list
    request for each folder tells whether it exists. Each file is fetched once, and linked into
    later folders. bar: shows the number of files fetched.
    """
    listed = _without_files_in_files(dict(_listed(root)))
    deeper = tuple(name for name in listed if not _is_copied(name, is_nested=is_nested))
    names = sorted(listed.keys() - set(deeper))
    by_name = folder_names({name.partition("/")[0] for name in listed if "/" in name})
    known = {name: folder for folder, name in by_name.items()}
    objects = {name: listed[name] for name in names if _is_read(name, known)}
    unread = [name for name in names if name not in objects and is_inside(name)]
    for name in objects:
        if not is_inside(name):
            raise UsageError(f"{root}: {name!r} is not a valid file name; rename it")
    cache = cache_folder() / "assets"
    files = {name: cache / "files" / _digest(root, one) for name, one in objects.items()}
    folders = sorted({name.partition("/")[0] for name in deeper})
    contents = sorted((name, path.name) for name, path in files.items())
    folder = cache / _digest(*contents, *unread, *folders)
    new = [] if folder.is_dir() else [name for name in files if not files[name].exists()]
    if not folder.is_dir():
        with cache_written():
            (cache / "files").mkdir(parents=True, exist_ok=True)
            with bar(len(new), "copy") as advance:
                for _ in parallel_map(
                    _AT_ONCE, lambda name: _fetch(root / name, objects[name], files[name]), new
                ):
                    advance(1)
            _link(files, unread, folders, folder)
    versions = {name: path.name for name, path in files.items()}
    return LocalCopy(folder, deeper, versions, len(new), sum(objects[name].bytes for name in new))


def _listed(root: ObjectPath) -> Iterator[tuple[str, object_store.ObjectInfo]]:
    """Yield the objects that are, or were meant to be, assets, with their names below `root`."""
    folders, objects = object_store.children(root.root, f"{root.key}/" if root.key else "")
    lists = [
        object_store.list_objects(root.root, f"{folder}/")
        for folder in folders
        if meaning(folder.rpartition("/")[2]) in FOLDERS
    ]
    for one in itertools.chain(*lists, (one for one in objects if one.key not in folders)):
        yield one.key.removeprefix(root.key).strip("/"), one


def _without_files_in_files(
    listed: Mapping[str, object_store.ObjectInfo],
) -> dict[str, object_store.ObjectInfo]:
    """The objects without those below another one, which no folder can hold: `bg/a`, `bg/a/b`."""
    return {
        name: one
        for name, one in listed.items()
        if not any(str(above) in listed for above in PurePosixPath(name).parents)
    }


def _is_copied(name: str, *, is_nested: bool) -> bool:
    """Whether a file gets a place in the copy: it is in no sub-folder, or in one that is read."""
    is_deep = name.count("/") >= _MOST_COMPONENTS
    return not is_deep or (is_nested and not is_hidden(name.rpartition("/")[0]))


def _is_read(name: str, folders: Mapping[str, str]) -> bool:
    """Whether a source reads the content of a file. folders: name of a folder -> which it is."""
    folder = folders.get(name.partition("/")[0])
    return name == TABLE or (folder is not None and "/" in name and is_picture(Path(name), folder))


def _digest(*parts: object) -> str:
    return blake2b(repr(parts).encode(), digest_size=16).hexdigest()


def _fetch(address: ObjectPath, listed: object_store.ObjectInfo, target: Path) -> None:
    # Another process may fetch it at the same time; it writes the same content.
    draft = _draft(target)
    with draft.open("xb") as file, object_store.stream(address.root, address.key) as (now, pieces):
        if (now.bytes, now.version.etag) != (listed.bytes, listed.version.etag):
            raise UsageError(f"{address}: changed while it was read; run the command again")
        file.writelines(pieces)
    os.replace(draft, target)


def _draft(target: Path) -> Path:
    """A new path beside the target; the files of `tempfile` are for their owner only."""
    return target.with_name(f"{target.name}.{secrets.token_hex(8)}{TEMPORARY}")


def _link(
    files: dict[str, Path], unread: Iterable[str], folders: Iterable[str], folder: Path
) -> None:
    """Make a folder of links to the files, and of empty files and folders, whole or not at all."""
    draft = _draft(folder)
    draft.mkdir()
    for name in folders:
        (draft / name).mkdir()
    for name, path in files.items():
        (draft / name).parent.mkdir(parents=True, exist_ok=True)
        os.link(path, draft / name)
    for name in unread:
        (draft / name).parent.mkdir(parents=True, exist_ok=True)
        (draft / name).touch()
    try:
        os.rename(draft, folder)
    except OSError:
        # Another process has made the same folder.
        shutil.rmtree(draft)
        if not folder.is_dir():
            raise
