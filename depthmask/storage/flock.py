"""Allows one run at a time in a folder, by the kernel's lock."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from depthmask.errors import UsageError
from depthmask.storage.fence import Fence, holding
from depthmask.storage.path import LOCK, StorePath

_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL)
"""The errors of file systems without locks, as NFS without its lock service, and some of FUSE."""


@contextmanager
def flocked(output: StorePath) -> Iterator[Callable[[], None]]:
    """Hold the lock of the folder; UsageError if another run holds it.

    The kernel releases the lock when its process ends, however it ends. The file that remains, and
    the process id in it, do not mean that the folder is locked. But a file that was deleted locks
    nothing, so a token in it tells each process of the run whether it is still there. Yields a
    function that raises `LockLostError` once it is not.
    """
    # With the rights of the other files of a dataset, so that whoever may write them can lock.
    handle = os.open(str(output / LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 32, 0).decode(errors="replace").partition("\n")[0]
            raise UsageError(
                f"output={output}: another run is at work there (process {holder}); "
                "wait for it or choose another output"
            ) from None
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            raise UsageError(
                f"output={output}: its file system cannot lock files ({error.strerror}), as NFS "
                "without its lock service (lockd); choose an output on a disk of this machine, and "
                "move the dataset afterwards"
            ) from None
        fence = Fence(output.absolute() / LOCK, secrets.token_hex(16))
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n{fence.token}\n".encode(), 0)
        with holding(fence):
            yield fence.require
    finally:
        os.close(handle)
