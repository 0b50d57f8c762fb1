"""`depthmask plugins`: list every stage, its settings, and the package that provides it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from depthmask.cli.listing import presets, stage_listing
from depthmask.config.command_line import CommandLine
from depthmask.config.plugins import registry
from depthmask.config.presets.folders import shown
from depthmask.errors import UsageError


def main(arguments: Sequence[str]) -> int:
    """Print the list; returns 1 if a preset that was checked cannot be used.

    `-v` adds the time that each plugin took to load, and checks the presets of plugins.
    `--config-dir FOLDER` adds the presets of a folder, and checks them.
    """
    line = CommandLine.parse(arguments)
    unknown = [word for word in (*line.options, *line.overrides) if word not in ("-v", "--verbose")]
    if unknown:
        raise UsageError(
            f"plugins does not accept {unknown[0]}; accepted: -v, --verbose, --config-dir FOLDER"
        )
    print(stage_listing())
    if line.folder:
        _print_section(f"presets of {shown(line.folder)}", _presets(line.folder))
    if line.options:
        _print_section("plugin packages", _load_times())
    problems = list(_problems(line))
    _print_section("presets that cannot be used", problems)
    return 1 if problems else 0


def _print_section(title: str, rows: Iterable[str]) -> None:
    """Print rows below a title; nothing if there are none."""
    if lines := [f"  {row}" for row in rows]:
        print("\n".join([f"\n{title}:", *lines]))


def _presets(folder: Path) -> Iterator[str]:
    for name, text in presets(folder):
        yield f"{name}  {text}".rstrip()


def _load_times() -> Iterator[str]:
    for name, seconds in registry().load_seconds.items():
        yield f"{name}  loaded in {seconds * 1000:.0f} ms"


def _problems(line: CommandLine) -> Iterator[str]:
    """Yield a line for each preset that cannot be used, of those that the command asks about."""
    if not line.folder and not line.options:
        return
    # Imported here, since Hydra takes 0.3 s to import, and the list alone does not need it.
    from depthmask.config.presets.check import problems_of_folder, problems_of_plugins

    if line.options:
        yield from problems_of_plugins()
    if line.folder:
        yield from problems_of_folder(line.folder)
