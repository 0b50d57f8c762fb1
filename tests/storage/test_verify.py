"""Only damage is damage: what this process may not read is neither damaged, nor made or deleted."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import depthmask
from depthmask.cli.main import main
from depthmask.errors import MachineError
from depthmask.storage.verify import verify
from tests.support import tiny

CODES = {
    errno.EMFILE: "allow more with `ulimit -n 4096`",
    errno.ENFILE: "end other programs, or raise fs.file-max",
    errno.EACCES: "its owner must give this user the right to it",
    errno.EIO: "the disk or the network drive failed; check it, and run the same command again",
    errno.ESTALE: "the server of the network drive lost it; run the same command again",
}
FILES = (
    *("dataset.json", "plan.json", "records/train-000001.json"),
    *("shards/train-000001/000000003.jpg", "records", "shards"),
)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three shards of two samples, as files."""
    folder = tmp_path_factory.mktemp("readable")
    words = tiny.words(tiny.make_assets(folder / "assets"), folder / "out", "samples=6")
    assert main([*words, "shard_size=2", "runner.workers=1", "writer=folder"]) == 0
    return folder / "out"


def states(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """What tells whether a file was made anew."""
    return {
        str(path.relative_to(folder)): (one.st_ino, one.st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file() and path.name not in (".lock", "run.log") and (one := path.stat())
    }


@contextmanager
def unreadable(path: Path, code: int) -> Iterator[None]:
    """The system refuses to open a file, or to list a folder, with this error."""

    def refusing(call: Callable[..., Any]) -> Callable[..., Any]:
        def called(file: Any, *more: Any, **options: Any) -> Any:
            if isinstance(file, str | os.PathLike) and os.fspath(file) == str(path):
                raise OSError(code, os.strerror(code), str(path))
            return call(file, *more, **options)

        return called

    with pytest.MonkeyPatch.context() as patched:
        for module, name in ((os, "open"), (io, "open"), (os, "listdir"), (os, "scandir")):
            patched.setattr(module, name, refusing(getattr(module, name)))
        yield


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("name", FILES)
def test_what_cannot_be_read_is_not_damaged(
    out: Path, capsys: pytest.CaptureFixture[str], name: str, code: int
) -> None:
    before = states(out)
    for words in (["verify", str(out)], ["verify", str(out), "--repair"], ["resume", str(out)]):
        if words[0] == "resume" and name == "shards":
            continue  # It looks for strays in no folder.
        with unreadable(out / name, code):
            assert main(words) == 1, words
        said = capsys.readouterr()
        last = said.err.splitlines()[-1]
        assert last.startswith(f"error: {out / name}: {os.strerror(code)}; ")
        assert last.endswith(CODES[code])
        assert " damaged" not in said.out + said.err
        assert states(out) == before
    assert verify(out) == []


@pytest.mark.parametrize("name", [one for one in FILES if "." in one])
def test_a_reader_says_what_the_machine_lacks(out: Path, name: str) -> None:
    with unreadable(out / name, errno.EMFILE), pytest.raises(MachineError) as caught:
        list(depthmask.open(out))
    assert str(caught.value).startswith(f"{out / name}: Too many open files; ")


@pytest.mark.skipif(os.getuid() != 0, reason="only root becomes another user")
def test_files_of_another_user(out: Path, tmp_path: Path) -> None:
    theirs = Path(shutil.copytree(out, tmp_path / "theirs"))
    (theirs / "dataset.json").chmod(0o600)
    for folder in (theirs, *theirs.parents):
        folder.chmod(folder.stat().st_mode | 0o055) if folder.stat().st_uid == 0 else None
    os.seteuid(1002)
    try:
        with pytest.raises(MachineError, match=r"dataset\.json: Permission denied; its owner"):
            depthmask.open(theirs)
        with pytest.raises(MachineError, match=r"dataset\.json: Permission denied; its owner"):
            verify(theirs)
    finally:
        os.seteuid(0)


@pytest.fixture
def snapshot(out: Path, tmp_path: Path) -> Path:
    """As the cache of the Hugging Face Hub lays files out."""
    folder = tmp_path / "snapshots" / "1a2b"
    (tmp_path / "blobs").mkdir()
    for path in out.rglob("*"):
        if path.is_file():
            blob = tmp_path / "blobs" / hashlib.sha256(path.read_bytes()).hexdigest()
            shutil.copy(path, blob)
            link = folder / path.relative_to(out)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(os.path.relpath(blob, link.parent))
    return folder


@pytest.mark.parametrize("dangling", [False, True])
@pytest.mark.parametrize("linked", ["all", *FILES[:4]])
def test_links_are_not_damaged(
    out: Path,
    snapshot: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    linked: str,
    dangling: bool,
) -> None:
    dataset = snapshot
    if linked != "all":
        dataset = Path(shutil.copytree(out, tmp_path / "one"))
        (dataset / linked).unlink()
        (dataset / linked).symlink_to(snapshot / linked)
    if dangling:
        shutil.rmtree(tmp_path / "blobs")
    links = [path for path in dataset.rglob("*") if path.is_symlink()]
    for words in (["verify"], ["verify", "--repair"], ["resume"]):
        assert main([words[0], str(dataset), *words[1:]]) == 1
        said = capsys.readouterr()
        last = said.err.splitlines()[-1]
        name = linked if linked != "all" else last.removeprefix(f"error: {dataset}/").split(":")[0]
        assert last == (
            f"error: {dataset / name}: is a link; links in a dataset are not followed; copy the "
            "folder with `cp -rL`, or, from the Hugging Face Hub, download it with local_dir=FOLDER"
        )
        assert " damaged" not in said.out + said.err
        assert [path for path in dataset.rglob("*") if path.is_symlink()] == links
    with pytest.raises(MachineError, match="is a link; links in a dataset are not followed"):
        list(depthmask.open(dataset))


def test_what_the_advice_makes_of_links_is_whole(snapshot: Path, tmp_path: Path) -> None:
    copied = shutil.copytree(snapshot, tmp_path / "copied", symlinks=False)  # as `cp -rL`
    assert verify(copied) == []
