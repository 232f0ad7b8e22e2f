"""Keys in the published schema: which operations need one, and how they refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.access.scopes import MEANINGS, scope_of
from app.http.openapi import describe_refusal

SCHEME = "bearer"

REFUSALS = (401, 403, 429)

DESCRIPTION = "An API key, on servers that need one. Its scopes are " + "; ".join(
    f"`{scope}`: {meaning}" for scope, meaning in MEANINGS.items()
)


def with_keys(schema_of: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    """Return a function that returns a schema with the keys of its operations added, once."""

    def openapi() -> dict[str, Any]:
        schema = schema_of()
        schemes = schema["components"].setdefault("securitySchemes", {})
        if SCHEME not in schemes:
            schemes[SCHEME] = {"type": "http", "scheme": "bearer", "description": f"{DESCRIPTION}."}
            for path, operations in schema["paths"].items():
                for operation in operations.values():
                    _add(operation, path)
        return schema

    return openapi


def _add(operation: dict[str, Any], path: str) -> None:
    scope = scope_of(path)
    if scope is None:
        return
    # Without a key where the server needs none, otherwise with one that has the scope.
    operation["security"] = [{}, {SCHEME: [scope]}]
    added = {str(status): describe_refusal(status) for status in REFUSALS}
    operation["responses"] = dict(sorted({**operation["responses"], **added}.items()))
