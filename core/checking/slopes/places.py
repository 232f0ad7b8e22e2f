"""The places of a network where slopes may be chosen, and the problem with the chosen ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.arrays import Array
from core.checking.slopes.choice import (
    Choice,
    at_kink_of_loss,
    at_ties,
    at_zero,
    loss_with_slopes,
    pool_with_shares,
    with_slopes,
)
from core.checking.slopes.overriding import overriding
from core.checking.trace import Trace
from core.layers import Layer
from core.layers.activation import ActivationLayer
from core.layers.max_pool2d import MaxPool2D
from core.layers.rnn import Rnn
from core.network import Node
from core.problem import Problem

NEAR = 2e-6
"""Numbers within this part of the largest around them are at a kink: float32 may have them on either side of it."""


def may_have_kinks(problem: Problem) -> bool:
    """Return True if some function, layer or loss of the problem has kinks at all."""
    if problem.objective is None:
        return False
    return bool(problem.objective.loss.kink) or any(
        node.function.kinks()
        or isinstance(node.layer, MaxPool2D)
        or (isinstance(node.layer, Rnn) and node.layer.function_at(0).kinks())
        or ((function := node.layer.function_of_input()) and function.kinks())
        for node in problem.nodes
    )


def with_choices(trace: Trace, near: float) -> tuple[Problem, list[Choice]]:
    """Return the problem of a forward pass with a choice of slopes at every kink, and the choices.

    Args:
        trace: the forward pass.
        near: a number within this part of the largest around it is at a kink.
    """
    problem, choices = trace.network.problem, []
    nodes = []
    for node in problem.nodes:
        Z, changed = trace.preactivations[node.name], node
        if node.function.kinks() and (where := at_zero_within(Z, near)).any():
            what = f"{node.function.title} of layer {node.name!r} at z = 0"
            choices.append(at_zero(node.function, Z, where, what, node.name))
            changed = replace(changed, function=with_slopes(node.function, choices[-1]))
        layer, inside = _inside(trace, node, near)
        choices += inside
        nodes.append(replace(changed, layer=layer) if inside else changed)
    objective, last = trace.network.objective, trace.network.last
    A = trace.activations[last]
    distance = objective.loss.distance_to_kink(A, objective.targets.reshape(A.shape))
    if distance is not None and (where := at_zero_within(distance, near)).any():
        choices.append(at_kink_of_loss(objective, A, where, objective.loss.kink, last))
        objective = replace(objective, loss=loss_with_slopes(objective.loss, choices[-1]))
    return replace(problem, nodes=nodes, objective=objective), choices


def _inside(trace: Trace, node: Node, near: float) -> tuple[Layer, list[Choice]]:
    """Return a layer with the choices inside it: of its function, of its ties, or at each of its time steps."""
    layer, read = node.layer, trace.read_by(node.name)
    target = node.reads[0] if len(trace.network.readers[node.reads[0]]) == 1 else ""
    if isinstance(layer, ActivationLayer):
        function = layer.function_of_input()
        if function.kinks() and (where := at_zero_within(read[0], near)).any():
            choice = at_zero(function, read[0], where, f"{function.title} of layer {node.name!r} at 0", target)
            changed = with_slopes(function, choice)
            return overriding(layer, function_of_input=lambda _: changed), [choice]
    if type(layer) is MaxPool2D:  # Not one whose shares are chosen already.
        what = f"windows of layer {node.name!r} in which several numbers are the largest"
        ties = at_ties(layer, trace.preactivations[node.name], read[0], what, "")
        if ties is not None:
            return pool_with_shares(layer, ties), [ties]
    if isinstance(layer, Rnn) and layer.function_at(0).kinks():
        A = trace.network.layer_rules[node.name].saved(read)["A"]
        choices, functions = [], []
        for t, at in enumerate(A):
            function, where = layer.function_at(t), at_zero_within(at, near)
            if where.any():
                what = f"{function.title} inside layer {node.name!r} at time step {t}"
                choices.append(at_zero(function, at, where, what, ""))
                function = with_slopes(function, choices[-1])
            functions.append(function)
        if choices:
            return overriding(layer, function_at=lambda _, t: functions[t]), choices
    return layer, []


def at_zero_within(values: Array, near: float) -> Array:
    """Return True where a number is within this part of the largest of 0."""
    return np.asarray(np.abs(values) <= near * float(np.abs(values).max(initial=0)))
