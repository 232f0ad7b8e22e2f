"""From the body of a request to its model, with arrays in the places of tensors."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import simdjson
from pydantic import BaseModel, ValidationError

from app.wire import json_document
from app.wire.json_reader import Reader
from app.wire.limits import DEFAULT_LIMITS, ISSUES_LIMIT, Limits
from app.wire.tensor_fields import FieldNode, field_tree
from app.wire.validation import issues_of
from core.errors import Issue, Refusal

M = TypeVar("M", bound=BaseModel)

_BLOCK = 2**17
"""Bytes that are searched for brackets at a time: they stay in the cache."""


def decode(body: bytes, model: type[M], limits: Limits = DEFAULT_LIMITS) -> M:
    """Parse a body once, put arrays in the places of tensors, and let pydantic validate the rest.

    Nested lists become float64 arrays, base64 becomes float64 or float32 as it was sent, both in C order; they may be
    read-only. A bare number in the place of a tensor becomes an array of rank 0.

    Raises:
        Refusal: what is wrong with the body, all of it as far as it can be told, up to `ISSUES_LIMIT` issues.
    """
    node = field_tree(model)
    values, issues = read_values(body, node, limits)
    return validated(values, issues, model, node)


def read_values(body: bytes, node: FieldNode, limits: Limits = DEFAULT_LIMITS) -> tuple[dict[str, Any], list[Issue]]:
    """The values of a JSON object, with arrays in the places of tensors, and what is wrong with those.

    Raises:
        Refusal: what is no JSON object.
    """
    parsed = json_document.parse(body)
    if not isinstance(parsed, simdjson.Object):
        raise Refusal.of("invalid-request", "The body is a JSON object; this is another kind of value.")
    reader = Reader(limits)
    values = reader.object(parsed, node)
    if reader.lists != _brackets(body):  # A list stands for a number in a tensor, or a string holds a bracket.
        reader = Reader(limits, thorough=True)
        values = reader.object(parsed, node)
    return values, reader.issues


def validated(values: dict[str, Any], issues: list[Issue], model: type[M], node: FieldNode) -> M:
    """The model that the values make.

    Raises:
        Refusal: with the issues that were found before and what pydantic finds.
    """
    try:
        request = model.model_validate(values)
    except ValidationError as error:
        # A check that reads tensors says nothing where one of them was replaced.
        issues = [*issues, *issues_of(error, values, node, with_checks=not issues)]
        raise Refusal(issues[:ISSUES_LIMIT]) from None
    if issues:
        raise Refusal(issues[:ISSUES_LIMIT])
    return request


def _brackets(body: bytes) -> int:
    """How many `[` there are; `bytes.count` takes five times as long over a large body."""
    if len(body) < _BLOCK // 16:
        return body.count(b"[")
    text = np.frombuffer(body, np.uint8)
    return sum(int(np.count_nonzero(text[at : at + _BLOCK] == ord("["))) for at in range(0, len(text), _BLOCK))
