"""Turns what users and plugins name into paths: folders and URLs of object stores."""

from __future__ import annotations

import os
import re
from os import PathLike
from urllib.parse import unquote

from depthmask.errors import UsageError
from depthmask.stage.calls import described
from depthmask.storage.local import LocalPath
from depthmask.storage.path import StorePath
from depthmask.storage.remote import ObjectPath

SCHEMES = ("s3", "gs", "memory")
"""Schemes of object stores; `file://` is a folder."""


def location(path: str | PathLike[str] | StorePath) -> StorePath:
    """Return the path for a text, a URL or a `pathlib.Path`; UsageError if a URL is not valid.

    A leading `~` is the home folder, as in a shell, which does not expand it after every `=`.
    """
    if isinstance(path, StorePath):
        return path
    text = path_text(path)
    scheme, separator, rest = text.partition("://")
    if not separator:
        _refuse_accidents(text)
        path = LocalPath(with_home(text))
        # `./~` and `./s3:x` stay what they are where their text is read once more.
        is_special = str(path).startswith("~") or _lost_slash(str(path))
        return path.absolute() if is_special else path
    refuse_passwords(text)
    if scheme == "file":
        if not rest.startswith("/"):
            raise UsageError(f"{text}: a file URL begins with file:///")
        return LocalPath(unquote(rest))
    bucket, _, key = rest.partition("/")
    if scheme not in SCHEMES:
        known = ", ".join(f"{one}://" for one in ("file", *SCHEMES))
        raise UsageError(f"{text}: unsupported scheme {scheme}://; supported: {known}")
    components = key.strip("/").split("/") if key.strip("/") else []
    if not bucket or {"", ".", ".."} & set(components) or "?" in rest or "#" in rest:
        raise UsageError(f"{text}: expected {scheme}://BUCKET/NAME, without ?, #, // and ..")
    return ObjectPath(f"{scheme}://{bucket}", "/".join(components))


def with_home(path: str) -> str:
    """The local path with the home folder for a leading `~`, or that of another user for `~NAME`.

    `./~` begins a name with this character. Raises UsageError where nothing tells the home folder.
    """
    expanded = os.path.expanduser(path)
    if expanded == path and path.split("/")[0] == "~":
        raise UsageError(f"{path}: the home folder is unknown; set HOME, or give the whole path")
    return expanded


def holds(folder: StorePath, path: StorePath) -> bool:
    """Whether a path is the folder or lies in it, also through links and `..`."""
    inner, outer = (
        os.path.realpath(one) if isinstance(one, LocalPath) else str(one) for one in (path, folder)
    )
    return f"{inner}/".startswith(f"{outer.rstrip('/')}/")


def path_text(path: str | PathLike[str] | StorePath) -> str:
    """Return the path as text; UsageError for an object that is no path."""
    text = os.fspath(path) if isinstance(path, str | PathLike) else path
    if isinstance(text, str | StorePath):
        return str(text)
    raise UsageError(
        f"{described(path)} is no path; give a text or a pathlib.Path, such as the `path` of a "
        "dataset"
    )


def _refuse_accidents(text: str) -> None:
    """Raise UsageError for an empty path, and for a URL that lost a slash."""
    if not text:
        raise UsageError(
            "the path is empty, as with a variable that is not set; "
            "give a folder, or `.` for the current one"
        )
    if _lost_slash(text):
        scheme, _, rest = text.partition(":")
        slashes = "///" if scheme == "file" else "//"
        raise UsageError(f"{text}: a URL is written {scheme}:{slashes}{rest.lstrip('/')}")


def _lost_slash(text: str) -> bool:
    """Whether a text without `://` begins as a URL does: `s3:/bucket`."""
    scheme, colon, _ = text.partition(":")
    return bool(colon) and scheme in ("file", *SCHEMES)


def refuse_passwords(text: str) -> None:
    """Raise UsageError if the text has a URL with a user before its host; it never repeats it."""
    url = re.search(r"(\w+)://[^/,\s]*@", text)
    if url:
        raise UsageError(
            f"{url[1]}://...@...: a URL with a name or password in it, which would end up in "
            "files; leave them out, they come from the environment or the cloud's own config"
        )
