"""Comparison of an imported network with the file that it comes from: both compute the same numbers, or it is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from app.models.formats.imported import Imported
from app.models.formats.onnx.file import OnnxGraph
from core.arrays import Array
from core.errors import GraddError, Issue, Refusal, refuse_if_any
from core.network import INPUT
from core.plan.plan import Plan
from core.problem_spec import ProblemSpec
from core.problem_validation import validate

TOLERANCE = 1e-3
"""Largest difference of two numbers, as a share of the largest one: files compute in float32, or in half precision."""


def compare_with_sample(imported: Imported, graph: OnnxGraph, outputs: Sequence[str] = ("",)) -> Imported:
    """Return the network, with a warning if nothing could be compared.

    Args:
        imported: the network.
        graph: the graph of the file.
        outputs: the layer that computes each output of the graph; the last one is always the last layer.

    Raises:
        Refusal: if the network does not fit the file's inputs, or computes other numbers than the file.
    """
    if graph.sample is None:
        detail = f"The numbers of the network were not compared with those of the file: {graph.unsampled}."
        return replace(
            imported, warnings=[*imported.warnings, Issue(code="not-compared", path=("graph",), detail=detail)]
        )
    inputs, every = graph.sample
    try:
        plan = _evaluate(imported, inputs)
    except GraddError as error:
        refuse_if_any([replace(issue, code="unsupported-operator") for issue in error.issues])
        raise
    results = [*(plan.activations[layer] for layer in outputs[:-1]), plan.output]
    details = (_difference(result, expected) for result, expected in zip(results, every, strict=True))
    different = next(filter(None, details), None)
    if different is None:
        return imported
    hint = "This is a case that the import does not know, or a mistake in it; please report the file."
    raise Refusal.of("unsupported-operator", f"The graph cannot be translated exactly. {different}", "graph", hint=hint)


def _difference(found: Array, expected: Array) -> str | None:
    """Return how a result differs from that of the file; None if it does not."""
    if found.shape != expected.shape:
        return f"The file computes a result of shape {list(expected.shape)}, the network one of {list(found.shape)}."
    scale = float(np.abs(expected).max())
    difference = float(np.abs(found - expected).max())
    if difference <= TOLERANCE * max(scale, TOLERANCE):
        return None
    return f"For random inputs the file and the network compute numbers that differ by up to {difference:.2g}."


def _output(imported: Imported, inputs: Mapping[str, Array]) -> Array:
    """Return what the network computes."""
    return np.array(_evaluate(imported, inputs).output)


def _evaluate(imported: Imported, inputs: Mapping[str, Array]) -> Plan:
    """Return the plan of the network after a run."""
    named = {INPUT if len(inputs) == 1 else name: array.astype(np.float64) for name, array in inputs.items()}
    spec = ProblemSpec(
        layers=imported.layers,
        inputs=named,
        parameters={
            layer: {name: array.astype(np.float64) for name, array in arrays.items()}
            for layer, arrays in imported.parameters.items()
        },
        state=imported.state,
        convention="row",
    )
    problem = validate(spec, needs_loss=False)
    plan = problem.plan(backward=False)
    with np.errstate(all="ignore"):
        plan.forward()
    return plan
