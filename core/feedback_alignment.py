"""Feedback alignment: the error is propagated through fixed matrices B instead of the transposed weights.

    backpropagation              ∂L/∂A_{l−1} = δ_l W_lᵀ
    random (feedback alignment)  ∂L/∂A_{l−1} = δ_l B_lᵀ         B_l has the shape of W_l
    direct                       ∂L/∂A_{l−1} = δ_L B_lᵀ         B_l is in_l x out_L: every layer receives the last delta

All other equations are unchanged: δ_{l−1} = ∂L/∂A_{l−1} ∘ f', dW = Aᵀ δ. The last layer's gradient is exact; the others
are directions, which equal the gradient if B = W. δ_L is the delta of the last layer that has a weight matrix W.

Source: Lillicrap et al., Random synaptic feedback weights support error backpropagation (2016); Nøkland, Direct Feedback
Alignment Provides Learning in Deep Neural Networks (2016).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from core.arrays import Array
from core.convention import Convention, layer_parameters, parameter_shape
from core.errors import Issue, refuse_if_any
from core.initializers import draw
from core.network import Node
from core.nonfinite import cast
from core.parameters import Parameter

Kind = Literal["random", "direct"]

STREAM = 1
"""Random stream of B. Initial weights are drawn from the same seed in another stream; otherwise B would equal W."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackSpec:
    """Feedback as a request describes it, in the request's convention."""

    kind: Kind
    seed: int | None = None
    weights: Mapping[str, Array] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Feedback:
    """Matrices through which the error is propagated."""

    kind: Kind
    weights: Mapping[str, Array]
    """B by layer, in the orientation of the core's weights: in x out."""

    last: str
    """Name of the layer whose delta `direct` propagates to all others."""

    def carries_last_delta(self, layer: str) -> bool:
        """Return whether B of this layer multiplies the last layer's delta instead of the layer's own."""
        return self.kind == "direct" and layer != self.last


def feedback_of(
    sent: FeedbackSpec, nodes: Sequence[Node], convention: Convention, dtype: np.dtype[Any]
) -> Feedback | None:
    """Return the matrices of a feedback: those sent, and random ones for the others. None if no layer needs one.

    Raises:
        Refusal: lists every unknown or missing matrix, every wrong shape, and every layer without a weight matrix.
    """
    carriers = {node.name: node for node in nodes if node.layer.feedback_weight}
    last = list(carriers)[-1] if carriers else ""
    passing = _passing(nodes)
    issues: list[Issue] = [_without_matrix(node) for node in nodes if node.name in passing and _has_other_weights(node)]
    matrices = {}
    for name, node in carriers.items():
        parameter = node.parameters[node.layer.feedback_weight or ""]
        if sent.kind == "direct":
            if len(node.shape) > 2:
                issues.append(_not_a_matrix(node))
                continue
            outputs = carriers[last].shape[-1]
            shape = (parameter.shape[0], outputs)
            parameter = Parameter(
                shape=shape, follows_convention=True, fan_in=shape[0], fan_out=outputs, initial="scheme"
            )
        wanted = parameter_shape(parameter, convention)
        given = sent.weights.get(name)
        if given is not None and given.shape != wanted:
            issues.append(_misfit(name, wanted, given.shape))
        elif given is not None:
            matrices[name] = cast(
                layer_parameters({"weight": given}, {"weight": parameter}, convention)["weight"],
                dtype,
                *("feedback", "weights", name),
            )
        elif name in passing and sent.seed is None:
            issues.append(_missing(name, wanted))
        elif name in passing:
            generator = np.random.Generator(np.random.PCG64([sent.seed or 0, node.position, STREAM]))
            matrices[name] = draw(generator, "glorot_uniform", parameter).astype(dtype)
    issues += [_unknown_layer(name, list(carriers)) for name in sent.weights if name not in carriers]
    refuse_if_any(issues)
    return Feedback(sent.kind, matrices, last) if matrices else None


def angle(direction: Array, gradient: Array) -> float | None:
    """Return the angle between two vectors in degrees, None if one of them is 0.

    For unit vectors u and v it is 2 atan2(‖u − v‖, ‖u + v‖), which unlike arccos⟨u, v⟩ is accurate for small angles.
    """
    sizes = np.linalg.norm(direction), np.linalg.norm(gradient)
    if not all(sizes):
        return None
    u, v = direction / sizes[0], gradient / sizes[1]
    return float(np.degrees(2 * np.arctan2(np.linalg.norm(u - v), np.linalg.norm(u + v))))


def _passing(nodes: Sequence[Node]) -> set[str]:
    """Return the names of the layers above a layer with parameters: those that propagate an error."""
    trained: set[str] = set()
    passing = set()
    for node in nodes:
        if trained.intersection(node.reads):
            passing.add(node.name)
        if node.parameters or node.name in passing:
            trained.add(node.name)
    return passing


def _has_other_weights(node: Node) -> bool:
    return not node.layer.feedback_weight and any(parameter.weight_like for parameter in node.parameters.values())


def _without_matrix(node: Node) -> Issue:
    return Issue(
        code="unsupported-operator",
        path=("network", "layers", node.position),
        detail=f"Layer {node.name!r} ({node.layer.kind}) passes the error on through weights of its own that are no single "
        "matrix W; feedback has no B to put in its place.",
        hint="Feedback works for networks whose layers above the first are dense, or have no weights.",
    )


def _not_a_matrix(node: Node) -> Issue:
    return Issue(
        code="shape-mismatch",
        path=("network", "layers", node.position),
        detail=f"Direct feedback multiplies the last delta, examples x features, with B; layer {node.name!r} has a result of "
        f"shape {list(node.shape)}.",
        hint='"kind": "random" goes through such layers.',
    )


def _misfit(name: str, wanted: Sequence[int], got: Sequence[int]) -> Issue:
    detail = f"B of layer {name!r} has shape {list(wanted)} in this convention; this one has shape {list(got)}."
    return Issue(
        code="shape-mismatch",
        path=("feedback", "weights", name),
        detail=detail,
        expected=list(wanted),
        got=list(got),
        hint="It is transposed." if list(wanted)[::-1] == list(got) else None,
    )


def _missing(name: str, wanted: Sequence[int]) -> Issue:
    return Issue(
        code="missing-parameters",
        path=("feedback", "weights", name),
        detail=f"Layer {name!r} passes the error on and needs a B of shape {list(wanted)}.",
        expected=list(wanted),
        hint='Send it, or send "seed" in feedback to have it drawn at random.',
    )


def _unknown_layer(name: str, known: Sequence[str]) -> Issue:
    detail = f"There is a B for {name[:60]!r}, which is no dense layer of this network."
    return Issue(code="unknown-name", path=("feedback", "weights", name), detail=detail, expected=list(known)[:50])
