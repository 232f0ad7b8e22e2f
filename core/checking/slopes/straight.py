"""Recurrent layers without kinks: the function inside them is continued straight, with its own slope, where it has one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.activations.base import Activation
from core.arrays import Array, Op
from core.checking.layer_rules import activate, through
from core.checking.slopes.overriding import overriding
from core.checking.slopes.places import at_zero_within, with_functions
from core.checking.trace import Trace
from core.layers.rnn import Rnn
from core.problem import Problem


def straight_inside(problem: Problem, trace: Trace, near: float) -> Problem:
    """Return the problem whose loss has a derivative at kinks inside recurrent layers: the one that its rules compute.

    Args:
        problem: the problem.
        trace: its right trace.
        near: a number within this part of the largest around it is at a kink.
    """
    nodes = []
    for node in problem.nodes:
        layer = node.layer
        if isinstance(layer, Rnn) and layer.of_direction("").function_at(0).kinks():
            saved = trace.network.layer_rules[node.name].saved(trace.read_by(node.name))
            functions = {
                end: [
                    _straight(layer.of_direction(end).function_at(t), at, at_zero_within(at, near))
                    for t, at in enumerate(saved[f"A{end}"])
                ]
                for end in layer.directions()
            }
            node = replace(node, layer=with_functions(layer, functions))
        nodes.append(node)
    return replace(problem, nodes=nodes)


def _straight(function: Activation, Z: Array, where: Array) -> Activation:
    """Return the function with the tangent f(z) + f'(z) (z' − z) in the place of f(z') at these numbers."""
    values = activate(function, Z)[where]
    slopes, start = through(function, Z, activate(function, Z), np.ones_like(Z))[where], Z[where]

    def forward(_: Activation, at: Array, A: Array) -> Op:
        apply = function.forward(at, A)

        def op() -> None:
            apply()
            A[where] = values + slopes * (at[where] - start)

        return op

    return overriding(function, forward=forward)
