"""An S3 server on this machine, for tests, tools and benchmarks: moto's, a process of its own."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

BUCKET = "bucket"
_STARTS_IN_S = 60.0


@dataclass
class Server:
    """process: of the server; environment: what its clients need; log: a line for each request."""

    process: subprocess.Popen[bytes]
    environment: dict[str, str]
    log: Path

    @property
    def cpu_seconds(self) -> float:
        """Processor time that it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def requests(self) -> Counter[str]:
        """How many of each kind it has answered."""
        return Counter(re.findall(r'"([A-Z]+) /', self.log.read_text(errors="replace")))

    @property
    def answered(self) -> int:
        """How many that were, all in all."""
        with self.log.open("rb") as lines:
            return sum(piece.count(b"\n") for piece in iter(lambda: lines.read(1 << 20), b""))

    @property
    def is_up(self) -> bool:
        """Whether it answers; the answer is to have the bucket made."""
        request = urllib.request.Request(f"{self.environment['AWS_ENDPOINT_URL']}/{BUCKET}")
        request.method = "PUT"
        try:
            with urllib.request.urlopen(request, timeout=5):
                return True
        except OSError:
            return False

    def push(self, folder: Path, prefix: str) -> None:
        """Upload a folder, by other code than ours."""
        for path in folder.rglob("*"):
            if path.is_file():
                key = f"{prefix}/{path.relative_to(folder).as_posix()}"
                self._client().put_object(Bucket=BUCKET, Key=key, Body=path.read_bytes())

    def put(self, **objects: bytes) -> None:
        """Upload objects by their keys, which may be any text."""
        for key, content in objects.items():
            self._client().put_object(Bucket=BUCKET, Key=key, Body=content)

    def pull(self, prefix: str, folder: Path) -> None:
        """Download what is below a prefix, by other code than ours."""
        client = self._client()
        for page in client.get_paginator("list_objects_v2").paginate(
            Bucket=BUCKET, Prefix=f"{prefix}/"
        ):
            for one in page.get("Contents", []):
                path = folder / one["Key"].removeprefix(f"{prefix}/")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(client.get_object(Bucket=BUCKET, Key=one["Key"])["Body"].read())

    def _client(self) -> Any:
        import boto3

        return boto3.client(
            "s3",
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            aws_access_key_id="test",
            aws_secret_access_key="test",
            region_name="us-east-1",
        )


@contextmanager
def s3_server() -> Iterator[Server]:
    """Start it, with an empty bucket `s3://bucket`; our environment points to it meanwhile."""
    port = free_port()
    environment = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
    }
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with tempfile.NamedTemporaryFile() as log:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log)
        server = Server(process, environment, Path(log.name))
        yield from _while_up(server)


def _while_up(server: Server) -> Iterator[Server]:
    process = server.process
    try:
        deadline = time.monotonic() + _STARTS_IN_S
        while not server.is_up:
            if time.monotonic() > deadline or process.poll() is not None:
                raise SystemExit("moto's server does not start: pip install 'moto[server]'")
            time.sleep(0.05)
        with patch.dict(os.environ, server.environment):
            yield server
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
