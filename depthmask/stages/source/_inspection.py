"""Inspects every asset of a folder: which are in use, which are left out, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b
from pathlib import Path

from depthmask.data import AssetCatalogue, AssetFiles, LeftOut
from depthmask.errors import UsageError
from depthmask.stages.source._folder import (
    FOLDERS,
    AssetError,
    Listing,
    misnamed,
    missing_folder,
    shown,
)
from depthmask.stages.source._formats import SUFFIXES
from depthmask.stages.source._looks import Asset, FileState, Look, content_hash
from depthmask.stages.source._names import TABLE, picture_meant
from depthmask.stages.source._table import AssetTable, rows_as_csv, table_key
from depthmask.storage.fault_list import with_all_faults
from depthmask.storage.left_out import left_out_in_one_line
from depthmask.untrusted import other_accents

_KINDS = {
    "bg": "backgrounds",
    "fg": "foregrounds",
    "fg_mask": "foreground_masks",
    "bg_depth": "background_depths",
}


_COMPANIONS = {"bg": "bg_depth", "fg": "fg_mask"}
"""Folder of pictures -> the folder of what belongs to them."""


class OnBadAsset(Enum):
    """What a run does about a file, or a row of the table, that cannot be used."""

    fail = "fail"
    skip = "skip"
    quarantine = "quarantine"


@dataclass(frozen=True, slots=True)
class Eyes:
    """What an inspection needs to know about the contents of files.

    look: the looks at pictures, each with its mask or depth map, in the same order. without_mask:
    what is wrong with a cut-out that has neither transparency nor a mask.
    """

    look: Callable[[Sequence[Asset]], Sequence[Look]]
    without_mask: Callable[[Path], str]


@dataclass(frozen=True, slots=True)
class InspectionResult:
    """The result of an inspection. unused_masks: masks of cut-outs that have alpha of their own."""

    catalogue: AssetCatalogue
    unused_masks: int


class Inspection:
    """Inspects all files once, and removes those that cannot be used from the lists."""

    def __init__(
        self,
        root: Path,
        listings: Mapping[str, Listing],
        table: AssetTable,
        on_bad_asset: OnBadAsset,
        eyes: Eyes,
    ) -> None:
        self._root = root
        self._listings = listings
        self._table = table
        self._on_bad_asset = on_bad_asset
        self._eyes = eyes
        self._looks: dict[tuple[str, str], Look] = {}
        self._used = {folder: dict(one.files) for folder, one in listings.items()}

    def result(self) -> InspectionResult:
        """Inspect the files; `UsageError` for one that cannot be used and is not left out."""
        for folder in ("bg", "fg"):
            if not (self._root / folder).is_dir():
                raise missing_folder(self._root, folder)
            if not (self._listings[folder].files or self._listings[folder].faults):
                raise UsageError(self._nothing_in(folder))
        left_out = self._leave_out_rows()
        faults = [fault for one in self._listings.values() for fault in one.faults]
        faults += self._of_bad_rows()
        left_out += self._leave_out(faults)
        # Files that belong to one that is left out are left out with it, so they are not opened.
        for find_faults in (self._unpaired, self._undecodable):
            new_faults = find_faults()
            left_out += self._leave_out(new_faults)
            faults += new_faults
        faults.sort(key=lambda fault: fault.path)
        if faults and self._on_bad_asset is OnBadAsset.fail:
            raise UsageError(_refusal(faults))
        self._require_both(faults)
        left_out += self._unused()
        unused = self._unused_masks()
        hashes = self._hashes()
        catalogue = AssetCatalogue(
            digest=_digest(hashes),
            hashes=hashes,
            left_out=tuple(sorted(left_out, key=lambda one: one.file)),
            files=self._files_in_use(unused),
            licences=self._licences(),
            backgrounds=tuple(self._used["bg"]),
            foregrounds=tuple(self._used["fg"]),
            foreground_labels=self._labels(),
        )
        return InspectionResult(catalogue, len(unused))

    def _leave_out_rows(self) -> list[LeftOut]:
        """The rows that cannot be used; `UsageError` for the first if it is not left out."""
        bad_rows = ((row.line, row.reason) for row in self._table.bad_rows)
        faults = sorted([*bad_rows, *self._unknown()])
        path = self._root / TABLE
        if faults and self._on_bad_asset is OnBadAsset.fail:
            raise UsageError(
                _refusal([f"{path}: line {line}: {reason}" for line, reason in faults])
            )
        numbers = (number for number, _ in faults)
        rows = rows_as_csv(path, self._table.content or b"", numbers) if faults else ()
        is_kept = self._on_bad_asset is OnBadAsset.quarantine
        return [
            LeftOut(TABLE, reason, contents={f"{TABLE}/{number}.csv": row} if is_kept else {})
            for (number, reason), row in zip(faults, rows, strict=True)
        ]

    def _unknown(self) -> list[tuple[int, str]]:
        """(line, what is wrong) of each row whose picture is neither used nor left out."""
        stems: set[str] = set()
        for folder in ("bg", "fg"):
            stems |= self._listings[folder].files.keys()
            stems |= {fault.path.stem for fault in self._listings[folder].faults}
        known = set(map(table_key, stems))
        rows = self._table.rows
        return [
            (rows[key].line, f"no picture named {key}{_did_you_mean(key, known)}")
            for key in sorted(rows.keys() - known)
        ]

    def _of_bad_rows(self) -> list[AssetError]:
        """The pictures whose rows cannot be used."""
        reasons = {
            row.key: f"line {row.line} of {TABLE} cannot be used: {row.reason}"
            for row in reversed(self._table.bad_rows)
        }
        return [
            AssetError(path, reasons[table_key(key)])
            for folder in ("bg", "fg")
            for key, path in self._used[folder].items()
            if table_key(key) in reasons
        ]

    def _unused(self) -> list[LeftOut]:
        """The files that are no fault: other formats, sub-folders, names that nobody reads."""
        return [
            *misnamed(self._root),
            *(one for each in self._listings.values() for one in each.unused),
        ]

    def _unpaired(self) -> list[AssetError]:
        """The masks and depth maps without a picture, most likely with misspelt names."""
        return [
            AssetError(path, self._unpaired_reason(path, owner))
            for folder, owner in FOLDERS.items()
            for key, path in self._used[folder].items()
            if key not in self._used[owner]
        ]

    def _unpaired_reason(self, path: Path, owner: str) -> str:
        reason = f"no picture of that name in {owner}/; rename or remove it"
        meant = picture_meant(path.stem, self._listings[owner].files)
        if not meant:
            return reason
        return f"{reason} (did you mean {meant}{path.suffix}?){other_accents(path.stem, meant)}"

    def _undecodable(self) -> list[AssetError]:
        """The files whose content cannot be used."""
        assets = [
            Asset(folder, key, self._states(folder, key), self._table.row(key).f_px)
            for folder in _COMPANIONS
            for key in self._used[folder]
        ]
        looks = self._eyes.look(assets)
        self._looks = {(one.folder, one.key): look for one, look in zip(assets, looks, strict=True)}
        return [self._fault(*look.fault) for look in looks if look.fault is not None]

    def _states(self, folder: str, key: str) -> tuple[FileState, ...]:
        """The states of a picture and of the mask or depth map that belongs to it."""
        folders = (folder, _COMPANIONS[folder])
        used = (one for one in folders if key in self._used[one])
        return tuple(self._listings[one].states[key] for one in used)

    def _fault(self, name: str, reason: str) -> AssetError:
        path = self._root / name
        return AssetError(path, reason or self._eyes.without_mask(path))

    def _leave_out(self, faults: Iterable[AssetError]) -> list[LeftOut]:
        """Remove the files at fault, and all files that belong to them, from the lists."""
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
            if not self._used[folder]:
                reasons = [one for one in faults if FOLDERS[one.path.parent.name] == folder]
                raise UsageError(
                    f"{self._root / folder}: none of its pictures can be used: {_refusal(reasons)}"
                    if reasons
                    else self._nothing_in(folder)
                )

    def _nothing_in(self, folder: str) -> str:
        unused = left_out_in_one_line(self._listings[folder].unused)
        return (
            f"{self._root / folder}: no {', '.join(SUFFIXES)} files"
            f"{f' ({unused})' if unused else ''}; "
            "put pictures there or choose another source.root"
        )

    def _unused_masks(self) -> set[str]:
        return {key for key in self._used["fg_mask"] if self._looks["fg", key].has_alpha}

    def _files_in_use(self, unused_masks: set[str]) -> dict[str, AssetFiles]:
        files = {}
        for folder, kind in _KINDS.items():
            unused = unused_masks if folder == "fg_mask" else set()
            states = self._listings[folder].states
            sizes = [states[key].bytes for key in self._used[folder] if key not in unused]
            if sizes:
                files[kind] = AssetFiles(len(sizes), sum(sizes))
        return files

    def _licences(self) -> dict[str, dict[str, int]]:
        return {
            _KINDS[folder]: dict(
                Counter(
                    row.licence
                    for key in sorted(self._used[folder])
                    if (row := self._table.row(key)).licence
                )
            )
            for folder in ("bg", "fg")
        }

    def _labels(self) -> tuple[str, ...]:
        """Without those of cut-outs that are left out: they may come and go within a dataset."""
        return tuple(sorted({self._table.row(key).label for key in self._used["fg"]}))

    def _hashes(self) -> dict[str, str]:
        """The hashes of all files in use and of the table, by their paths; a root may move."""
        hashes = {
            name: content
            for folder in _COMPANIONS
            for key in self._used[folder]
            for name, content in self._looks[folder, key].hash_of
        }
        if self._table.content is not None:
            hashes[TABLE] = content_hash(self._table.content)
        # By folder, then by name, as paths are sorted.
        return dict(sorted(hashes.items(), key=lambda one: one[0].split("/")))


def _digest(hashes: Mapping[str, str]) -> str:
    """A hash of the names and contents of all files."""
    lines = "".join(f"{name} {content}\n" for name, content in hashes.items())
    return blake2b(lines.encode(), digest_size=16).hexdigest()


def _did_you_mean(key: str, known: Collection[str]) -> str:
    """A guess at the picture of a key that has a folder, a suffix, other marks or a typo."""
    name = key.replace("\\", "/").rpartition("/")[2]
    stem = name.rpartition(".")[0] if name.lower().endswith(SUFFIXES) else name
    meant = stem if stem in known else picture_meant(stem, known)
    return f" (did you mean {meant}?){other_accents(stem, meant)}" if meant else ""


def _refusal(faults: Sequence[object]) -> str:
    """The message about files that cannot be used: what is wrong with each, and what to do."""
    skip = "source.on_bad_asset=skip"
    first = f"{faults[0]}; {skip} leaves out what cannot be used"
    return with_all_faults(first, faults, f"dataset.json lists all of them with {skip}")
