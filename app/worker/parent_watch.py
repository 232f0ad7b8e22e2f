"""Detection of the parent's exit, so that a child process does not outlive it."""

from __future__ import annotations

import threading
from collections.abc import Callable


def when_parent_ends(then: Callable[[], None], told: Callable[[bytes], None] | None = None) -> None:
    """Call `then` once the parent has closed our standard input, on purpose or by dying.

    Lines that arrive before are passed to `told`.
    """

    def listen() -> None:
        # Unbuffered: this thread would hold the buffer's lock, which blocks the exit of the interpreter.
        with open(0, "rb", buffering=0, closefd=False) as lines:
            for line in lines:
                if told:
                    told(line)
        then()

    threading.Thread(target=listen, daemon=True, name="parent").start()
