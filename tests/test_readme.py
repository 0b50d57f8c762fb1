"""The README: its plugin works, its table of stages is complete; tests/docs runs the rest."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from depthmask.config.plugins import registry
from depthmask.config.provider import BUILT_IN
from depthmask.config.registry import KINDS
from tests.support.paths import ROOT

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
SMALL = ["samples=2", "source.rooms=3", "source.furniture=4", "runner.workers=1"]


def test_plugin(tmp_path: Path) -> None:
    package = tmp_path / "my_package"
    package.mkdir()
    (package / "__init__.py").touch()
    blocks = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    (plugin,) = [one for one in blocks if "@stage" in one]
    (package / "corner.py").write_text(plugin)
    entry = re.search(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    assert entry is not None
    info = tmp_path / "my_package-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1\n")
    lines = entry[1].replace("[project.entry-points.depthmask]", "[depthmask]").replace('"', "")
    (info / "entry_points.txt").write_text(lines)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); "
        "from depthmask.cli.main import main; "
        f"sys.exit(main(['placement=corner', 'placement.margin=8', 'output=out', *{SMALL!r}]))"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    import depthmask

    for sample in depthmask.open(tmp_path / "out"):
        assert sample.meta["layers"][0]["box"][:2] == [8, 8]


def test_table_of_stages_is_complete() -> None:
    for kind in KINDS:
        (row,) = [line for line in TEXT.splitlines() if line.startswith(f"| `{kind}` |")]
        named = set(re.findall(r"`(\w+)`", row.split("|")[2]))
        stages = registry().stages[kind].items()
        assert named == {name for name, one in stages if one.provider.name == BUILT_IN}
