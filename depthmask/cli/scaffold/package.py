"""Creates a complete package with one stage, its entry point and its test."""

from __future__ import annotations

import keyword
import os
import re
import shutil
import tempfile
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from depthmask.config.plugins import registry
from depthmask.config.registry import KINDS, LISTS, suggestion
from depthmask.errors import UsageError
from depthmask.storage.shell import word

_FILES = {
    "pyproject.toml": "pyproject.toml.j2",
    "README.md": "README.md.j2",
    "{package}/__init__.py": "init.py.j2",
    "{package}/{name}.py": "{kind}.py.j2",
    "{package}/py.typed": "py.typed.j2",
    "tests/test_{name}.py": "test.py.j2",
}


def new_package(kind: str, name: str, into: Path) -> Path:
    """Create the package `depthmask-NAME` in the folder `into`, or nothing; returns its path.

    Raises `UsageError` for a bad kind or name, or if the folder cannot be written.
    """
    _check(kind, name)
    distribution = f"depthmask-{name.replace('_', '-')}"
    target = into / distribution
    if target.exists():
        raise UsageError(f"{target} already exists; choose another name or --into FOLDER")
    files = package_files(kind, name)
    try:
        into.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{distribution}-", dir=into))
        try:
            for file, text in files.items():
                (draft / file).parent.mkdir(exist_ok=True)
                (draft / file).write_text(text, encoding="utf-8")
            os.chmod(draft, 0o755)  # mkdtemp gives access only to the owner
            os.rename(draft, target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        raise UsageError(f"{target}: {error.strerror}; choose another --into FOLDER") from None
    return target


def package_files(kind: str, name: str) -> dict[str, str]:
    """Path within the package -> content, for a package with the stage `kind=name`."""
    package = f"depthmask_{name}"
    values = {
        "kind": kind,
        "name": name,
        "choice": choice_of(kind, name),
        "word": word(choice_of(kind, name)),
        "distribution": f"depthmask-{name.replace('_', '-')}",
        "package": package,
        "cls": f"{name.title().replace('_', '')}{kind.title()}",
    }
    templates = Environment(
        loader=PackageLoader("depthmask.cli", "scaffold"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,
    )
    return {
        path.format(**values): templates.get_template(template.format(**values)).render(values)
        for path, template in _FILES.items()
    }


def choice_of(kind: str, name: str) -> str:
    """The override that chooses a stage: `placement=grid`, or `labels=[coco]`."""
    return f"{kind}=[{name}]" if kind in LISTS else f"{kind}={name}"


def _check(kind: str, name: str) -> None:
    if kind not in KINDS:
        raise UsageError(f"new-plugin {kind}: no such kind of stage{suggestion(kind, list(KINDS))}")
    if not re.fullmatch("[a-z][a-z0-9_]{0,39}", name) or keyword.iskeyword(name):
        raise UsageError(f"new-plugin {kind} {name}: use small letters, digits and _, as my_{kind}")
    owner = registry().owner(f"{kind}={name}")
    if owner is not None:
        raise UsageError(f"new-plugin {kind} {name}: {kind}={name} is taken by {owner}")
