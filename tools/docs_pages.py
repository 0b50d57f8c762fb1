"""Pages of the docs that come from the code.

    python -m tools.docs_pages

This writes `docs/reference/` (every built-in stage with its settings, the root settings, commands
and presets), the sections of `docs/commands.md` below its mark, and the code in the pages about
plugins. All of it is committed, so that it can be read in a clone; a test compares it with the
code.

As a hook of mkdocs, the module adds CONTRIBUTING, CHANGELOG and the notebook to the site, and turns
links that lead out of the site into names.
"""

from __future__ import annotations

import inspect
import json
import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import depthmask
from depthmask.cli.listing import presets, summary
from depthmask.cli.scaffold.package import package_files
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
DOCS = ROOT / "docs"
COMMANDS_MARK = "<!-- Below here: python -m tools.docs_pages -->"
_FROM_ROOT = {"contributing.md": "CONTRIBUTING.md", "changelog.md": "CHANGELOG.md"}
"""Page of the site -> the file beside `docs/` that it shows."""
NOTEBOOK = "notebook.ipynb"
"""Its page has another name, since a browser cannot show it."""
_LINK = re.compile(r"\[([^\]]+)\]\(([^)#:\s]+)(#[^)\s]*)?\)")
"""A link to a file: its text, the relative path, the anchor."""
_CODE = re.compile(r"<!-- code: (\S+) -->\n\n```python\n.*?^```$", re.DOTALL | re.MULTILINE)
"""A block with the content of a file, which the comment names."""


def written_pages() -> dict[Path, str]:
    """File of the docs -> its text, for those that are made from the code, whole or in part."""
    texts = {DOCS / "reference" / f"{kind}.md": _of_kind(kind) for kind in KINDS}
    texts[DOCS / "reference" / "settings.md"] = _of_root()
    texts[DOCS / "reference" / "commands.md"] = _of_commands()
    commands = DOCS / "commands.md"
    head, mark, _ = commands.read_text(encoding="utf-8").partition(COMMANDS_MARK)
    texts[commands] = f"{head}{mark}\n\n{command_sections()}"
    for path in (DOCS / "plugins.md", *sorted((DOCS / "plugins").glob("*.md"))):
        texts[path] = _CODE.sub(_with_code, path.read_text(encoding="utf-8"))
    return texts


def command_sections() -> str:
    """The part of `docs/commands.md` below its mark: a section for each command."""
    return _joined(part for command in COMMANDS for part in _of_command(command))


def code_of(name: str) -> str:
    """The code that a page shows: of a file, or of the stage that `new-plugin KIND my_thing` makes.

    name: the path of the file within the repository, or `new-plugin:KIND`.
    """
    _, _, kind = name.partition("new-plugin:")
    if kind:
        return package_files(kind, "my_thing")["depthmask_my_thing/my_thing.py"]
    return (ROOT / name).read_text(encoding="utf-8")


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that show files from beside `docs/`."""
    from mkdocs.structure.files import File

    for page, name in _FROM_ROOT.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=text))
    files.append(File.generated(config, "notebook.md", content=notebook_page()))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Have the links of a page lead to pages of the site."""
    return links_of_site(markdown, page.file.src_uri)


def links_of_site(markdown: str, page: str) -> str:
    """The text of a page with links that hold in the site; what is not in it is named instead.

    page: its path in the site.
    """
    folder = posixpath.dirname(_FROM_ROOT.get(page, f"docs/{page}"))
    pages = {name: page for page, name in _FROM_ROOT.items()} | {f"docs/{NOTEBOOK}": "notebook.md"}

    def of_site(link: re.Match[str]) -> str:
        text, path, anchor = link[1], link[2], link[3] or ""
        file = posixpath.normpath(posixpath.join(folder, path))
        target = pages.get(file, file.removeprefix("docs/"))
        if target != file:
            return f"[{text}]({posixpath.relpath(target, posixpath.dirname(page))}{anchor})"
        return f"`{file}`" if text in (file, posixpath.basename(file)) else f"{text} (`{file}`)"

    return _LINK.sub(of_site, markdown)


def notebook_page() -> str:
    """The cells of the notebook, in which only Jupyter shows the pictures."""
    cells = json.loads((ROOT / "docs" / NOTEBOOK).read_text(encoding="utf-8"))["cells"]
    link = f'<a href="{NOTEBOOK}" download>Download this page as a notebook.</a>'
    return _joined([*map(_of_cell, cells[:1]), link, *map(_of_cell, cells[1:])])


def _of_cell(cell: dict[str, Any]) -> str:
    text = "".join(cell["source"])
    return text if cell["cell_type"] == "markdown" else f"```python\n{text}\n```"


def _with_code(block: re.Match[str]) -> str:
    return f"<!-- code: {block[1]} -->\n\n```python\n{code_of(block[1])}```"


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
    return f"<code>{text.replace('|', '&#124;<wbr>')}</code>" if "|" in text else f"`{text}`"


def _joined(parts: Iterable[str]) -> str:
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    for file, content in written_pages().items():
        file.write_text(content, encoding="utf-8")
