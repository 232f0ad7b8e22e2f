"""Limits of a request, independent of its model."""

from __future__ import annotations

from dataclasses import dataclass

RANK_LIMIT = 8
"""Maximum number of axes of a tensor."""

DEPTH_LIMIT = 64
"""Maximum nesting depth of objects and lists, not counting tensors."""

COMPARISONS_LIMIT = 100_000_000
"""Maximum number of comparisons of names in a document: finding a value reads all names before it."""

NAME_LIMIT = 200
"""Maximum number of characters of a name in an object. Refusals repeat names as parts of pointers."""

ISSUES_LIMIT = 20
"""Maximum number of issues in a refusal."""


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """Limits of the contents of a document. The size of the body is limited before."""

    elements: int = 10_000_000
    """Maximum number of elements of all tensors together."""

    values: int = 200_000
    """Maximum number of other values: objects, lists, strings and numbers outside tensors."""


DEFAULT_LIMITS = DocumentLimits()
