"""The checks of the report: what users should know before they train on the dataset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from depthmask.codec.members import MASK_JPG
from depthmask.data import DepthContract
from depthmask.errors import MOST_LISTED
from depthmask.reports.dataset.collect import Findings
from depthmask.reports.dataset.formatting import counted, share
from depthmask.statistics.redraws import WHEN_IT_LOOKS_WRONG, Redraws
from depthmask.storage.dataset_info import DatasetInfo
from depthmask.storage.left_out import left_out_in_one_line

_CLIPPED_SHARE = 0.001
"""A check warns if at least this share of pixels is at one end of the depth range."""


class Level(Enum):
    """The outcome of a check."""

    good = "good"
    note = "note"
    warning = "warning"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the list of checks."""

    level: Level
    title: str
    text: str


def checks(info: DatasetInfo, contract: DepthContract | None, findings: Findings) -> list[Check]:
    """All checks of a dataset, warnings first."""
    all_checks = [
        *_masks(info, findings),
        *_depth(contract, findings),
        *_leakage(info, findings),
        *_assets(info, findings),
        *_counts(info, findings.redraws),
        *_added_statistics(findings),
    ]
    return sorted(all_checks, key=lambda check: list(Level).index(check.level), reverse=True)


def _masks(info: DatasetInfo, findings: Findings) -> Iterator[Check]:
    census, pixels = findings.census, findings.pixels
    if census.with_visibility:
        empty, nearly_empty = (
            share(count, census.with_visibility) for count in (census.empty, census.nearly_empty)
        )
        if census.empty:
            numbers = ", ".join(map(str, census.empty_examples))
            text = f"No foreground is visible in {empty} samples, such as {numbers}"
            yield Check(
                Level.warning,
                "Empty masks",
                f"{text}; less than 5% of each is visible in {nearly_empty}.",
            )
        elif census.nearly_empty:
            text = f"Less than 5% of each foreground is visible in {nearly_empty} samples."
            yield Check(Level.note, "Nearly empty masks", text)
        else:
            samples = counted(census.with_visibility, "sample")
            text = f"At least 5% of a foreground is visible in each of {samples}."
            yield Check(Level.good, "No empty masks", text)
    elif pixels.without_mask and pixels.without_mask == pixels.samples and not info.foregrounds:
        text = "The samples are pictures without foregrounds, so every mask is 0."
        yield Check(Level.note, "No foregrounds", text)
    elif pixels.without_mask:
        text = f"{share(pixels.without_mask, pixels.samples)} decoded samples have an empty mask."
        yield Check(Level.warning, "Empty masks", text)
    if MASK_JPG.name in census.member_bytes:
        text = "Masks are stored as JPEG, which changes their values near edges."
        yield Check(Level.note, "Lossy masks", text)


def _depth(contract: DepthContract | None, findings: Findings) -> Iterator[Check]:
    pixels = findings.pixels
    valid = pixels.depth.total
    if contract is None or not pixels.has_depth:
        return
    near, far = (f"{end:g} {contract.unit}".rstrip() for end in (contract.near, contract.far))
    if contract.clip:
        clipped = max(pixels.at_near, pixels.at_far) / (valid or 1)
        is_much = clipped >= _CLIPPED_SHARE
        yield Check(
            Level.warning if is_much else Level.good,
            "Clipped depth" if is_much else "Hardly any clipped depth",
            f"Values outside {near} to {far} were clipped: of the valid pixels of "
            f"{counted(pixels.samples, 'sample')}, {pixels.at_near / (valid or 1):.2%} are at "
            f"{near} and {pixels.at_far / (valid or 1):.2%} at {far}.",
        )
    else:
        text = f"A value outside {near} to {far} would have been an error; none was clipped."
        yield Check(Level.good, "No clipped depth", text)
    if pixels.invalid:
        text = f"{pixels.invalid / (valid + pixels.invalid):.2%} of the pixels have no depth (0)."
        yield Check(Level.note, "Invalid depth", text)


def _leakage(info: DatasetInfo, findings: Findings) -> Iterator[Check]:
    """Leakage by the assets that are assigned to each split, and by those that its samples show."""
    if len(findings.splits) < 2:
        return
    shared = _in_several_splits(findings.census.backgrounds) + _in_several_splits(
        findings.census.foregrounds
    )
    assets, pairs = info.leakage.assets, info.leakage.near_duplicates
    if shared or assets or pairs:
        text = (
            f"{max(len(shared), assets):,} assets are in more than one split"
            f"{_name_list(shared)}; {pairs:,} pairs of near-duplicates are in different splits."
        )
        yield Check(Level.warning, "Leakage between splits", text)
    else:
        text = "No background, foreground or pair of near-duplicates is in two splits."
        yield Check(Level.good, "No leakage", text)
    if empty := [name for name, split in findings.splits.items() if not split.samples]:
        yield Check(Level.warning, "Empty splits", f"No sample is in {', '.join(empty)}.")


def _in_several_splits(by_split: dict[str, Counter[str]]) -> list[str]:
    splits = Counter(key for counts in by_split.values() for key in counts)
    return sorted(key for key, count in splits.items() if count > 1)


def _assets(info: DatasetInfo, findings: Findings) -> Iterator[Check]:
    unused = []
    for kind in ("backgrounds", "foregrounds"):
        available: int = getattr(info, kind)
        used = {key for counts in getattr(findings.census, kind).values() for key in counts}
        # With fewer samples than assets some assets cannot be used.
        if used and len(used) < available <= info.samples:
            unused.append(f"{available - len(used):,} of {available:,} {kind}")
    if unused:
        yield Check(Level.note, "Unused assets", f"{' and '.join(unused)} appear in no sample.")
    if info.left_out:
        names = _name_list([f"{asset.file} ({asset.reason})" for asset in info.left_out])
        counts = left_out_in_one_line(info.left_out)
        text = f"{counts}. They are{names}; dataset.json lists all."
        yield Check(Level.note, "Assets left out", text)


def _counts(info: DatasetInfo, redraws: Redraws) -> Iterator[Check]:
    counts = info.counts
    if redrawn := counts.get("redrawn"):
        text = (
            f"{share(redrawn, info.samples)} samples drew other assets, since the first did not "
            f"fit ({counted(counts['redraws'], 'redraw')})."
            + "".join(f" {cause}." for cause in redraws.causes())
            + f" Help: {WHEN_IT_LOOKS_WRONG}."
        )
        yield Check(Level.note, "Redrawn assets", text)
    if fallbacks := counts.get("blend_fallbacks"):
        text = f"{fallbacks:,} cut-outs have blend=alpha, since the chosen blend would smear them."
        yield Check(Level.note, "Blend fallbacks", text)


def _added_statistics(findings: Findings) -> Iterator[Check]:
    if unmatched := sorted(findings.statistics.unmatched):
        text = f"Shards differ in the package, the unit or the bins{_name_list(unmatched)}."
        yield Check(Level.note, "Statistics left out", text)


def _name_list(names: list[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - MOST_LISTED:,} more" if len(names) > MOST_LISTED else ""
    return f": {', '.join(names[:MOST_LISTED])}{more}"
