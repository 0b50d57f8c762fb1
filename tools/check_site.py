"""Checks the built site and the pages in a clone: links, and the search without a server.

    mkdocs build --site-dir SITE && python -m tools.check_site SITE

Prints each link to a file or an anchor that is not there. Links to other servers are not followed.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tools.docs_pages import ROOT

_CLONE = ("*.md", "docs/**/*.md", "plugins/*/*.md", "examples/*/*.md", "benchmarks/**/*.md")
_NO_PAGES = ("404.html",)
"""Its links are absolute, for a server that shows it at any address."""
_API = re.compile(r"^::: (\S+)$", re.MULTILINE)
"""What mkdocstrings replaces by the documentation of an object, with its name as an anchor."""


class _Page(HTMLParser):
    """The anchors and links of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.anchors: set[str | None] = set()
        self.links: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("id", "name"):
                self.anchors.add(value)
            elif name in ("href", "src") and value:
                self.links.append(value)


def dead_links(pages: Mapping[Path, str]) -> Iterator[str]:
    """Yield each link of these pages that leads to no file, or to no anchor of one of them.

    pages: absolute path -> HTML.
    """
    parsed = {path: _Page(html) for path, html in pages.items()}
    anchors = {path: page.anchors for path, page in parsed.items()}
    for path, page in parsed.items():
        for link in sorted(set(page.links)):
            url = urlsplit(link)
            if url.scheme or url.netloc:
                continue
            target = (path.parent / unquote(url.path)).resolve() if url.path else path
            if not target.exists():
                yield f"{path}: {link}: no such file"
            elif url.fragment and unquote(url.fragment) not in anchors.get(
                target, {unquote(url.fragment)}
            ):
                yield f"{path}: {link}: no such anchor"


def of_site(folder: Path) -> dict[Path, str]:
    """The pages of a built site."""
    files = [file for file in folder.resolve().rglob("*.html") if file.name not in _NO_PAGES]
    return {file: file.read_text(encoding="utf-8") for file in sorted(files)}


def of_clone(root: Path) -> dict[Path, str]:
    """The Markdown files of a clone as HTML, with the anchors that GitHub gives to headings."""
    files = {file for pattern in _CLONE for file in root.resolve().glob(pattern)}
    return {file: _rendered(file.read_text(encoding="utf-8")) for file in sorted(files)}


def _rendered(text: str) -> str:
    from markdown import markdown
    from pymdownx.slugs import slugify

    return markdown(
        _API.sub(r'<a id="\1"></a>', text),
        extensions=["toc", "tables", "pymdownx.superfences"],
        extension_configs={"toc": {"slugify": slugify(case="lower")}},
    )


def search(site: Path, words: str) -> tuple[list[str], list[str]]:
    """Search in a site that is opened from a disk.

    Returns the pages that are shown, and the addresses on other machines that were asked for.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        page = browser.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto((site.resolve() / "index.html").as_uri())
        page.locator("[data-md-component=search-query]").fill(words, timeout=5000)
        hits = page.locator(".md-search-result__link")
        hits.first.wait_for()
        shown = [str(link.get_attribute("href")) for link in hits.all()]
        browser.close()
    return shown, [url for url in asked if urlsplit(url).scheme not in ("file", "data", "blob")]


def main(words: Iterable[str]) -> int:
    """Print what is wrong; returns the exit code."""
    (site,) = map(Path, words)
    pages = of_clone(ROOT) | of_site(site)
    faults = list(dead_links(pages))
    shown, asked = search(site, "NoPlaceError")
    if not any("plugins/placement.html" in page for page in shown):
        faults.append(f"{site}: the search for NoPlaceError shows {shown}")
    faults += [f"{site}: a page asks for {url}" for url in asked]
    print(*faults, f"{len(pages)} pages, {len(faults)} faults", sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
