"""What goes wrong with an object store, in one line."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from depthmask.errors import DepthmaskError, UsageError
from depthmask.storage import object_store
from depthmask.storage.location import location
from tests.support.s3_server import Server, free_port


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    """No connection of another test."""
    object_store._connected.cache_clear()
    yield
    object_store._connected.cache_clear()


@contextmanager
def answering(status: int, code: str) -> Iterator[str]:
    """A server that says the same to everything; its URL."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *about: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_conditional_puts(s3: Server) -> None:
    root, key = "s3://bucket", "conditional"
    first = object_store.put(root, key, b"1", object_store.NOTHING)
    for instead_of in (object_store.NOTHING, object_store.Version('"another"', None)):
        with pytest.raises(object_store.TakenError):
            object_store.put(root, key, b"2", instead_of)
    second = object_store.put(root, key, b"3", first)
    assert second != first
    assert object_store.get(root, key)[1] == b"3"
    object_store.delete(root, [key])
    with pytest.raises(object_store.TakenError):
        object_store.put(root, key, b"4", second)


def test_a_large_file_goes_up_in_parts(s3: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_store, "PART", 5 << 20)
    content = os.urandom(11 << 20)
    object_store.put("s3://bucket", "large", content)
    found, there = object_store.get("s3://bucket", "large")
    assert (found.bytes, there == content) == (11 << 20, True)


def test_a_listing_of_many(s3: Server) -> None:
    keys = [f"many/{number:04d}" for number in range(1001)]
    for key in keys:
        object_store.put("memory://many", key, b"")
    assert sorted(one.key for one in object_store.list_objects("memory://many", "many/")) == keys
    object_store.delete("memory://many", keys)
    assert list(object_store.list_objects("memory://many", "")) == []


@pytest.mark.parametrize("verb", ["head", "get", "put", "list", "delete"])
def test_no_bucket(s3: Server, verb: str) -> None:
    calls: dict[str, Callable[[], object]] = {
        "head": lambda: object_store.head("s3://none", "a"),
        "get": lambda: object_store.get("s3://none", "a"),
        "put": lambda: object_store.put("s3://none", "a", b""),
        "list": lambda: list(object_store.list_objects("s3://none", "a")),
        "delete": lambda: object_store.delete("s3://none", ["a"]),
    }
    if verb == "head":
        # There is no body in the answer, which could tell a bucket from an object.
        assert calls[verb]() is None
        return
    with pytest.raises(UsageError, match=r"^s3://none: no such bucket; create it"):
        calls[verb]()


def test_no_credentials(s3: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    with pytest.raises(UsageError, match="no credentials for S3: set AWS_ACCESS_KEY_ID"):
        object_store.head("s3://bucket", "a")


def test_a_profile_is_as_good(
    s3: Server, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("aws") / "credentials"
    file.write_text("[mine]\naws_access_key_id = a\naws_secret_access_key = b\n")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.setenv("AWS_PROFILE", "mine")
    object_store.put("s3://bucket", "profile", b"1")
    assert object_store.get("s3://bucket", "profile")[1] == b"1"


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
@pytest.mark.parametrize("address", ["127.0.0.1:9000", "localhost", "http://", "minio:9000"])
def test_an_address_without_a_scheme(
    s3: Server, monkeypatch: pytest.MonkeyPatch, name: str, address: str
) -> None:
    monkeypatch.setenv(name, address)
    with pytest.raises(UsageError, match=f"^s3://bucket: {name}={address}: write http://HOST:PORT"):
        object_store.head("s3://bucket", "a")


def test_no_such_profile(s3: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(UsageError, match=r"^s3://bucket: The config profile .nobody. could not"):
        object_store.head("s3://bucket", "a")


def test_denied(s3: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(403, "AccessDenied") as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with pytest.raises(UsageError, match=r"^s3://bucket/a: access denied .403 Forbidden Acc"):
            object_store.get("s3://bucket", "a")


def test_a_server_that_fails(s3: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_store, "RETRIES", 1)
    with answering(503, "SlowDown") as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with pytest.raises(DepthmaskError) as caught:
            object_store.get("s3://bucket", "a")
    assert str(caught.value) == (
        "s3://bucket/a: the object store failed (503 Service Unavailable SlowDown); published "
        "shards are kept: run the same command again"
    )


def test_no_server(s3: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_store, "RETRIES", 1)
    port = free_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://me:secret@127.0.0.1:{port}")
    with pytest.raises(DepthmaskError) as caught:
        object_store.put("s3://bucket", "a", b"")
    text = str(caught.value)
    assert text.startswith("s3://bucket/a: the object store failed (")
    assert f"; AWS_ENDPOINT_URL=http://127.0.0.1:{port})" in text
    assert "secret" not in text
    assert "\n" not in text
    assert len(text) < 300


@pytest.mark.parametrize(
    ("root", "missing", "extra"),
    [("s3://b", "obstore", "s3"), ("s3://b", "boto3", "s3"), ("gs://b", "obstore", "gcs")],
)
def test_without_the_library(
    monkeypatch: pytest.MonkeyPatch, root: str, missing: str, extra: str
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == missing]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(UsageError, match=rf"^{root}: needs `pip install 'depthmask\[{extra}\]'"):
        object_store.get(root, "a")


def test_a_forked_process_is_told(s3: Server) -> None:
    """obstore's threads are not there, and it would wait for them for ever."""
    object_store.put("s3://bucket", "fork", b"1")
    ours, theirs = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            object_store.get("s3://bucket", "fork")
        except DepthmaskError as error:
            os.write(theirs, str(error).encode())
        finally:
            os._exit(0)
    os.waitpid(process, 0)
    os.close(theirs)
    with os.fdopen(ours) as file:
        assert "start workers by spawn" in file.read()


FOLDERS = {"%/": b"", "%/bg/": b"", "%/raw/": b"", "%/full/": b"a content", "%/bg/x.png/": b"more"}
"""Objects that the web pages of clouds, and other programs, make for folders."""


def test_folders_that_are_objects_mean_nothing(s3: Server) -> None:
    top = os.urandom(6).hex()
    s3.put(**{key.replace("%", top): content for key, content in FOLDERS.items()})
    root = "s3://bucket"
    assert [one.key for one in object_store.list_objects(root, f"{top}/raw/")] == []
    assert [one.key for one in object_store.list_objects(root, f"{top}/bg/")] == [f"{top}/bg/x.png"]
    assert location(f"{root}/{top}/raw").is_dir() is False
    s3.put(**{f"{top}/bg/a.png": b"a", f"{top}/empty": b""})
    listed = [one.key for one in object_store.list_objects(root, f"{top}/")]
    # Those with a content cannot be told from others in a list of all that is below.
    assert set(listed) - {f"{top}/full", f"{top}/bg/x.png"} == {f"{top}/bg/a.png", f"{top}/empty"}
    folders, objects = object_store.children(root, f"{top}/")
    assert {*folders} == {f"{top}/{name}" for name in ("bg", "raw", "full")}
    assert [one.key for one in objects] == [f"{top}/empty"]
    assert [path.name for path in location(f"{root}/{top}/bg").iterdir()] == ["x.png", "a.png"]


@pytest.mark.parametrize("key", ["bg//a.png", "bg/../a.png", "bg/./a.png"])
def test_a_name_that_is_no_path(s3: Server, key: str) -> None:
    top = os.urandom(6).hex()
    s3.put(**{f"{top}/{key}": b"a", f"{top}/fg/b.png": b"b"})
    with pytest.raises(UsageError) as caught:
        list(object_store.list_objects("s3://bucket", f"{top}/bg/"))
    assert str(caught.value) == (
        f"s3://bucket/{top}/{key}: no object can be read beside one with such a name, of which a "
        "part between slashes is empty, made of dots, or has a control character; rename or "
        "delete it"
    )
    assert len(list(object_store.list_objects("s3://bucket", f"{top}/fg/"))) == 1
