"""Plugin packages on the path, as pip leaves them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path


def install_package(package: Path, site: Path) -> None:
    """Copy a package's modules and write its metadata, with its entry points, into `site`."""
    project = tomllib.loads((package / "pyproject.toml").read_text())["project"]
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    entries = [f"{name} = {value}" for name, value in project["entry-points"]["depthmask"].items()]
    (info / "entry_points.txt").write_text("\n".join(["[depthmask]", *entries]))
    module = next(package.glob("depthmask_*"))
    shutil.copytree(module, site / module.name)


def write_plugin(site: Path, name: str, version: str, code: str) -> None:
    """Install a package of one module into `site`, instead of another version of it."""
    site.mkdir(exist_ok=True)
    for old in site.glob(f"{name}-*.dist-info"):
        shutil.rmtree(old)
    (site / f"{name}.py").write_text(code)
    info = site / f"{name}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "entry_points.txt").write_text(f"[depthmask]\n{name} = {name}\n")


def run_with_plugins(
    site: Path, *command: str, cwd: Path | None = None, **env: str
) -> subprocess.CompletedProcess[str]:
    """`python -m COMMAND` with the packages in `site` on its path."""
    path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.run(
        [sys.executable, "-m", *command],
        env={**os.environ, "PYTHONPATH": path, **env},
        cwd=cwd or site,
        capture_output=True,
        text=True,
        check=False,
    )
