"""A process that does not outlive the one that started it."""

from __future__ import annotations

import threading
from collections.abc import Callable


def when_parent_ends(then: Callable[[], None], told: Callable[[bytes], None] | None = None) -> None:
    """Call something once the parent has closed our standard input: on purpose, or by its death, however sudden.

    Lines that come before are passed to `told`.
    """

    def listen() -> None:
        # Without a buffer: its lock, held by this thread, would stop the interpreter from ending.
        with open(0, "rb", buffering=0, closefd=False) as lines:
            for line in lines:
                if told:
                    told(line)
        then()

    threading.Thread(target=listen, daemon=True, name="parent").start()
