"""Tensors that are shaped like parameters: learning rates for single weights, the memory of an optimizer."""

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
    """What is wrong with tensors that are shaped like parameters."""
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
                detail = f"It has the shape of {layer}.{name}, {list(wanted)}; this one has shape {list(array.shape)}."
                issues.append(
                    Issue(
                        code="shape-mismatch", path=where, detail=detail, expected=list(wanted), got=list(array.shape)
                    )
                )
    return issues


def in_core(named: Mapping[str, Mapping[str, Array]], problem: Problem) -> dict[str, dict[str, Array]]:
    """The same tensors in the core's orientation, weights in x out."""
    nodes = {node.name: node for node in problem.nodes}
    return {
        layer: layer_parameters(
            {name: problem.documented(layer, name, array) for name, array in arrays.items()},
            nodes[layer].parameters,
            problem.convention,
        )
        for layer, arrays in named.items()
    }


def rates_of(optimizer: Optimizer, problem: Problem) -> dict[str, dict[str, Array]] | None:
    """Learning rates for single weights.

    Raises:
        Refusal: with every one that does not fit.
    """
    sent = optimizer.learning_rate
    if not isinstance(sent, dict):
        return None
    arrays: dict[str, dict[str, Array]] = {}
    for layer, named in sent.items():
        for name, value in named.items():
            try:
                arrays.setdefault(layer, {})[name] = np.asarray(value, np.float64)
            except (TypeError, ValueError):
                detail = "A learning rate for each weight is a tensor of numbers."
                raise Refusal.of("invalid-request", detail, "optimizer", "learning_rate", layer, name) from None
    refuse_if_any(wrong_shapes(arrays, problem, "optimizer", "learning_rate"))
    return in_core(arrays, problem)
