"""Pages of the site that come from the code, as a hook of mkdocs.

    mkdocs build

    python -m tools.docs_pages

The second command writes the pages of commands into `docs/commands.md`, below its mark.

Every built-in stage with its settings, the root settings, commands and presets, as `--help` has
them; CONTRIBUTING and CHANGELOG as they stand beside this folder. Nothing of it is committed.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import depthmask
from depthmask.cli.listing import presets, summary
from depthmask.cli.usage.commands import COMMANDS
from depthmask.cli.usage.page import ANY
from depthmask.cli.usage.pages import PAGES
from depthmask.cli.usage.text import arguments_of, summary_of
from depthmask.config.plugins import registry
from depthmask.config.presets.folders import config_folder
from depthmask.config.provider import BUILT_IN
from depthmask.config.registry import KINDS, LISTS
from depthmask.config.root import BLOCKS, Root
from depthmask.stage import SettingInfo, describe_settings

ROOT = Path(__file__).resolve().parent.parent
COMMANDS_MARK = "<!-- Below here: python -m tools.docs_pages -->"
NOTEBOOK = "notebook.ipynb"
"""Its page has another name, since a browser cannot show it."""
_FROM_ROOT = {"contributing.md": "CONTRIBUTING.md", "changelog.md": "CHANGELOG.md"}
_OUTWARD = re.compile(r"\[([^\]]+)\]\(\.\./([^)]+)\)")
"""A link out of `docs/`, as those who read the files where they lie want it."""


def pages() -> dict[str, str]:
    """Path within the site -> Markdown."""
    found = {f"reference/{kind}.md": _of_kind(kind) for kind in KINDS}
    found["reference/settings.md"] = _of_root()
    found["reference/commands.md"] = _of_commands()
    found["notebook.md"] = _of_notebook()
    for page, name in _FROM_ROOT.items():
        found[page] = (ROOT / name).read_text(encoding="utf-8")
    return found


def _of_notebook() -> str:
    """The cells of the notebook, in which only Jupyter shows the pictures."""
    cells = json.loads((ROOT / "docs" / NOTEBOOK).read_text(encoding="utf-8"))["cells"]
    link = f'<a href="{NOTEBOOK}" download>Download this page as a notebook.</a>'
    return _joined([*map(_of_cell, cells[:1]), link, *map(_of_cell, cells[1:])])


def _of_cell(cell: dict[str, Any]) -> str:
    text = "".join(cell["source"])
    return text if cell["cell_type"] == "markdown" else f"```python\n{text}\n```"


def command_sections() -> str:
    """The part of `docs/commands.md` below its mark: a section for each command."""
    return _joined(part for command in COMMANDS for part in _of_command(command))


def write_command_sections() -> None:
    """Bring `docs/commands.md` up to date."""
    path = ROOT / "docs" / "commands.md"
    head, mark, _ = path.read_text(encoding="utf-8").partition(COMMANDS_MARK)
    path.write_text(f"{head}{mark}\n\n{command_sections()}", encoding="utf-8")


def on_files(files: Any, config: Any) -> Any:
    """Add the pages."""
    from mkdocs.structure.files import File

    for path, text in pages().items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """What lies outside of the site is named, not linked to."""
    return _OUTWARD.sub(_inward, markdown).replace(f"]({NOTEBOOK})", "](notebook.md)")


def _inward(link: re.Match[str]) -> str:
    for page, name in _FROM_ROOT.items():
        if link[2] == name:
            return f"[{link[1]}]({page})"
    return f"{link[1]} (`{link[2]}`)" if link[1] != link[2].rpartition("/")[2] else f"`{link[2]}`"


def _of_kind(kind: str) -> str:
    """The stages of a group."""
    offered = registry().stages[kind].values()
    stages = [one.stage for one in offered if one.provider.name == BUILT_IN]
    base = getattr(depthmask, kind.title())
    parts = [
        f"# {kind}",
        summary(base),
        f"Choose with `{kind}=[NAME,NAME]`, set with `{kind}.NAME.SETTING=VALUE`."
        if kind in LISTS
        else f"Choose with `{kind}=NAME`, set with `{kind}.SETTING=VALUE`.",
    ]
    for stage in stages:
        parts += [f"## {kind}={stage.name}", inspect.getdoc(stage) or ""]
        parts += _table(describe_settings(stage))
    return _joined(parts)


def _of_root() -> str:
    """What belongs to no single stage."""
    own = [one for one in describe_settings(Root) if one.name not in (*KINDS, *BLOCKS)]
    parts = ["# Root settings", "Settings of a whole run, such as `samples=1000`.", *_table(own)]
    for name, block in BLOCKS.items():
        parts += [f"## {name}", inspect.getdoc(block) or ""]
        parts += [f"Set with `{name}.SETTING=VALUE`.", *_table(describe_settings(block))]
    return _joined(parts)


def _of_command(command: str) -> Iterator[str]:
    """The section about a command, as its `--help` has it."""
    page = PAGES[command]
    yield f"## {command}"
    yield f"{summary_of(command)} {page.about}".strip()
    yield f"Usage: `{page.usage(command)}`"
    if rows := arguments_of(command):
        yield from _rows(("argument", ""), rows)
    if page.settings and page.settings != (ANY,):
        names = ", ".join(f"`{name}`" for name in page.settings)
        yield f"Settings and groups that it accepts: {names}."
    if page.settings == (ANY,):
        yield "It accepts every setting."
    examples = "\n".join(f"python -m depthmask {words}" for words in page.examples)
    yield f"```sh\n{examples}\n```"


def _of_commands() -> str:
    chosen = [(name, text) for name, text in presets(config_folder())]
    return _joined(
        [
            "# Commands and presets",
            "Write a command after `python -m depthmask`, or after the console script `depthmask`. "
            "The page about commands has the options and two examples of each.",
            *_rows(("command", "what it does"), COMMANDS.items()),
            "Presets are YAML files of settings; choose with `+preset=NAME`, `GROUP=NAME`, "
            "`-m +experiment=NAME`:",
            *_rows(("preset", "what it sets"), chosen),
        ]
    )


def _table(settings: Sequence[SettingInfo]) -> list[str]:
    if not settings:
        return []
    rows = [(one.name, one.default, one.type, one.help) for one in settings]
    return _rows(("setting", "default", "type, range", ""), rows, code=3)


def _rows(head: Sequence[str], rows: Iterable[Sequence[str]], *, code: int = 1) -> list[str]:
    """A table; the first `code` columns are set as code."""
    lines: list[Sequence[str]] = [head, ["---"] * len(head)]
    for row in rows:
        lines.append([*map(_code, row[:code]), *(text.replace("|", "\\|") for text in row[code:])])
    return ["\n".join(f"| {' | '.join(line)} |" for line in lines)]


def _code(text: str) -> str:
    # Within backticks the mark before | would be shown.
    if not text:
        return ""
    return f"<code>{text.replace('|', '&#124;')}</code>" if "|" in text else f"`{text}`"


def _joined(parts: Iterable[str]) -> str:
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    write_command_sections()
