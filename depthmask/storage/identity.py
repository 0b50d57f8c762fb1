"""Guards an output folder: a run continues the dataset in it or is refused; it never mixes two."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from fnmatch import fnmatch
from typing import Any

from depthmask.errors import UsageError, others_below
from depthmask.storage.differences import Difference, assets_text, setting_text, telling
from depthmask.storage.packages import FILE_HASH, OWN, PACKAGES, PIXEL_VERSIONS, other_pixels
from depthmask.storage.path import ASSETS, DRAFTS, LOCK, REPORT, TEMPORARY, StorePath
from depthmask.storage.publish import read_sealed, require_sealed, write_sealed
from depthmask.storage.shell import command, path_word
from depthmask.untrusted import untrusted

NOT_IN_PLAN = ("output", "overwrite", "progress", "runner", "target")
"""Settings that do not affect the samples."""

UNHASHED = "unhashed"
"""The field of a plan with the settings, by stage, that stand outside the hash."""

INPUT = "dataset"
"""The field of a plan, and of `unhashed`, about the input of a job over existing samples."""

ENVIRONMENTS = "environments"
"""The field of a plan with the environments in which samples were made, outside the hash."""

SHARD_SIZE = "shard_size"
"""The setting that stands in `unhashed`, beside those of the stages, unless it was given."""

_SAMPLES = "config.samples"
_MOST_ASSETS = 300_000
"""The most assets whose hashes are kept: a sealed file has 220 bytes for each of as many."""
_MOST_ENVIRONMENTS = 10
"""The most environments that are kept: that of the beginning, and the last ones."""
_LEFTOVERS = (DRAFTS, "quarantine", "records", "shards", "run.log")
"""What a run that made no sample may leave beside its plan."""
_HASHED_VERSION = "0.1.0"
"""Stands in the hash for the version of every package: the one that depthmask and its plugins had
when their versions determined the hash, so that fingerprints stay as they were."""


class FolderState(Enum):
    """The content of an output folder, compared with the dataset to be made."""

    empty = "empty"
    """No dataset, or one to be overwritten."""
    same = "same"
    """The same dataset, complete or not."""
    fewer_samples = "fewer samples"
    """A dataset that differs in its number of samples alone, and has fewer."""
    without_samples = "without samples"
    """The plan of another dataset, of which nothing was made: it gives way."""

    @property
    def is_new(self) -> bool:
        """Whether nothing in the folder is continued."""
        return self in (FolderState.empty, FolderState.without_samples)


@dataclass(frozen=True, slots=True)
class DatasetIdentity:
    """The plan of a dataset as plain data, and hashes of everything that determines its bytes.

    description: the content of `plan.json`; its field `unhashed` determines nothing. assets: the
    hash of each file of the source that is in use, by its name, so that a change can be named;
    empty if they are unknown. The description has one hash over all of them. defaults: the default
    of each setting by its name, such as `config.seed`, which stands for it in a plan made before
    the setting was added.
    """

    description: dict[str, Any]
    assets: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    defaults: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of_plan(cls, plan: dict[str, Any]) -> DatasetIdentity:
        """The identity of the dataset with this `plan.json`."""
        return cls({name: value for name, value in plan.items() if name != "fingerprint"})

    @property
    def fingerprint(self) -> str:
        """The sha256 of everything that determines the bytes."""
        return _hash(self._decisive)

    @property
    def lineage(self) -> str:
        """The hash without the number of samples; a longer dataset keeps the shards of this one."""
        config = {**self.description["config"], "samples": None}
        return _hash({**self._decisive, "config": config})

    @property
    def shard_size(self) -> int | None:
        """The number of samples in a shard; None if the plan does not have it.

        Raises ValueError for anything else.
        """
        hashed = self.description["config"].get(SHARD_SIZE)
        size = self.description.get(UNHASHED, {}).get(SHARD_SIZE, hashed)
        if size is not None and (type(size) is not int or size < 1):
            raise ValueError(f"{SHARD_SIZE}={size!r} is no number of samples")
        return size

    @property
    def chooses_shard_size(self) -> bool:
        """Whether the user gave the size of shards; if not, an existing dataset keeps its own."""
        return SHARD_SIZE not in self.description.get(UNHASHED, {})

    @property
    def environments(self) -> list[dict[str, str]]:
        """What the samples were made by and on, as name -> text; the first began the dataset.

        Of an older plan the versions of packages are known. Call it in `untrusted`.
        """
        recorded = self.description.get(ENVIRONMENTS) or [self.description.get("versions", {})]
        return [{str(name): str(text) for name, text in one.items()} for one in recorded]

    def made_in(
        self, environment: Mapping[str, str], earlier: Sequence[Mapping[str, str]] = ()
    ) -> DatasetIdentity:
        """Return this identity with the environment of a run, after those of earlier runs."""
        known = [dict(one) for one in earlier]
        if environment not in known:
            known.append(dict(environment))
        kept = known[:1] + known[1:][1 - _MOST_ENVIRONMENTS :]
        return replace(self, description={**self.description, ENVIRONMENTS: kept})

    @property
    def packages(self) -> set[str]:
        """The packages whose pixel versions count, and not their versions."""
        return {OWN, *self.description.get(PACKAGES, {}).values()}

    def continued_by(self, other: DatasetIdentity) -> DatasetIdentity:
        """Return this identity with another's number of samples and what determines nothing.

        The size of the shards stays.
        """
        samples = other.description["config"]["samples"]
        config = {**self.description["config"], "samples": samples}
        unhashed = _without_hashed(other.description.get(UNHASHED, {}), self.description)
        if not self.chooses_shard_size:
            unhashed[SHARD_SIZE] = self.shard_size
        description = {**self.description, "config": config, UNHASHED: unhashed}
        if not unhashed:
            del description[UNHASHED]
        if ENVIRONMENTS in other.description:
            description[ENVIRONMENTS] = other.description[ENVIRONMENTS]
        return DatasetIdentity(description, other.assets, other.defaults)

    @property
    def _decisive(self) -> dict[str, Any]:
        """The description as it is hashed: without pixel versions of 1."""
        if PIXEL_VERSIONS not in self.description:
            return self.description  # It was made when the versions of packages were decisive.
        pixel_versions = self.description[PIXEL_VERSIONS].items()
        later = {stage: version for stage, version in pixel_versions if version != 1}
        fields = _without_package_versions(self.description, self.packages)
        return {**fields, PIXEL_VERSIONS: later} if later else fields


def _without_hashed(unhashed: dict[str, Any], plan: dict[str, Any]) -> dict[str, Any]:
    """The settings outside the hash, but those that the hash of a plan covers with this value.

    A plan of an earlier version may have there what stands outside the hash today. The size of the
    shards is left out as well.
    """
    hashed = {**plan["config"], INPUT: plan.get(INPUT, {})}
    others = {kind: _other_leaves(one, hashed.get(kind, {})) for kind, one in unhashed.items()}
    return {kind: one for kind, one in others.items() if one and kind != SHARD_SIZE}


def _other_leaves(values: Any, hashed: Any) -> Any:
    """The values that `hashed` does not have, of nested mappings."""
    if not isinstance(values, dict) or not isinstance(hashed, dict):
        return values
    leaves = {
        name: _other_leaves(value, hashed[name])
        if isinstance(value, dict) and name in hashed
        else value
        for name, value in values.items()
        if isinstance(value, dict) or name not in hashed or hashed[name] != value
    }
    return {name: value for name, value in leaves.items() if value != {}}


def _without_unhashed(fields: dict[str, Any], unhashed: Any, other: Any) -> dict[str, Any]:
    """The fields without those that stand outside the hash in another plan.

    unhashed, other: the fields of that plan outside its hash, and in it.
    """
    if not isinstance(unhashed, dict) or not isinstance(other, dict):
        return fields
    return {
        name: _without_unhashed(value, unhashed.get(name), other.get(name))
        if isinstance(value, dict)
        else value
        for name, value in fields.items()
        if name not in unhashed or name in other
    }


def _without_package_versions(
    description: dict[str, Any], packages: Collection[str]
) -> dict[str, Any]:
    """The description with the same version for all packages, and without pixel versions."""
    versions = {
        name: _HASHED_VERSION if name in packages and version else version
        for name, version in description.get("versions", {}).items()
    }
    fields = {**description, "versions": versions}
    return {name: fields[name] for name in fields if name not in (PACKAGES, PIXEL_VERSIONS)}


def _compared(description: dict[str, Any]) -> dict[str, Any]:
    """The description as it is compared: of the versions, only the hashes of scripts count."""
    versions = {
        name: version
        for name, version in description.get("versions", {}).items()
        if str(version).startswith(FILE_HASH)
    }
    fields = {**description, "versions": versions}
    left_out = (PACKAGES, PIXEL_VERSIONS, ENVIRONMENTS)
    return {name: fields[name] for name in fields if name not in left_out}


def _hash(description: dict[str, Any]) -> str:
    left_out = (UNHASHED, ENVIRONMENTS)
    hashed = {name: value for name, value in description.items() if name not in left_out}
    text = json.dumps(hashed, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def check_output(output: StorePath, identity: DatasetIdentity, *, overwrite: bool) -> FolderState:
    """Return what the folder holds; UsageError if it may not be used. Nothing is written."""
    _refuse_folder_of_dataset(output)
    if _is_free(output):
        return FolderState.empty
    if (output / "jobs" / "sweep.json").is_file():
        raise UsageError(
            f"output={output}: the folder of a sweep, and no dataset; choose another output, or "
            "add -m to a run, which makes one more job of it"
        )
    if not (output / "plan.json").has_name():
        raise UsageError(
            f"output={output}: the folder is not empty and holds no depthmask dataset; "
            "choose another output"
        )
    if overwrite:
        return FolderState.empty
    try:
        return _compare(output, identity)
    except UsageError:
        if holds_samples(output):
            raise
        return FolderState.without_samples


def holds_samples(output: StorePath) -> bool:
    """Whether a folder with a plan has anything that was made by it."""
    return (
        (output / "dataset.json").has_name()
        or any((output / "records").glob("*.json"))
        or next(iter((output / "shards").file_names()), None) is not None
    )


def take_output(output: StorePath, identity: DatasetIdentity, *, overwrite: bool) -> FolderState:
    """Take the folder for a dataset, by writing `plan.json`; UsageError as `check_output`.

    A larger number of samples extends a dataset that is the same otherwise, and removes the page
    about the shorter one. Its plan keeps the versions of the packages that began it, and gets the
    present values of settings that stand outside the hash, such as the path of a moved file, and
    the environments of `identity`, if it has any.
    """
    state = check_output(output, identity, overwrite=overwrite)
    identity = continued_identity(output, identity, state)
    if overwrite:
        _clear(output)
    if state is FolderState.without_samples:
        _clear(output, _LEFTOVERS)
    if state is not FolderState.same:
        output.make_folder()
        # An incomplete dataset must not be read as a complete one.
        (output / "dataset.json").unlink(missing_ok=True)
        (output / REPORT).unlink(missing_ok=True)
    if state is not FolderState.same or _has_other_notes(output, identity):
        write_sealed(
            output / "plan.json", {**identity.description, "fingerprint": identity.fingerprint}
        )
    is_known = state is FolderState.same and (output / ASSETS).is_file()
    if 0 < len(identity.assets) <= _MOST_ASSETS and not is_known:
        write_sealed(output / ASSETS, dict(identity.assets))
    (output / "records").make_folder()
    output.remove_leftovers()
    return state


def continued_identity(
    output: StorePath, identity: DatasetIdentity, state: FolderState
) -> DatasetIdentity:
    """The identity that a dataset gets in a folder of this state: that of the one it continues."""
    if state.is_new:
        return identity
    return identity_in(output).continued_by(identity)


def identity_in(output: StorePath) -> DatasetIdentity:
    """The identity of the dataset in a folder; UsageError if its plan is missing or damaged."""
    return DatasetIdentity.of_plan(require_sealed(output / "plan.json"))


def _compare(output: StorePath, identity: DatasetIdentity) -> FolderState:
    existing = read_sealed(output / "plan.json")
    if existing is None:
        raise UsageError(
            f"output={output}: its plan.json is damaged, so the dataset is unknown; "
            "choose another output, or overwrite=true"
        )
    with untrusted(str(output / "plan.json")):
        differences = list(_other_settings(DatasetIdentity.of_plan(existing), identity))
        pixels = other_pixels(existing, identity.description)
    names = {one.name for one in differences}
    if pixels and names <= {_SAMPLES}:
        raise UsageError(
            f"output={output} cannot be continued: {pixels}; choose another output, or "
            "overwrite=true"
        )
    if not differences:
        return FolderState.same
    if names == {_SAMPLES} and differences[0].is_extension:
        return FolderState.fewer_samples
    if names == {_SAMPLES} and type(old := differences[0].old) is int:
        new = differences[0].new
        raise UsageError(
            f"output={output} holds {old:,} samples, more than samples={new}; "
            f"depthmask.open({str(output)!r})[:{new}] has the first {new:,} of them; choose "
            f"another output for a dataset of {new:,}"
        )
    texts = [_difference(output, identity, one) for one in telling(differences)]
    texts += [pixels] if pixels else []
    rest = f"{output / 'plan.json'} has all settings of the dataset there"
    raise UsageError(
        f"output={output} holds another dataset: {texts[0]}; {_ways_on(output, names)}"
        f"{others_below(texts[1:], rest)}"
    )


def _difference(output: StorePath, identity: DatasetIdentity, difference: Difference) -> str:
    """A difference in words; two hashes would say nothing to people."""
    changes = changed_assets(output, identity.assets) if difference.name == "inputs" else ""
    if changes:
        return f"assets: {changes}"
    return setting_text(difference)


def changed_assets(output: StorePath, assets: Mapping[str, str]) -> str:
    """Which assets are not those of a dataset, in words; empty if its folder does not tell.

    assets: the hash of each file by its name, as they are now.
    """
    return assets_text(read_sealed(output / ASSETS) or {}, assets)


def _ways_on(output: StorePath, names: Collection[str]) -> str:
    """What to do where the fields of these names differ."""
    folder = path_word(output)
    repeat = command("repeat", folder, "output=OUT2")
    by_plan = f"`{repeat}` makes a dataset with the settings of this one"
    # More samples in the input are no setting of the user's.
    of_input = {_SAMPLES} if "dataset.sha256" in names else set()
    if any(name.startswith("config.") for name in {*names} - of_input):
        by_plan = (
            f"`{command('resume', folder)}` and `{command('extend', folder, 'samples=N')}` keep "
            f"its settings, {by_plan} and your changes"
        )
    return f"choose another output, or overwrite=true; {by_plan}"


def _other_settings(existing: DatasetIdentity, identity: DatasetIdentity) -> Iterator[Difference]:
    """Yield all that differs, except versions of packages."""
    plans = existing.description, identity.description
    old, new = (_compared(plan) for plan in plans)
    if all(PACKAGES in plan for plan in plans):
        old[PACKAGES], new[PACKAGES] = (dict(plan[PACKAGES]) for plan in plans)
    unhashed = dict(new.get(UNHASHED, {}))
    old[INPUT] = _without_unhashed(old.get(INPUT, {}), unhashed.pop(INPUT, None), new.get(INPUT))
    new[INPUT] = new.get(INPUT, {})
    old["config"] = _without_unhashed(old["config"], unhashed, new["config"])
    size = existing.shard_size
    old["config"] = {**old["config"], SHARD_SIZE: size}
    if not identity.chooses_shard_size:
        new["config"] = {**new["config"], SHARD_SIZE: size}
    return _differences(old, new, identity.defaults)


def _has_other_notes(output: StorePath, identity: DatasetIdentity) -> bool:
    """Whether fields outside the hash have changed; reads the plan only if there are any."""
    fields = {name: identity.description.get(name) for name in (UNHASHED, ENVIRONMENTS)}
    if not any(fields.values()):
        return False
    plan = require_sealed(output / "plan.json")
    return any(value and plan.get(name) != value for name, value in fields.items())


def _differences(
    old: Any, new: Any, defaults: Mapping[str, Any], name: str = ""
) -> Iterator[Difference]:
    """Yield all leaves that differ. defaults: what stands for a leaf that `old` does not have."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new} - {UNHASHED}):
            path = f"{name}.{key}" if name else key
            before = old[key] if key in old else defaults.get(path)
            yield from _differences(before, new.get(key), defaults, path)
    elif old != new:
        yield Difference(name, old, new)


def _refuse_folder_of_dataset(output: StorePath) -> None:
    """Raise UsageError inside the folders of another dataset, whose repair removes other files."""
    folder = output.absolute()
    while folder.parent != folder:
        if folder.name in ("shards", "records") and (folder.parent / "plan.json").has_name():
            raise UsageError(
                f"output={output}: lies in {folder.name} of the dataset {folder.parent}; choose "
                "another output"
            )
        folder = folder.parent


def _is_free(output: StorePath) -> bool:
    """Return whether the folder does not exist, or holds nothing to keep."""
    if output.exists() and not output.is_dir():
        raise UsageError(f"output={output}: is a file; choose a folder")
    if not output.exists():
        return True
    # An object store may list folders without anything in them.
    return all(_is_debris(path) or not path.has_name() for path in output.iterdir())


def _is_debris(path: StorePath) -> bool:
    """Return whether the file is left over from a run that was killed before it wrote its plan."""
    return path.name == LOCK or fnmatch(path.name, f"plan.json.*{TEMPORARY}")


def _clear(output: StorePath, names: Collection[str] | None = None) -> None:
    """Remove a dataset, but not the lock that this run holds.

    names: of what is removed beside the plan; None for all.
    """
    # If this run is killed, the rest must not look complete, and must still be known as a dataset.
    last = [output / "plan.json", output / LOCK]
    (output / "dataset.json").unlink(missing_ok=True)
    for path in output.iterdir():
        if path not in last and (names is None or path.name in names):
            path.remove()
    (output / ASSETS).unlink(missing_ok=True)
    (output / "plan.json").unlink(missing_ok=True)
