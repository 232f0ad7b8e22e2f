"""Decoding of requests: from the bytes of a body to a validated model with arrays as tensors."""

from __future__ import annotations

from typing import Any, TypeVar

import simdjson
from pydantic import BaseModel, ValidationError

from app.wire import json_document, json_marks
from app.wire.json_reader import JsonReader
from app.wire.limits import DEFAULT_LIMITS, ISSUES_LIMIT, DocumentLimits
from app.wire.tensor_fields import FieldNode, field_tree
from app.wire.validation import issues_of
from core.errors import Issue, Refusal

M = TypeVar("M", bound=BaseModel)

_MANY = 4 * 2**20
"""Number of bytes of a body whose values are counted before they are parsed."""


def decode(body: bytes, model: type[M], limits: DocumentLimits = DEFAULT_LIMITS) -> M:
    """Parse a body, convert its tensors to arrays, and let pydantic validate the rest.

    Nested lists become float64 arrays, base64 becomes float64 or float32 as it was sent, both in C order; they may be
    read-only. A bare number where a tensor is expected becomes an array of rank 0.

    Raises:
        Refusal: with up to `ISSUES_LIMIT` issues, as many as can be found at once.
    """
    node = field_tree(model)
    values, issues = read_values(body, node, limits)
    return validate_values(values, issues, model, node)


def read_values(
    body: bytes, node: FieldNode, limits: DocumentLimits = DEFAULT_LIMITS
) -> tuple[dict[str, Any], list[Issue]]:
    """Return the values of a JSON object with arrays as tensors, and the issues of the tensors.

    Raises:
        Refusal: if the body is not a JSON object, or has far too many values.
    """
    _refuse_too_many(body, limits)
    parsed = json_document.parse(body)
    if not isinstance(parsed, simdjson.Object):
        raise Refusal.of("invalid-request", "The body must be a JSON object; this is another kind of value.")
    reader = JsonReader(limits)
    values = reader.object(parsed, node)
    if reader.lists != json_marks.count(
        body, b"["
    ):  # A tensor has a list in place of a number, or a string has a bracket.
        reader = JsonReader(limits, thorough=True)
        values = reader.object(parsed, node)
    return values, reader.issues


def validate_values(values: dict[str, Any], issues: list[Issue], model: type[M], node: FieldNode) -> M:
    """Validate the values and return the model.

    Raises:
        Refusal: with the issues found before and those that pydantic finds.
    """
    try:
        request = model.model_validate(values)
    except ValidationError as error:
        # Checks that read tensors are skipped if a tensor was replaced.
        issues = [*issues, *issues_of(error, values, node, with_checks=not issues)]
        raise Refusal(issues[:ISSUES_LIMIT]) from None
    if issues:
        raise Refusal(issues[:ISSUES_LIMIT])
    return request


def _refuse_too_many(body: bytes, limits: DocumentLimits) -> None:
    """Refuse a body whose values would take more memory than the limits allow, before it is parsed.

    Each value takes 16 bytes while it is parsed, and the interpreter lock is held meanwhile.
    """
    most = limits.elements + limits.values
    if len(body) > _MANY and (values := json_marks.count(body, b",")) > most:
        raise Refusal.of("too-large", f"The body has more than {most:,} values.", expected=most, got=values)
