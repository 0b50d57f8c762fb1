"""Downloads published weights once into the cache folder; resumes after broken connections."""

from __future__ import annotations

import fcntl
import logging
import os
import re
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from depthmask.caching import cache_folder, cache_written, stores
from depthmask.errors import DISK_FULL, DepthmaskError, UsageError
from depthmask.networks.shown import bar_of_downloads
from depthmask.networks.weight_file import PublishedWeights, sha256

ATTEMPTS = 4
"""Connections in a row without any data before a download fails."""
TIMEOUT_S = 30
PIECE_BYTES = 1 << 18


def fetch(published: PublishedWeights) -> Path:
    """The path of the weights in the cache folder; they are downloaded if missing.

    A file gets its name only once it is complete. Raises `DepthmaskError`, which says how to
    provide the file, if the download fails, and `UsageError` if the existing file has another size.
    """
    target = cache_folder() / "weights" / published.file
    if not target.is_file() and not stores():
        raise UsageError(
            f"weights={published.name}: not downloaded yet, and a dry run writes nothing; run "
            f"without --dry-run, or put {published.file} at {target}"
        )
    if not target.is_file():
        with cache_written():
            target.parent.mkdir(parents=True, exist_ok=True)
        # Several jobs of a sweep may need the file.
        with _locked(target.with_name(f"{target.name}.lock")):
            if not target.is_file():
                _download(published, target)
    if fault := _fault_of(target, published):
        raise UsageError(
            f"weights={published.name}: {target} {fault}; delete it, and it is downloaded again"
        )
    return target


def _fault_of(target: Path, published: PublishedWeights) -> str:
    """What is wrong with weights in the cache; empty if nothing is known to be."""
    size = target.stat().st_size
    if published.bytes is not None and size != published.bytes:
        return f"has {size:,} bytes, expected {published.bytes:,}"
    recorded = _hash_file(target)
    # A file that the user has put into the cache has none.
    if recorded.is_file() and recorded.read_text("ascii") != sha256(target):
        return f"is not as it was downloaded (see {recorded.name})"
    return ""


def _hash_file(target: Path) -> Path:
    """The file with the sha256 of a download; the authors publish none."""
    return target.with_name(f"{target.name}.sha256")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with ExitStack() as opened:
        with cache_written():
            file = opened.enter_context(path.open("wb"))
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _download(published: PublishedWeights, target: Path) -> None:
    # Imported here, since it imports requests, which takes 0.2 s.
    import pooch

    # pooch would log every step, and the sha256 of the file.
    pooch.get_logger().setLevel(logging.WARNING)
    partial = target.with_name(f"{target.name}.part")
    try:
        pooch.retrieve(
            published.url,
            known_hash=published.sha256,
            fname=target.name,
            path=target.parent,
            downloader=_Resuming(partial, published.bytes),
        )
        _hash_file(target).write_text(sha256(target), "ascii")
    except (OSError, HTTPException, ValueError) as error:
        if _is_of_disk(error):
            with cache_written():
                raise
        size = f" ({published.bytes:,} bytes)" if published.bytes is not None else ""
        raise DepthmaskError(
            f"weights={published.name}: {published.url} cannot be downloaded: "
            f"{' '.join(str(error).split())}; put {published.file}{size} at {target}, "
            "or give its path as weights=PATH"
        ) from None


def _is_of_disk(error: Exception) -> bool:
    """Whether an error is one of the cache's disk, and none of the connection."""
    if not isinstance(error, OSError) or isinstance(error, URLError):
        return False
    return error.filename is not None or error.errno in DISK_FULL


@contextmanager
def _terminal_bar(title: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
    """Draw a bar, for programs that do not show downloads in a way of their own."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    console = Console(stderr=True)
    with Progress(*columns, TransferSpeedColumn(), console=console, transient=True) as progress:
        task = progress.add_task(title, total=total)
        yield lambda count: progress.advance(task, count)


class _Resuming:
    """A downloader for pooch that resumes, while pooch's own starts from the beginning.

    partial: the path of the incomplete file, kept between runs. size: in bytes;
    None: as the server states it.
    """

    def __init__(self, partial: Path, size: int | None) -> None:
        self._partial = partial
        self._size = size

    def __call__(self, url: str, output_file: str, pooch: Any) -> None:
        with ExitStack() as shown:
            advance: Callable[[int], None] | None = None
            done = failures = 0
            while not self._is_complete():
                before = self._bytes_so_far()
                try:
                    for so_far in self._append(url):
                        if advance is None:
                            # The server has said by now how long the file is.
                            advance = shown.enter_context(self._bar(url))
                        advance(so_far - done)
                        done = so_far
                except (OSError, HTTPException) as error:
                    if isinstance(error, HTTPError):
                        error.close()
                    if _is_of_disk(error):
                        raise
                    failures = failures + 1 if self._bytes_so_far() <= before else 0
                    # Without any data, there may be no network: do not wait.
                    if failures == ATTEMPTS or not self._bytes_so_far():
                        raise
                    time.sleep(failures)
        os.replace(self._partial, output_file)

    def _bar(self, url: str) -> AbstractContextManager[Callable[[int], None]]:
        bar = bar_of_downloads() or _terminal_bar
        return bar(url.rpartition("/")[2], self._size or 0, "bytes")

    def _bytes_so_far(self) -> int:
        return self._partial.stat().st_size if self._partial.is_file() else 0

    def _is_complete(self) -> bool:
        return self._size is not None and self._bytes_so_far() == self._size

    def _append(self, url: str) -> Iterator[int]:
        """Append the missing bytes; yields the number of bytes so far."""
        if self._size is not None and self._bytes_so_far() > self._size:
            self._partial.unlink()
        so_far = self._bytes_so_far()
        request = urllib.request.Request(url, headers={"Accept-Encoding": "identity"})
        if so_far:
            request.add_header("Range", f"bytes={so_far}-")
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
            start, total = _span(response)
            self._check_span(start, total)
            with self._partial.open("r+b" if start else "wb") as file:
                file.seek(start)
                file.truncate()
                while piece := response.read(PIECE_BYTES):
                    yield start + file.write(piece)
                    start += len(piece)
        if self._bytes_so_far() != self._size:
            raise ConnectionError(f"broken off at {self._bytes_so_far():,} of {self._size:,} bytes")

    def _check_span(self, start: int, total: int) -> None:
        if self._size is None:
            self._size = total
        if total != self._size:
            raise ValueError(f"the server's file has {total:,} bytes, expected {self._size:,}")
        if start > self._bytes_so_far():
            raise ValueError(
                f"the server continues at byte {start:,}, expected {self._bytes_so_far():,}"
            )


def _span(response: HTTPResponse) -> tuple[int, int]:
    """(first byte of the response, length of the whole file)."""
    if response.status == 206:
        stated = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
        if stated:
            return int(stated[1]), int(stated[2])
    # The whole file: the response to the first request, or of a server without ranges.
    elif response.headers.get("Content-Length", "").isdecimal():
        return 0, int(response.headers["Content-Length"])
    raise ValueError("the server does not say how long the file is")
