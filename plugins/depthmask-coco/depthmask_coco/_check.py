"""The check of a source: what is used, what is left out, and why."""

from __future__ import annotations

import difflib
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from depthmask import (
    AssetCatalogue,
    AssetFiles,
    AssetFolder,
    FileLook,
    LeftOut,
    OnBadAsset,
    SettingError,
    Size,
    UsageError,
    refusal,
)

from depthmask_coco._instances import ANNOTATION, FILE, Annotations, Fault, Instance, Photograph
from depthmask_coco._json import printable, shown
from depthmask_coco._paths import copies_of, folder_of
from depthmask_coco._pictures import pictures_below
from depthmask_coco._selection import CROWD, Choice, OwnInstances, Photographs, chosen

if TYPE_CHECKING:
    from depthmask_coco._source import InstanceSource

_LOOK = "pictures 1"
"""Names what `_look` does; another number makes later runs look again."""
_MOST_OWN = 10_000
"""The most instances of a background that depthmask takes."""
_OWN_OF_CANVAS, _LEAST_OWN_PIXELS, _MOST_OWN_PIXELS = 64, 1 << 22, 1 << 27
"""The most pixels of their boxes that it takes: so many canvases, between these two numbers."""


@dataclass(slots=True)
class Assets:
    """The assets in use.

    others: the folder of the backgrounds, if they are not the photographs. own: the instances that
    photographs show as backgrounds, by the name of the photograph.
    """

    files: AssetFolder
    photographs: dict[str, Photograph]
    instances: dict[str, Instance]
    others: AssetFolder | None
    backgrounds: tuple[str, ...]
    labels: tuple[str, ...]
    own: Mapping[str, Sequence[Instance]]


class Check:
    """One check of a source."""

    def __init__(self, source: InstanceSource, size: Size) -> None:
        self._source = source
        self._size = size
        self._files = AssetFolder(folder_of(source.root, "root"))
        others = source.backgrounds_root
        self._others_root = folder_of(others, "backgrounds_root") if others else None
        self._others = AssetFolder(self._others_root) if self._others_root else None
        self._left_out: list[LeftOut] = []
        self._own: Mapping[str, Sequence[Instance]] = {}

    def catalogue(self) -> AssetCatalogue:
        """What is used, and what is not; raises `UsageError` for what can be neither."""
        source, annotations = self._source, self._source.read_annotations(self._files)
        self._require_categories(annotations)
        candidates = self._candidates(annotations)
        labels, own = annotations.labels, self._own_instances(annotations, candidates)
        self._own = own
        # The identities of pictures that the looks hand on depend on what is said about them.
        source.keep(Assets(self._files, annotations.photographs, {}, self._others, (), labels, own))
        looks = self._looks(
            self._files,
            sorted(annotations.photographs),
            lambda name, picture: (
                name in candidates and not self._misfit(annotations.photographs[name], picture)
            ),
        )
        good = {name: one for name, one in looks.items() if not self._fault(annotations, name, one)}
        backgrounds, other_faults = tuple(sorted(candidates & good.keys())), list[Fault]()
        if self._others is not None:
            backgrounds, other_faults = self._other_backgrounds()
        sizes = {name: tuple(one.facts) for name, one in good.items()}
        with_size = [(one, sizes[one.file]) for one in annotations.instances if one.file in sizes]
        usable, thin = _cuttable(annotations, with_size)
        faults = [*annotations.faults, *thin, *(self._faults(annotations, looks)), *other_faults]
        if faults and source.on_bad_asset is OnBadAsset.fail:
            raise UsageError(refusal(faults))
        self._left_out += annotations.unused
        self._left_out += [self._as_left_out(number, one) for number, one in enumerate(faults)]
        used, refused = chosen(usable, self._choice)
        lost = annotations.unusable + len(annotations.instances) - len(with_size)
        self._count_left_out(annotations, refused[CROWD], lost)
        self._require_both(backgrounds, used, refused, faults)
        used.sort(key=lambda one: one.key)
        source.keep(
            Assets(
                self._files,
                {name: annotations.photographs[name] for name in sorted(good)},
                {one.key: one for one in used},
                self._others,
                backgrounds,
                labels,
                own,
            )
        )
        return self._result(annotations, backgrounds, used, refused)

    @property
    def _choice(self) -> Choice:
        one = self._source
        return Choice(frozenset(one.categories), one.least_area, one.truncated, one.crowd)

    def _candidates(self, annotations: Annotations) -> set[str]:
        """The photographs that are backgrounds if they can be used."""
        kind, photographs = self._source.backgrounds_categories, {*annotations.photographs}
        if self._others is not None:
            if kind is not Photographs.any:
                reason = "chooses photographs; the pictures of backgrounds_root have no annotations"
                raise SettingError("source.backgrounds_categories", kind.name, reason)
            return set()
        if kind is Photographs.any:
            return photographs
        choice = self._choice
        shown = {one.file for one in annotations.instances if choice.is_of_category(one)}
        if kind is Photographs.only:
            return photographs & shown
        # What an instance at fault is, or where, may be unknown.
        return photographs - shown - annotations.incomplete

    def _own_instances(
        self, annotations: Annotations, candidates: Collection[str]
    ) -> Mapping[str, Sequence[Instance]]:
        """The instances that these backgrounds show by themselves, of the chosen categories."""
        own, choice = defaultdict[str, list[Instance]](list), self._choice
        if self._source.background_instances is not OwnInstances.none:
            for one in annotations.instances:
                if one.file in candidates and choice.is_of_category(one):
                    own[one.file].append(one)
        return dict(own)

    def _looks(
        self, files: AssetFolder, names: Sequence[str], is_background: Callable[[str, Size], bool]
    ) -> dict[str, FileLook]:
        """The looks at pictures, whose facts are height and width.

        is_background: whether one of this name and size is handed on as a background.
        """
        source, size = self._source, self._size

        def look(name: str, data: bytes) -> list[int]:
            image, of_file = files.picture_for(name, size, data)
            if is_background(name, of_file):
                source.hand_on(lambda: source.as_background(name, image, of_file), size)
            return list(of_file)

        return files.look(names, look, _LOOK, source.progress, recheck=source.recheck)

    def _fault(self, annotations: Annotations, name: str, look: FileLook) -> str:
        """Why a photograph cannot be used; empty if it can."""
        if look.fault:
            return look.fault
        height, width = look.facts
        return self._misfit(annotations.photographs[name], (height, width))

    def _misfit(self, photograph: Photograph, picture: Size) -> str:
        """Why the annotations of a photograph are not for a picture; empty if they are."""
        (height, width), expected = picture, photograph.size
        if expected is None or expected == picture:
            return self._fault_of_own(photograph.file, picture)
        upright = " (upright, by EXIF if it has any)" if expected == (width, height) else ""
        return (
            f"{height}x{width}{upright}, but its annotations are for {expected[0]}x{expected[1]}; "
            "use the photograph that was annotated"
        )

    def _fault_of_own(self, name: str, picture: Size) -> str:
        """Why the instances of a photograph would take too much memory; empty if they do not."""
        own = self._own.get(name, ())
        if len(own) > _MOST_OWN:
            return f"has {len(own):,} annotations; the most is {_MOST_OWN:,}"
        height, width = self._size
        most = min(max(_OWN_OF_CANVAS * height * width, _LEAST_OWN_PIXELS), _MOST_OWN_PIXELS)
        if len(own) * height * width <= most:
            return ""
        growth = max(height / picture[0], width / picture[1])
        windows = [one.shape.window(picture) for one in own]
        pixels = sum((growth * one.height + 2) * (growth * one.width + 2) for one in windows)
        if pixels <= most:
            return ""
        return (
            f"its annotations cover too many pixels of a canvas of {height}x{width}: "
            f"{round(pixels):,}, the most is {most:,}; leave some out"
        )

    def _faults(self, annotations: Annotations, looks: Mapping[str, FileLook]) -> list[Fault]:
        root = str(self._source.root).rstrip("/")
        return [
            Fault(
                f"{root}/{printable(name)}",
                _id_of(annotations.photographs[name]),
                reason,
                FILE,
                copies=copies_of(self._files, name),
            )
            for name, look in looks.items()
            if (reason := self._fault(annotations, name, look))
        ]

    def _other_backgrounds(self) -> tuple[tuple[str, ...], list[Fault]]:
        """The pictures of the other folder in use, and those that cannot be used."""
        assert self._others is not None
        assert self._others_root is not None
        root = self._others_root
        names, unused = pictures_below(root)
        self._left_out += [
            LeftOut(printable(str(root)), reason, files=count) for reason, count in unused.items()
        ]
        looks = self._looks(self._others, names, lambda name, picture: True)
        faults = [
            Fault(
                f"{root}/{printable(name)}",
                "",
                one.fault,
                FILE,
                copies=copies_of(self._others, name),
            )
            for name, one in looks.items()
            if one.fault
        ]
        return tuple(name for name in names if not looks[name].fault), faults

    def _as_left_out(self, number: int, fault: Fault) -> LeftOut:
        if self._source.on_bad_asset is not OnBadAsset.quarantine:
            return LeftOut(fault.name, fault.reason, kind=fault.kind)
        name = f"annotations/{number}-{fault.file_name}"
        contents = {} if fault.content is None else {name: fault.content}
        return LeftOut(fault.name, fault.reason, fault.copies, contents, kind=fault.kind)

    def _count_left_out(self, annotations: Annotations, crowds: int, lost: int) -> None:
        where = Path(annotations.where).name
        if crowds:
            self._left_out.append(LeftOut(f"{where}: crowds", CROWD, files=crowds, kind=ANNOTATION))
        if lost:
            reason = "of a photograph or a category that is left out"
            self._left_out.append(
                LeftOut(f"{where}: annotations", reason, files=lost, kind=ANNOTATION)
            )

    def _require_categories(self, annotations: Annotations) -> None:
        """Raise `SettingError` for a category that the annotations do not have."""
        for name in self._source.categories:
            if name not in annotations.labels:
                close = difflib.get_close_matches(name, annotations.labels, 1)
                meant = (
                    f"did you mean {close[0]}?"
                    if close
                    else f"they are {_listed(annotations.labels)}"
                )
                raise SettingError(
                    "source.categories", name, f"no category of the annotations; {meant}"
                )

    def _require_both(
        self,
        backgrounds: Sequence[str],
        used: Sequence[Instance],
        refused: Mapping[str, int],
        faults: Sequence[Fault],
    ) -> None:
        first = f"; {faults[0]}" if faults else ""
        if not backgrounds:
            if (kind := self._source.backgrounds_categories) is not Photographs.any:
                raise UsageError(
                    f"{self._source.root}: source.backgrounds_categories={kind.name} leaves no "
                    f"photograph as a background{first}; choose other source.categories, or any"
                )
            root = self._source.backgrounds_root or self._source.root
            raise UsageError(f"{root}: no picture that can be used{first}")
        if not used:
            why = ", ".join(f"{count:,} {reason}" for reason, count in refused.items())
            raise UsageError(
                f"{self._source.root}: no object that can be used{f' ({why})' if why else ''}"
                f"{first}; choose other source.categories, source.least_area or photographs"
            )

    def _result(
        self,
        annotations: Annotations,
        backgrounds: tuple[str, ...],
        used: Sequence[Instance],
        refused: Counter[str],
    ) -> AssetCatalogue:
        pictures = self._files.hashes
        names = sorted({one.file for one in used} | ({*backgrounds} if not self._others else set()))
        hashes = {name: pictures[name] for name in names} | annotations.hashes
        if self._others is not None:
            hashes |= {f"backgrounds/{name}": self._others.hashes[name] for name in backgrounds}
        lines = "".join(f"{name} {content}\n" for name, content in sorted(hashes.items()))
        of_photograph = Counter(one.file for one in used)
        photographs = () if self._others else backgrounds
        background_licences = _licences(annotations, {name: name for name in photographs})
        foreground_licences = _licences(annotations, {one.key: one.file for one in used})
        return AssetCatalogue(
            digest=blake2b(lines.encode(), digest_size=16).hexdigest(),
            left_out=tuple(self._left_out),
            files={
                "backgrounds": self._count(self._others or self._files, backgrounds),
                "foregrounds": self._count(self._files, sorted(of_photograph)),
            },
            licences={
                "backgrounds": _sorted_counts(background_licences),
                "foregrounds": _sorted_counts(foreground_licences),
            },
            backgrounds=backgrounds,
            foregrounds=tuple(one.key for one in used),
            foreground_labels=tuple(
                sorted({one.label for one in used} | self._own_labels(backgrounds))
            ),
            origin=self._source.root.rstrip("/"),
            notes=self._notes(refused),
            folders=tuple(filter(None, (self._source.root, self._source.backgrounds_root))),
            hashes=hashes,
            background_licences=background_licences,
            foreground_licences=foreground_licences,
        )

    def _own_labels(self, backgrounds: Sequence[str]) -> set[str]:
        """The labels of the instances that backgrounds show by themselves."""
        return {one.label for name in backgrounds for one in self._own.get(name, ())}

    def _count(self, files: AssetFolder, names: Sequence[str]) -> AssetFiles:
        return AssetFiles(len(names), sum(files.sizes[name] for name in names))

    def _notes(self, refused: Mapping[str, int]) -> tuple[str, ...]:
        parts = [f"{count:,} {why}" for why, count in sorted(refused.items()) if why != CROWD]
        return (
            (f"{self._source.root.rstrip('/')}: objects not used: {', '.join(parts)}",)
            if parts
            else ()
        )


def _cuttable(
    annotations: Annotations, instances: Sequence[tuple[Instance, Size]]
) -> tuple[list[tuple[Instance, Size]], list[Fault]]:
    """The instances that can be cut out of photographs of these sizes, and those that cannot."""
    usable, faults = [], []
    for one, size in instances:
        if reason := one.shape.fault(size):
            faults.append(Fault(annotations.where, one.what, reason, ANNOTATION))
        else:
            usable.append((one, size))
    return usable, faults


def _licences(annotations: Annotations, files: Mapping[str, str]) -> dict[str, str]:
    """The licence of each asset that has one. files: key -> the photograph of an asset."""
    licences = {key: annotations.photographs[name].licence for key, name in files.items()}
    return {key: licence for key, licence in licences.items() if licence}


def _sorted_counts(licences: Mapping[str, str]) -> dict[str, int]:
    return dict(sorted(Counter(licences.values()).items()))


def _id_of(photograph: Photograph) -> str:
    one = photograph.facts.get("image_id")
    return "" if one is None else f"image {one if type(one) is int else shown(one)}"


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(map(printable, labels[:20])) + (
        f" and {len(labels) - 20} more" if len(labels) > 20 else ""
    )
