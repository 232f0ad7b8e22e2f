"""Decoding of requests: from the bytes of a body to a validated model with arrays as tensors."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import simdjson
from pydantic import BaseModel, ValidationError

from app.wire import json_document
from app.wire.json_reader import JsonReader
from app.wire.limits import DEFAULT_LIMITS, ISSUES_LIMIT, DocumentLimits
from app.wire.tensor_fields import FieldNode, field_tree
from app.wire.validation import issues_of
from core.errors import Issue, Refusal

M = TypeVar("M", bound=BaseModel)

_BLOCK = 2**17
"""Number of bytes searched for brackets at a time, small enough for the cache."""


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
        Refusal: if the body is not a JSON object.
    """
    parsed = json_document.parse(body)
    if not isinstance(parsed, simdjson.Object):
        raise Refusal.of("invalid-request", "The body must be a JSON object; this is another kind of value.")
    reader = JsonReader(limits)
    values = reader.object(parsed, node)
    if reader.lists != _brackets(body):  # A tensor has a list in place of a number, or a string has a bracket.
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


def _brackets(body: bytes) -> int:
    """Return the number of `[`. `bytes.count` takes five times as long for a large body."""
    if len(body) < _BLOCK // 16:
        return body.count(b"[")
    text = np.frombuffer(body, np.uint8)
    return sum(int(np.count_nonzero(text[at : at + _BLOCK] == ord("["))) for at in range(0, len(text), _BLOCK))
