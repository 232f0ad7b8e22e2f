"""Refusals as `application/problem+json` documents (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import orjson
from starlette.responses import Response

from app.http.problem_types import PROBLEM_TYPES, ProblemType
from app.telemetry.request_record import occurrence
from core.errors import GraddError, Issue, Refusal

MEDIA_TYPE = "application/problem+json"
MOST_ERRORS = 20
"""Maximum number of errors that a refusal lists; its `detail` states how many more there are."""


class RefusalWithHeaders(Refusal):
    """A refusal whose response has headers of its own."""

    def __init__(self, issue: Issue, headers: Mapping[str, str]) -> None:
        super().__init__([issue])
        self.headers = headers


def pointer(path: Sequence[str | int]) -> str:
    """Return a path as a JSON pointer in a URI fragment (RFC 6901)."""
    return "#" + "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def error_of(issue: Issue) -> dict[str, Any]:
    """Return an issue as a JSON object without the fields that have no value."""
    optional = {
        "expected": _within_64_bits(issue.expected),
        "got": _within_64_bits(issue.got),
        "equation": issue.equation,
        "hint": issue.hint,
    }
    return {
        "pointer": pointer(issue.path),
        "code": issue.code,
        "detail": issue.detail,
        **{name: value for name, value in optional.items() if value is not None},
    }


def _within_64_bits(value: Any) -> Any:
    """Return a value that orjson can write.

    Integers beyond 64 bits, such as the size of a huge network, become floats.
    """
    if isinstance(value, list):
        return [_within_64_bits(item) for item in value]
    if isinstance(value, int) and value.bit_length() > 63:
        return float(value) if value.bit_length() < 1024 else "beyond the range of float64"
    return value


def type_of(issues: Sequence[Issue]) -> ProblemType:
    """Return the problem type of a refusal: the common type of its issues.

    `too-large` takes precedence over others, because nothing else was checked.
    """
    codes = {issue.code for issue in issues}
    if len(codes) == 1:
        return PROBLEM_TYPES.get(next(iter(codes)), PROBLEM_TYPES["invalid-request"])
    return PROBLEM_TYPES["too-large"] if "too-large" in codes else PROBLEM_TYPES["invalid-request"]


def problem(kind: ProblemType, detail: str, instance: str, errors: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """Return a problem document."""
    return {
        "type": f"/problems/{kind.slug}",
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "instance": occurrence(quote(instance[:200])),
        "errors": list(errors),
    }


def problem_response(
    kind: ProblemType,
    detail: str,
    instance: str,
    errors: Sequence[dict[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a response with a problem document."""
    content = orjson.dumps(problem(kind, detail, instance, errors))
    return Response(content, kind.status, dict(headers or {}), MEDIA_TYPE)


def refusal_response(error: GraddError, instance: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return a response for a refusal raised by the core."""
    first, count = error.issues[0], len(error.issues)
    more = "" if count == 1 else f" (and {count - 1} more problem{'s' * (count > 2)})"
    errors = [error_of(issue) for issue in error.issues[:MOST_ERRORS]]
    return problem_response(type_of(error.issues), first.detail + more, instance, errors, headers)
