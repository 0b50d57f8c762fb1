"""The lock of a folder, also on file systems that have none, and for the users of a group."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from depthmask.cli.main import main
from depthmask.errors import UsageError
from depthmask.storage.local import LocalPath
from depthmask.storage.verify import verify

GROUP = 2000
ROOMS = ("source.rooms=2", "source.furniture=2", "size=[16,16]", "depth=none", "runner.workers=1")


@pytest.mark.parametrize(
    "code", [errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL]
)
def test_a_file_system_without_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refused(handle: int, operation: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", refused)
    with pytest.raises(UsageError) as caught, LocalPath(tmp_path / "out").locked():
        pytest.fail("not locked")
    assert str(caught.value) == (
        f"output={tmp_path / 'out'}: its file system cannot lock files ({os.strerror(code)}), as "
        "NFS without its lock service (lockd); choose an output on a disk of this machine, and "
        "move the dataset afterwards"
    )


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder of a group, outside of what pytest keeps for one user."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    before = os.umask(0o002)
    try:
        folder.chmod(0o2775)
        yield folder
    finally:
        os.umask(before)
        shutil.rmtree(folder)


def modes(folder: Path) -> tuple[set[str], set[str]]:
    """Those of all files, and of all folders."""
    paths = list(folder.rglob("*"))
    files, folders = (
        {oct(path.stat().st_mode & 0o777) for path in paths if path.is_dir() == wanted}
        for wanted in (False, True)
    )
    return files, folders


@pytest.mark.parametrize(("umask", "of_files"), [(0o002, 0o664), (0o077, 0o600), (0o022, 0o644)])
def test_all_files_have_the_rights_of_the_umask(shared: Path, umask: int, of_files: int) -> None:
    os.umask(umask)
    assert main([*ROOMS, "samples=1", f"output={shared / 'out'}"]) == 0
    assert main(["report", str(shared / "out")]) == 0
    assert modes(shared) == ({oct(of_files)}, {oct(0o777 & ~umask)})


@pytest.mark.slow
@pytest.mark.skipif(os.getuid() != 0, reason="only root becomes another user")
def test_a_group_extends_repairs_and_reports(shared: Path) -> None:
    os.chown(shared, -1, GROUP)
    shared.chmod(0o2775)
    out = shared / "out"
    as_user = ["setpriv", f"--regid={GROUP}", "--clear-groups"]

    def by(user: int, *words: str) -> int:
        done = subprocess.run(
            [*as_user, f"--reuid={user}", sys.executable, "-B", "-m", "depthmask", *words],
            env={**os.environ, "DEPTHMASK_CACHE": str(shared / "cache"), "HOME": str(shared)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert not done.returncode, done.stderr
        return user

    by(1001, *ROOMS, "samples=2", f"output={out}")
    by(1002, "extend", str(out), "samples=3", "runner.workers=1")
    (out / "shards" / "train-000000.tar").write_bytes(b"damaged")
    by(1001, "verify", str(out), "--repair")
    by(1002, "report", str(out))
    by(1001, "resume", str(out))
    by(1001, "report", str(out))
    assert verify(out) == []
    files, folders = modes(out)
    assert (files, folders) == ({"0o664"}, {"0o775"})
