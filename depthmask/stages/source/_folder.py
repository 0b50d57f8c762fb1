"""Lists a folder of assets, without opening files: pictures by key, and unusable files."""

from __future__ import annotations

import errno
import os
import stat
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from depthmask.data import LeftOut
from depthmask.errors import UsageError, refuse_machine_errors, way_on
from depthmask.stages.source._formats import SUFFIXES, reason_of_suffix
from depthmask.stages.source._hidden import is_hidden
from depthmask.stages.source._looks import FileState, file_state
from depthmask.stages.source._names import TABLE, is_called_table, meant_for
from depthmask.storage import shell
from depthmask.untrusted import visible

FOLDERS = {"bg": "bg", "fg": "fg", "fg_mask": "fg", "bg_depth": "bg"}
"""Folder -> the folder of the pictures to which its files belong by name."""
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
    root: Path, folder: str, deeper: Iterable[str] = (), versions: Mapping[str, str] = _NO_VERSIONS
) -> Listing:
    """List a folder in `root`; an empty listing if there is no such folder.

    deeper: the files in sub-folders that `root`, a copy, does not have, as `bg/holiday/a.jpg`.
    versions: the name of each file in a copy -> a text that stands for its content.
    """
    entries = _sorted(root / folder)
    pictures = {path: path.stem for path in entries if is_picture(path)}
    within = _Within(root, root / folder)
    statuses = list(map(within.status, pictures))
    unfit = [
        AssetError(path, one)
        for path, one in zip(pictures, statuses, strict=True)
        if isinstance(one, str)
    ]
    faults = [*_named_alike(pictures), *unfit]
    bad = {fault.path for fault in faults}
    files = {stem: path for path, stem in pictures.items() if path not in bad}
    unused = [
        LeftOut(shown(path.relative_to(root)), reason, files=count)
        for path in entries
        if path not in pictures
        for reason, count in _unused(path, folder)
    ]
    sub_folders = Counter(name.split("/")[1] for name in deeper if name.startswith(f"{folder}/"))
    unused += [
        LeftOut(
            shown(Path(folder, name)),
            _HIDDEN if is_hidden(name) else _in_sub_folder(folder),
            files=1 if is_hidden(name) else count,
        )
        for name, count in sorted(sub_folders.items())
    ]
    states = {
        stem: file_state(name, one, versions.get(name))
        for (path, stem), one in zip(pictures.items(), statuses, strict=True)
        if not isinstance(one, str)
        for name in (f"{folder}/{path.name}",)
    }
    faults.sort(key=lambda fault: fault.path)
    return Listing(files, tuple(faults), tuple(unused), states)


def listings_of(root: Path, names: Iterable[str]) -> dict[str, Listing]:
    """The listing of each folder with the pictures of these names below `root`, and no others."""
    files: dict[str, dict[str, Path]] = {folder: {} for folder in FOLDERS}
    for folder, _, name in (one.partition("/") for one in names if one != TABLE):
        files[folder][name.rpartition(".")[0]] = root / folder / name
    return {folder: Listing(one) for folder, one in files.items()}


def misnamed(root: Path) -> list[LeftOut]:
    """Folders and tables of `root` that most likely were meant to have another name."""
    missing = [name for name in (*FOLDERS, TABLE) if not (root / name).exists()]
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
    if other := meant_for(root, folder):
        return UsageError(f"{text}; did you mean {_quoted(other)}? Rename it to {folder}")
    if pictures := sum(map(is_picture, _sorted(root))):
        count = "is 1 picture" if pictures == 1 else f"are {pictures:,} pictures"
        return UsageError(
            f"{text}; in {root} itself {count}: move photographs to bg/ and cut-outs to fg/"
        )
    return UsageError(text)


def _quoted(path: Path) -> str:
    return shown(Path(path.name)) + ("/" if path.is_dir() else "")


def name_of(path: Path) -> str:
    """The name below the root of a picture, or of the table, at `path`."""
    return path.name if path.name == TABLE else f"{path.parent.name}/{path.name}"


def shown(path: Path) -> str:
    """A path as one line of text, whatever bytes its name has."""
    return visible(str(path))


def _sorted(folder: Path) -> list[Path]:
    return [folder / name for name in sorted(os.listdir(folder))] if folder.is_dir() else []


def is_picture(path: Path) -> bool:
    """Whether the name is that of a picture to read; hidden files are not read."""
    name = path.name
    return name.lower().endswith(SUFFIXES) and not is_hidden(name)


def _unused(path: Path, folder: str) -> Iterator[tuple[str, int]]:
    """Yield why an entry that is no picture is not used, and how many files it stands for."""
    if is_hidden(path.name):
        yield _HIDDEN, 1
    elif is_called_table(path.name) and path.is_file():
        yield f"{_quoted(path)}; move it out of {folder}/, to {TABLE} beside it", 1
    elif not path.is_dir():
        yield reason_of_suffix(path.name, _TARGETS.get(folder, "JPEG or PNG")), 1
    elif path.is_symlink():
        yield f"a link to a folder; put its files into {folder}/", 1
    elif count := _files_below(path):
        yield _in_sub_folder(folder), count


def _in_sub_folder(folder: str) -> str:
    return f"in a sub-folder; move into {folder}/"


def _files_below(folder: Path) -> int:
    """The number of files in a folder and its sub-folders; links are not followed."""
    return sum(len(files) for _, _, files in os.walk(folder))


def _named_alike(pictures: Mapping[Path, str]) -> Iterator[AssetError]:
    """Yield an error for each file that shares its name with another, since keys must be unique.

    `Cup` and `cup` are two names on Linux, and one on macOS and Windows; the same holds for the two
    spellings that Unicode has for most accents.
    """
    alike: dict[str, list[Path]] = defaultdict(list)
    for path, stem in pictures.items():
        alike[unicodedata.normalize("NFC", stem).casefold()].append(path)
    for group in alike.values():
        for path in group if len(group) > 1 else ():
            other = next(one for one in group if one != path)
            but = "" if path.stem == other.stem else " but for case or the spelling of accents"
            yield AssetError(
                path, f"{shown(Path(other.name))} has the same name{but}; rename one of them"
            )


class _Within:
    """Tells regular files inside of `root` from others; `folder` is that of all paths."""

    def __init__(self, root: Path, folder: Path) -> None:
        self._root = root.resolve()
        self._is_folder_within = folder.resolve().is_relative_to(self._root)

    def status(self, path: Path) -> os.stat_result | str:
        """The status of a file, or why a path cannot be used."""
        if not path.name.isprintable() and not all(map(_is_text, path.name)):
            return "its name is not UTF-8 text; rename it"
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


def _is_text(char: str) -> bool:
    """Whether the character is neither a control character nor a byte that is not UTF-8."""
    return unicodedata.category(char) not in ("Cc", "Cs")
