"""Pages of the site that come from the code have every stage and every setting."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from depthmask.cli.usage.commands import COMMANDS
from depthmask.cli.usage.text import page_text
from depthmask.config.plugins import registry
from depthmask.config.provider import BUILT_IN
from depthmask.config.registry import KINDS
from depthmask.config.root import BLOCKS, Root
from depthmask.stage import describe_settings
from tests.support.paths import ROOT
from tools.docs_pages import DOCS, links_of_site, written_pages

PAGES = written_pages()


@pytest.mark.parametrize("kind", KINDS)
def test_stages(kind: str) -> None:
    text = PAGES[DOCS / "reference" / f"{kind}.md"]
    found = [one for one in registry().stages[kind].values() if one.provider.name == BUILT_IN]
    assert found
    for one in found:
        _, _, section = text.partition(f"\n## {kind}={one.stage.name}\n")
        for setting in describe_settings(one.stage):
            assert f"| `{setting.name}` | " in section.partition("\n## ")[0]


def test_root_settings() -> None:
    own, *blocks = PAGES[DOCS / "reference" / "settings.md"].split("\n## ")
    sections = {"": own} | {block.partition("\n")[0]: block for block in blocks}
    for name, settings in [("", Root), *BLOCKS.items()]:
        names = {setting.name for setting in describe_settings(settings)}
        for one in names - {*KINDS, *BLOCKS}:
            assert f"| `{one}` | " in sections[name]


def test_commands_and_presets() -> None:
    text = PAGES[DOCS / "reference" / "commands.md"]
    assert all(f"| `{command}` | " in text for command in COMMANDS)
    for path in (ROOT / "conf").glob("*/*.yaml"):
        assert f"{path.parent.name}={path.stem}` | " in text


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(DOCS)))
def test_written_pages_are_up_to_date(path: Path) -> None:
    """`python -m tools.docs_pages` brings them up to date."""
    assert path.read_text(encoding="utf-8") == PAGES[path]


def test_the_page_of_commands_has_what_their_help_has() -> None:
    text = PAGES[DOCS / "commands.md"]
    for command in COMMANDS:
        (shown,) = re.findall(rf"^## {command}\n\n(.*?)\n\nUsage: `(.*)`$", text, re.M)
        terminal = page_text(command)
        assert f"python -m depthmask {shown[1]}\n" in terminal
        assert " ".join(terminal.split()).find(shown[0].partition(". ")[0]) > 0


def test_all_are_in_the_menu() -> None:
    menu = (ROOT / "mkdocs.yml").read_text()
    pages = [path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")]
    assert [page for page in pages if f": {page}\n" not in menu] == []


@pytest.mark.parametrize(
    ("page", "text", "expected"),
    [
        ("assets.md", "[formats](formats.md#depth)", "[formats](formats.md#depth)"),
        ("assets.md", "[depthmask-x](../plugins/depthmask-x)", "`plugins/depthmask-x`"),
        ("assets.md", "the [table](../README.md#a)", "the table (`README.md`)"),
        ("assets.md", "[rules](../CONTRIBUTING.md)", "[rules](contributing.md)"),
        ("plugins/depth.md", "[x](../../plugins/x)", "`plugins/x`"),
        ("assets.md", "[plugins/x](../plugins/x)", "`plugins/x`"),
        ("plugins/depth.md", "[assets](../assets.md)", "[assets](../assets.md)"),
        ("plugins/depth.md", "[rules](../../CONTRIBUTING.md#a)", "[rules](../contributing.md#a)"),
        ("contributing.md", "[a](docs/plugins/depth.md)", "[a](plugins/depth.md)"),
        ("changelog.md", "[1.1.0](https://keepachangelog.com/)", "[1.1.0](https://keepachangelog.com/)"),
    ],
)  # fmt: skip
def test_links_hold_in_the_site(page: str, text: str, expected: str) -> None:
    assert links_of_site(text, page) == expected
