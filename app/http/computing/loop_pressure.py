"""LoopPressure: refuses a share of the computations when the event loop comes late, so that it can do the rest in time.

Small computations are done on the event loop itself, so no queue sees that there are too many: they wait in the buffers of
their sockets, and with them everything else, `/livez` included. How late the loop is can be measured: by a timer that comes
later than it should. While it is late, a growing share of the computations is refused, which costs a part of answering them;
once it is in time again, the share shrinks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from app.http.computing.admission import Overloaded
from app.http.problem_details import refusal_response

INTERVAL = 0.01
"""Seconds between two looks at the clock."""

LATE = 0.04
"""Seconds by which a timer may be late. An answer of `/livez` needs about two turns of the loop."""

CROWD = 16
"""Number of computations between two looks. With fewer, the loop is late for other reasons, such as a busy machine."""

GROWTH, DECAY = 0.1, 0.9
"""What is added to the share while the loop is late, and the factor of the share while it is in time."""

MOST, LEAST = 0.95, 0.01
"""The largest share, so that it is seen when the pressure ends; and the share below which nothing is refused."""


class LoopPressure:
    """The pressure on one event loop, in front of an application."""

    def __init__(self, app: ASGIApp, computes: Callable[[str], bool]) -> None:
        """Stand in front of an application.

        Args:
            app: the application.
            computes: whether a path is one of a computation.
        """
        self._app, self._computes = app, computes
        self.share = 0.0
        """The share of computations that is refused."""

        self._arrived = 0
        """Computations since the last look."""

        self._due = 0.0
        """Computations that should have been refused: those of the last ones, as a fraction below 1."""

    async def watch(self) -> None:
        """Measure how late the loop is, until the task is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(INTERVAL)
            self.adapt(loop.time() - before - INTERVAL)

    def adapt(self, late: float) -> None:
        """Adapt the share to the seconds by which the loop was late."""
        arrived, self._arrived = self._arrived, 0
        if late > LATE and arrived >= CROWD:
            self.share = min(MOST, self.share + GROWTH)
        else:
            self.share = self.share * DECAY if self.share > LEAST else 0.0

    def refuses(self) -> bool:
        """Return whether the next computation is refused. Refusals are spread evenly."""
        self._due += self.share
        if self._due < 1:
            return False
        self._due -= 1
        return True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer a request, or refuse it."""
        is_computation = self._computes(scope["path"])
        self._arrived += is_computation
        if self.share and is_computation and self.refuses():
            error = Overloaded("The server has more requests than it can answer now.", 1)
            await refusal_response(error, scope["path"], error.headers)(scope, receive, send)
        else:
            await self._app(scope, receive, send)
