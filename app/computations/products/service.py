"""The computation of /v1/products."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from app.computations.products.schemas import Direction as DirectionBody
from app.computations.products.schemas import ProductsRequest
from app.http.problem_details import error_of
from app.problem.from_request import problem_of, unknown_names
from app.problem.writer import ProblemWriter
from app.settings import Settings
from core.arrays import Array, CheckDeadline
from core.convention import layer_parameters, parameter_shape, tensor, tensor_shape
from core.derivatives import products
from core.errors import Issue, Refusal, refuse_if_any
from core.network import INPUT
from core.problem import Problem

ALONG = {
    "jvp": products.jacobian_vector,
    "hvp": products.hessian_vector,
    "gauss_newton": products.gauss_newton_vector,
}


def compute_product(body: ProductsRequest, settings: Settings, check_deadline: CheckDeadline) -> dict[str, Any]:
    """Compute the requested product, in the request's convention."""
    needs_loss = body.kind in ("hvp", "gauss_newton")
    problem = problem_of(body, settings, needs_loss=needs_loss)
    rendering = ProblemWriter(problem, (), None)
    with np.errstate(all="ignore"):
        if body.kind == "vjp":
            found: Any = products.vector_jacobian(problem, _upstream(problem, body.vector))
        else:
            found = ALONG[body.kind](problem, _direction(problem, body.vector))
    check_deadline()
    if isinstance(found, products.Direction):
        written: Any = {
            "parameters": rendering.parameters(_rounded(found.parameters, problem), everything=True),
            "inputs": rendering.named_inputs(_rounded(found.inputs, problem)),
        }
    else:
        written = rendering.tensor(_rounded(found, problem))
    answer: dict[str, Any] = {"product": written, "method": "backward" if body.kind == "vjp" else "complex_step"}
    if body.seed is not None:
        answer["parameters"] = rendering.parameters(problem.parameters, everything=True)
    warnings = [error_of(issue) for issue in problem.warnings]
    return {**answer, "convention": problem.convention, "dtype": problem.dtype.name, "warnings": warnings}


def _rounded(value: Any, problem: Problem) -> Any:
    """Return nested arrays in the precision of the request. The complex step computes in double precision."""
    if isinstance(value, Mapping):
        return {name: _rounded(item, problem) for name, item in value.items()}
    return value.astype(problem.dtype, copy=False)


def _upstream(problem: Problem, vector: Any) -> Array:
    """Return the vector u in the core's layout.

    Raises:
        Refusal: if it does not have the output's shape.
    """
    wanted = tensor_shape(problem.output_shape, problem.convention)
    if isinstance(vector, DirectionBody) or vector.shape != wanted:
        got = "an object" if isinstance(vector, DirectionBody) else list(vector.shape)
        detail = f"vjp needs a vector in the shape of the output, {list(wanted)}; it was given {got}."
        raise Refusal.of("shape-mismatch", detail, "vector", expected=list(wanted), got=got)
    return tensor(vector, problem.convention)


def _direction(problem: Problem, vector: Any) -> products.Direction:
    """Return the direction v in the core's layout.

    Raises:
        Refusal: with every unknown name and every wrong shape.
    """
    if not isinstance(vector, DirectionBody):
        detail = "jvp, hvp and gauss_newton need an object with parameters and inputs as vector, not a tensor."
        hint = 'Send "vector": {"parameters": {...}, "inputs": ...}.'
        raise Refusal.of("invalid-request", detail, "vector", hint=hint)
    inputs = vector.inputs if isinstance(vector.inputs, dict) else {INPUT: vector.inputs}
    sent_inputs = {name: array for name, array in inputs.items() if array is not None}
    nodes = {node.name: node for node in problem.nodes}
    input_shapes = {name: tensor_shape(array.shape, problem.convention) for name, array in problem.inputs.items()}
    issues = _misfits(sent_inputs, input_shapes, "vector", "inputs")
    if set(sent_inputs) == {INPUT}:  # A single tensor has no name in the request.
        issues = [replace(issue, path=("vector", "inputs")) for issue in issues]
    parameters = {
        layer: {name: problem.documented(layer, name, array) for name, array in named.items()}
        for layer, named in (vector.parameters or {}).items()
    }
    for layer, named in parameters.items():
        if layer not in nodes:
            path = ("vector", "parameters", layer)
            issues += [replace(issue, path=path) for issue in unknown_names("", [layer], list(nodes))]
            continue
        shapes = {
            name: parameter_shape(parameter, problem.convention) for name, parameter in nodes[layer].parameters.items()
        }
        issues += _misfits(named, shapes, "vector", "parameters", layer)
    refuse_if_any(issues)
    return products.Direction(
        {
            layer: layer_parameters(named, nodes[layer].parameters, problem.convention)
            for layer, named in parameters.items()
        },
        {name: tensor(array, problem.convention) for name, array in sent_inputs.items()},
    )


def _misfits(sent: Mapping[str, Array], shapes: Mapping[str, tuple[int, ...]], *path: str) -> list[Issue]:
    """Return an issue for every tensor with an unknown name or a wrong shape."""
    issues = []
    for name, array in sent.items():
        if name not in shapes:
            detail = f"There is no parameter or input {name[:60]!r} here."
            issues.append(Issue(code="unknown-name", path=(*path, name), detail=detail, expected=list(shapes)))
        elif array.shape != shapes[name]:
            wanted, got = list(shapes[name]), list(array.shape)
            detail = f"{name} has shape {wanted}, but the vector's {name} has shape {got}."
            issues.append(Issue(code="shape-mismatch", path=(*path, name), detail=detail, expected=wanted, got=got))
    return issues
