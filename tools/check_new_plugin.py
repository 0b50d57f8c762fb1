"""Packages as `new-plugin` makes them: installed, tested, chosen, uninstalled without a trace.

    python -m tools.check_new_plugin

In an environment of its own, with depthmask[dev] installed: it installs one package for each kind
of stage with pip, and takes them away again.
"""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from depthmask.cli.scaffold.package import new_package
from depthmask.config.registry import KINDS, LISTS

NAME = "as_made"


def main() -> int:
    """Print each step; the first that fails raises."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        before = _traces()
        packages = [new_package(kind, f"{NAME}_{kind}", folder) for kind in KINDS]
        _python("-m", "pip", "install", "--quiet", *(f"{package}[test]" for package in packages))
        try:
            for package in packages:
                print(f"{package.name}: ", end="", flush=True)
                _run("ruff", "check", ".", folder=package)
                _run("ruff", "format", "--check", ".", folder=package)
                _run("mypy", "--strict", package.name.replace("-", "_"), folder=package)
                print(_run("pytest", "-q", folder=package).splitlines()[-1])
            _check_chosen(folder)
        finally:
            names = [package.name for package in packages]
            _python("-m", "pip", "uninstall", "--quiet", "--yes", *names)
        left = _traces() - before
        assert not left, f"left behind: {sorted(left)}"
        assert NAME not in _python("-m", "depthmask", "plugins")
        refused = subprocess.run(
            [sys.executable, "-m", "depthmask", f"placement={NAME}_placement", "samples=1"],
            cwd=folder,
            capture_output=True,
            text=True,
        )
        assert refused.returncode == 2, refused.stderr
    print(f"{len(packages)} packages: installed, tested, chosen together, and gone")
    return 0


def _check_chosen(folder: Path) -> None:
    """Each beside the others: one dataset by all of them, and built-ins still there."""
    listing = _python("-m", "depthmask", "plugins")
    names = {kind: f"{NAME}_{kind}" for kind in KINDS}
    stages = [
        f"{kind}=[{name}]" if kind in LISTS else f"{kind}={name}" for kind, name in names.items()
    ]
    assert all(f"  {stage}  (depthmask-" in listing for stage in stages), listing
    assert "  placement=random  (built-in)" in listing
    _python("-m", "depthmask", *stages, "samples=12", "output=out", folder=folder)
    config = json.loads((folder / "out" / "plan.json").read_text())["config"]
    for kind, name in names.items():
        if kind != "runner":
            chosen = config[kind][name] if kind in LISTS else config[kind]
            assert chosen["stage"] == name
    _python("-m", "depthmask", "verify", "out", folder=folder)


def _traces() -> set[str]:
    """All names in the places that pip installs into."""
    places = {sysconfig.get_path(name) for name in ("purelib", "platlib", "scripts")}
    return {str(path) for place in places for path in Path(place).glob("*")}


def _python(*words: str, folder: Path | None = None) -> str:
    return _run(sys.executable, *words, folder=folder)


def _run(*words: str, folder: Path | None = None) -> str:
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
