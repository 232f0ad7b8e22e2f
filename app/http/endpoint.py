"""Endpoint: reads the body of one request, computes off the event loop, and writes the answer.

Routes with tensors use it instead of FastAPI's own parsing, which would pass every number through pydantic. `describe`
declares the body and the answer beside the route, so that the OpenAPI schema stays complete.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from app.http.body import is_announced_large, received_body
from app.http.caller import caller_of
from app.http.compression import negotiate
from app.http.computing.dispatcher import Dispatcher
from app.http.computing.request_task import RequestTask
from app.http.edge.bodies import keep_on_disk
from app.http.entity_tags import Resource, entity_tag, is_same, not_modified, tagged
from app.http.negotiation import format_of_answer, format_of_body
from app.http.operation import VARY, Compute, Documents, Encoding, Operation, Wanted, write
from app.http.problem_details import problem_response
from app.http.problem_types import PROBLEM_TYPES
from app.http.reply import Reply
from app.settings import Settings
from app.telemetry.request_record import CLIENT_LEFT
from core.arrays import CheckDeadline

M = TypeVar("M", bound=BaseModel)


class Endpoint:
    """One request, and what the server needs to answer it."""

    def __init__(self, request: Request, settings: Settings, dispatcher: Dispatcher) -> None:
        self.request = request
        self.settings = settings
        self._dispatcher = dispatcher

    async def handle(self, model: type[M], compute: Compute[M], documents: Documents | None = None) -> Response:
        """Read the body as `model`, run `compute` in the executor, and answer with its result; see `Operation`."""
        return await self.run(Operation(model, compute, documents or {}))

    async def run(self, operation: Operation[M]) -> Response:
        """Read the body, run the operation in the executor, and answer with its result.

        Raises:
            Refusal: with all errors of the request.
        """
        headers, settings, caller = self.request.headers, self.settings, caller_of(self.request.scope)
        wanted = self._wanted(operation.documents)
        form = format_of_body(headers.get("content-type"))
        if is_announced_large(self.request):
            keep_on_disk(self.request.scope)
        try:
            async with asyncio.timeout(settings.max_body_seconds) as receiving:
                async with received_body(self.request, settings.max_body_bytes, settings.data_dir) as body:
                    receiving.reschedule(None)
                    encoding = headers.get("content-encoding")
                    task = RequestTask(operation, self.request.url.path, body, form, encoding, wanted, caller)
                    return await self._dispatcher.answer(task, self.request)
        except TimeoutError:
            return self.too_slow()
        except ClientDisconnect:
            return Response(status_code=CLIENT_LEFT)

    async def produce(
        self,
        work: Callable[[CheckDeadline], tuple[dict[str, Any] | Reply, Encoding]],
        resource: Resource | None = None,
        *representation: str,
    ) -> Response:
        """Run `work` in the executor and answer with its result, or with 304 if the client has it.

        Args:
            work: returns the answer and the encoding of its tensors.
            resource: returns what the entity tag is made from; without it there is none.
            representation: what else the answer depends on, besides its format.

        Returns:
            The response.

        Raises:
            Refusal: `not-acceptable`, and the refusals of `work`.
        """
        wanted = self._wanted({})

        def response(check_deadline: CheckDeadline) -> Response:
            tag = resource and entity_tag(resource(), wanted.format, negotiate(wanted.accept_encoding), *representation)
            if tag and is_same(self.request.headers.get("if-none-match"), tag):
                return not_modified(tag, {"Vary": VARY})
            reply, encoding = work(check_deadline)
            answer = write(reply if isinstance(reply, Reply) else Reply(reply), wanted, {}, encoding)
            return tagged(answer, tag) if tag else answer

        return await self._run(response)

    def _wanted(self, documents: Documents) -> Wanted:
        headers = self.request.headers
        return Wanted(format_of_answer(headers.get("accept"), list(documents)), headers.get("accept-encoding"))

    async def download(
        self, filename: str, work: Callable[[], tuple[bytes, str]], resource: Resource, *representation: str
    ) -> Response:
        """Answer with a file, or with 304 if the client has it.

        Args:
            filename: under which a browser stores it.
            work: runs in the executor and returns the bytes and the media type.
            resource: returns what the entity tag is made from.
            representation: what else the file depends on.
        """

        def response(_: CheckDeadline) -> Response:
            tag = entity_tag(resource(), "file", *representation)
            if is_same(self.request.headers.get("if-none-match"), tag):
                return not_modified(tag)
            content, media_type = work()
            headers = {"Content-Disposition": f'attachment; filename="{filename}"'}
            return tagged(Response(content, 200, headers, media_type), tag)

        return await self._run(response)

    async def _run(self, response: Callable[[CheckDeadline], Response]) -> Response:
        return await self._dispatcher.store(self.request.url.path, response)

    def too_slow(self) -> Response:
        """Return the answer to a body that did not arrive in time."""
        return too_slow(self.settings, self.request.url.path)


def too_slow(settings: Settings, path: str) -> Response:
    """Return the answer to a body that did not arrive in time."""
    detail = f"The body did not arrive within {settings.max_body_seconds:g} s."
    return problem_response(PROBLEM_TYPES["request-timeout"], detail, path, headers={"Connection": "close"})
