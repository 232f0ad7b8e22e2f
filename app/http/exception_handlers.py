"""Exception handlers: the service's refusals, the framework's and defects, all answered as problem documents."""

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

from app.http.nearest_path import nearest_path
from app.http.problem_details import RefusalWithHeaders, error_of, problem_response, refusal_response
from app.http.problem_types import PROBLEM_TYPES
from core.errors import GraddError, Issue, Refusal

METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")

logger = logging.getLogger("gradd")


def register(app: FastAPI) -> None:
    """Add the handlers to an application."""
    app.add_exception_handler(GraddError, refused)
    app.add_exception_handler(HTTPException, by_framework)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(Exception, defect)


async def refused(request: Request, error: Exception) -> Response:
    """Answer a refusal of the service."""
    assert isinstance(error, GraddError)  # noqa: S101  (for the type checker: registered for this class alone)
    headers = error.headers if isinstance(error, RefusalWithHeaders) else None
    return refusal_response(error, request.url.path, headers)


async def by_framework(request: Request, error: Exception) -> Response:
    """Answer what the framework refuses: an unknown path, a method that a path does not take, except OPTIONS."""
    assert isinstance(error, HTTPException)  # noqa: S101  (likewise)
    by_status = {kind.status: kind for kind in reversed(PROBLEM_TYPES.values())}
    kind = by_status.get(
        error.status_code, PROBLEM_TYPES["invalid-request" if error.status_code < 500 else "internal-error"]
    )
    where = f"{request.method} {request.url.path[:200]}"
    detail = f"{where}: {HTTPStatus(error.status_code).phrase.lower()}."
    headers = dict(error.headers or {})
    issue = None
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        methods = _methods(request)
        headers["Allow"] = ", ".join(methods)
        if request.method == "OPTIONS":
            return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)
        hint = f"Send {' or '.join(methods)} instead."
        issue = Issue(code=kind.slug, detail=detail, expected=methods, got=request.method[:20], hint=hint)
    elif error.status_code == HTTPStatus.NOT_FOUND and (near := nearest_path(request)):
        hint = f"Did you mean {near}?"
        issue = Issue(code=kind.slug, detail=detail, got=request.url.path[:200], hint=hint)
    if issue is None:
        return problem_response(kind, detail, request.url.path, headers=headers)
    return problem_response(kind, f"{detail} {hint}", request.url.path, [error_of(issue)], headers)


def _methods(request: Request) -> list[str]:
    """The methods that a path takes; the framework names those of its first route alone."""
    scopes = {method: {**request.scope, "method": method} for method in METHODS}
    routes = request.app.routes
    taken = {method for method, scope in scopes.items() if any(_takes(route, scope) for route in routes)}
    # The edge answers HEAD as GET without the body.
    return sorted(taken | {"OPTIONS"} | ({"HEAD"} if "GET" in taken else set()))


def _takes(route: BaseRoute, scope: Scope) -> bool:
    return route.matches(scope)[0] is Match.FULL


async def invalid(request: Request, error: Exception) -> Response:
    """Answer a query or path parameter that does not validate, without repeating it: it may be huge."""
    assert isinstance(error, RequestValidationError)  # noqa: S101  (likewise)
    issues = [
        Issue(code="invalid-request", path=tuple(entry["loc"]), detail=f"{entry['msg']}.") for entry in error.errors()
    ]
    return refusal_response(Refusal(issues), request.url.path)


async def defect(request: Request, error: Exception) -> Response:
    """Answer any other exception, a defect: its trace goes to the log alone."""
    logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
    detail = "The server failed in a way it should not; the trace is in its log."
    return problem_response(PROBLEM_TYPES["internal-error"], detail, request.url.path)
