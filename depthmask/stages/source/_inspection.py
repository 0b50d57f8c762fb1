"""Inspects every asset of a folder: which are in use, which are left out, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from hashlib import blake2b
from pathlib import Path

from depthmask.data import AssetCatalogue, AssetFiles, LeftOut
from depthmask.errors import UsageError
from depthmask.stages.source._duplicates import duplicates
from depthmask.stages.source._folder import (
    AssetError,
    Listing,
    misnamed,
    missing_folder,
    shown,
)
from depthmask.stages.source._folders import FOLDERS, Folders
from depthmask.stages.source._formats import ASSET_SUFFIXES, SUFFIXES
from depthmask.stages.source._looks import Asset, FileState, Look, content_hash
from depthmask.stages.source._names import TABLE, picture_meant
from depthmask.stages.source._rows import Rows
from depthmask.stages.source._table import rows_as_csv, table_key
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
    what is wrong with a cut-out that has neither transparency nor a mask. label_of: the label of a
    cut-out, and whether a pattern says it.
    """

    look: Callable[[Sequence[Asset]], Sequence[Look]]
    without_mask: Callable[[Path], str]
    label_of: Callable[[str], tuple[str, bool]]


@dataclass(frozen=True, slots=True)
class InspectionResult:
    """The result of an inspection.

    files: the hash of each file in use, by its name. unused_masks: masks of cut-outs that have
    alpha of their own. notes: about pictures that are there twice.
    """

    catalogue: AssetCatalogue
    files: Mapping[str, str]
    unused_masks: int
    notes: Sequence[str]


class Inspection:
    """Inspects all files once, and removes those that cannot be used from the lists."""

    def __init__(
        self,
        folders: Folders,
        listings: Mapping[str, Listing],
        rows: Rows,
        on_bad_asset: OnBadAsset,
        eyes: Eyes,
    ) -> None:
        self._folders = folders
        self._root = folders.root
        self._listings = listings
        self._rows = rows
        self._on_bad_asset = on_bad_asset
        self._eyes = eyes
        self._looks: dict[tuple[str, str], Look] = {}
        self._used = {folder: dict(one.files) for folder, one in listings.items()}

    def result(self) -> InspectionResult:
        """Inspect the files; `UsageError` for one that cannot be used and is not left out."""
        for folder in ("bg", "fg"):
            if not self._folders.path(folder).is_dir():
                raise missing_folder(self._root, folder)
            if not (self._listings[folder].files or self._listings[folder].faults):
                raise UsageError(self._nothing_in(folder))
        left_out = self._leave_out_rows()
        faults = [fault for one in self._listings.values() for fault in one.faults]
        faults += self._of_bad_rows()
        left_out += self._leave_out(faults)
        # Files that belong to one that is left out are left out with it, so they are not opened.
        unpaired = self._used["fg_mask"].keys() - self._used["fg"].keys()
        left_out += self._leave_out_masks(unpaired, "no cut-out of that name")
        for find_faults in (self._unpaired, self._undecodable):
            new_faults = find_faults()
            left_out += self._leave_out(new_faults)
            faults += new_faults
        faults.sort(key=lambda fault: fault.path)
        if faults and self._on_bad_asset is OnBadAsset.fail:
            raise UsageError(refusal(faults))
        self._require_both(faults)
        left_out += self._unused()
        unused = self._unused_masks()
        left_out += self._leave_out_masks(unused, "its cut-out has alpha of its own")
        unused &= self._used["fg_mask"].keys()
        files = self._hashes()
        hashes = files | self._decisions()
        catalogue = AssetCatalogue(
            digest=_digest(hashes),
            hashes=hashes,
            left_out=tuple(sorted(left_out, key=lambda one: one.file)),
            files=self._files_in_use(unused),
            licences={
                _KINDS[folder]: dict(Counter(licences.values()))
                for folder, licences in self._licences.items()
            },
            backgrounds=tuple(self._used["bg"]),
            foregrounds=tuple(self._used["fg"]),
            foreground_labels=self._labels(),
            background_splits=self._splits("bg"),
            foreground_splits=self._splits("fg"),
            background_licences=self._licences["bg"],
            foreground_licences=self._licences["fg"],
        )
        notes = [note for folder in _COMPANIONS for note in self._duplicates(folder)]
        return InspectionResult(catalogue, files, len(unused), notes)

    def _leave_out_masks(self, keys: Iterable[str], reason: str) -> list[LeftOut]:
        """Remove those of these masks from the lists that count only where they are needed.

        These are masks in `masks/`, which may hold other things, and in formats that were not
        always read.
        """
        has_other_name = self._folders.has_usual_name("fg_mask")
        left_out = []
        for key in sorted(keys):
            path = self._used["fg_mask"][key]
            if has_other_name or not path.name.lower().endswith(SUFFIXES):
                del self._used["fg_mask"][key]
                left_out.append(LeftOut(shown(path.relative_to(self._root)), reason))
        return left_out

    def _duplicates(self, folder: str) -> Iterator[str]:
        looks = [self._looks[folder, key] for key in self._used[folder]]
        return duplicates({one.asset.files[0].name: one.hashes for one in looks}, _KINDS[folder])

    def _splits(self, folder: str) -> dict[str, str]:
        """The split of each picture in use that the table gives one."""
        splits = {key: self._rows.of(folder, key).split for key in self._used[folder]}
        return {key: split for key, split in splits.items() if split}

    def _decisions(self) -> dict[str, str]:
        """What decides about samples beside the contents of files, by what it is called.

        Only what earlier versions did not read, so that the digests of their datasets stay: rows by
        another name than the key, splits, and labels by a pattern.
        """
        decisions = {}
        for folder in _COMPANIONS:
            for key, path in self._used[folder].items():
                name = self._folders.name_of(path)
                if alias := self._rows.aliases.get((folder, key)):
                    decisions[f"{name}: row"] = alias
                if split := self._rows.of(folder, key).split:
                    decisions[f"{name}: split"] = split
        for key, path in self._used["fg"].items():
            label, is_by_pattern = self._eyes.label_of(key)
            if is_by_pattern:
                decisions[f"{self._folders.name_of(path)}: label"] = label
        return decisions

    def _leave_out_rows(self) -> list[LeftOut]:
        """The rows that cannot be used; `UsageError` for the first if it is not left out."""
        table = self._rows.table
        bad_rows = ((row.line, row.reason) for row in table.bad_rows)
        faults = sorted([*bad_rows, *self._unknown()])
        path = self._root / TABLE
        if faults and self._on_bad_asset is OnBadAsset.fail:
            raise UsageError(refusal([f"{path}: line {line}: {reason}" for line, reason in faults]))
        numbers = (number for number, _ in faults)
        rows = rows_as_csv(path, table.content or b"", numbers) if faults else ()
        is_kept = self._on_bad_asset is OnBadAsset.quarantine
        return [
            LeftOut(TABLE, reason, contents={f"{TABLE}/{number}.csv": row} if is_kept else {})
            for (number, reason), row in zip(faults, rows, strict=True)
        ]

    def _unknown(self) -> list[tuple[int, str]]:
        """(line, what is wrong) of each row whose picture is neither used nor left out."""
        keys: set[str] = set()
        for folder in ("bg", "fg"):
            keys |= self._listings[folder].files.keys()
            keys |= {self._key(fault.path) for fault in self._listings[folder].faults}
        known = set(map(table_key, keys)) if self._rows.unknown else set()
        rows = self._rows.table.rows
        return [
            (rows[key].line, f"no picture named {key}{_did_you_mean(key, known)}")
            for key in self._rows.unknown
        ]

    def _key(self, path: Path) -> str:
        return self._folders.asset_of(path)[1]

    def _of_bad_rows(self) -> list[AssetError]:
        """The pictures whose rows cannot be used."""
        if not self._rows.table.bad_rows:
            return []
        rows = [
            (path, self._rows.bad(folder, key))
            for folder in ("bg", "fg")
            for key, path in self._used[folder].items()
        ]
        return [
            AssetError(path, f"line {row.line} of {TABLE} cannot be used: {row.reason}")
            for path, row in rows
            if row
        ]

    def _unused(self) -> list[LeftOut]:
        """The files that are no fault: other formats, sub-folders, names that nobody reads."""
        return [
            *misnamed(self._folders),
            *(one for each in self._listings.values() for one in each.unused),
        ]

    def _unpaired(self) -> list[AssetError]:
        """The masks and depth maps without a picture, most likely with misspelt names."""
        return [
            AssetError(path, self._unpaired_reason(path, key, owner))
            for folder, owner in FOLDERS.items()
            for key, path in self._used[folder].items()
            if key not in self._used[owner]
        ]

    def _unpaired_reason(self, path: Path, key: str, owner: str) -> str:
        reason = f"no picture of that name in {self._folders.names[owner]}/; rename or remove it"
        meant = picture_meant(key, self._listings[owner].files)
        if not meant:
            return reason
        return f"{reason} (did you mean {meant}{path.suffix}?){other_accents(key, meant)}"

    def _undecodable(self) -> list[AssetError]:
        """The files whose content cannot be used."""
        assets = [
            Asset(folder, key, self._states(folder, key), self._rows.of(folder, key).f_px)
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
            of_fault, key = self._folders.asset_of(fault.path)
            for folder, owner in FOLDERS.items():
                if owner == FOLDERS[of_fault]:
                    files.add(self._used[folder].pop(key, fault.path))
            copies = files if self._on_bad_asset is OnBadAsset.quarantine else ()
            left_out.append(
                LeftOut(
                    file=shown(fault.path.relative_to(self._root)),
                    reason=fault.reason,
                    copies=tuple(sorted(copies)),
                    names=tuple(map(self._folders.name_of, sorted(copies))),
                )
            )
        return left_out

    def _require_both(self, faults: Sequence[AssetError]) -> None:
        for folder in ("bg", "fg"):
            if not self._used[folder]:
                owners = {one: FOLDERS[self._folders.asset_of(one.path)[0]] for one in faults}
                reasons = [one for one in faults if owners[one] == folder]
                text = f"{self._folders.path(folder)}: none of its pictures can be used"
                raise UsageError(
                    f"{text}: {refusal(reasons)}" if reasons else self._nothing_in(folder)
                )

    def _nothing_in(self, folder: str) -> str:
        unused = left_out_in_one_line(self._listings[folder].unused)
        return (
            f"{self._folders.path(folder)}: no pictures{f' ({unused})' if unused else ''}; "
            "put JPEG or PNG files there or choose another source.root"
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

    @cached_property
    def _licences(self) -> dict[str, dict[str, str]]:
        """Folder -> the licence of each picture in use that the table gives one, by its key."""
        return {
            folder: {
                key: licence
                for key in sorted(self._used[folder])
                if (licence := self._rows.of(folder, key).licence)
            }
            for folder in _COMPANIONS
        }

    def _labels(self) -> tuple[str, ...]:
        """Without those of cut-outs that are left out: they may come and go within a dataset."""
        return tuple(sorted({self._eyes.label_of(key)[0] for key in self._used["fg"]}))

    def _hashes(self) -> dict[str, str]:
        """The hashes of all files in use and of the table, by their paths; a root may move."""
        in_use = {
            self._listings[folder].states[key].name
            for folder, used in self._used.items()
            for key in used
        }
        hashes = {
            name: content
            for folder in _COMPANIONS
            for key in self._used[folder]
            for name, content in self._looks[folder, key].hash_of
            if name in in_use
        }
        if self._rows.table.content is not None:
            hashes[TABLE] = content_hash(self._rows.table.content)
        # By folder, then by name, as paths are sorted.
        return dict(sorted(hashes.items(), key=lambda one: one[0].split("/")))


def _digest(hashes: Mapping[str, str]) -> str:
    """A hash of the names and contents of all files."""
    lines = "".join(f"{name} {content}\n" for name, content in hashes.items())
    return blake2b(lines.encode(), digest_size=16).hexdigest()


def _did_you_mean(key: str, known: Collection[str]) -> str:
    """A guess at the picture of a key that has a folder, a suffix, other marks or a typo."""
    name = key.replace("\\", "/").rpartition("/")[2]
    stem = name.rpartition(".")[0] if name.lower().endswith(ASSET_SUFFIXES) else name
    meant = stem if stem in known else picture_meant(stem, known)
    return f" (did you mean {meant}?){other_accents(stem, meant)}" if meant else ""


def refusal(faults: Sequence[object]) -> str:
    """The message about files that cannot be used: what is wrong with each, and what to do."""
    skip = "source.on_bad_asset=skip"
    first = f"{faults[0]}; {skip} leaves out what cannot be used"
    return with_all_faults(first, faults, f"dataset.json lists all of them with {skip}")
