"""Tensors in the shapes of parameters: learning rates for single weights, and the state of optimizers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from core.arrays import Array
from core.convention import layer_parameters, parameter_shape
from core.errors import Issue, Refusal, refuse_if_any
from core.optimizers import Optimizer
from core.problem import Problem


def wrong_shapes(sent: Mapping[str, Mapping[str, Any]], problem: Problem, *path: str) -> list[Issue]:
    """Return an issue for each tensor that does not have the shape of the parameter with its name."""
    nodes = {node.name: node for node in problem.nodes}
    issues = []
    for layer, named in sent.items():
        for name, array in named.items():
            where = (*path, layer, name)
            if layer not in nodes or name not in nodes[layer].parameters:
                detail = f"There is no parameter {layer[:60]}.{name[:60]} in this network."
                issues.append(Issue(code="unknown-name", path=where, detail=detail))
                continue
            wanted = parameter_shape(nodes[layer].parameters[name], problem.convention)
            if problem.documented(layer, name, array).shape != wanted:
                detail = f"It must have the shape of {layer}.{name}, {list(wanted)}, but has shape {list(array.shape)}."
                issues.append(
                    Issue(
                        code="shape-mismatch", path=where, detail=detail, expected=list(wanted), got=list(array.shape)
                    )
                )
    return issues


def in_core(named: Mapping[str, Mapping[str, Array]], problem: Problem) -> dict[str, dict[str, Array]]:
    """Return the tensors in the core's layout, weights in x out."""
    nodes = {node.name: node for node in problem.nodes}
    return {
        layer: layer_parameters(
            {name: problem.documented(layer, name, array) for name, array in arrays.items()},
            nodes[layer].parameters,
            problem.convention,
        )
        for layer, arrays in named.items()
    }


def rates_of(optimizer: Optimizer, problem: Problem, *path: str) -> dict[str, dict[str, Array]] | None:
    """Return the learning rates for single weights, or None if the learning rate is one number.

    Args:
        optimizer: the optimizer.
        problem: the problem whose parameters it moves.
        path: where the optimizer is in the request. Default: "optimizer".

    Raises:
        Refusal: with every tensor that does not fit.
    """
    sent = optimizer.learning_rate
    if not isinstance(sent, dict):
        return None
    where = (*(path or ("optimizer",)), "learning_rate")
    arrays: dict[str, dict[str, Array]] = {}
    for layer, named in sent.items():
        for name, value in named.items():
            try:
                arrays.setdefault(layer, {})[name] = np.asarray(value, np.float64)
            except (TypeError, ValueError):
                detail = "Learning rates for single weights must be a tensor of numbers."
                raise Refusal.of("invalid-request", detail, *where, layer, name) from None
    refuse_if_any(wrong_shapes(arrays, problem, *where))
    return in_core(arrays, problem)
