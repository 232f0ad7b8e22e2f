"""A process that does not outlive the one that started it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable


def when_parent_ends(then: Callable[[], None]) -> None:
    """Call something once the parent has closed our standard input: on purpose, or by its death, however sudden."""

    def listen() -> None:
        # Not sys.stdin: its lock, held by this thread, would stop the interpreter from ending.
        while os.read(0, 4096):
            pass
        then()

    threading.Thread(target=listen, daemon=True, name="parent").start()
