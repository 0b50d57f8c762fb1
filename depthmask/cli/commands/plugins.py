"""`depthmask plugins`: list every stage, its settings, and the package that provides it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from depthmask.cli.lines import show, show_block
from depthmask.cli.listing import presets, stage_listing
from depthmask.cli.usage.parser import parse
from depthmask.config.command_line import existing_folder
from depthmask.config.plugins import registry
from depthmask.config.presets.folders import shown


def main(arguments: Sequence[str]) -> int:
    """Print the list; returns 1 if a preset that was checked cannot be used.

    `-v` adds the time that each plugin took to load, and checks the presets of plugins.
    `--config-dir FOLDER` adds the presets of a folder, and checks them.
    """
    options = parse("plugins", arguments)
    text = options["config-dir"]
    folder = None if text is None else existing_folder(text)
    show_block(stage_listing())
    if folder:
        _print_section(f"presets of {shown(folder)}", _presets(folder))
    if options["verbose"]:
        _print_section("plugin packages", _load_times())
    problems = list(_problems(folder, of_plugins=options["verbose"]))
    _print_section("presets that cannot be used", problems)
    return 1 if problems else 0


def _print_section(title: str, rows: Iterable[str]) -> None:
    """Print rows below a title; nothing if there are none."""
    if lines := [f"  {row}" for row in rows]:
        show("", f"{title}:", *lines)


def _presets(folder: Path) -> Iterator[str]:
    for name, text in presets(folder):
        yield f"{name}  {text}".rstrip()


def _load_times() -> Iterator[str]:
    for name, seconds in registry().load_seconds.items():
        yield f"{name}  loaded in {seconds * 1000:.0f} ms"


def _problems(folder: Path | None, *, of_plugins: bool) -> Iterator[str]:
    """Yield a line for each preset that cannot be used, of those that the command asks about."""
    if not folder and not of_plugins:
        return
    # Imported here, since Hydra takes 0.3 s to import, and the list alone does not need it.
    from depthmask.config.presets.check import problems_of_folder, problems_of_plugins

    if of_plugins:
        yield from problems_of_plugins()
    if folder:
        yield from problems_of_folder(folder)
