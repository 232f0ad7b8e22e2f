"""What runs in a compute process: one request at a time, which the server can end at any moment by killing the process."""

from __future__ import annotations

import resource
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.responses import Response

from app.http.computing.deadline import deadline_in
from app.http.computing.request_task import RequestTask
from app.http.forms import FormCache
from app.http.operation import Reading, Server
from app.settings import Settings
from core.cost import Cost
from core.errors import Refusal

MARGIN_SECONDS = 0.5
"""Seconds beyond the deadline after which a process ends in the middle of an operation, also where no server is left."""

MARGIN_BYTES = 512 * 2**20
"""Memory beyond that of a request for the interpreter, the libraries and the buffers of linear algebra."""


@dataclass(frozen=True, slots=True)
class Computed:
    """A response, and the cost of it as it was estimated."""

    response: Response | None
    """None if it was not computed, because it costs more than it may."""

    cost: Cost


class _BeyondOperations(Exception):
    """A computation takes more operations than its caller has left."""


def answer_in_process(task: RequestTask, settings: Settings, operations: float | None = None) -> Computed:
    """Answer a request, within the limits of time and memory of the settings.

    Args:
        task: the request.
        settings: those of the server.
        operations: the number of operations beyond which nothing is computed.

    Raises:
        Refusal: with all errors of the request; `too-large` if it needs more memory than it may have.
    """
    costs: list[Cost] = []

    def admit(cost: Cost) -> None:
        costs.append(cost)
        if operations is not None and cost.operations > operations:
            raise _BeyondOperations

    with _limits(settings):
        try:
            reading = task.read(settings)
            check_deadline = deadline_in(settings.max_seconds)
            response = task.answer(reading, Server(settings, FormCache(0)), check_deadline, admit)
            return Computed(response, sum(costs, Cost()))
        except _BeyondOperations:
            return Computed(None, sum(costs, Cost()))


def read_in_process(task: RequestTask, settings: Settings) -> Reading:
    """Read the body of a request, within the limits of time and memory of the settings.

    Raises:
        Refusal: if it is no JSON object, or no file of tensors; `too-large` if it needs more memory than it may have.
    """
    with _limits(settings):
        return task.read(settings)


@contextmanager
def _limits(settings: Settings) -> Iterator[None]:
    """Limit the memory of this process, and its time in the block."""
    _limit_memory(settings.max_memory_bytes + MARGIN_BYTES)
    signal.setitimer(signal.ITIMER_REAL, settings.max_seconds + MARGIN_SECONDS)
    try:
        yield
    except MemoryError:
        detail = f"The request needs more memory than {settings.max_memory_bytes:,} bytes, the limit of this server."
        hint = "Send fewer examples at a time, or ask for less in `include`."
        raise Refusal.of("too-large", detail, expected=settings.max_memory_bytes, hint=hint) from None
    except Refusal:
        raise
    except Exception as error:
        error.add_note(traceback.format_exc())  # A traceback does not cross to another process.
        raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _limit_memory(limit: int) -> None:
    """Limit the private memory of this process. Only Linux counts what is allocated."""
    if sys.platform == "linux":
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))
