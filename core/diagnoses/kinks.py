"""Kinks: numbers at a point where the activation function or the loss has no derivative."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from core.arrays import real
from core.errors import Issue
from core.plan import Plan

HINT = "A finite difference across the kink gives another number; so may another library."


def kinks(plan: Plan) -> Iterator[Issue]:
    """Yield a warning for each layer with a preactivation exactly at a kink, and for a loss at one."""
    for node, context in plan.contexts:
        points = node.function.kinks()
        at_kink = np.isin(real(context.result), points) if points else np.zeros(1, bool)
        if at_kink.any():
            index = np.argwhere(context.as_sent(at_kink))[0].tolist()
            yield Issue(
                code="kink",
                path=("network", "layers", node.position),
                detail=f"{np.count_nonzero(at_kink):,} of {at_kink.size:,} preactivations of layer {node.name!r} are exactly "
                f"at the kink of {node.function.title}, the first at {index}. It has no derivative there; torch's was taken.",
                got=index,
                hint=HINT,
            )
    at_kink = plan.loss.at_kink()
    if at_kink.any():
        index = np.argwhere(plan.contexts[-1][1].as_sent(at_kink))[0].tolist()
        yield Issue(
            code="kink",
            path=("loss",),
            detail=f"{np.count_nonzero(at_kink):,} of {at_kink.size:,} outputs are exactly at a kink of the loss, the first "
            f"at {index}. It has no derivative there; 0 was taken.",
            got=index,
            hint=HINT,
        )
