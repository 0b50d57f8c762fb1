"""Links of the pages in a clone hold; the tool that says so finds what is dead."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.paths import ROOT

pytest.importorskip("pymdownx", reason="comes with the extra `docs`")

from tools.check_site import dead_links, of_clone, of_site

pytestmark = pytest.mark.tools


def test_links_of_this_clone_hold() -> None:
    pages = of_clone(ROOT)
    assert {"README.md", "depth.md", "CONTRIBUTING.md"} <= {path.name for path in pages}
    assert list(dead_links(pages)) == []


def test_dead_links_in_a_clone(tmp_path: Path) -> None:
    (tmp_path / "docs" / "api").mkdir(parents=True)
    (tmp_path / "README.md").write_text(
        "# One `two` & three\n\n[a](#one-two--three) [b](docs/b.md#depth-1) [c](docs/c.md)\n"
        "[d](#four) [e](docs/api/x.md#depthmask.Sample) [f](https://example.org/x)\n\n```sh\n[g](g.md)\n```\n"
    )
    (tmp_path / "docs" / "b.md").write_text("# Depth 1\n\n[readme](../README.md) ![](b.png)\n")
    (tmp_path / "docs" / "api" / "x.md").write_text("# X\n\n::: depthmask.Sample\n")
    assert [one.removeprefix(f"{tmp_path}/") for one in dead_links(of_clone(tmp_path))] == [
        "README.md: #four: no such anchor",
        "README.md: docs/c.md: no such file",
        "docs/b.md: b.png: no such file",
    ]


def test_dead_links_in_a_site(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<a href="b.html#x">x</a><a href="b.html#y">y</a><img src=c.png>'
    )
    (tmp_path / "b.html").write_text('<p id="x">x</p><script src="s.js?1"></script>')
    (tmp_path / "404.html").write_text('<a href="/nowhere/">x</a>')
    assert [one.removeprefix(f"{tmp_path}/") for one in dead_links(of_site(tmp_path))] == [
        "a.html: b.html#y: no such anchor",
        "a.html: c.png: no such file",
        "b.html: s.js?1: no such file",
    ]
