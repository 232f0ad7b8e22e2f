"""Silent units, which pass almost no gradient: dead (f' = 0) or saturated (f' near 0) for every example."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from core.arrays import Array
from core.diagnoses.units import by_unit, times, written
from core.errors import Issue
from core.layer_context import LayerContext
from core.network import Node
from core.plan import Plan

LEAST_TIMES = 8
"""Fewest values of a unit for a warning: with fewer, it may be silent by chance."""

SATURATED = 1e-3
"""A unit counts as saturated below this share of the steepest slope of its function."""


def silent_units(plan: Plan) -> Callable[[], Iterator[Issue]]:
    """Bind to a plan: a warning for each layer with silent units."""
    layers = [
        (node, context)
        for node, context in plan.contexts
        if node.name != plan.fused  # There the delta is a − y and contains no f'.
        and node.function.steepest()
        and context.result.ndim >= 2
        and times(context.result) >= LEAST_TIMES
    ]

    def find() -> Iterator[Issue]:
        for node, context in layers:
            slopes = largest_slopes(plan, node, context)
            dead, saturated = slopes == 0, (slopes > 0) & (slopes < SATURATED * node.function.steepest())
            if dead.any():
                yield _dead(node, context, dead)
            if saturated.any():
                yield _saturated(node, context, saturated, slopes)

    return find


def largest_slopes(plan: Plan, node: Node, context: LayerContext) -> Array:
    """Return the largest |f'(z)| of each unit."""
    Z = context.result
    slopes, ones = np.empty_like(Z), np.ones_like(Z)
    node.function.backward(Z, plan.activations[node.name], ones, slopes)()
    return np.asarray(np.abs(slopes).max(axis=by_unit(Z)))


def _dead(node: Node, context: LayerContext, dead: Array) -> Issue:
    units = np.flatnonzero(dead).tolist()
    return Issue(
        code="dead-units",
        path=("network", "layers", node.position),
        detail=f"{written(units, dead.size)} of layer {node.name!r} have a {node.function.title} with slope 0 at all "
        f"{times(context.result):,} values of this batch: no gradient passes, and the weights that lead to them get 0.",
        got=units,
        hint="Initialise with smaller or other weights, use leaky_relu, or look at another batch.",
    )


def _saturated(node: Node, context: LayerContext, saturated: Array, slopes: Array) -> Issue:
    units = np.flatnonzero(saturated).tolist()
    return Issue(
        code="saturated-units",
        path=("network", "layers", node.position),
        detail=f"{written(units, saturated.size)} of layer {node.name!r} are saturated: the largest slope of "
        f"{node.function.title} at their {times(context.result):,} values of this batch is {slopes[saturated].max():.2g}, so "
        "that next to no gradient passes.",
        got=units,
        hint="Scale the inputs to mean 0 and variance 1, or initialise with smaller weights.",
    )
