"""Lists a folder of assets, without opening files: pictures by key, and unusable files."""

from __future__ import annotations

import errno
import os
import stat
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from depthmask.data import LeftOut
from depthmask.errors import UsageError, refuse_machine_errors, way_on
from depthmask.stages.source._folders import FOLDERS, Folders, key_of
from depthmask.stages.source._formats import (
    SUFFIXES,
    has_picture_suffix,
    is_picture_name,
    reason_of_suffix,
)
from depthmask.stages.source._hidden import is_hidden
from depthmask.stages.source._looks import FileState, file_state
from depthmask.stages.source._names import (
    TABLE,
    all_meant_for,
    is_called_table,
    meant_for,
)
from depthmask.storage import shell
from depthmask.untrusted import unseen, visible

_TARGETS = {"fg_mask": "PNG", "bg_depth": "16-bit PNG in millimetres"}
"""Folder -> the format to save other files in, if it is not just JPEG or PNG."""
_HIDDEN = "hidden, or made by the system"


class AssetError(UsageError):
    """A file that cannot be used."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{shown(path)}: {reason}")
        self.path = path
        self.reason = reason


_NO_VERSIONS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Listing:
    """The pictures of a folder.

    files: those to open, by key. faults: those that cannot be used, known without opening them.
    unused: everything else in the folder, which is no fault. states: of `files`, by key.
    """

    files: dict[str, Path]
    faults: tuple[AssetError, ...] = ()
    unused: tuple[LeftOut, ...] = ()
    states: dict[str, FileState] = field(default_factory=dict)


def listing(
    folders: Folders,
    folder: str,
    deeper: Iterable[str] = (),
    versions: Mapping[str, str] = _NO_VERSIONS,
    *,
    is_nested: bool = True,
) -> Listing:
    """List a folder of a root; an empty listing if there is no such folder.

    deeper: the files in sub-folders that the root, a copy, does not have, as `bg/.git/a.jpg`.
    versions: the name of each file in a copy -> a text that stands for its content. is_nested:
    whether the files in its sub-folders belong to it.
    """
    base, parent = folders.path(folder), folders.names[folder]
    # Paths are made of names once: to take them apart again takes a second for 100,000 files.
    names = {base / name: name for name in _names(base, is_nested=is_nested)}
    pictures = {path: key_of(name) for path, name in names.items() if is_picture(path, folder)}
    within = _Within(folders.root, base)
    statuses = [within.status(path, names[path]) for path in pictures]
    unfit = [
        AssetError(path, one)
        for path, one in zip(pictures, statuses, strict=True)
        if isinstance(one, str)
    ]
    second = _second_formats(pictures)
    faults = [*_named_alike(pictures, base, second), *unfit]
    # Of a folder that is read by a usual name, only what is needed counts.
    ignored = faults if folder == "fg_mask" and folders.has_usual_name(folder) else []
    bad = {fault.path for fault in faults} | second.keys()
    files = {key: path for path, key in pictures.items() if path not in bad}
    unused = [
        *(
            LeftOut(shown(Path(parent, name)), reason, files=count)
            for path, name in names.items()
            if path not in pictures
            for reason, count in _unused(path, folder)
        ),
        *(_left_out(folders.root, path, reason) for path, reason in second.items()),
        *(_left_out(folders.root, fault.path, fault.reason) for fault in ignored),
        *_unused_sub_folders(parent, folder, deeper),
    ]
    states = {
        key: file_state(name, one, versions.get(name))
        for (path, key), one in zip(pictures.items(), statuses, strict=True)
        if not isinstance(one, str) and path not in second
        for name in (f"{parent}/{names[path]}",)
    }
    faults = sorted((one for one in faults if one not in ignored), key=lambda fault: fault.path)
    return Listing(files, tuple(faults), tuple(unused), states)


def _left_out(root: Path, path: Path, reason: str) -> LeftOut:
    return LeftOut(shown(path.relative_to(root)), reason)


def _unused_sub_folders(name: str, folder: str, deeper: Iterable[str]) -> Iterator[LeftOut]:
    """Yield the sub-folders whose files a copy does not have. name: of the folder in its root."""
    counts = Counter(one.split("/")[1] for one in deeper if one.startswith(f"{name}/"))
    for sub_folder, count in sorted(counts.items()):
        is_of_system = is_hidden(sub_folder)
        yield LeftOut(
            shown(Path(name, sub_folder)),
            _HIDDEN if is_of_system else _in_sub_folder(folder),
            files=1 if is_of_system else count,
        )


def listings_of(folders: Folders, names: Iterable[str]) -> dict[str, Listing]:
    """The listing of each folder with the pictures of these names below its root, no others."""
    files: dict[str, dict[str, Path]] = {folder: {} for folder in FOLDERS}
    for name in names:
        if name != TABLE:
            folder, rest = folders.place_of(name)
            files[folder][key_of(rest)] = folders.root / name
    return {folder: Listing(one) for folder, one in files.items()}


def misnamed(folders: Folders) -> list[LeftOut]:
    """Folders and tables of a root that most likely were meant to have another name."""
    root, names = folders.root, {**folders.names, TABLE: TABLE}
    missing = [name for name, known_as in names.items() if not (root / known_as).exists()]
    guesses = [(name, path) for name in missing if (path := meant_for(root, name))]
    return [
        LeftOut(shown(Path(path.name)), _misnamed(path, name), files=count)
        for name, path in guesses
        if (count := _files_below(path) if path.is_dir() else 1)
    ]


def _misnamed(path: Path, name: str) -> str:
    if name == TABLE and path.suffix.lower() not in (".csv", ".txt"):
        return f"{_quoted(path)}; save it as {TABLE}, in the format CSV UTF-8"
    return f"{'in ' if path.is_dir() else ''}{_quoted(path)}; rename it to {name}"


def missing_folder(root: Path, folder: str) -> UsageError:
    """The error for a folder that every root needs; says which other name was most likely meant."""
    text = f"{root / folder}: no such folder; source.root needs bg/ and fg/"
    if (root.parent / "bg").is_dir() and (root.parent / "fg").is_dir():
        meant = shell.word(shell.setting("source.root", shell.path_word(root.parent)))
        return UsageError(f"{text}; did you mean {meant}?")
    if others := all_meant_for(root, folder):
        quoted = " or ".join(map(_quoted, others))
        it = "it" if len(others) == 1 else "one of them"
        return UsageError(f"{text}; did you mean {quoted}? Rename {it} to {folder}")
    if pictures := sum(is_picture(root / name) for name in _names(root, is_nested=False)):
        count = "is 1 picture" if pictures == 1 else f"are {pictures:,} pictures"
        return UsageError(
            f"{text}; in {root} itself {count}: move photographs to bg/ and cut-outs to fg/"
        )
    return UsageError(text)


def _quoted(path: Path) -> str:
    return shown(Path(path.name)) + ("/" if path.is_dir() else "")


def shown(path: Path) -> str:
    """A path as one line of text, whatever bytes its name has."""
    return visible(str(path))


def _names(folder: Path, *, is_nested: bool) -> list[str]:
    """The files of a folder, and of its sub-folders if it is nested, and all else in it, in order.

    As names below it. A link to a folder is no folder: it may lead out of the root, or back to a
    folder above.
    """
    names: list[str] = []
    waiting = [""] if folder.is_dir() else []
    while waiting:
        above = waiting.pop()
        with os.scandir(folder / above) as entries:
            for entry in entries:
                if is_nested and _is_sub_folder(entry):
                    waiting.append(f"{above}{entry.name}/")
                else:
                    names.append(f"{above}{entry.name}")
    # As paths are sorted, by folder and then by name.
    return sorted(names, key=lambda name: name.split("/"))


def _is_sub_folder(entry: os.DirEntry[str]) -> bool:
    is_folder = entry.is_dir(follow_symlinks=False)
    return is_folder and not has_picture_suffix(entry.name) and not is_hidden(entry.name)


def is_picture(path: Path, folder: str = "bg") -> bool:
    """Whether the name is that of a picture to read in a folder; hidden files are not read."""
    return is_picture_name(path.name, folder) and not is_hidden(path.name)


def _unused(path: Path, folder: str) -> Iterator[tuple[str, int]]:
    """Yield why an entry that is no picture is not used, and how many files it stands for."""
    if is_hidden(path.name):
        yield _HIDDEN, 1
    elif is_called_table(path.name) and path.is_file():
        yield f"{_quoted(path)}; move it out of {folder}/, to {TABLE} beside it", 1
    elif not path.is_dir():
        target, is_depth = _TARGETS.get(folder, "JPEG or PNG"), folder == "bg_depth"
        yield reason_of_suffix(path.name, target, is_depth=is_depth), 1
    elif path.is_symlink():
        yield f"a link to a folder; put its files into {folder}/", 1
    elif count := _files_below(path):
        yield _in_sub_folder(folder), count


def _in_sub_folder(folder: str) -> str:
    return f"in a sub-folder; move into {folder}/"


def _files_below(folder: Path) -> int:
    """The number of files in a folder and its sub-folders; links are not followed."""
    return sum(len(files) for _, _, files in os.walk(folder))


def _second_formats(pictures: Mapping[Path, str]) -> dict[Path, str]:
    """Why pictures are not used beside one of the same key in a more usual format.

    People keep the TIFF of a photograph beside its JPEG.
    """
    others = {path: key for path, key in pictures.items() if not _has_usual_suffix(path)}
    if not others:
        return {}
    usual = {key: path for path, key in pictures.items() if path not in others}
    return {
        path: f"{usual[key].name} is used, which has the same name"
        for path, key in others.items()
        if key in usual
    }


def _has_usual_suffix(path: Path) -> bool:
    return path.name.lower().endswith(SUFFIXES)


def _named_alike(
    pictures: Mapping[Path, str], base: Path, left_out: Collection[Path]
) -> Iterator[AssetError]:
    """Yield an error for each file that shares its name with another, since keys must be unique.

    `Cup` and `cup` are two names on Linux, and one on macOS and Windows; the same holds for the two
    spellings that Unicode has for most accents. base: the folder of all. left_out: files that do
    not count.
    """
    alike: dict[str, list[Path]] = defaultdict(list)
    for path, key in pictures.items():
        if path not in left_out:
            alike[unicodedata.normalize("NFC", key).casefold()].append(path)
    for group in alike.values():
        for path in group if len(group) > 1 else ():
            other = next(one for one in group if one != path)
            is_same = pictures[path] == pictures[other]
            but = "" if is_same else " but for case or the spelling of accents"
            name = other.name if other.parent == path.parent else other.relative_to(base)
            yield AssetError(
                path, f"{shown(Path(name))} has the same name{but}; rename one of them"
            )


class _Within:
    """Tells regular files inside of `root` from others; `folder` is that of all paths."""

    def __init__(self, root: Path, folder: Path) -> None:
        self._root = root.resolve()
        self._is_folder_within = folder.resolve().is_relative_to(self._root)

    def status(self, path: Path, name: str) -> os.stat_result | str:
        """The status of a file, or why a path cannot be used. name: in the folder."""
        if char := unseen(name):
            return _fault_of_name(char)
        try:
            status = path.lstat()
            is_within = self._is_folder_within
            if stat.S_ISLNK(status.st_mode) or not is_within:
                # A link that leads back to itself raises RuntimeError, from Python 3.13 on OSError.
                real = path.resolve(strict=True)
                status, is_within = real.stat(), real.is_relative_to(self._root)
        except (OSError, RuntimeError) as error:
            if isinstance(error, PermissionError):
                return f"{error.strerror}{way_on(error)}"
            if getattr(error, "errno", None) != errno.ELOOP:
                refuse_machine_errors(path, error)
            return "a link that leads nowhere; replace or remove it"
        if not is_within:
            return "a link out of source.root; put the file itself there"
        # To read from a pipe could take for ever.
        is_file = stat.S_ISREG(status.st_mode)
        return status if is_file else "not a regular file; replace or remove it"


def _fault_of_name(char: str) -> str:
    """Why a name with a character that is not seen cannot be used."""
    if unicodedata.category(char) in ("Cc", "Cs"):
        return "its name is not UTF-8 text; rename it"
    known_as = unicodedata.name(char, "").lower() or "control character"
    return f"its name has a character that is not seen, U+{ord(char):04X} ({known_as}); rename it"
