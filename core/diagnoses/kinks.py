"""Kinks: numbers at a point where the activation function or the loss has no derivative."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from core.arrays import Array, real
from core.errors import Issue
from core.layer_context import LayerContext
from core.network import Node
from core.plan import Plan

HINT = "A finite difference across the kink gives another number; so may another library."


def kinks(plan: Plan) -> Callable[[], Iterator[Issue]]:
    """Bind to a plan: a warning for each layer with a preactivation exactly at a kink, and for a loss at one."""
    layers = [(node, context, points) for node, context in plan.contexts if (points := node.function.kinks())]

    def find() -> Iterator[Issue]:
        for node, context, points in layers:
            at_kink = np.logical_or.reduce([np.equal(real(context.result), point) for point in points])
            if at_kink.any():
                yield _of_layer(node, context, at_kink)
        at_kink = plan.loss.at_kink()
        if at_kink is not None and at_kink.any():
            yield _of_loss(plan.contexts[-1][1], at_kink)

    return find


def _of_layer(node: Node, context: LayerContext, at_kink: Array) -> Issue:
    index = np.argwhere(context.as_sent(at_kink))[0].tolist()
    return Issue(
        code="kink",
        path=("network", "layers", node.position),
        detail=f"{np.count_nonzero(at_kink):,} of {at_kink.size:,} preactivations of layer {node.name!r} are exactly "
        f"at the kink of {node.function.title}, the first at {index}. It has no derivative there; torch's was taken.",
        got=index,
        hint=HINT,
    )


def _of_loss(output: LayerContext, at_kink: Array) -> Issue:
    index = np.argwhere(output.as_sent(at_kink))[0].tolist()
    return Issue(
        code="kink",
        path=("loss",),
        detail=f"{np.count_nonzero(at_kink):,} of {at_kink.size:,} outputs are exactly at a kink of the loss, the first "
        f"at {index}. It has no derivative there; 0 was taken.",
        got=index,
        hint=HINT,
    )
