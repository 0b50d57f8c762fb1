"""Pages of the site that come from the code have every stage and every setting."""

from __future__ import annotations

import re

import pytest

from depthmask.cli.usage.commands import COMMANDS
from depthmask.cli.usage.text import page_text
from depthmask.config.plugins import registry
from depthmask.config.provider import BUILT_IN
from depthmask.config.registry import KINDS
from depthmask.config.root import BLOCKS, Root
from depthmask.stage import describe_settings
from tests.support.paths import ROOT
from tools.docs_pages import COMMANDS_MARK, command_sections, on_page_markdown, pages

PAGES = pages()


@pytest.mark.parametrize("kind", KINDS)
def test_stages(kind: str) -> None:
    text = PAGES[f"reference/{kind}.md"]
    found = [one for one in registry().stages[kind].values() if one.provider.name == BUILT_IN]
    assert found
    for one in found:
        _, _, section = text.partition(f"\n## {kind}={one.stage.name}\n")
        for setting in describe_settings(one.stage):
            assert f"| `{setting.name}` | " in section.partition("\n## ")[0]


def test_root_settings() -> None:
    own, *blocks = PAGES["reference/settings.md"].split("\n## ")
    sections = {"": own} | {block.partition("\n")[0]: block for block in blocks}
    for name, settings in [("", Root), *BLOCKS.items()]:
        names = {setting.name for setting in describe_settings(settings)}
        for one in names - {*KINDS, *BLOCKS}:
            assert f"| `{one}` | " in sections[name]


def test_commands_and_presets() -> None:
    text = PAGES["reference/commands.md"]
    assert all(f"| `{command}` | " in text for command in COMMANDS)
    for path in (ROOT / "conf").glob("*/*.yaml"):
        assert f"{path.parent.name}={path.stem}` | " in text


def test_the_page_of_commands_has_what_their_help_has() -> None:
    """`python -m tools.docs_pages` brings it up to date."""
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert text.partition(COMMANDS_MARK)[2] == f"\n\n{command_sections()}"
    for command in COMMANDS:
        (shown,) = re.findall(rf"^## {command}\n\n(.*?)\n\nUsage: `(.*)`$", text, re.M)
        terminal = page_text(command)
        assert f"python -m depthmask {shown[1]}\n" in terminal
        assert " ".join(terminal.split()).find(shown[0].partition(". ")[0]) > 0


def test_all_are_in_the_menu() -> None:
    menu = (ROOT / "mkdocs.yml").read_text()
    files = [path.name for path in (ROOT / "docs").glob("*.md")]
    assert [name for name in (*PAGES, *files) if f": {name}\n" not in menu] == []


def test_links_out_of_the_site_become_names() -> None:
    text = "[depthmask-x](../plugins/depthmask-x), [rules](../CONTRIBUTING.md), [depth](depth.md)"
    expected = "`plugins/depthmask-x`, [rules](contributing.md), [depth](depth.md)"
    assert on_page_markdown(text) == expected
    assert on_page_markdown("the [table](../README.md)") == "the table (`README.md`)"
