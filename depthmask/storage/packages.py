"""Names the packages and the pixel versions of a plan."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from depthmask._version import PIXEL_CHANGES
from depthmask.untrusted import untrusted

OWN = "depthmask"
"""The package whose version and pixel version stand in every plan."""
PACKAGES = "packages"
"""The field of a plan with the package of each stage from a plugin: `writer=sqlite` -> name."""
PIXEL_VERSIONS = "pixel_versions"
"""The field of a plan with the pixel version of depthmask and of each stage, by `kind=name`."""

FILE_HASH = "sha256:"
"""Begins the version of a stage in a script: the hash of the file stands for it."""

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.!+_-]*")


def package_of(plan: Mapping[str, Any], stage: str) -> tuple[str, str] | None:
    """The (package, version) that a plan names for `kind=name`; None for stages of depthmask.

    Plans made before depthmask recorded packages name none.
    """
    package = plan.get(PACKAGES, {}).get(stage)
    return None if package is None else (package, plan["versions"][package])


def install_command(package: str, version: str) -> str:
    """The command that installs this version; empty for names that a shell could misread."""
    is_plain = _NAME.fullmatch(package) and _VERSION.fullmatch(version)
    return f"pip install '{package}=={version}'" if is_plain else ""


def other_pixels(plan: Mapping[str, Any], present: Mapping[str, Any]) -> str | None:
    """Why the samples of a plan cannot be made again, in words; None if they can.

    present: a plan of the same samples by the installed packages.
    """
    with untrusted("plan.json"):
        recorded = plan.get(PIXEL_VERSIONS, {})
        for stage, version in present.get(PIXEL_VERSIONS, {}).items():
            if (old := recorded.get(stage, 1)) != version:
                package = present.get(PACKAGES, {}).get(stage, OWN)
                made_by = plan.get("versions", {}).get(package, "")
                command = install_command(package, made_by)
                advice = f" (made by {package} {made_by}: `{command}`)" if command else ""
                changes = _changes(old, version) if stage == OWN else ""
                return f"{stage} has pixel version {old} there and {version} now{changes}{advice}"
    return None


def _changes(old: int, new: int) -> str:
    """What the pixel versions of depthmask after `old` changed, in words."""
    changes = [PIXEL_CHANGES[one] for one in range(old + 1, new + 1) if one in PIXEL_CHANGES]
    return f", which changed {'; '.join(changes)}" if changes else ""
