"""Fetching published weights: from a server of our own that cuts, lies and forgets."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from depthmask.errors import DepthmaskError, UsageError
from depthmask.networks.download import fetch
from depthmask.networks.shown import downloads_shown
from depthmask.networks.weight_file import PublishedWeights
from depthmask.stages.depth import densedepth
from depthmask.stages.depth.densedepth import DenseDepth

CONTENT = np.random.default_rng(1).bytes(1_000_000)


class Server:
    """Serves `CONTENT`; the settings say how badly."""

    def __init__(self) -> None:
        self.ranges = True
        self.cuts = 0
        """Answers still to be broken off after 300,000 bytes."""
        self.length: int | None = len(CONTENT)
        """What it says, None for nothing."""
        self.status = 200
        self.requests: list[str | None] = []
        """The ranges asked for."""
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.http.server_port}/weights.h5"

    def _handler(server) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - `self` is the request
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = self.headers.get("Range")
                server.requests.append(asked)
                if server.status != 200:
                    self.send_error(server.status)
                    return
                start = int(re.findall(r"\d+", asked)[0]) if asked and server.ranges else 0
                self.send_response(206 if start else 200)
                if start:
                    span = f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"
                    self.send_header("Content-Range", span)
                if server.length is not None:
                    self.send_header("Content-Length", str(server.length - start))
                self.end_headers()
                stop = len(CONTENT)
                if server.cuts:
                    server.cuts -= 1
                    stop = start + 300_000
                self.wfile.write(CONTENT[start:stop])

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever)
    thread.start()
    yield server
    server.http.shutdown()
    server.http.server_close()
    thread.join()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DEPTHMASK_CACHE", str(tmp_path))
    return tmp_path / "weights"


def published(
    server: Server, *, size: int | None = len(CONTENT), sha256: str | None = None
) -> PublishedWeights:
    return PublishedWeights("mine", "weights.h5", server.url, size, sha256)


@pytest.mark.parametrize("size", [len(CONTENT), None])
def test_file_is_downloaded_once(server: Server, cache: Path, size: int | None) -> None:
    for _ in range(2):
        path = fetch(published(server, size=size))
        assert path == cache / "weights.h5"
        assert path.read_bytes() == CONTENT
    assert server.requests == [None]
    names = ["weights.h5", "weights.h5.lock", "weights.h5.sha256"]
    assert sorted(one.name for one in cache.iterdir()) == names


def test_damaged_weights_are_not_used(server: Server, cache: Path) -> None:
    """The authors publish no hash, so that of the download is kept."""
    path = fetch(published(server))
    path.write_bytes(bytes([CONTENT[0] ^ 1]) + CONTENT[1:])
    with pytest.raises(UsageError, match=r"is not as it was downloaded .*; delete it, and it is"):
        fetch(published(server))
    path.unlink()
    assert fetch(published(server)).read_bytes() == CONTENT


def test_weights_that_the_user_has_put_need_no_hash(server: Server, cache: Path) -> None:
    cache.mkdir()
    (cache / "weights.h5").write_bytes(CONTENT)
    assert fetch(published(server)).read_bytes() == CONTENT
    assert server.requests == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EDQUOT])
def test_a_cache_that_takes_no_weights_is_named(
    server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """It is not the connection that fails, so nothing is tried again."""

    def refuse(source: str, target: str) -> None:
        raise OSError(number, os.strerror(number), target)

    monkeypatch.setattr("os.replace", refuse)
    with pytest.raises(DepthmaskError) as caught:
        fetch(published(server))
    assert str(caught.value) == (
        f"the cache {cache.parent} cannot be written ({os.strerror(number)}); "
        "name another folder with DEPTHMASK_CACHE=FOLDER"
    )
    assert len(server.requests) == 1


@pytest.mark.parametrize("size", [len(CONTENT), None])
def test_a_program_shows_the_download_in_its_own_way(
    server: Server, cache: Path, size: int | None
) -> None:
    shown: list[object] = []

    @contextmanager
    def bar(title: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
        shown.append((title, total, unit))
        yield lambda count: shown.append(count)

    server.cuts = 1
    with downloads_shown(bar):
        fetch(published(server, size=size))
    assert shown[0] == ("weights.h5", len(CONTENT), "bytes")
    assert sum(count for count in shown[1:] if isinstance(count, int)) == len(CONTENT)


def test_cut_connection_is_resumed(server: Server, cache: Path) -> None:
    server.cuts = 2
    assert fetch(published(server)).read_bytes() == CONTENT
    assert server.requests == [None, "bytes=300000-", "bytes=600000-"]


def test_cut_run_is_resumed_by_the_next(server: Server, cache: Path) -> None:
    cache.mkdir()
    (cache / "weights.h5.part").write_bytes(CONTENT[:123_456])
    assert fetch(published(server)).read_bytes() == CONTENT
    assert server.requests == ["bytes=123456-"]


def test_whole_part_needs_no_server(server: Server, cache: Path) -> None:
    cache.mkdir()
    (cache / "weights.h5.part").write_bytes(CONTENT)
    assert fetch(published(server)).read_bytes() == CONTENT
    assert server.requests == []


def test_too_long_part_is_thrown_away(server: Server, cache: Path) -> None:
    cache.mkdir()
    (cache / "weights.h5.part").write_bytes(CONTENT * 2)
    assert fetch(published(server)).read_bytes() == CONTENT


def test_server_without_ranges_starts_again(server: Server, cache: Path) -> None:
    server.ranges = False
    server.cuts = 1
    assert fetch(published(server)).read_bytes() == CONTENT
    assert server.requests == [None, "bytes=300000-"]


@pytest.mark.parametrize(
    ("length", "complaint"),
    [
        (999_999, r"the server's file has 999,999 bytes, expected 1,000,000"),
        (None, r"the server does not say how long the file is"),
    ],
)
def test_wrong_size_is_refused_before_it_is_fetched(
    server: Server, cache: Path, length: int | None, complaint: str
) -> None:
    server.length = length
    with pytest.raises(DepthmaskError, match=complaint):
        fetch(published(server))
    assert [one.name for one in cache.iterdir()] == ["weights.h5.lock"]


def test_known_sha256_is_checked(server: Server, cache: Path) -> None:
    right = hashlib.sha256(CONTENT).hexdigest()
    assert fetch(published(server, sha256=right)).read_bytes() == CONTENT
    (cache / "weights.h5").unlink()
    with pytest.raises(DepthmaskError, match=r"(?i)sha256 hash .* does not match"):
        fetch(published(server, sha256="0" * 64))
    assert not (cache / "weights.h5").exists()


def test_no_server_says_what_to_put_where(server: Server, cache: Path) -> None:
    server.status = 403
    with pytest.raises(DepthmaskError) as caught:
        fetch(published(server))
    message = str(caught.value)
    assert server.url in message
    assert f"put weights.h5 (1,000,000 bytes) at {cache / 'weights.h5'}" in message
    assert message.isprintable()
    assert len(server.requests) == 1


def test_server_that_dies_leaves_what_there_is(
    server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.cuts = 1

    def die(seconds: float) -> None:
        server.status = 500

    monkeypatch.setattr("time.sleep", die)
    with pytest.raises(DepthmaskError, match="HTTP Error 500"):
        fetch(published(server))
    assert (cache / "weights.h5.part").read_bytes() == CONTENT[:300_000]


def test_file_of_another_size_is_a_usage_error(server: Server, cache: Path) -> None:
    cache.mkdir()
    (cache / "weights.h5").write_bytes(b"half")
    with pytest.raises(UsageError, match=r"has 4 bytes, expected 1,000,000; delete it"):
        fetch(published(server))


def test_stage_fetches_its_published_weights(
    server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(densedepth.PUBLISHED, "nyu", published(server))
    stage = DenseDepth()
    assert stage.weights_sha256 == hashlib.sha256(CONTENT).hexdigest()
    with pytest.raises(UsageError, match=r"weights\.h5: is neither HDF5"):
        stage.check_resources()
