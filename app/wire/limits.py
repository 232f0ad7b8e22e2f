"""How much one request may hold, whatever its model."""

from __future__ import annotations

from dataclasses import dataclass

RANK_LIMIT = 8
"""Axes that a tensor may have."""

DEPTH_LIMIT = 64
"""Objects and lists that may stand inside one another, tensors not counted."""

COMPARISONS_LIMIT = 100_000_000
"""Names compared with one another in a document: finding a value by its name reads all the names before it."""

NAME_LIMIT = 200
"""Characters of a name in an object. Names are repeated in refusals, as parts of pointers."""

ISSUES_LIMIT = 20
"""Issues that one refusal lists."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a document may hold; the size of the body is limited before it gets here."""

    elements: int = 10_000_000
    """Elements of all tensors together."""

    values: int = 200_000
    """Everything else: objects, lists, strings, numbers outside of tensors."""


DEFAULT_LIMITS = Limits()
