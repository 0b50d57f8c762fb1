"""Datasets in object stores: made, resumed, extended, repaired and read as those in folders."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

import depthmask
from depthmask.cli.main import main
from depthmask.storage import object_store
from depthmask.storage.location import location
from depthmask.storage.publish import read_sealed
from depthmask.storage.remote import ObjectPath
from depthmask.storage.verify import verify
from tests.support import tiny
from tests.support.s3_server import Server, free_port
from tools import kill_loop

PLAN = ("shard_size=3", "runner.workers=1")


@pytest.fixture(scope="module")
def assets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.make_assets(tmp_path_factory.mktemp("stores") / "assets")


@pytest.fixture(params=["memory", "s3"])
def out(request: pytest.FixtureRequest) -> ObjectPath:
    if request.param == "s3":
        request.getfixturevalue("s3")
    return address(f"{request.param}://bucket")


def address(top: str) -> ObjectPath:
    place = location(f"{top}/{os.urandom(6).hex()}/data")
    assert isinstance(place, ObjectPath)
    return place


def make(assets: Path, out: object, *more: str) -> int:
    return main(tiny.words(assets, out, *PLAN, *more))  # type: ignore[arg-type]


def files(out: Any, folder: str = "shards") -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((out / folder).iterdir())}


@pytest.mark.parametrize("writer", ["webdataset", "npz", "folder"])
def test_the_same_bytes_as_in_a_folder(
    assets: Path, out: ObjectPath, tmp_path: Path, writer: str
) -> None:
    more = ("samples=7", f"writer={writer}", "encode.labels=coco")
    assert make(assets, tmp_path / "out", *more) == 0
    assert make(assets, out, *more) == 0
    assert verify(out) == []
    there, here = depthmask.open(str(out)), depthmask.open(tmp_path / "out")
    for one, other in zip(there, here, strict=True):
        assert np.array_equal(one.image, other.image)
        assert np.array_equal(one.depth, other.depth)  # type: ignore[arg-type]
        assert one.meta == other.meta
    assert there.info["manifest_sha256"] == here.info["manifest_sha256"]
    names = {path.name for path in out.iterdir()}
    assert names == {path.name for path in (tmp_path / "out").iterdir()} - {".lock", ".drafts"}
    for name in ("coco_train.json", "preview.jpg"):
        assert (out / name).read_bytes()[:300] == (tmp_path / "out" / name).read_bytes()[:300]


def test_resume_extend_overwrite_and_repair(
    assets: Path, out: ObjectPath, capfd: pytest.CaptureFixture[str]
) -> None:
    assert make(assets, out, "samples=4") == 0
    before = files(out)
    assert make(assets, out, "samples=4") == 0
    assert "nothing is left to do" in capfd.readouterr().err
    assert make(assets, out, "samples=8") == 0
    assert "5 samples (3 are already made)" in capfd.readouterr().err
    assert files(out)["train-000000.tar"] == before["train-000000.tar"]
    assert len(depthmask.open(out)) == 8
    assert make(assets, out, "samples=8", "seed=1") == 2
    assert "holds another dataset: seed was 0 and is 1" in capfd.readouterr().err
    whole = files(out)
    path = out / "shards" / "train-000001.tar"
    path.write_bytes(whole[path.name][:-600])
    (out / "shards" / "train-000002.tar").unlink()
    (out / "shards" / "more.tar").write_bytes(b"not ours")
    assert main(["verify", str(out)]) == 1
    said = capfd.readouterr().out
    assert "train-000001: train-000001.tar has" in said
    assert "train-000002: train-000002.tar is missing" in said
    assert "shards/more.tar: belongs to no shard" in said
    assert main(["verify", str(out), "--repair"]) == 0
    assert files(out) == whole
    assert make(assets, out, "samples=8", "seed=1", "overwrite=true") == 0
    assert files(out) != whole
    assert verify(out) == []
    log = (out / "run.log").read_bytes().decode()
    assert "train-000000: samples 0..2" in log


def test_a_truncated_object_is_no_sample(assets: Path, out: ObjectPath) -> None:
    assert make(assets, out, "samples=3") == 0
    path = out / "shards" / "train-000000.tar"
    path.write_bytes(path.read_bytes()[:-600])
    with pytest.raises(depthmask.DepthmaskError, match=rf"verify {out} --repair` makes"):
        depthmask.open(out)[0]


def test_stats_render_convert_and_report(
    assets: Path, out: ObjectPath, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert make(assets, out, "samples=3") == 0
    capfd.readouterr()
    assert main(["stats", str(out)]) == 0
    assert "3 samples of 32x32, 1 shard" in capfd.readouterr().out
    assert main(["render", str(out), "--index", "1", "--into", str(tmp_path)]) == 0
    sample = depthmask.open(out).encoded(1)
    assert (tmp_path / "000000001.jpg").read_bytes() == sample.members["jpg"]
    assert main(["report", str(out)]) == 0
    assert b"<html" in (out / "report.html").read_bytes()[:200]
    other = out.parent / "other"
    words = ["convert", str(out), f"output={other}", "writer=zip", "runner.workers=1"]
    assert main(words) == 0
    assert depthmask.open(other).encoded(1).members == sample.members


def test_what_is_there_already_is_left_alone(
    assets: Path, out: ObjectPath, capfd: pytest.CaptureFixture[str]
) -> None:
    (out / "mine.txt").write_bytes(b"mine")
    assert make(assets, out, "samples=3") == 2
    assert "the folder is not empty and holds no depthmask dataset" in capfd.readouterr().err
    assert [path.name for path in out.iterdir()] == ["mine.txt"]


def test_memory_and_workers(assets: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert make(assets, address("memory://b"), "samples=7", "runner.workers=2") == 2
    assert "memory:// exists in one process only; set runner.workers=1" in capfd.readouterr().err


def test_a_sweep(out: ObjectPath, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["-m", "seed=0,1", "samples=2", "size=[32,32]", "source.rooms=2", "source.furniture=2"]
    words += ["runner.workers=1", f"output={out}"]
    assert main(words) == 0
    table = (out / "sweep.csv").read_bytes().decode().splitlines()
    assert len(table) == 3
    assert b"data:image/jpeg;base64" in (out / "sweep.html").read_bytes()
    names = {path.name for path in out.iterdir()}
    assert names >= {"sweep.csv", "sweep.html", "jobs"}
    assert len(names) == 5
    capfd.readouterr()
    assert main(words) == 0
    assert (out / "sweep.csv").read_bytes().count(b"nothing left to do") == 2
    assert main([*words[2:], "seed=0"]) == 2


def test_assets_by_url(assets: Path, tmp_path: Path, s3: Server) -> None:
    prefix = os.urandom(6).hex()
    s3.push(assets, prefix)
    url = f"s3://bucket/{prefix}"
    words = ["samples=7", "runner.workers=2"]
    assert make(assets, tmp_path / "here", *words) == 0
    assert make(assets, tmp_path / "there", *words, f"source.root={url}") == 0
    assert files(tmp_path / "there") == files(tmp_path / "here")
    plan = read_sealed(location(tmp_path / "there" / "plan.json"))
    here = read_sealed(location(tmp_path / "here" / "plan.json"))
    assert plan is not None
    assert here is not None
    assert (plan["unhashed"]["source"]["root"], plan["inputs"]) == (url, here["inputs"])
    assert plan["fingerprint"] == here["fingerprint"]


def test_a_bad_asset_is_named_by_its_url(
    assets: Path, tmp_path: Path, s3: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(assets, tmp_path / "assets")
    (tmp_path / "assets" / "bg" / "bad.png").write_bytes(b"no picture")
    prefix = os.urandom(6).hex()
    s3.push(tmp_path / "assets", prefix)
    url = f"s3://bucket/{prefix}"
    assert make(assets, tmp_path / "out", "samples=3", f"source.root={url}/") == 2
    assert f"error: {url}/bg/bad.png: not a picture" in capfd.readouterr().err
    more = (f"source.root={url}", "source.on_bad_asset=quarantine")
    assert make(assets, tmp_path / "out", "samples=3", *more) == 0
    assert (tmp_path / "out" / "quarantine" / "bg" / "bad.png").read_bytes() == b"no picture"
    assert make(assets, tmp_path / "none", "samples=3", f"source.root={url}/none") == 2
    assert f"{url}/none/bg: no such folder" in capfd.readouterr().err


def test_two_runs_refuse_each_other_and_a_killed_one_is_continued(
    assets: Path, s3: Server, tmp_path: Path
) -> None:
    plan = ("samples=300", "shard_size=20", "runner.workers=2")
    out = address("s3://bucket")
    words = tiny.words(assets, out, *plan)
    first = tiny.start(words)
    try:
        while not (out / "records").is_dir():
            assert first.poll() is None
            time.sleep(0.02)
        os.killpg(first.pid, signal.SIGSTOP)
        second = tiny.start(words, tmp_path / "log")
        assert second.wait(60) == 2
        said = (tmp_path / "log").read_text()
        assert f"another run is at work there (process {first.pid} on " in said
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
    assert not (out / "dataset.json").exists()
    third = tiny.start(words, tmp_path / "log")
    assert third.wait(120) == 0, (tmp_path / "log").read_text()
    assert "are already made" in (tmp_path / "log").read_text()
    assert main(tiny.words(assets, tmp_path / "whole", *plan)) == 0
    s3.pull(out.key, tmp_path / "fetched")
    assert tiny.losses(tmp_path / "fetched", 300, tiny.sha256s(tmp_path / "whole")) == []


@contextmanager
def on_the_way(server: Server, port: int) -> Iterator[None]:
    """Whoever comes to this port gets to the server, until the end."""
    there = urlsplit(server.environment["AWS_ENDPOINT_URL"])

    class Forward(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection((there.hostname, there.port)) as further:
                back = threading.Thread(target=copied, args=[further, self.request])
                back.start()
                copied(self.request, further)
                back.join()

    def copied(here: socket.socket, there: socket.socket) -> None:
        with suppress(OSError):
            open_ones.update({here, there})
            while content := here.recv(1 << 16):
                there.sendall(content)
            there.shutdown(socket.SHUT_RDWR)

    class Proxy(socketserver.ThreadingTCPServer):
        allow_reuse_address = True

    open_ones: set[socket.socket] = set()
    with Proxy(("127.0.0.1", port), Forward) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=[0.02])
        thread.start()
        try:
            yield
        finally:
            proxy.shutdown()
            thread.join()
            for one in open_ones:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)


def test_a_server_that_goes_away_and_comes_back(
    assets: Path,
    s3: Server,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """One clear line, and the same command goes on."""
    out, put, port = address("s3://bucket"), object_store.put, free_port()
    monkeypatch.setattr(object_store, "RETRIES", 1)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    object_store._connected.cache_clear()
    records = 0

    def goes(*where: Any) -> Any:
        nonlocal records
        records += "records" in where[1]
        if records == 3:
            way.close()
        return put(*where)

    with monkeypatch.context() as patched, ExitStack() as way:
        way.enter_context(on_the_way(s3, port))
        patched.setattr(object_store, "put", goes)
        assert make(assets, out, "samples=20") == 1
    said = capfd.readouterr().err.strip().splitlines()
    assert said[-1].startswith(f"error: {out}/records/train-000002.json: the object store failed")
    assert said[-1].endswith("published shards are kept: run the same command again")
    with on_the_way(s3, port):
        assert make(assets, out, "samples=20") == 0
        assert "14 samples (6 are already made)" in capfd.readouterr().err
        assert verify(out) == []
    object_store._connected.cache_clear()


@pytest.mark.parametrize("words", [["verify"], ["stats"], ["render", "--index", "0"]])
def test_nothing_there(s3: Server, words: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    """Also beside an object of which the name is no path."""
    s3.put(**{"odd/../name.png": b"a"})
    assert main([words[0], "s3://bucket/nothing", *words[1:]]) == 2
    assert capfd.readouterr().err.startswith("error: s3://bucket/nothing")


@pytest.mark.slow
def test_kills(s3: Server, tmp_path: Path) -> None:
    """A few; 30 rounds: tools/kill_loop.py --s3."""
    arena = kill_loop.Arena(tmp_path, ("webdataset",), s3)
    done = list(kill_loop.rounds(arena, 2, seed=5, at_once=2))
    assert [one for one in done if one.problems] == []
    assert sum(len(one.kills) for one in done) >= 2


def test_the_core_does_without() -> None:
    """Neither the library nor boto3 is imported for a dataset in a folder."""
    stores = "sys.exit('obstore' in sys.modules or 'boto3' in sys.modules)"
    code = f"import sys, depthmask.engine.run; {stores}"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_files_of_a_store_that_are_not_used_are_counted(
    assets: Path, tmp_path: Path, s3: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "assets"
    shutil.copytree(assets, root)
    (root / "bg" / "holiday").mkdir()
    for name in ("a.dng", "holiday/a.jpg", "holiday/b.jpg"):
        (root / "bg" / name).write_bytes(b"x")
    prefix = os.urandom(6).hex()
    s3.push(root, prefix)
    url = f"s3://bucket/{prefix}"
    more = [f"source.root={url}", "source.subfolders=false"]
    assert make(assets, tmp_path / "out", "samples=1", *more) == 0
    assert (
        f" foregrounds in {url}; 3 files not used: 2 in a sub-folder (move into bg/), "
        "1 camera raw (save as JPEG or PNG)"
    ) in capfd.readouterr().err
    (root / "fg").rename(root / "foregruonds")
    s3.push(root, f"{prefix}/other")
    assert make(assets, tmp_path / "none", "samples=1", f"source.root={url}/other") == 2
    error = capfd.readouterr().err
    assert f"{url}/other/fg: no such folder" in error
    assert "did you mean foregruonds/? Rename it to fg" in error


def test_folders_that_are_objects(
    assets: Path,
    tmp_path: Path,
    s3: Server,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """As the web pages of clouds make them: among assets, in the output, and in the dataset."""
    monkeypatch.setenv("DEPTHMASK_CACHE", str(tmp_path / "cache"))
    top = os.urandom(6).hex()
    s3.push(assets, f"{top}/assets")
    names = ("assets", "assets/bg", "assets/bg/more", "assets/old", "out", "out/shards")
    s3.put(**{f"{top}/{name}/": b"" for name in names})
    url = f"s3://bucket/{top}"
    words = ("samples=4", f"source.root={url}/assets", f"output={url}/out")
    assert make(assets, "unused", *words) == 0
    s3.put(**{f"{top}/out/{name}/": b"" for name in ("records", "shards/train-000000.tar")})
    s3.put(**{f"{top}/out/shards/more/": b"a folder with a content of its own"})
    assert main(["verify", f"{url}/out"]) == 0
    assert make(assets, "unused", *words, "samples=7") == 0
    assert make(assets, "unused", *words, "seed=1", "overwrite=true") == 0
    assert main(["verify", f"{url}/out", "--repair"]) == 0
    capfd.readouterr()
    assert main(["verify", url]) == 2
    assert f"{url} holds a dataset, and is none; give one, such as {url}/out" in (
        capfd.readouterr().err
    )


def test_only_what_is_read_is_copied(
    assets: Path,
    tmp_path: Path,
    s3: Server,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DEPTHMASK_CACHE", str(cache := tmp_path / "cache"))
    top, large = os.urandom(6).hex(), bytes(300_000)
    s3.push(assets, top)
    others = ("raw/a.mp4", "raw//b.mp4", "big.zip", "bg/notes.pdf", "bg/x/deep.png", "bg/.DS_Store")
    s3.put(**{f"{top}/{name}": large for name in others})
    root = f"source.root=s3://bucket/{top}"
    words = ("samples=2", "runner.workers=2", root, "source.subfolders=false")
    umask = os.umask(0o002)
    try:
        assert make(assets, tmp_path / "out", *words) == 0
    finally:
        os.umask(umask)
    needed = [path for path in assets.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in needed)
    copied = list((cache / "assets" / "files").iterdir())
    assert sum(path.stat().st_size for path in copied) == size
    assert {oct(path.stat().st_mode & 0o777) for path in copied} == {"0o664"}
    said = capfd.readouterr().err
    assert (
        f"s3://bucket/{top}: {len(needed)} files of {size:,} bytes were copied to {cache}/assets"
    ) in said
    assert "1 in a sub-folder (move into bg/)" in said
    assert make(assets, tmp_path / "out2", *words) == 0
    assert "were copied" not in capfd.readouterr().err


def test_a_store_that_allows_no_more(
    assets: Path,
    out: ObjectPath,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Code 2 would mean that nothing was written."""
    put = object_store.put

    def denied(root: str, key: str, *more: Any) -> Any:
        if key.endswith("records/train-000001.json"):
            raise object_store.AccessError(f"{root}/{key}: access denied (403 Forbidden)")
        return put(root, key, *more)

    with monkeypatch.context() as patched:
        patched.setattr(object_store, "put", denied)
        assert make(assets, out, "samples=7") == 1
    assert f"error: {out}/records/train-000001.json: access denied" in capfd.readouterr().err
    assert make(assets, out, "samples=7") == 0
    assert "4 samples (3 are already made)" in capfd.readouterr().err
