"""Focus: the terms whose sum is one number of the answer, and the factors of each term."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.convention import layer_parameters
from core.errors import Refusal
from core.explaining.derivation_builder import DerivationBuilder
from core.explaining.step import Step
from core.network import Node
from core.plan import Plan

PATH = re.compile(r"(?P<id>.+?)(?:\[(?P<index>\d+(?:\s*,\s*\d+)*)\])?")
FACTOR = re.compile(r"gradients\.(?P<layer>.+)\.(?P<name>\w+)")


PRODUCTS = (
    ("<X>", "<weight>.T"), ("<X>", "<weight>"), ("<weight>", "<X>"),
    ("<dZ>", "<weight>.T"), ("<dZ>", "<weight>"), ("<weight>.T", "<dZ>"),
)  # fmt: skip
"""The matrix products of dense layers in all conventions, longer forms first."""


@dataclass(frozen=True, slots=True)
class Term:
    """One summand, and its factors by their paths."""

    of: str
    value: float
    share: float
    """|term| / Σ|terms|."""

    factors: dict[str, float]


@dataclass(frozen=True, slots=True)
class Focus:
    """One number of the answer."""

    path: str
    step: str
    value: float
    terms: list[Term]
    dominant: str | None
    """The largest term."""

    because: str


def focus_on(path: str, builder: DerivationBuilder, plan: Plan) -> Focus:
    """Explain one number. `plan` has run forward and backward and retained its deltas.

    Raises:
        Refusal: `unknown-name` for a path that leads to no number, with the nearest paths.
    """
    step, index = _found(path, builder.steps)
    terms, because = _terms(step, index, builder, plan)
    total = sum(abs(value) for _, value, _ in terms) or 1.0
    listed = [Term(of, value, abs(value) / total, factors) for of, value, factors in terms]
    dominant = max(listed, key=lambda term: term.share).of if listed else None
    return Focus(path, step.id, float(step.result.value[index]), listed, dominant, because)


def _found(path: str, steps: Sequence[Step]) -> tuple[Step, tuple[int, ...]]:
    match = PATH.fullmatch(path.strip())
    by_id = {step.id: step for step in steps}
    name = match["id"] if match else path
    if name not in by_id:
        near = difflib.get_close_matches(name[:100], list(by_id), 5, 0.3) or list(by_id)[:5]
        detail = f"There is no {name[:60]!r} in this derivation."
        raise Refusal.of(
            "unknown-name", detail, "style", "focus", expected=near, got=path[:100], hint=f"Near it: {', '.join(near)}."
        )
    step = by_id[name]
    index = tuple(int(part) for part in match["index"].split(",")) if match and match["index"] else ()
    shape = step.result.value.shape
    if len(index) != len(shape) or any(at >= length for at, length in zip(index, shape, strict=True)):
        example = ",".join("0" for _ in shape)
        detail = f"{name} has shape {list(shape)}; {path[:100]!r} is no number of it."
        hint = f"For instance {name}[{example}]." if shape else f"It is a single number: {name}."
        raise Refusal.of("unknown-name", detail, "style", "focus", expected=list(shape), got=list(index), hint=hint)
    return step, index


Terms = list[tuple[str, float, dict[str, float]]]


def _terms(step: Step, index: tuple[int, ...], builder: DerivationBuilder, plan: Plan) -> tuple[Terms, str]:
    match = FACTOR.fullmatch(step.id)
    contexts = {node.name: (node, context) for node, context in plan.contexts}
    if match and match["layer"] in contexts:
        node, context = contexts[match["layer"]]
        apart = layer_parameters(node.layer.example_gradients(context), node.parameters, builder.problem.convention)[
            match["name"]
        ]
        return [
            (f"example {example}", float(array[index]), _factors(step, node, match["name"], index, example))
            for example, array in enumerate(apart)
        ], "It is a sum over the examples" + (
            ": each multiplies what the layer read with the delta." if node.layer.feedback_weight else "."
        )
    product = step.equation.numpy
    for left, right in PRODUCTS:
        if product.startswith(f"{left} @ {right}"):
            return _of_product(step, index, left, right), "It is a row times a column."
    return [], step.equation.because


def _factors(step: Step, node: Node, name: str, index: tuple[int, ...], example: int) -> dict[str, float]:
    """Return the activation and the delta whose product is one term of a weight's gradient."""
    X, dZ = step.operands.get("X"), step.operands.get("dZ")
    if not node.layer.feedback_weight or dZ is None or dZ.value.ndim != 2 or (name == "weight") != (X is not None):
        return {}
    column = step.equation.numpy.startswith("<dZ> @") or "axis=1" in step.equation.numpy
    out_by_in = column or step.equation.numpy.startswith("<dZ>.T @")
    unit = index[0] if name == "bias" or out_by_in else index[1]
    found = {}
    if X is not None:
        at = (index[1], example) if column else (example, index[1] if out_by_in else index[0])
        found[f"{X.source}{list(at)}"] = float(X.value[at])
    at = (unit, example) if column else (example, unit)
    found[f"{dZ.source}{list(at)}"] = float(dZ.value[at])
    return found


def _of_product(step: Step, index: tuple[int, ...], left: str, right: str) -> Terms:
    """Return the terms of Σ_k A[i, k] B[k, j], and of the bias."""
    if step.result.value.ndim != 2:
        return []
    sides = []
    for text in (left, right):
        symbol = step.operands[text.removesuffix(".T")[1:-1]]
        turned = text.endswith(".T")
        sides.append((symbol, symbol.value.T if turned else symbol.value, turned))
    (a, A, a_turned), (b, B, b_turned) = sides
    if A.ndim != 2 or B.ndim != 2:
        return []
    i, j = index
    terms: Terms = []
    for k in range(A.shape[1]):
        at_a, at_b = ([k, i] if a_turned else [i, k]), ([j, k] if b_turned else [k, j])
        factors = {f"{a.source}{at_a}": float(A[i, k]), f"{b.source}{at_b}": float(B[k, j])}
        terms.append((f"k = {k}", float(A[i, k] * B[k, j]), factors))
    bias = step.operands.get("bias")
    if bias is not None:
        unit = int(np.argmax(np.array(step.result.value.shape) == bias.value.size))
        terms.append(("bias", float(bias.value[index[unit]]), {}))
    return terms
