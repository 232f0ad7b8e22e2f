"""Caller: who sent a request, as far as what it may see and use is concerned. It holds no key."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

CALLER = "gradd.caller"
"""The name of the caller in the ASGI scope of a request."""


@dataclass(frozen=True, slots=True)
class Quota:
    """What a caller may use; None is unlimited."""

    rate: float | None = None
    """Requests a second."""

    burst: int | None = None
    """Requests that may come at once. Default: those of a second."""

    concurrency: int | None = None
    """Requests that are answered at the same time."""

    operations: float | None = None
    """Operations a minute, in the unit of `core/operations.py`."""

    storage_bytes: int | None = None
    """Bytes of the models, datasets and checkpoints of the owner."""

    jobs: int | None = None
    """Jobs of the owner that are queued or running."""


UNLIMITED = Quota()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request."""

    owner: str | None = None
    """The owner of what the caller stores; None for a request without a key."""

    sees_all: bool = False
    """Whether the caller may see and change what others own."""

    quota: Quota = field(default=UNLIMITED)


ANYBODY = Caller()
"""A request without a key. It sees what was stored without one."""

OPERATOR = Caller(sees_all=True)
"""The service itself and its command line, which have the database."""


def caller_of(scope: Any) -> Caller:
    """Return the caller of a request from its ASGI scope.

    Raises:
        KeyError: if nothing has authenticated the request.
    """
    caller: Caller = scope[CALLER]
    return caller
