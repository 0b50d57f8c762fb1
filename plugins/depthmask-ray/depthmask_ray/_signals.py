"""Delays signals during calls of Ray, which would lose the signals or leave processes behind."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

HOLD_SECONDS = 15.0
"""Longest time to hold a signal: Ray may wait a minute for a process that is dead."""


@contextmanager
def signals_held() -> Iterator[None]:
    """Delay Ctrl-C and SIGTERM until the end of the context, or until a second signal.

    If Ray is interrupted while it starts or stops, it leaves processes behind; it also turns both
    signals into KeyboardInterrupt.
    """
    main = threading.main_thread()
    if threading.current_thread() is not main:
        yield
        return
    received: list[int] = []
    timers: list[threading.Timer] = []
    held: dict[int, Any] = {}

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)
        if len(received) > 1:
            signal.signal(number, held[number])
            signal.raise_signal(number)
            return
        timers.append(threading.Timer(HOLD_SECONDS, signal.pthread_kill, (main.ident, number)))
        timers[-1].daemon = True
        timers[-1].start()

    for one in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(one) is not signal.SIG_IGN:
            held[one] = signal.signal(one, note)
    try:
        yield
    finally:
        for timer in timers:
            timer.cancel()
        for number, handler in held.items():
            signal.signal(number, handler)
        if len(received) == 1:
            signal.raise_signal(received[0])
