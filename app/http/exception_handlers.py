"""Every way a request can fail, answered as a problem: our refusals, the framework's, and defects."""

from __future__ import annotations

import logging
from http import HTTPStatus

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Scope

from app.http.problem_details import problem_response, refusal_response
from app.http.problem_types import PROBLEM_TYPES
from core.errors import GraddError, Issue, Refusal

METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")

logger = logging.getLogger("gradd")


def register(app: FastAPI) -> None:
    """Let every failure of this application be answered as a problem."""
    app.add_exception_handler(GraddError, refused)
    app.add_exception_handler(HTTPException, by_framework)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(Exception, defect)


async def refused(request: Request, error: Exception) -> Response:
    """A refusal of ours."""
    assert isinstance(error, GraddError)  # noqa: S101  (for the type checker: registered for this class alone)
    return refusal_response(error, request.url.path)


async def by_framework(request: Request, error: Exception) -> Response:
    """No such address, no such method, and what else the framework refuses by itself."""
    assert isinstance(error, HTTPException)  # noqa: S101
    by_status = {kind.status: kind for kind in reversed(PROBLEM_TYPES.values())}
    kind = by_status.get(
        error.status_code, PROBLEM_TYPES["invalid-request" if error.status_code < 500 else "internal-error"]
    )
    where = f"{request.method} {request.url.path[:200]}"
    detail = f"{where}: {HTTPStatus(error.status_code).phrase.lower()}."
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_methods(request))
    return problem_response(kind, detail, request.url.path, headers=headers)


def _methods(request: Request) -> list[str]:
    """The methods that an address takes; the framework names those of its first route alone."""
    scopes = {method: {**request.scope, "method": method} for method in METHODS}
    routes = request.app.routes
    return [method for method, scope in scopes.items() if any(_takes(route, scope) for route in routes)]


def _takes(route: BaseRoute, scope: Scope) -> bool:
    return route.matches(scope)[0] is Match.FULL


async def invalid(request: Request, error: Exception) -> Response:
    """A query or path parameter that does not validate. The input is not repeated: it may be huge."""
    assert isinstance(error, RequestValidationError)  # noqa: S101
    issues = [
        Issue(code="invalid-request", path=tuple(entry["loc"]), detail=f"{entry['msg']}.") for entry in error.errors()
    ]
    return refusal_response(Refusal(issues), request.url.path)


async def defect(request: Request, error: Exception) -> Response:
    """Anything else is a defect: logged with its trace, answered without one."""
    logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
    detail = "The server failed in a way it should not; the trace is in its log."
    return problem_response(PROBLEM_TYPES["internal-error"], detail, request.url.path)
