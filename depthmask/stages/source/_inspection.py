"""The look at every asset of a folder: which are in use, which are left out, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b
from itertools import compress
from pathlib import Path

from depthmask.concurrency import cores
from depthmask.data import AssetCatalogue, AssetFiles, LeftOut
from depthmask.errors import UsageError
from depthmask.stages.source._folder import SUFFIXES, AssetError, Listing, shown
from depthmask.stages.source._table import Facts

FOLDERS = {"bg": "bg", "fg": "fg", "fg_mask": "fg", "bg_depth": "bg"}
"""Each folder, and the folder of the pictures that its files belong to, by name."""
_KINDS = {
    "bg": "backgrounds",
    "fg": "foregrounds",
    "fg_mask": "foreground_masks",
    "bg_depth": "background_depths",
}


class OnBadAsset(Enum):
    """What happens where a file cannot be used."""

    fail = "fail"
    skip = "skip"
    quarantine = "quarantine"


@dataclass(frozen=True, slots=True)
class Pictures:
    """How to try an asset, by its key; each raises `AssetError` for one that cannot be used."""

    open_background: Callable[[str], object]
    open_foreground: Callable[[str], object]
    has_alpha: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Inspected:
    """What an inspection came to; unused_masks: how many cut-outs have alpha of their own."""

    catalogue: AssetCatalogue
    unused_masks: int


class Inspection:
    """Looks at all files once, and takes those that cannot be used from the lists."""

    def __init__(
        self,
        root: Path,
        listings: Mapping[str, Listing],
        facts: Facts,
        on_bad_asset: OnBadAsset,
        pictures: Pictures,
    ) -> None:
        self._root = root
        self._listings = listings
        self._facts = facts
        self._on_bad_asset = on_bad_asset
        self._pictures = pictures
        self._used = {folder: dict(one.files) for folder, one in listings.items()}

    def result(self) -> Inspected:
        """Raises `UsageError` for a file that cannot be used, unless those are left out."""
        self._check_table()
        faults = [fault for one in self._listings.values() for fault in one.faults]
        left_out = self._leave_out(faults)
        # What belongs to a file that is left out has left with it, so it is not tried any more.
        for look in (self._unpaired, self._undecodable):
            more = look()
            left_out += self._leave_out(more)
            faults += more
        faults.sort(key=lambda fault: fault.path)
        if faults and self._on_bad_asset is OnBadAsset.fail:
            raise UsageError(_in_one_line(faults))
        self._require_both(faults)
        unused = self._unused_masks()
        catalogue = AssetCatalogue(
            digest=self._digest(),
            left_out=tuple(sorted(left_out, key=lambda one: one.file)),
            files=self._in_use(unused),
            licences=self._licences(),
            backgrounds=tuple(self._files("bg")),
            foregrounds=tuple(self._files("fg")),
        )
        return Inspected(catalogue, len(unused))

    def _files(self, folder: str) -> dict[str, Path]:
        if not (self._root / folder).is_dir():
            raise UsageError(
                f"{self._root / folder}: no such folder; source.root needs bg/ and fg/"
            )
        return self._used[folder]

    def _check_table(self) -> None:
        """A row may describe a picture that is left out, but not one that never was."""
        known: set[str] = set()
        for folder in ("bg", "fg"):
            known |= self._listings[folder].files.keys()
            known |= {fault.path.stem for fault in self._listings[folder].faults}
        unknown = sorted(self._facts.keys() - known, key=str)
        if unknown:
            raise UsageError(f"{self._root / 'assets.csv'}: no picture named {unknown[0]}")

    def _unpaired(self) -> list[AssetError]:
        """Masks and depth maps without a picture: most likely their names are misspelt."""
        return [
            AssetError(path, f"no picture of that name in {owner}/; rename or remove it")
            for folder, owner in FOLDERS.items()
            for key, path in self._used[folder].items()
            if key not in self._files(owner)
        ]

    def _undecodable(self) -> list[AssetError]:
        pictures = self._pictures
        # Decoding releases the GIL.
        with ThreadPoolExecutor(cores()) as threads:
            tried = [
                *threads.map(_fault_of(pictures.open_background), self._files("bg")),
                *threads.map(_fault_of(pictures.open_foreground), self._files("fg")),
            ]
        return [fault for fault in tried if fault is not None]

    def _leave_out(self, faults: Iterable[AssetError]) -> list[LeftOut]:
        """Take the files at fault from the lists, and whatever belongs to them."""
        left_out = []
        for fault in faults:
            files = {fault.path}
            for folder, owner in FOLDERS.items():
                if owner == FOLDERS[fault.path.parent.name]:
                    files.add(self._used[folder].pop(fault.path.stem, fault.path))
            copies = files if self._on_bad_asset is OnBadAsset.quarantine else ()
            left_out.append(
                LeftOut(
                    file=shown(fault.path.relative_to(self._root)),
                    reason=fault.reason,
                    copies=tuple(sorted(copies)),
                )
            )
        return left_out

    def _require_both(self, faults: Sequence[AssetError]) -> None:
        for folder in ("bg", "fg"):
            if not self._files(folder):
                reasons = [one for one in faults if FOLDERS[one.path.parent.name] == folder]
                raise UsageError(
                    f"{self._root / folder}: none of its pictures can be used: "
                    f"{_in_one_line(reasons)}"
                    if reasons
                    else f"{self._root / folder}: no {', '.join(SUFFIXES)} files; "
                    "put pictures there or choose another source.root"
                )

    def _unused_masks(self) -> set[str]:
        keys = list(self._used["fg_mask"])
        with ThreadPoolExecutor(cores()) as threads:
            return set(compress(keys, threads.map(self._pictures.has_alpha, keys)))

    def _in_use(self, unused_masks: set[str]) -> dict[str, AssetFiles]:
        files = {}
        for folder, kind in _KINDS.items():
            unused = unused_masks if folder == "fg_mask" else set()
            used = [path for key, path in self._used[folder].items() if key not in unused]
            if used:
                files[kind] = AssetFiles(len(used), sum(path.stat().st_size for path in used))
        return files

    def _licences(self) -> dict[str, dict[str, int]]:
        return {
            _KINDS[folder]: dict(
                Counter(
                    row.licence
                    for key in sorted(self._files(folder))
                    if (row := self._facts.get(key)) and row.licence
                )
            )
            for folder in ("bg", "fg")
        }

    def _digest(self) -> str:
        files = [path for used in self._used.values() for path in used.values()]
        table = self._root / "assets.csv"
        if table.is_file():
            files.append(table)
        with ThreadPoolExecutor(cores()) as threads:
            lines = "".join(threads.map(self._digest_line, sorted(files)))
        return blake2b(lines.encode(), digest_size=16).hexdigest()

    def _digest_line(self, path: Path) -> str:
        """Name within the root and content: a root that moves stays the same."""
        content = blake2b(path.read_bytes(), digest_size=16).hexdigest()
        return f"{path.relative_to(self._root).as_posix()} {content}\n"


def _fault_of(open_asset: Callable[[str], object]) -> Callable[[str], AssetError | None]:
    """A function that opens an asset and returns what is wrong with it."""

    def fault(key: str) -> AssetError | None:
        try:
            open_asset(key)
        except AssetError as error:
            return error
        return None

    return fault


def _in_one_line(faults: Sequence[AssetError]) -> str:
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{faults[0]}{more}; source.on_bad_asset=skip leaves out what cannot be used"
