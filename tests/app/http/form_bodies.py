"""Bodies of one form with other numbers, made of the sample problems of the core."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from app.problem.schemas import LayerSpec, LossSpec
from core.arrays import Array
from core.problem_spec import ProblemSpec

LAYER: TypeAdapter[Any] = TypeAdapter(LayerSpec)
LOSS: TypeAdapter[Any] = TypeAdapter(LossSpec)

Change = Callable[[Array], Array]

CHANGES: dict[str, Change] = {
    "zeros": np.zeros_like,
    "equal": np.ones_like,
    "negative zeros": lambda array: np.full_like(array, -0.0),
    "whole": np.round,
    "tiny": lambda array: array * 1e-300,
    "huge": lambda array: array * 1e200,
}
"""Numbers with which warnings, kinks and refusals come and go."""


def body_of(sent: ProblemSpec, **more: Any) -> dict[str, Any]:
    """The body of a request for a problem."""
    loss = sent.loss
    compared = {
        name: array.tolist()
        for name in ("targets", "upstream", "sample_weight")
        if (array := getattr(sent, name)) is not None
    }
    return {
        "network": {"layers": [_with_kind(LAYER, layer) for layer in sent.layers]},
        "parameters": listed(sent.parameters),
        **({"state": listed(sent.state)} if sent.state else {}),
        "batch": {"inputs": {name: array.tolist() for name, array in sent.inputs.items()}, **compared},
        **({"loss": _with_kind(LOSS, loss)} if loss else {}),
        "convention": sent.convention,
        **more,
    }


def _with_kind(adapter: TypeAdapter[Any], spec: Any) -> dict[str, Any]:
    return {"kind": spec.kind, **adapter.dump_python(spec, mode="json", exclude_defaults=True)}


def listed(tensors: Mapping[str, Mapping[str, Array]]) -> dict[str, dict[str, Any]]:
    """The tensors as nested lists."""
    return {layer: {name: array.tolist() for name, array in named.items()} for layer, named in tensors.items()}


def changes(body: dict[str, Any], *names: str) -> Iterator[dict[str, Any]]:
    """The body with other parameters, and with other targets, for each change that is named."""
    for name in names:
        other = copy.deepcopy(body)
        for named in other.get("parameters", {}).values():
            for parameter, value in named.items():
                named[parameter] = CHANGES[name](np.array(value)).tolist()
        yield other
        for compared in ("targets", "upstream"):
            if compared in body.get("batch", {}):
                other = copy.deepcopy(body)
                other["batch"][compared] = CHANGES[name](np.array(body["batch"][compared])).tolist()
                yield other
