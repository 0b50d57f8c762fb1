"""Plugin packages on the path, as pip leaves them."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

from depthmask.config import plugins
from depthmask.config.hooks import hookimpl
from depthmask.config.plugins import registry
from depthmask.config.provider import Provider
from depthmask.config.registry import Registry


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


def install_module(
    site: Path,
    name: str,
    code: str,
    value: str | None = None,
    version: str = "1.2",
    group: str = "depthmask",
    requires: Iterable[str] = (),
) -> None:
    """What pip would leave: a module and its metadata with an entry point."""
    (site / f"{name}.py").write_text(code)
    info = site / f"{name}-{version}.dist-info"
    info.mkdir()
    required = "".join(f"Requires-Dist: {one}\n" for one in requires)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{required}"
    )
    (info / "entry_points.txt").write_text(
        f"[{group}]\n{name} = {name if value is None else value}\n"
    )


def write_plugin(site: Path, name: str, version: str, code: str) -> None:
    """Install a package of one module into `site`, instead of another version of it."""
    site.mkdir(exist_ok=True)
    for old in site.glob(f"{name}-*.dist-info"):
        shutil.rmtree(old)
    install_module(site, name, code, version=version)


@contextmanager
def loaded(name: str, **members: Any) -> Iterator[ModuleType]:
    """A plugin `NAME 1.2` in this process: a module with these functions, each a hook."""
    module = ModuleType(name)
    for member, value in members.items():
        setattr(module, member, hookimpl(value))
    entry = EntryPoint(name, name, "depthmask")
    known = registry()
    tables: list[dict[str, Any]] = [known.commands, known.statistics, known.providers]
    tables.append(known.names._named)
    before = [dict(table) for table in tables]
    with patch.dict(sys.modules, {name: module}):
        plugins._load(known, entry, Provider(name, "1.2"))
    try:
        yield module
    finally:
        known.plugins.unregister(module)
        for table, old in zip(tables, before, strict=True):
            table.clear()
            table.update(old)


@contextmanager
def registry_of(site: Path) -> Iterator[Registry]:
    """The registry of a new process with the packages in `site` on its path."""
    before = set(sys.modules)
    with patch.object(sys, "path", [str(site), *sys.path]):
        importlib.invalidate_caches()
        try:
            yield plugins.registry.__wrapped__()
        finally:
            for name in set(sys.modules) - before:
                if str(getattr(sys.modules[name], "__file__", "")).startswith(str(site)):
                    del sys.modules[name]


def pip_install(packages: Iterable[Path], site: Path) -> None:
    """Install packages into `site` by pip, offline, from copies that it may build in."""
    with tempfile.TemporaryDirectory() as scratch:
        copies = [shutil.copytree(one, Path(scratch, one.name)) for one in packages]
        options = ("--no-deps", "--no-build-isolation", "--no-index", "--target", str(site))
        command = [sys.executable, "-m", "pip", "install", "--quiet", *options, *map(str, copies)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def run_with_plugins(
    site: Path, *command: str, cwd: Path | None = None, **env: str
) -> subprocess.CompletedProcess[str]:
    """`python -m COMMAND` with the packages in `site` on its path."""
    path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    # No bytecode: Python would use that of an earlier version with the same second and size.
    settings = {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-m", *command],
        env={**os.environ, **settings, **env},
        cwd=cwd or site,
        capture_output=True,
        text=True,
        check=False,
    )
