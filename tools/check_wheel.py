"""Does a wheel hold every module, YAML file and weight of the checkout? Exits 1 if not."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

KERNELS = "depthmask/kernels/_native."


def main(wheel: Path) -> int:
    """Compare the files that git tracks with the names in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    # The sources of the kernels stay out, and what becomes of them is no file of the checkout.
    kernels = {name for name in held if name.startswith(KERNELS)}
    print(f"{wheel.name}: {', '.join(sorted(kernels)) or 'no compiled kernels'}")
    held -= kernels
    wanted = {_in_wheel(name) for name in _tracked() if _belongs(name)}
    for name in sorted(wanted - held):
        print(f"{wheel.name} lacks {name}")
    for name in sorted(held - wanted):
        print(f"{wheel.name} holds {name}, which is not of the package")
    print(f"{wheel.name}: {len(held)} files")
    return int(wanted != held)


def _tracked() -> list[str]:
    root = Path(__file__).resolve().parent.parent
    listing = subprocess.run(
        ["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True
    )
    return listing.stdout.splitlines()


def _belongs(name: str) -> bool:
    path = PurePosixPath(name)
    return path.parts[0] in ("depthmask", "conf") and path.suffix not in (".c", ".h")


def _in_wheel(name: str) -> str:
    return f"depthmask/{name}" if name.startswith("conf/") else name


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
