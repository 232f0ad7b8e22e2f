"""RequestTask: all that is needed to answer a request, here or in another process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from app.http.body import Body
from app.http.caller import Caller
from app.http.compression import decompress
from app.http.negotiation import Format
from app.http.operation import Admit, Operation, Server, Wanted, admit_all
from core.arrays import CheckDeadline


@dataclass(frozen=True, slots=True)
class RequestTask:
    """A request whose body has been received."""

    operation: Operation[Any]
    path: str
    body: Body
    format: Format
    content_encoding: str | None
    wanted: Wanted
    caller: Caller

    def answer(self, server: Server, check_deadline: CheckDeadline, admit: Admit = admit_all) -> Response:
        """Read the body, compute, and return the response.

        Args:
            server: the settings and caches of this process.
            check_deadline: raises once the deadline has passed.
            admit: called with the cost of the computation before it begins; it may raise.

        Raises:
            Refusal: with all errors of the request.
        """
        plain = decompress(self.body.read(), self.content_encoding, limit=server.settings.max_body_bytes)
        reading = self.operation.read(plain, self.format)
        key = self.operation.key(reading)
        known = server.forms.find(key) if key else None
        return self.operation.answer(reading, known, self.wanted, server, check_deadline, self.caller, admit)
