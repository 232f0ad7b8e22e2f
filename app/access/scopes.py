"""Scopes: what a key may do, by the path of a request."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, get_args

Scope = Literal["compute", "models", "jobs", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
DEFAULT_SCOPES: tuple[Scope, ...] = ("compute", "models", "jobs")

MEANINGS: dict[Scope, str] = {
    "compute": "gradients, checks and other computations",
    "models": "models and datasets",
    "jobs": "training jobs",
    "admin": "everything, also what belongs to other keys, and the metrics",
}

OPEN: frozenset[str] = frozenset({"", "livez", "readyz", "docs", "playground", "problems", "openapi.json", "v1"})
"""First segments of paths that need no key. `v1` is GET /v1 alone: what is below it is in SCOPE_OF."""

SCOPE_OF: dict[str, Scope] = {
    "v1/check": "compute",
    "v1/explain": "compute",
    "v1/forward": "compute",
    "v1/gradients": "compute",
    "v1/invert": "compute",
    "v1/jacobian": "compute",
    "v1/probe": "compute",
    "v1/products": "compute",
    "v1/step": "compute",
    "v1/models": "models",
    "v1/datasets": "models",
    "v1/jobs": "jobs",
    "metrics": "admin",
}
"""Scopes by the beginning of a path. A path that is not here and not open needs the scope admin."""


def scope_of(path: str) -> Scope | None:
    """Return the scope that a path needs; None if it needs no key.

    A path that nobody has declared needs `admin`, so that a new route is closed until it is declared.
    """
    start, *segments = path.split("/")
    first, second = [*segments, "", ""][:2]
    if start or (not first and len(segments) != 1):
        return "admin"
    if first == "v1" and len(segments) > 1:
        return SCOPE_OF.get(f"v1/{second}", "admin")
    return None if first in OPEN else SCOPE_OF.get(first, "admin")


def allows(scopes: Collection[str], needed: Scope) -> bool:
    """Return whether a key with these scopes may do what needs a scope. `admin` may do everything."""
    return needed in scopes or "admin" in scopes
