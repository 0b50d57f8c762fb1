"""Sources: where backgrounds and foregrounds come from."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import ClassVar, TypeAlias

from depthmask.codec.density import PHOTOGRAPHS, Densities
from depthmask.data import AssetCatalogue, AssetFiles, Background, Foreground, LeftOut, Size
from depthmask.plan.shares import NAMES
from depthmask.stage import Stage
from depthmask.stage.calls import StageCalls, described
from depthmask.untrusted import is_one_line

Bar: TypeAlias = Callable[[int, str], AbstractContextManager[Callable[[int], None]]]
"""A function that shows a progress bar up to a number, with a title; its context yields a function
that advances it."""


@contextmanager
def _no_bar(total: int, title: str) -> Iterator[Callable[[int], None]]:
    yield lambda count: None


_bar: ContextVar[Bar] = ContextVar("bar", default=_no_bar)


@contextmanager
def checks_shown(bar: Bar) -> Iterator[None]:
    """Inside the block, sources show by `bar` how far `check` has come."""
    before = _bar.set(bar)
    try:
        yield
    finally:
        _bar.reset(before)


Take: TypeAlias = Callable[["Source", Background | Foreground, Size], None]
"""A function that takes a prepared asset of a source, for a canvas of a size."""
_take: ContextVar[Take | None] = ContextVar("take", default=None)


@contextmanager
def prepared_taken(take: Take) -> Iterator[None]:
    """Inside the block, `take` is called with the assets that `check` has decoded anyway."""
    before = _take.set(take)
    try:
        yield
    finally:
        _take.reset(before)


class Source(Stage):
    """Backgrounds and foregrounds by key.

    A key is a short text, unique in its list; the same key always gives the same pixels:
    `background` and `foreground` are pure functions of (settings, key, size). They are called in
    the process of the run and in its workers, each with a copy of the stage.
    """

    kind: ClassVar[str] = "source"
    loads_quickly: ClassVar[bool] = False
    """Whether some assets may be loaded to estimate the size of samples."""
    densities: ClassVar[Densities] = PHOTOGRAPHS
    """About the bytes of a pixel, for estimates without any assets."""

    @abstractmethod
    def backgrounds(self) -> Sequence[str]:
        """Keys of all backgrounds, sorted."""

    @abstractmethod
    def foregrounds(self) -> Sequence[str]:
        """Keys of all foregrounds, sorted."""

    @abstractmethod
    def background(self, key: str, size: Size) -> Background:
        """The background at the canvas size (height, width) in pixels."""

    @abstractmethod
    def foreground(self, key: str, size: Size) -> Foreground:
        """The foreground, trimmed to its visible pixels and scaled for a canvas of `size`."""

    def has_depth(self, key: str) -> bool:
        """Whether `background(key)` carries `depth_m` of its own."""
        return False

    def background_group(self, key: str) -> str | None:
        """What a background shares with other assets, such as the name of its photograph.

        Backgrounds and foregrounds of one group are in the same split, and no foreground is pasted
        into a background of its own group. None, the default: it is alone. Called after `check`.
        """
        return None

    def foreground_group(self, key: str) -> str | None:
        """As `background_group`, for `foreground`: the photograph that it is cut from."""
        return None

    def foreground_labels(self) -> Sequence[str]:
        """The labels of all foregrounds, and of the instances that backgrounds show by themselves.

        Empty if they are not known without opening each.

        Settings such as `placement.heights` are checked against them, and their order by the
        alphabet numbers the categories of COCO files. Called after `check`.
        """
        return ()

    def background_identity(self, key: str, size: Size) -> str | None:
        """A text that differs if `background` would give other pixels, metadata or instances.

        A background with an identity is kept on disk, for later runs. None, the default: it is not.
        Called after `check`.
        """
        return None

    def foreground_identity(self, key: str, size: Size) -> str | None:
        """As `background_identity`, for `foreground`."""
        return None

    def progress(
        self, total: int, title: str = "check"
    ) -> AbstractContextManager[Callable[[int], None]]:
        """The progress bar of `check`, for as many assets as it looks at; nothing is shown for 0.

        title: one word for what is done to the assets. The context yields a function, to be called
        in the thread of `check` with the number of assets that are done since the last call.
        """
        return _bar.get()(total, title)

    def hand_on(self, make: Callable[[], Background | Foreground], size: Size) -> None:
        """Hand on an asset that `check` has decoded, so that nobody has to decode it once more.

        make: prepares it as `background` or `foreground` do; called only if somebody takes it.
        """
        take = _take.get()
        if take is not None:
            take(self, make(), size)

    @abstractmethod
    def check(self, size: Size) -> AssetCatalogue:
        """Inspect every asset, before the first sample is planned.

        A catalogue that names `backgrounds` and `foregrounds` restricts the run to those keys;
        otherwise the run uses all that the source lists after this call. Raises `UsageError`,
        which names the file, for anything that can be neither used nor left out.
        """


def catalogue_of(source: Source, size: Size) -> AssetCatalogue:
    """The catalogue of a source, with the keys of all assets in use.

    Raises as `Source.check`, and `StageError` for keys that cannot be used, or if there are none.
    """
    calls = StageCalls(source, "check")
    with calls:
        catalogue = source.check(size)
    if not isinstance(catalogue, AssetCatalogue):
        raise calls.returned(catalogue, "an AssetCatalogue")
    _require_facts(calls, catalogue)
    return replace(
        catalogue,
        # Plain copies of what a plugin may give as any mapping: workers get them by pickle.
        files=dict(catalogue.files),
        hashes=dict(catalogue.hashes),
        licences={kind: dict(counts) for kind, counts in catalogue.licences.items()},
        background_splits=dict(catalogue.background_splits),
        foreground_splits=dict(catalogue.foreground_splits),
        background_licences=dict(catalogue.background_licences),
        foreground_licences=dict(catalogue.foreground_licences),
        backgrounds=_keys(source, "backgrounds", catalogue.backgrounds),
        foregrounds=_keys(source, "foregrounds", catalogue.foregrounds),
        foreground_labels=_labels(source, catalogue.foreground_labels),
    )


def _require_facts(calls: StageCalls, catalogue: AssetCatalogue) -> None:
    """Raise `StageError` unless all but the keys of a catalogue can be used."""
    if not isinstance(catalogue.digest, str) or not catalogue.digest:
        raise calls.fault(f"returned digest={described(catalogue.digest)}; expected a text")
    if not isinstance(catalogue.files, Mapping) or not _all(AssetFiles, catalogue.files.values()):
        raise calls.fault("returned other files than a mapping from kinds to AssetFiles")
    if not isinstance(catalogue.hashes, Mapping) or not _all(
        str, [*catalogue.hashes, *catalogue.hashes.values()]
    ):
        raise calls.fault("returned other hashes than a mapping from names of files to texts")
    if not isinstance(catalogue.licences, Mapping) or not all(
        isinstance(counts, Mapping) and _all(int, counts.values())
        for counts in catalogue.licences.values()
    ):
        raise calls.fault("returned other licences than a mapping from kinds to numbers by licence")
    for fixed in (catalogue.background_splits, catalogue.foreground_splits):
        if not isinstance(fixed, Mapping) or not all(split in NAMES for split in fixed.values()):
            raise calls.fault(
                f"returned other splits than a mapping from keys to {', '.join(NAMES)}"
            )
    for licences in (catalogue.background_licences, catalogue.foreground_licences):
        if not isinstance(licences, Mapping) or not _all(str, licences.values()):
            raise calls.fault("returned other licences than a mapping from keys to texts")
    if not isinstance(catalogue.left_out, Sequence) or not _all(LeftOut, catalogue.left_out):
        raise calls.fault("returned other left_out than a sequence of LeftOut")


def _all(kind: type, values: Iterable[object]) -> bool:
    return all(isinstance(value, kind) for value in values)


def _keys(source: Source, method: str, catalogued: Sequence[str]) -> tuple[str, ...]:
    """The keys of the catalogue, or else all that the source lists; `StageError` for bad ones."""
    calls = StageCalls(source, method)
    with calls:
        listed = catalogued or getattr(source, method)()
    if isinstance(listed, str) or not isinstance(listed, Sequence):
        raise calls.returned(listed, "a sequence of keys")
    if not listed:
        raise calls.fault("returned no key; expected at least one")
    for key in listed:
        if not isinstance(key, str) or not _is_usable(key):
            raise calls.fault(
                f"returned the key {described(key)}; expected a text of one line that stays in its "
                "folder as a path"
            )
    if len(set(listed)) < len(listed):
        twice = next(key for key, count in Counter(listed).items() if count > 1)
        raise calls.fault(f"returned the key {twice!r} twice; expected each once")
    return tuple(listed)


def _labels(source: Source, catalogued: Sequence[str]) -> tuple[str, ...]:
    """The labels of the catalogue, or else those that the source lists, sorted."""
    calls = StageCalls(source, "foreground_labels")
    with calls:
        labels = catalogued or source.foreground_labels()
        listed = [labels] if isinstance(labels, str) else list(labels)
    if isinstance(labels, str) or not _all(str, listed):
        raise calls.returned(labels, "a sequence of labels")
    return tuple(sorted(set(listed)))


def _is_usable(key: str) -> bool:
    """Whether a key is one line of text, and names no other folder where files are named by it."""
    return bool(key) and is_one_line(key) and not {"", ".", ".."} & set(key.split("/"))
