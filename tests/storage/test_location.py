"""What users name: folders and URLs."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from depthmask.cli.main import main
from depthmask.errors import UsageError
from depthmask.storage.location import location
from depthmask.storage.remote import ObjectPath


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("out", Path("out")),
        ("/a/b", Path("/a/b")),
        ("file:///a/b%20c", Path("/a/b c")),
        ("s3://bucket", ObjectPath("s3://bucket")),
        ("s3://bucket/", ObjectPath("s3://bucket")),
        ("s3://bucket/a/b/", ObjectPath("s3://bucket", "a/b")),
        ("gs://bucket/a", ObjectPath("gs://bucket", "a")),
        ("memory://x/a", ObjectPath("memory://x", "a")),
    ],
)
def test_places(text: str, expected: object) -> None:
    assert location(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("~", "/home/me"), ("~/", "/home/me"), ("~/a", "/home/me/a"), ("a/~", "a/~"),
        ("/~/a", "/~/a"), ("./~", f"{Path.cwd()}/~"), ("~a~", f"{Path.cwd()}/~a~"),
        ("./s3:x", f"{Path.cwd()}/s3:x"), ("x/../file:", "x/../file:"),
    ],
)  # fmt: skip
def test_a_leading_tilde_is_the_home_folder(
    text: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert str(location(text)) == expected
    assert location(str(location(text))) == location(text)


def test_a_home_folder_that_nothing_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("os.getuid", lambda: 123456)
    with pytest.raises(UsageError, match=r"^~/a: the home folder is unknown; set HOME, or give"):
        location("~/a")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", r"^the path is empty, as with a variable that is not set; give a folder, or `.`"),
        ("s3:/bucket/a", r"^s3:/bucket/a: a URL is written s3://bucket/a$"),
        ("gs:bucket/a", r"a URL is written gs://bucket/a$"),
        ("file:/a/b", r"a URL is written file:///a/b$"),
        ("ftp://host/a", r"unsupported scheme ftp://; supported: file://, s3://, gs://"),
        ("file://host/a", r"begins with file:///"),
        ("s3://", r"expected s3://BUCKET/NAME"),
        ("s3:///a", r"expected s3://BUCKET/NAME"),
        ("s3://bucket/../a", r"expected s3://BUCKET/NAME"),
        ("s3://bucket/a//b", r"expected s3://BUCKET/NAME"),
        ("s3://bucket/a?X-Amz-Signature=0", r"expected s3://BUCKET/NAME"),
    ],
)
def test_what_is_no_place(text: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        location(text)


@pytest.mark.parametrize("word", ["output", "source.root", "-m=1 output"])
def test_passwords_are_refused_and_not_repeated(
    word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([f"{word}=s3://key:hushhush@bucket/a"]) == 2
    said = capsys.readouterr().err
    assert "a URL with a name or password in it" in said
    assert "hushhush" not in said
    with pytest.raises(UsageError, match="password") as caught:
        location("s3://key:hushhush@bucket")
    assert "hushhush" not in str(caught.value)


def test_parts() -> None:
    place = ObjectPath("s3://bucket", "a/train-000001.tar")
    assert (place.name, place.stem) == ("train-000001.tar", "train-000001")
    assert place.suffix == ".tar"
    assert place.parent == ObjectPath("s3://bucket", "a")
    assert place.parent.parent == ObjectPath("s3://bucket")
    assert place.parent / "b/c" == ObjectPath("s3://bucket", "a/b/c")
    assert str(place) == "s3://bucket/a/train-000001.tar"
    assert ObjectPath("s3://bucket").name == "bucket"
    assert location(place) is place


def test_addresses_go_to_other_processes_but_memory_does_not() -> None:
    place = ObjectPath("s3://bucket", "a")
    assert pickle.loads(pickle.dumps(place)) == place
    with pytest.raises(UsageError, match=r"exists in one process only; set runner.workers=1"):
        pickle.dumps(ObjectPath("memory://x"))
