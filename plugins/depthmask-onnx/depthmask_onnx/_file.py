"""Reads, hashes and scans a model file, so that only scanned bytes are run."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path

from depthmask import SettingError

from depthmask_onnx._scan import Ports, RefusedError, scan

MAX_BYTES = 2**31 - 1
"""Largest size of a protobuf message."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A scanned ONNX file that may be run. sha256: hash of its content, in hexadecimal."""

    path: Path
    sha256: str
    ports: Ports

    def read(self) -> bytes:
        """The content; `SettingError` if it has changed since the scan."""
        content = _content(self.path)
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise _refusal(self.path, "was changed while it was in use; start again")
        return content


def model_file(weights: str) -> ModelFile:
    """The file behind the setting `weights`; `SettingError` for one that cannot be run."""
    path = Path(weights).expanduser()
    try:
        status = path.stat()
    except OSError as error:
        raise _refusal(path, f"cannot be read: {error.strerror}") from None
    return _scanned(path, status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=8)
def _scanned(path: Path, modified_ns: int, size: int) -> ModelFile:
    """Read and scan a file; cached by time and size, so that a changed file is scanned again."""
    content = _content(path)
    try:
        return ModelFile(path, hashlib.sha256(content).hexdigest(), scan(content))
    except RefusedError as error:
        raise _refusal(path, str(error)) from None


def _content(path: Path) -> bytes:
    # Pipes and devices are refused, since they may be endless.
    if not path.is_file():
        raise _refusal(path, "is not a file; give the path of an .onnx file")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _refusal(path, f"is larger than the {MAX_BYTES:,} bytes that ONNX can have")
        return path.read_bytes()
    except OSError as error:
        raise _refusal(path, f"cannot be read: {error.strerror}") from None


def _refusal(path: Path, text: str) -> SettingError:
    return SettingError("weights", path, text)
