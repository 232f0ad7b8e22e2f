"""A process that does not outlive the one that started it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable


def when_parent_ends(then: Callable[[], None]) -> None:
    """Call something once the parent has closed our standard input: on purpose, or by its death, however sudden."""

    def listen() -> None:
        while sys.stdin.buffer.read(4096):
            pass
        then()

    threading.Thread(target=listen, daemon=True, name="parent").start()
