"""Object stores, by obstore: a few verbs on keys in buckets, and what goes wrong in one line.

obstore (the Rust library object_store) has conditional puts on every cloud. A small put takes it
0.40 ms of processor time, s3fs 2.4; the range of a sample 0.47, s3fs 2.6.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from depthmask.errors import DepthmaskError, UsageError

RETRIES = 8
"""Waits of 0.1 s to 15 s between them: half a minute, in which a server may start anew."""
RETRY_FOR = timedelta(minutes=2)
_EXTRA = {"s3": "s3", "gs": "gcs", "memory": "gcs"}
"""What brings the library, by scheme; only S3 needs more than obstore."""
PART = 16 << 20
"""Bytes of a part: what is larger goes up in parts, several at a time, and is there at the end."""


@dataclass(frozen=True, slots=True)
class Version:
    """What a store calls a content: most by an etag, Google's by a number."""

    etag: str | None
    number: str | None


NOTHING = Version(None, None)
"""Of an object that is not there."""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """An object that is there."""

    key: str
    bytes: int
    version: Version


class TakenError(Exception):
    """A conditional put found something else than it should."""


def head(root: str, key: str) -> ObjectInfo | None:
    """What is there, None if nothing is."""
    try:
        with _in_one_line(root, key):
            import obstore

            return _object_info(obstore.head(_store(root), key))
    except FileNotFoundError:
        return None


def get(root: str, key: str, span: tuple[int, int] | None = None) -> tuple[ObjectInfo, bytes]:
    """The whole object, or its bytes from start to stop; FileNotFoundError if there is none."""
    with _opened(root, key, span) as result:
        return _object_info(result.meta), bytes(result.bytes())


@contextmanager
def stream(root: str, key: str) -> Iterator[tuple[ObjectInfo, Iterator[bytes]]]:
    """The whole object, piece by piece."""
    with _opened(root, key, None) as result:
        yield (
            _object_info(result.meta),
            (bytes(piece) for piece in result.stream(min_chunk_size=1 << 20)),
        )


def put(root: str, key: str, content: bytes | Path, instead_of: Version | None = None) -> Version:
    """Put an object, or a file as one.

    instead_of: what has to be there now, else TakenError; None: whatever is there.
    """
    size = content.stat().st_size if isinstance(content, Path) else len(content)
    parts: dict[str, Any] = {"use_multipart": size > 2 * PART, "chunk_size": PART}
    with _in_one_line(root, key):
        import obstore
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        taken = (AlreadyExistsError, PreconditionError, FileNotFoundError)
        try:
            new = obstore.put(_store(root), key, content, mode=_mode(instead_of), **parts)
            return Version(new["e_tag"], new["version"])
        except taken as error:
            _require_bucket(root, error)
            raise TakenError from None


def _mode(instead_of: Version | None) -> Any:
    if instead_of is None:
        return "overwrite"
    if instead_of == NOTHING:
        return "create"
    names = {"e_tag": instead_of.etag, "version": instead_of.number}
    return {name: value for name, value in names.items() if value is not None}


def delete(root: str, keys: Iterable[str]) -> None:
    """Delete objects, 1,000 in a request where the store can; those that are not there, too."""
    with _in_one_line(root, ""):
        import obstore

        obstore.delete(_store(root), list(keys))


def listed(root: str, prefix: str) -> Iterator[ObjectInfo]:
    """All objects whose keys begin so."""
    with _in_one_line(root, prefix):
        import obstore

        for page in obstore.list(_store(root), prefix=prefix or None):
            yield from map(_object_info, page)


def children(root: str, prefix: str) -> Iterator[str]:
    """The keys right below, and those of folders."""
    with _in_one_line(root, prefix):
        import obstore

        found = obstore.list_with_delimiter(_store(root), prefix or None)
    yield from found["common_prefixes"]
    yield from (one["path"] for one in found["objects"])


@contextmanager
def _opened(root: str, key: str, span: tuple[int, int] | None) -> Iterator[Any]:
    try:
        with _in_one_line(root, key):
            import obstore

            yield obstore.get(_store(root), key, options={"range": span} if span else {})
    except FileNotFoundError:
        raise FileNotFoundError(f"{root}/{key}: no such object") from None


def _object_info(meta: Any) -> ObjectInfo:
    return ObjectInfo(meta["path"], meta["size"], Version(meta["e_tag"], meta["version"]))


def _store(root: str) -> Any:
    if os.getpid() != _begun():
        raise DepthmaskError(
            f"{root}: this process was forked after the store had been used, and in it there is no "
            "answer; start workers by spawn (in PyTorch DataLoader(..., "
            "multiprocessing_context='spawn'))"
        )
    return _connected(root)


@functools.cache
def _begun() -> int:
    """The process that used a store first: obstore's threads do not go through a fork."""
    return os.getpid()


@functools.cache
def _connected(root: str) -> Any:
    scheme = root.partition("://")[0]
    from obstore.store import MemoryStore, from_url

    if scheme == "memory":
        return MemoryStore()
    config = _s3_config(root) if scheme == "s3" else {}
    return from_url(
        root,
        client_options={"allow_http": True, "timeout": timedelta(minutes=5)},
        retry_config={"max_retries": RETRIES, "retry_timeout": RETRY_FOR},
        **config,
    )


def _s3_config(root: str) -> dict[str, Any]:
    """Region and credentials by boto3: environment, ~/.aws, containers, instances, as `aws s3`."""
    if os.environ.get("AWS_SKIP_SIGNATURE", "").lower() in ("1", "true"):
        return {}
    with _installed(root):
        import boto3
        from obstore.auth.boto3 import Boto3CredentialProvider

    session = boto3.Session()
    if session.get_credentials() is None:
        raise UsageError(
            f"{root}: no credentials for S3: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
            "or AWS_PROFILE; AWS_SKIP_SIGNATURE=true for what everybody may read"
        )
    return {"credential_provider": Boto3CredentialProvider(session)}


def _require_bucket(root: str, error: Exception) -> None:
    text = str(error)
    if "NoSuchBucket" in text or "bucket does not exist" in text:
        raise UsageError(f"{root}: no such bucket; make it, or choose another") from None


@contextmanager
def _installed(root: str) -> Iterator[None]:
    try:
        yield
    except ImportError:
        extra = _EXTRA[root.partition("://")[0]]
        raise UsageError(f"{root}: it takes `pip install 'depthmask[{extra}]'`") from None


@contextmanager
def _in_one_line(root: str, key: str) -> Iterator[None]:
    with _installed(root):
        from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

    where = f"{root}/{key}".rstrip("/")
    try:
        yield
    except (PermissionDeniedError, UnauthenticatedError) as error:
        raise UsageError(f"{where}: access denied ({_reason(error)})") from None
    except (BaseError, FileNotFoundError) as error:
        _require_bucket(root, error)
        if isinstance(error, FileNotFoundError):
            raise
        raise DepthmaskError(
            f"{where}: the store does not answer as it should ({_reason(error)}); what is "
            "published stays: run the same command again"
        ) from None


def _reason(error: Exception) -> str:
    """The few words of an error of object_store that a person needs; never a URL with its query."""
    text = str(error).partition("\n\nDebug source")[0]
    status = re.search(r"status code: (\d+ [\w ]+)", text)
    code = re.search(r"<Code>(\w+)</Code>", text)
    if status:
        return " ".join([status[1], *([code[1]] if code else [])])
    return re.sub(r"\?\S*", "", text.rpartition(" - ")[2].rpartition("source: ")[2])[:200].strip()
