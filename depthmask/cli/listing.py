"""Lists stages, settings, presets, and what else plugins add, as text."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from depthmask.config.environment import PREFER
from depthmask.config.plugins import registry
from depthmask.config.presets.folders import config_folder, preset_files
from depthmask.config.provider import BUILT_IN
from depthmask.config.registry import KINDS, LISTS, Registered, place_of
from depthmask.stage import SettingInfo, describe_settings

SLOW_SECONDS = 0.3
"""A plugin that takes longer to import is listed as slow, since every command waits for it."""

_WIDEST = 60
"""A longer text, such as a default of twenty names, does not make its column wider."""


def stage_listing() -> str:
    """All stages by config group with settings and provider, all presets, and plugin problems.

    Commands and statistics of plugins are listed where there are any.
    """
    sections = [_group(kind, registry().offered(kind)) for kind in KINDS]
    sections.append("\n".join(["presets", *_presets()]))
    if commands := registry().commands.values():
        rows = [f"  {one.command.name}  ({one.provider})  {one.command.help}" for one in commands]
        sections.append("\n".join(["commands", *rows]))
    if statistics := registry().statistics.values():
        rows = [f"  {one.name}  ({one.provider})  {one.statistic.help}" for one in statistics]
        sections.append("\n".join(["statistics", *rows]))
    if slow := list(_slow_plugins()):
        sections.append("\n".join(["slow to import:", *slow]))
    collisions = registry().names.collisions()
    notes: dict[str, Sequence[object]] = {
        "left out:": registry().problems,
        "warnings:": registry().warnings,
        f"decided by {PREFER}:": [one for one in collisions if one.meant is not None],
    }
    for title, lines in notes.items():
        if lines:
            sections.append("\n".join([title, *(f"  {line}" for line in lines)]))
    return "\n\n".join(sections)


def settings_table(settings: Iterable[SettingInfo], prefix: str) -> str:
    """A line for each setting: name=default, type and range, help."""
    rows = [
        (f"{prefix}{item.name}={item.default}", item.type, _help_text(item)) for item in settings
    ]
    widths = [
        max((length for row in rows if (length := len(row[column])) <= _WIDEST), default=0)
        for column in (0, 1)
    ]
    return "\n".join(
        f"{name:<{widths[0]}}  {kind:<{widths[1]}}  {text}".rstrip() for name, kind, text in rows
    )


def _help_text(setting: SettingInfo) -> str:
    return f"{setting.help} ({setting.note})" if setting.note else setting.help


def summary(documented: type) -> str:
    """The first paragraph of a class's docstring, in one line."""
    return (inspect.getdoc(documented) or "").split("\n\n")[0].replace("\n", " ")


def presets(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the override and the first comment of each YAML file in a config folder."""
    for path in preset_files(folder):
        yield _preset(path)


def _presets() -> Iterator[str]:
    """Yield a line for each preset, with its package."""
    for name, text in presets(config_folder()):
        yield f"  {name}  ({BUILT_IN})  {text}"
    for preset in registry().presets.values():
        name, text = _preset(preset.path)
        yield f"  {name}  ({preset.provider})  {text}"


def _preset(path: Path) -> tuple[str, str]:
    """The override that chooses a preset, and its first comment."""
    group = path.parent.name
    plus = "" if group in KINDS else "+"
    return f"{plus}{group}={path.stem}", _first_comment(path)


def _slow_plugins() -> Iterator[str]:
    """Yield a line for each plugin that is slow to import, with the remedy."""
    for name, seconds in registry().load_seconds.items():
        if seconds > SLOW_SECONDS:
            hint = "import heavy packages in the functions that use them"
            yield f"  {name}  {seconds:.1f} s; {hint}"


def _first_comment(path: Path) -> str:
    # A file in another encoding is listed, too; who chooses it gets its mistake as an error.
    lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    comments = (line[1:].strip() for line in lines if line.startswith("#"))
    return next((line for line in comments if not line.startswith("@")), "")


def _group(kind: str, stages: Iterable[Registered]) -> str:
    return "\n".join([kind, *(line for stage in stages for line in _stage(kind, stage))])


def group_listing(kind: str, name: str = "") -> str:
    """The stages of a config group with their settings, or one of them.

    Raises `UsageError` if there is no stage of this name.
    """
    if name:
        registry().stage(kind, name)
    offered = [one for one in registry().offered(kind) if name in ("", one.stage.name)]
    return _group(kind, offered)


def _stage(kind: str, registered: Registered) -> Iterator[str]:
    stage = registered.stage
    choice = f"{kind}=[{stage.name}]" if kind in LISTS else f"{kind}={stage.name}"
    yield f"  {choice}  ({registered.provider})  {summary(stage)}"
    settings = describe_settings(stage)
    if settings:
        yield settings_table(settings, f"      {place_of(kind, stage.name)}.")
