"""The computation of /v1/jacobian."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from app.computations.jacobian.schemas import JacobianRequest
from app.http.problem_details import error_of
from app.problem.from_request import problem_of, unknown_names
from app.problem.writer import ProblemWriter
from app.settings import Settings
from core.arrays import CheckDeadline
from core.convention import is_transposed
from core.derivatives.jacobian import Variable, jacobian, refuse_large
from core.errors import Issue, Refusal
from core.network import names_of
from core.problem import Problem


def compute_jacobian(body: JacobianRequest, settings: Settings, check_deadline: CheckDeadline) -> dict[str, Any]:
    """Compute the Jacobian of one tensor with respect to another, in the request's convention."""
    names = names_of(body.network.layers)
    of = names[-1] if body.of == "output" and "output" not in names else body.of
    problem = problem_of(body, settings, needs_loss=False, besides=partial(_unknown_layer_issues, of, names))
    wrt = _variable(problem, body.wrt)
    refuse_large(problem, of, wrt, settings.max_answer_elements)
    with np.errstate(all="ignore"):
        dense = jacobian(problem, of, wrt, check_deadline)
    rank = dense.ndim - len(wrt.shape(problem))
    column = problem.convention == "column"
    of_axes, wrt_axes = list(range(rank)), list(range(rank, dense.ndim))
    if column and rank == 2:
        of_axes.reverse()
    if _is_turned(problem, wrt):
        wrt_axes.reverse()
    written = dense.transpose(of_axes + wrt_axes)
    answer: dict[str, Any] = {
        "jacobian": written,
        "of_shape": list(written.shape[:rank]),
        "wrt_shape": list(written.shape[rank:]),
    }
    if body.seed is not None:
        rendering = ProblemWriter(problem, (), None)
        answer["parameters"] = rendering.parameters(problem.parameters, everything=True)
    warnings = [error_of(issue) for issue in problem.warnings]
    return {**answer, "convention": problem.convention, "dtype": problem.dtype.name, "warnings": warnings}


def _unknown_layer_issues(of: str, names: list[str]) -> list[Issue]:
    """Return an issue if the layer to differentiate does not exist."""
    return [replace(issue, path=("of",)) for issue in unknown_names("of", [of], [*names, "output"])]


def _variable(problem: Problem, wrt: str) -> Variable:
    """Return the variable to differentiate with respect to.

    Raises:
        Refusal: `unknown-name`.
    """
    valid = {name: Variable(None, name) for name in problem.inputs}
    valid |= {f"{layer}.{name}": Variable(layer, name) for layer, named in problem.parameters.items() for name in named}
    if wrt not in valid:
        raise Refusal(replace(issue, path=("wrt",)) for issue in unknown_names("wrt", [wrt], list(valid)))
    return valid[wrt]


def _is_turned(problem: Problem, wrt: Variable) -> bool:
    """Return whether the convention transposes the variable."""
    if wrt.layer is None:
        return problem.convention == "column" and len(wrt.shape(problem)) == 2
    node = next(node for node in problem.nodes if node.name == wrt.layer)
    return is_transposed(node.parameters[wrt.name], problem.convention)
