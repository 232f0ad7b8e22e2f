"""Descent: from the given outputs to the inputs, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from core.activations.base import Interval
from core.arrays import Array, CheckDeadline
from core.errors import Refusal
from core.inversion.chain import Link, links_of
from core.inversion.outcome import Inversion, LayerInversion
from core.inversion.repair import Solver, move_inside
from core.inversion.weight import Decomposed, decompose
from core.network import INPUT
from core.problem import Problem

INSIDE = 1e-6
"""A value outside a range is replaced by one inside, at this share of the range from its end."""


@dataclass(slots=True)
class _Way:
    """The state of the descent at one layer."""

    image: Array
    failed: Array
    """Examples for which a layer above cannot produce its required result."""

    unproven: Array
    """Failed examples that another choice in a layer above might have saved."""

    choices: int = 0
    """The number of layers above that left a choice open."""

    untried: int = 0
    """The same number, without a choice that a linear programme has exhausted for the next range."""

    layers: dict[str, LayerInversion] = field(default_factory=dict)

    def fail(self, examples: Array, *, choices: int) -> None:
        """Record examples that fail here, with this many open choices above; earlier failures are kept."""
        if choices:
            self.unproven |= examples & ~self.failed
        self.failed |= examples


def invert(
    problem: Problem,
    reference: Array | None,
    solve: Solver,
    check_deadline: CheckDeadline,
    *,
    tolerance: float | None = None,
    null_spaces: bool = True,
) -> Inversion:
    """Invert a chained network.

    Args:
        problem: the network; the targets of its objective are the desired outputs.
        reference: inputs to stay near, batch-first: every layer takes the x^{l−1} nearest to theirs.
        solve: the solver of linear programmes.
        check_deadline: called after every layer and example; it ends the computation by raising.
        tolerance: the largest relative residual that counts as 0. Default: √eps.
        null_spaces: include the basis of every null space in the result.

    Raises:
        Refusal: `too-large` for a weight whose decomposition would take too long.
    """
    if problem.objective is None:
        raise LookupError("the outputs that are asked for are the targets of the problem's objective")
    within = float(np.sqrt(np.finfo(problem.dtype).eps)) if tolerance is None else tolerance
    targets = np.asarray(problem.objective.targets)
    nearby = None if reference is None else _activations(problem, reference)
    links, way = links_of(problem), _Way(targets, *np.zeros((2, len(targets)), bool))
    for position in reversed(range(len(links))):
        check_deadline()
        link, below = links[position], _interval_below(links[:position])
        Z, report = _before_functions(link, way)
        way.layers[link.name] = report
        if not np.isfinite(Z).all():
            detail = f"The preactivation of layer {link.name!r} would be beyond the range of {Z.dtype}."
            raise Refusal.of("non-finite", detail, "network", "layers", position)
        if link.weight is None:
            way.image = Z
            continue
        shown = null_spaces or below != (-np.inf, np.inf)
        try:
            weight = report.weight = decompose(link.weight, with_null_space=shown)
        except Refusal as refusal:
            raise refusal.below("network", "layers", position) from None
        R = Z if link.bias is None else Z - link.bias
        way.image = weight.solve(R)
        _judge_residual(link, way, report, Z, within)
        if nearby is not None:
            way.image = weight.towards(way.image, nearby[links[position - 1].name if position else INPUT])
        way.untried = way.choices
        way.choices += weight.free > 0
        if weight.free and below != (-np.inf, np.inf):
            _repair(way, report, weight, below, solve, check_deadline)
    return _conclude(problem, targets, way, within)


def _activations(problem: Problem, inputs: Array) -> dict[str, Array]:
    """Return the activations of every layer for some inputs, and the inputs."""
    plan = replace(problem, objective=None).plan(inputs={INPUT: inputs.astype(problem.dtype)}, backward=False)
    plan.forward()
    return {INPUT: plan.inputs[INPUT], **plan.activations}


def _interval_below(links: Sequence[Link]) -> Interval:
    """Return the range that the inputs of a layer must lie in: that of the first function on the way down."""
    for link in reversed(links):
        if link.weight is not None or link.interval != (-np.inf, np.inf):
            return link.interval
    return -np.inf, np.inf


def _before_functions(link: Link, way: _Way) -> tuple[Array, LayerInversion]:
    """Return f⁻¹ of the image, and the report of the values outside the range of f."""
    Z, feasible, why = way.image, np.ones(len(way.image), bool), None
    for function in reversed(link.functions):
        low, high = function.image() or (-np.inf, np.inf)
        outside = (low >= Z) | (high <= Z)
        if outside.any():
            failing = np.asarray(outside.any(axis=1))
            example, unit = (int(i) for i in np.argwhere(outside)[0])
            why = why or (
                f"Example {example}, unit {unit}: {Z[example, unit]:.6g} is outside the range of {function.title}, "
                f"{low:g} to {high:g}."
            )
            feasible &= ~failing
            way.fail(failing, choices=way.untried)
            Z = _clip(Z, low, high)
        if (low, high) != (-np.inf, np.inf):
            way.untried = way.choices  # The programme covered this range, but not those of further functions.
        Z = function.inverse(Z)
    return Z, LayerInversion(hidden_image=way.image, feasible=feasible, why=why)


def _clip(Z: Array, low: float, high: float) -> Array:
    """Return the numbers, moved a little inside an interval if they are outside."""
    width = high - low if np.isfinite(high - low) else 1.0
    return np.asarray(np.clip(Z, low + INSIDE * width, high - INSIDE * width).astype(Z.dtype))


def _judge_residual(link: Link, way: _Way, report: LayerInversion, Z: Array, within: float) -> None:
    """Record the examples whose preactivation the layer cannot reach: Z − b is no X W, up to rounding."""
    bias = np.zeros(Z.shape[1], Z.dtype) if link.bias is None else link.bias
    residual = report.residual = np.asarray(np.linalg.norm(way.image @ np.asarray(link.weight) + bias - Z, axis=1))
    size = np.asarray(np.maximum(np.linalg.norm(Z, axis=1), np.linalg.norm(bias)))
    missed = np.asarray(residual > within * size)
    if not missed.any():
        return
    example = int(np.argmax(missed))
    if report.why is None:
        report.why = (
            f"Example {example}: no input of this layer gives its preactivation; the nearest one misses it by "
            f"{residual[example]:.6g}."
        )
    report.feasible = report.feasible & ~missed
    way.fail(missed, choices=way.choices)


def _repair(
    way: _Way,
    report: LayerInversion,
    weight: Decomposed,
    below: Interval,
    solve: Solver,
    check_deadline: CheckDeadline,
) -> None:
    """Move values outside the range of the layer below into it along the null space, if possible."""
    outside = ((way.image <= below[0]) | (way.image >= below[1])).any(axis=1)
    repaired = report.repaired = np.zeros(len(way.image), bool)
    for example in np.flatnonzero(outside):
        check_deadline()
        found = move_inside(way.image[example], weight.null_space, below, solve)
        if found is not None:
            way.image[example], repaired[example] = found, True


def _conclude(problem: Problem, targets: Array, way: _Way, within: float) -> Inversion:
    """Return the inversion: the output for the inputs found, its errors and the verdict."""
    output = _activations(problem, way.image)[problem.nodes[-1].name]
    errors = np.abs(output - targets).max(axis=1)
    scale = np.maximum(np.abs(targets).max(axis=1), 1)
    reproduced = errors <= max(within, float(np.sqrt(np.finfo(problem.dtype).eps))) * scale
    return Inversion(
        inputs=way.image,
        output=output,
        errors=errors,
        feasible=~way.failed & reproduced,
        conclusive=not way.unproven.any() and bool((way.failed | reproduced).all()),
        layers=dict(reversed(way.layers.items())),
    )
