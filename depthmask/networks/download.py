"""Published weights: fetched once into the cache folder, resumed where a connection broke."""

from __future__ import annotations

import fcntl
import logging
import os
import re
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

from depthmask.caching import cache_folder
from depthmask.errors import DepthmaskError, UsageError
from depthmask.networks.weight_file import Published

ATTEMPTS = 4
"""Connections in a row that may bring nothing before a download is given up."""
TIMEOUT_S = 30
PIECE_BYTES = 1 << 18


def fetch(published: Published) -> Path:
    """The file in the cache folder, downloaded if it is not there yet.

    A new file gets its name only when it is whole. Raises `DepthmaskError` saying what to put
    where if it cannot be had, and `UsageError` if the one that is there has another size.
    """
    target = cache_folder() / "weights" / published.file
    if not target.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        # The jobs of a sweep may all want the file.
        with _locked(target.with_name(f"{target.name}.lock")):
            if not target.is_file():
                _download(published, target)
    found = target.stat().st_size
    if published.bytes is not None and found != published.bytes:
        raise UsageError(
            f"weights={published.name}: {target} has {found:,} bytes, expected "
            f"{published.bytes:,}; delete it, and it is downloaded again"
        )
    return target


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _download(published: Published, target: Path) -> None:
    # Here, because it imports requests: 0.2 s that few runs need.
    import pooch

    # It would tell of every step, and of a sha256 to pass to it.
    pooch.get_logger().setLevel(logging.WARNING)
    part = target.with_name(f"{target.name}.part")
    try:
        pooch.retrieve(
            published.url,
            known_hash=published.sha256,
            fname=target.name,
            path=target.parent,
            downloader=_Resuming(part, published.bytes),
        )
    except (OSError, HTTPException, ValueError) as error:
        size = f" ({published.bytes:,} bytes)" if published.bytes is not None else ""
        raise DepthmaskError(
            f"weights={published.name}: {published.url} cannot be downloaded: "
            f"{' '.join(str(error).split())}; put {published.file}{size} at {target}, "
            "or give its place as weights=PATH"
        ) from None


class _Resuming:
    """A downloader for pooch that goes on where the last one stopped; pooch's own starts afresh.

    part: where the beginning of the file is kept, from one run to the next. size: in bytes, None
    to believe the server.
    """

    def __init__(self, part: Path, size: int | None) -> None:
        self._part = part
        self._size = size

    def __call__(self, url: str, output_file: str, pooch: Any) -> None:
        with Progress(
            "[progress.description]{task.description}",
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            console=Console(stderr=True),
            transient=True,
        ) as progress:
            task = progress.add_task(url.rpartition("/")[2], total=self._size)
            failures = 0
            while not self._whole():
                before = self._have()
                try:
                    for have in self._continued(url):
                        progress.update(task, completed=have, total=self._size)
                except (OSError, HTTPException) as error:
                    if isinstance(error, HTTPError):
                        error.close()
                    failures = failures + 1 if self._have() <= before else 0
                    # Without a network there is nothing to wait for.
                    if failures == ATTEMPTS or not self._have():
                        raise
                    time.sleep(failures)
        os.replace(self._part, output_file)

    def _have(self) -> int:
        return self._part.stat().st_size if self._part.is_file() else 0

    def _whole(self) -> bool:
        return self._size is not None and self._have() == self._size

    def _continued(self, url: str) -> Iterator[int]:
        """Append what is missing; gives the bytes there are so far."""
        if self._size is not None and self._have() > self._size:
            self._part.unlink()
        have = self._have()
        request = urllib.request.Request(url, headers={"Accept-Encoding": "identity"})
        if have:
            request.add_header("Range", f"bytes={have}-")
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            start, total = _span(answer)
            self._check_span(start, total)
            with self._part.open("r+b" if start else "wb") as file:
                file.seek(start)
                file.truncate()
                while piece := answer.read(PIECE_BYTES):
                    yield start + file.write(piece)
                    start += len(piece)
        if self._have() != self._size:
            raise ConnectionError(f"broken off at {self._have():,} of {self._size:,} bytes")

    def _check_span(self, start: int, total: int) -> None:
        if self._size is None:
            self._size = total
        if total != self._size:
            raise ValueError(f"the server's file has {total:,} bytes, expected {self._size:,}")
        if start > self._have():
            raise ValueError(f"the server goes on at byte {start:,}, expected {self._have():,}")


def _span(answer: HTTPResponse) -> tuple[int, int]:
    """First byte of the answer, and length of the whole file."""
    if answer.status == 206:
        stated = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", answer.headers.get("Content-Range", ""))
        if stated:
            return int(stated[1]), int(stated[2])
    # All of it: to the first request, or from a server that knows no ranges.
    elif answer.headers.get("Content-Length", "").isdecimal():
        return 0, int(answer.headers["Content-Length"])
    raise ValueError("the server does not say how long the file is")
