"""The table of the six kinds of pictures in a dataset, like that of DepthMaskDataset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from depthmask.codec.members import names_of
from depthmask.data import AssetFiles, DepthContract, Size
from depthmask.reports.dataset.census import Census
from depthmask.reports.dataset.collect import Findings
from depthmask.reports.dataset.formatting import counted
from depthmask.storage.dataset_info import DatasetInfo


@dataclass(frozen=True, slots=True)
class PictureKind:
    """A row of the table.

    pixels: the size as text. bytes: the bytes of the files, None if there are no files.
    """

    name: str
    count: int
    pixels: str
    bytes: int | None
    remark: str


def picture_kinds(
    info: DatasetInfo, contract: DepthContract | None, findings: Findings
) -> Iterator[PictureKind]:
    """Yield backgrounds, foregrounds and their masks; composites, their masks and depth maps."""
    yield from _assets(info, findings.census)
    samples, sizes = info.samples, findings.census.member_bytes
    canvas = info.size_text
    yield _members("composites", samples, f"{canvas} RGB", sizes, "image")
    yield _members("masks of composites", samples, canvas, sizes, "mask")
    if contract is None or not findings.pixels.has_depth:
        yield PictureKind("depth maps", 0, "", None, "none stored")
    else:
        resolution = _size_text(contract.resolution)
        if info.smallest is not None:
            resolution = f"up to {resolution}"
        yield _members("depth maps", samples, resolution, sizes, "depth")


def _assets(info: DatasetInfo, census: Census) -> Iterator[PictureKind]:
    canvas = info.size_text
    yield PictureKind(
        "backgrounds",
        info.backgrounds,
        f"{canvas} RGB",
        _file_bytes(info.assets, "backgrounds"),
        _samples_per_asset(census.backgrounds),
    )
    boxes = "" if census.box_sizes is None else " to ".join(map(_size_text, census.box_sizes))
    yield PictureKind(
        "foregrounds",
        info.foregrounds,
        f"{boxes} RGBA".strip(),
        _file_bytes(info.assets, "foregrounds"),
        _samples_per_asset(census.foregrounds),
    )
    masks = info.assets.get("foreground_masks", AssetFiles(0, 0))
    alphas = info.foregrounds - masks.count
    remark = f"{alphas:,} are the alpha of their foreground" if alphas else "separate files"
    yield PictureKind("masks of foregrounds", info.foregrounds, boxes, masks.bytes or None, remark)


def _members(name: str, count: int, pixels: str, sizes: Counter[str], field: str) -> PictureKind:
    members = [member for member in sizes if member in names_of(field)]
    if not members:
        return PictureKind(name, count, pixels, None, "stored as arrays, packed together")
    return PictureKind(
        name, count, pixels, sum(sizes[member] for member in members), ", ".join(members)
    )


def _file_bytes(files: Mapping[str, AssetFiles], kind: str) -> int | None:
    return files[kind].bytes if kind in files else None


def _samples_per_asset(by_split: Mapping[str, Counter[str]]) -> str:
    """How many samples use an asset, as text."""
    total: Counter[str] = Counter()
    for counts in by_split.values():
        total.update(counts)
    if not total:
        return ""
    least, most = min(total.values()), max(total.values())
    fewest = f"{least:,} to " if least < most else ""
    return f"each in {fewest}{counted(most, 'sample')}"


def _size_text(size: Size) -> str:
    return f"{size[0]}x{size[1]}"
