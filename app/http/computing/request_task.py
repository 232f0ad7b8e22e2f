"""RequestTask: all that is needed to answer a request, here or in another process."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from starlette.responses import Response

from app.http.body import Body
from app.http.caller import Caller
from app.http.compression import decompress
from app.http.negotiation import Format
from app.http.operation import Admit, Operation, Reading, Server, Wanted, admit_all
from app.settings import Settings
from core.arrays import CheckDeadline


class TooLarge(Exception):
    """A body is too large to be read in a thread, where it would hold the interpreter lock."""


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

    def to_be_read(self) -> RequestTask:
        """Return the same request for a process that only reads its body. Its operation can always be sent there."""
        return replace(self, operation=Operation(self.operation.model, _not_computed))

    def read(self, settings: Settings, largest: int | None = None) -> Reading:
        """Read the body.

        Args:
            settings: those of the server.
            largest: the number of bytes beyond which JSON is not read here.

        Raises:
            TooLarge: if it has more bytes than `largest` once it is decompressed.
            Refusal: if it is no JSON object, or no file of tensors.
        """
        plain = decompress(self.body.read(), self.content_encoding, limit=settings.max_body_bytes)
        if largest is not None and len(plain) > largest and self.format == "json":
            raise TooLarge
        return self.operation.read(plain, self.format)

    def answer(
        self, reading: Reading, server: Server, check_deadline: CheckDeadline, admit: Admit = admit_all
    ) -> Response:
        """Compute, and return the response.

        Args:
            reading: the body.
            server: the settings and caches of this process.
            check_deadline: raises once the deadline has passed.
            admit: called with the cost of the computation before it begins; it may raise.

        Raises:
            Refusal: with all errors of the request.
        """
        key = self.operation.key(reading)
        known = server.forms.find(key) if key else None
        return self.operation.answer(reading, known, self.wanted, server, check_deadline, self.caller, admit)


def _not_computed(*_: Any) -> dict[str, Any]:
    raise AssertionError("the process only reads")
