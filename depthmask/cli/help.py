"""`depthmask --help`: print the commands, the root settings, and every stage with its settings."""

from __future__ import annotations

from collections.abc import Sequence

from depthmask.cli.commands import COMMANDS
from depthmask.cli.listing import settings_table, stage_listing, summary
from depthmask.config.plugins import registry
from depthmask.config.registry import KINDS
from depthmask.config.root import BLOCKS, Root
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
"""


def main(arguments: Sequence[str]) -> int:
    """Print the help; it is the same whatever the arguments are."""
    print(_USAGE)
    print("commands:")
    for command, text in COMMANDS.items():
        print(f"  {command:<11} {text}")
    for command, registered in registry().commands.items():
        print(f"  {command:<11} {registered.command.help} ({registered.provider})")
    print("\nsettings:")
    root_settings = [item for item in describe_settings(Root) if item.name not in (*KINDS, *BLOCKS)]
    print(settings_table(root_settings, "  "))
    for name, block in BLOCKS.items():
        print(f"\n{name}: {summary(block)}")
        print(settings_table(describe_settings(block), f"  {name}."))
    print(f"\nstages (GROUP=STAGE, then GROUP.SETTING=VALUE):\n{stage_listing()}")
    return 0
