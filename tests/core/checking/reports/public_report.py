"""PublicReport: one kind of report, the request that a person would send, and what a teacher would answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Body = dict[str, Any]
Named = dict[str, dict[str, Any]]
Place = tuple[str, str, str]
"""A layer, a tensor, and the slugs of the causes that a teacher would accept, with " | " between them."""

NO_ACCUSATION = ("correct", "equivalent-layout")


@dataclass(frozen=True, kw_only=True)
class PublicReport:
    """One kind of report."""

    kind: str
    """What the person did, in a few words."""
    source: str = "—"
    """Where such a report is published: a thread or a text."""
    body: Body
    """The request that the person would send to /v1/check."""
    verdicts: Sequence[str] = ("wrong",)
    """The verdicts that a teacher would accept."""
    blame: Sequence[Place] = ()
    """Every accusation, and no other."""
    says: Sequence[str] = ()
    """The conventions, differences or warnings that a teacher would name."""
    fails: str = ""
    """Why the answer is not the teacher's today; "" where it is."""


def listed(value: Any) -> Any:
    """Return arrays as the nested lists of a request."""
    if isinstance(value, dict):
        return {key: listed(each) for key, each in value.items()}
    return np.asarray(value).tolist() if isinstance(value, np.ndarray | np.generic) else value


def body(
    layers: Sequence[Any], X: Any, Y: Any, parameters: Named, submission: Body, *, loss: Any = "", **more: Any
) -> Body:
    """Return the request of a check, in the row convention unless another is said."""
    found = {
        "network": {"layers": list(layers)},
        "parameters": parameters,
        "batch": {"inputs": X, "targets": Y},
        "loss": loss if isinstance(loss, dict) else {"kind": loss or "half_squared_error"},
        "convention": "row",
        "submission": submission,
        **more,
    }
    return {key: listed(value) for key, value in found.items()}


def dense(units: int, activation: Any = "identity", **more: Any) -> Body:
    """Return a dense layer of a request."""
    return {"kind": "dense", "units": units, "activation": activation, **more}
