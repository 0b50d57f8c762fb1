"""Requests to object stores by obstore, with errors in one line.

obstore (the Rust library object_store) has conditional puts on every cloud, and takes a fifth of
the processor time of s3fs.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from depthmask.errors import DepthmaskError, UsageError

RETRIES = 8
"""Retries of a request. Their waits of 0.1 s to 15 s add up to half a minute, in which a server can
restart."""
RETRY_FOR = timedelta(minutes=2)
_EXTRA = {"s3": "s3", "gs": "gcs", "memory": "gcs"}
"""The extra that installs the library, by scheme; only S3 needs more than obstore."""
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_TRANSIENT = ("408", "429", "500", "502", "503", "504")
"""The codes of answers after which the same request may succeed."""
_BAD_NAME = re.compile(r'invalid path: [^"]*"([^"]*)"')
PART = 16 << 20
"""Bytes of a part of an upload. Parts are sent in parallel; the object appears with the last."""
MOST_CONDITIONAL = 8 * PART
"""The most bytes of an object that is put in place of a version: the library sends it in one piece,
from memory. The files of a shard have half of that at most, unless the user chose larger shards."""


@dataclass(frozen=True, slots=True)
class Version:
    """Identifies the content of an object, by an etag, or in Google's store by a number."""

    etag: str | None
    number: str | None


NOTHING = Version(None, None)
"""The version of an object that does not exist."""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """An existing object."""

    key: str
    bytes: int
    version: Version


class AccessError(UsageError):
    """The store does not allow a request."""


class TransientError(DepthmaskError):
    """A request broke off, or the store could not do it at this moment; it may do the next."""


class TakenError(Exception):
    """A conditional put found another version than it expected."""


def head(root: str, key: str) -> ObjectInfo | None:
    """Return size and version of an object; None if it does not exist."""
    try:
        with _in_one_line(root, key):
            import obstore

            return _object_info(obstore.head(_store(root), key))
    except FileNotFoundError:
        return None


def get(root: str, key: str, span: tuple[int, int] | None = None) -> tuple[ObjectInfo, bytes]:
    """Return an object, or its bytes start..stop-1; FileNotFoundError if it does not exist.

    span: (start, stop).
    """
    with _opened(root, key, span) as result:
        return _object_info(result.meta), bytes(result.bytes())


@contextmanager
def stream(root: str, key: str) -> Iterator[tuple[ObjectInfo, Iterator[bytes]]]:
    """Give a whole object in chunks."""
    with _opened(root, key, None) as result:
        yield (
            _object_info(result.meta),
            (bytes(chunk) for chunk in result.stream(min_chunk_size=1 << 20)),
        )


def put(
    root: str,
    key: str,
    content: bytes | Path,
    instead_of: Version | None = None,
    retries: int | None = None,
) -> Version:
    """Put an object from bytes or from a local file.

    instead_of: the version to replace, TakenError if the object has another, perhaps by this same
    put, if its first answer was lost; None replaces any. retries: `RETRIES` by default.
    """
    size = content.stat().st_size if isinstance(content, Path) else len(content)
    multipart: dict[str, Any] = {"use_multipart": size > 2 * PART, "chunk_size": PART}
    with _in_one_line(root, key):
        import obstore
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        taken = (AlreadyExistsError, PreconditionError, FileNotFoundError)
        try:
            store = _store(root, retries)
            new = obstore.put(store, key, content, mode=_mode(instead_of), **multipart)
            return Version(new["e_tag"], new["version"])
        except taken as error:
            _require_bucket(root, error)
            raise TakenError from None


def put_in_parts(root: str, key: str, content: Path, before_last: Callable[[], None]) -> Version:
    """Put an object from a local file, in place of any other.

    before_last: called before the object appears; if it raises an error, that never happens.
    """
    with _in_one_line(root, key):
        import obstore

        upload = obstore.open_writer(_store(root), key, buffer_size=PART)
        with content.open("rb") as file:
            while part := file.read(PART):
                upload.write(part)
        before_last()
        upload.close()
    info = head(root, key)
    return NOTHING if info is None else info.version


def _mode(instead_of: Version | None) -> Any:
    if instead_of is None:
        return "overwrite"
    if instead_of == NOTHING:
        return "create"
    names = {"e_tag": instead_of.etag, "version": instead_of.number}
    return {name: value for name, value in names.items() if value is not None}


def delete(root: str, keys: Iterable[str]) -> None:
    """Delete objects, 1,000 in a request where the store can; missing ones are no error."""
    with _in_one_line(root, ""):
        import obstore

        obstore.delete(_store(root), list(keys))


def list_objects(root: str, prefix: str) -> Iterator[ObjectInfo]:
    """Yield all objects whose keys begin with the prefix, but no folders.

    The library lists an object `a/`, as the web pages of clouds make for a folder, as `a`.
    """
    with _in_one_line(root, prefix):
        import obstore

        for page in obstore.list(_store(root), prefix=prefix or None):
            for one in map(_object_info, page):
                is_folder = one.key == prefix.rstrip("/")
                if not is_folder and (one.bytes or head(root, one.key)):
                    yield one


def children(root: str, prefix: str) -> tuple[list[str], list[ObjectInfo]]:
    """The keys of the folders, and the objects, directly below the prefix."""
    with _in_one_line(root, prefix):
        import obstore

        listing = obstore.list_with_delimiter(_store(root), prefix or None)
    objects = map(_object_info, listing["objects"])
    # The object `a/` itself is listed as `a` (see `list_objects`).
    own = [one for one in objects if one.key != prefix.rstrip("/")]
    return [key for key in listing["common_prefixes"] if key], own


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


def _store(root: str, retries: int | None = None) -> Any:
    if os.getpid() != _first_process():
        raise DepthmaskError(
            f"{root}: this process was forked after the store was first used, and requests would "
            "hang in it; start workers by spawn (in PyTorch DataLoader(..., "
            "multiprocessing_context='spawn'))"
        )
    if root.startswith("memory://"):
        retries = 0  # The same store for all requests.
    return _connected(root, RETRIES if retries is None else retries)


@functools.cache
def _first_process() -> int:
    """Return the id of the process that used a store first: threads do not survive a fork."""
    return os.getpid()


@functools.cache
def _connected(root: str, retries: int) -> Any:
    scheme = root.partition("://")[0]
    from obstore.store import MemoryStore, from_url

    if scheme == "memory":
        return MemoryStore()
    config = _s3_config(root) if scheme == "s3" else {}
    return from_url(
        root,
        client_options={"allow_http": True, "timeout": timedelta(minutes=5)},
        retry_config={"max_retries": retries, "retry_timeout": RETRY_FOR},
        **config,
    )


def _s3_config(root: str) -> dict[str, Any]:
    """Have boto3 look for region and credentials, as `aws s3` does."""
    _check_endpoint(root)
    if os.environ.get("AWS_SKIP_SIGNATURE", "").lower() in ("1", "true"):
        return {}
    with _installed(root):
        import boto3
        from botocore.exceptions import BotoCoreError
        from obstore.auth.boto3 import Boto3CredentialProvider

    try:
        session = boto3.Session()
        credentials = session.get_credentials()
    except BotoCoreError as error:
        # Such as a profile that does not exist.
        raise UsageError(f"{root}: {error}") from None
    if credentials is None:
        raise UsageError(
            f"{root}: no credentials for S3: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
            "or AWS_PROFILE; for public data set AWS_SKIP_SIGNATURE=true"
        )
    return {"credential_provider": Boto3CredentialProvider(session)}


def _check_endpoint(root: str) -> None:
    """Raise UsageError if the server's address has no scheme, at which the library panics."""
    for setting in _endpoints():
        if not re.search(r"=https?://[^/]", setting):
            raise UsageError(f"{root}: {setting}: write http://HOST:PORT or https://HOST")


def _endpoints() -> list[str]:
    """The settings that name a server other than Amazon's, as NAME=ADDRESS without a password."""
    named = ((name, os.environ.get(name)) for name in _ENDPOINTS)
    return [f"{name}={re.sub('//[^/]*@', '//', text)}" for name, text in named if text]


def _server(root: str, error: Exception) -> str:
    """The end of a reason that names the server, if it does not answer and is not Amazon's."""
    is_mute = root.startswith("s3://") and "status code" not in str(error)
    named = _endpoints() if is_mute else []
    return f"; {named[0]}" if named else ""


def _require_bucket(root: str, error: Exception) -> None:
    """Raise UsageError if the error says that the bucket does not exist."""
    text = str(error)
    if "NoSuchBucket" in text or "bucket does not exist" in text:
        raise UsageError(f"{root}: no such bucket; create it, or choose another") from None


@contextmanager
def _installed(root: str) -> Iterator[None]:
    """Turn the error of a missing library into one that names the extra to install."""
    try:
        yield
    except ImportError:
        extra = _EXTRA[root.partition("://")[0]]
        raise UsageError(f"{root}: needs `pip install 'depthmask[{extra}]'`") from None


@contextmanager
def _in_one_line(root: str, key: str) -> Iterator[None]:
    """Turn errors of the object store into errors of one line that name the object."""
    with _installed(root):
        from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

    where = f"{root}/{key}".rstrip("/")
    try:
        yield
    except (PermissionDeniedError, UnauthenticatedError) as error:
        raise AccessError(
            f"{where}: access denied ({_reason(error)}); once it is allowed, the same command goes "
            "on where it stopped"
        ) from None
    except (BaseError, FileNotFoundError) as error:
        _require_bucket(root, error)
        if isinstance(error, FileNotFoundError):
            raise
        if bad_name := _BAD_NAME.search(str(error)):
            raise UsageError(
                f"{root}/{bad_name[1]}: no object can be read beside one with such a name, of "
                "which a part between slashes is empty, made of dots, or has a control character; "
                "rename or delete it"
            ) from None
        raise (TransientError if _is_transient(error) else DepthmaskError)(
            f"{where}: the object store failed ({_reason(error)}{_server(root, error)}); "
            "published shards are kept: run the same command again"
        ) from None


def _is_transient(error: Exception) -> bool:
    text = str(error)
    status = re.search(r"status code: (\d+)", text)
    return status is None or status[1] in _TRANSIENT or "<Code>RequestTimeout</Code>" in text


def _reason(error: Exception) -> str:
    """Return the short reason in an error of object_store, without the query of any URL."""
    text = str(error).partition("\n\nDebug source")[0]
    status = re.search(r"status code: (\d+ [\w ]+)", text)
    code = re.search(r"<Code>(\w+)</Code>", text)
    if status:
        return " ".join([status[1], *([code[1]] if code else [])])
    return re.sub(r"\?\S*", "", text.rpartition(" - ")[2].rpartition("source: ")[2])[:200].strip()
