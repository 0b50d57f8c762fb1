"""`depthmask --help [TOPIC]`: print the page of a command or a group, or all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from depthmask.cli.lines import show_block
from depthmask.cli.listing import group_listing, settings_table, stage_listing, summary
from depthmask.cli.usage.commands import COMMANDS
from depthmask.cli.usage.text import page_text
from depthmask.config.explain.known import choice_of
from depthmask.config.plugins import registry
from depthmask.config.registry import KINDS, place_of, suggestion
from depthmask.config.root import BLOCKS, Root
from depthmask.errors import UsageError
from depthmask.stage import describe_settings

_USAGE = """\
depthmask makes labelled image datasets: each sample is an image of cut-out foregrounds over a
background, with its foreground mask and depth map.

usage: python -m depthmask [COMMAND] [GROUP=STAGE ...] [NAME=VALUE ...] [+preset=NAME] [-m]

  python -m depthmask
  python -m depthmask placement=random writer=webdataset
  python -m depthmask source=assets source.root=DIR output=OUT samples=10000 runner.workers=2
  python -m depthmask -m placement=random,grid writer=zip,npz     every combination
  python -m depthmask -m +experiment=placements                   a sweep by name
  python -m depthmask COMMAND --help                              about one command
  python -m depthmask help placement                              about one group of stages
"""


def main(arguments: Sequence[str]) -> int:
    """Print the help for a topic, or for all; raises `UsageError` for an unknown one."""
    if arguments:
        show_block(_topic(arguments[0]))
    else:
        _print_all()
    return 0


def _topic(name: str) -> str:
    kind, _, stage = name.partition("=")
    root_settings = {item.name: item for item in describe_settings(Root)}
    if name in COMMANDS:
        return page_text(name)
    if kind in KINDS:
        return group_listing(kind, stage.strip("[]"))
    if kind in BLOCKS:
        return settings_table(describe_settings(BLOCKS[kind]), f"{kind}.")
    if kind in root_settings:
        return settings_table([root_settings[kind]], "")
    if tables := list(_settings_called(name)):
        return "\n".join(tables)
    topics = [*COMMANDS, *registry().commands, *root_settings]
    raise UsageError(f"help {name}: no such topic{suggestion(name, topics)}")


def _settings_called(name: str) -> Iterator[str]:
    """Yield the settings of stages and blocks with a name, such as `placement.rows` or `rows`."""
    owners = [(block, block, schema) for block, schema in BLOCKS.items()] + [
        (place_of(kind, one.stage.name), choice_of(kind, one.stage.name), one.stage)
        for kind in KINDS
        for one in registry().offered(kind)
    ]
    for place, choice, schema in owners:
        for item in describe_settings(schema):
            if name in (item.name, f"{place}.{item.name}"):
                yield f"{choice}\n{settings_table([item], f'  {place}.')}"


def _print_all() -> None:
    show_block(_USAGE)
    show_block("commands:")
    for command, text in COMMANDS.items():
        show_block(f"  {command:<11} {text}")
    for command, registered in registry().commands.items():
        show_block(f"  {command:<11} {registered.command.help} ({registered.provider})")
    show_block("\nsettings:")
    root_settings = [item for item in describe_settings(Root) if item.name not in (*KINDS, *BLOCKS)]
    show_block(settings_table(root_settings, "  "))
    for name, block in BLOCKS.items():
        show_block(f"\n{name}: {summary(block)}")
        show_block(settings_table(describe_settings(block), f"  {name}."))
    show_block(f"\nstages (GROUP=STAGE, then GROUP.SETTING=VALUE):\n{stage_listing()}")
