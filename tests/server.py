"""What the tests of the service share: the operations it publishes, and the one shape of a refusal."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import httpx

from app.http.problem_details import MEDIA_TYPE, MOST_ERRORS
from app.http.problem_types import PROBLEM_TYPES
from app.http.schemas import ProblemDocument
from app.main import create_app

JSON = {"Content-Type": "application/json"}


@cache
def published() -> dict[str, Any]:
    """The OpenAPI document."""
    return create_app().openapi()


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and description of every operation."""
    for path, methods in published()["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def examples() -> dict[str, tuple[str, Any]]:
    """Path and body of every documented POST request, by a name that says both."""
    return {
        f"{path} {name}": (path, example["value"])
        for method, path, operation in operations()
        if method == "POST" and "application/json" in operation.get("requestBody", {}).get("content", {})
        for name, example in operation["requestBody"]["content"]["application/json"]["examples"].items()
    }


def refused(response: httpx.Response, status: int, slug: str | None = None) -> ProblemDocument:
    """The document of a refusal, which has the one shape."""
    assert response.status_code == status, response.text[:2000]
    assert response.headers["content-type"] == MEDIA_TYPE
    members = response.json()
    assert list(members) == ["type", "title", "status", "detail", "instance", "errors"]
    document = ProblemDocument.model_validate(members)
    kind = PROBLEM_TYPES[document.type.removeprefix("/problems/")]
    assert kind.slug == (slug or kind.slug)
    assert (document.status, kind.status, document.title) == (status, status, kind.title)
    assert len(document.errors) <= MOST_ERRORS
    assert len(response.content) < 100_000, "a refusal does not repeat what was sent"
    for error in document.errors:
        assert error.code in PROBLEM_TYPES
        assert error.pointer.startswith("#")
    return document
