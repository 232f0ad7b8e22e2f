"""Templates: a validated request from which the next one of the same form is made without validating it again."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel

from app.wire.tensor_fields import FieldNode

M = TypeVar("M", bound=BaseModel)


NO_NUMBERS = np.empty(0)


def without_numbers(values: dict[str, Any]) -> dict[str, Any]:
    """Return a document with an empty array in place of each tensor, so that a template holds no memory of a request."""
    return {
        name: NO_NUMBERS
        if isinstance(value, np.ndarray)
        else without_numbers(value)
        if isinstance(value, dict)
        else value
        for name, value in values.items()
    }


def refill(template: M, values: dict[str, Any], node: FieldNode) -> M:
    """Return the request with the tensors of `values`, a document whose form is that of the template.

    Validation reads types and shapes alone, which are the same for all documents of one form.
    """
    changed: dict[str, Any] = {}
    for name, value in values.items():
        below = node.fields.get(name)
        if below is None or not below.holds_tensors:
            continue
        held = getattr(template, name)
        changed[name] = refill(held, value, below) if isinstance(held, BaseModel) else value
    return template.model_copy(update=changed)
