"""The places of a network where slopes may be chosen, and the problem with the chosen ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from core.activations.base import Activation
from core.arrays import Array
from core.checking.slopes.choice import (
    Choice,
    at_equal_extremes,
    at_kink_of_loss,
    at_kinks,
    at_ties,
    choice_at,
    extreme_with_shares,
    loss_with_slopes,
    nearest_kink,
    pool_with_shares,
    prelu_with_slopes,
    with_slopes,
)
from core.checking.slopes.overriding import overriding
from core.checking.trace import Trace
from core.layers import Layer
from core.layers.activation import ActivationLayer
from core.layers.max_pool2d import MaxPool2D
from core.layers.prelu import Prelu
from core.layers.reduce_max import ReduceMax
from core.layers.reduce_min import ReduceMin
from core.layers.rnn import Rnn
from core.layers.shared.extreme import Extreme
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
        or node.layer.has_kinks
        or (isinstance(node.layer, Rnn) and node.layer.of_direction("").function_at(0).kinks())
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
        if (where := at_kink_within(node.function, Z, near)).any():
            what = f"{node.function.title} of layer {node.name!r} at z = {_points(node.function)}"
            choices.append(at_kinks(node.function, Z, where, what, node.name))
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
        if (where := at_kink_within(function, read[0], near)).any():
            what = f"{function.title} of layer {node.name!r} at {_points(function)}"
            choice = at_kinks(function, read[0], where, what, target)
            changed = with_slopes(function, choice)
            return overriding(layer, function_of_input=lambda _: changed), [choice]
    if isinstance(layer, Extreme) and type(layer) in (ReduceMax, ReduceMin):  # Not one whose shares are chosen already.
        what = f"numbers that layer {node.name!r} reduces, of which several are its result"
        column = trace.network.convention == "column"
        ties = at_equal_extremes(layer, trace.preactivations[node.name], read[0], what, column)
        if ties is not None:
            return extreme_with_shares(layer, ties), [ties]
    if isinstance(layer, Prelu) and (where := at_zero_within(read[0], near)).any():
        slope = layer.along(read[0].shape).spread(trace.parameters(node.name)["negative_slope"])
        what = f"prelu of layer {node.name!r} at 0"
        choice = choice_at(where, (slope, np.ones_like(slope), slope), what, target)
        return prelu_with_slopes(layer, choice), [choice]
    if type(layer) is MaxPool2D:  # Not one whose shares are chosen already.
        what = f"windows of layer {node.name!r} in which several numbers are the largest"
        ties = at_ties(layer, trace.preactivations[node.name], read[0], what, "")
        if ties is not None:
            return pool_with_shares(layer, ties), [ties]
    if isinstance(layer, Rnn) and layer.of_direction("").function_at(0).kinks():
        return _in_time(layer, node.name, trace.network.layer_rules[node.name].saved(read), near)
    return layer, []


def _in_time(layer: Rnn, name: str, saved: Mapping[str, Array], near: float) -> tuple[Layer, list[Choice]]:
    """Return a recurrent layer with the choices at each of its time steps."""
    choices: list[Choice] = []
    functions: dict[str, list[Activation]] = {}
    for end in layer.directions():
        A, functions[end] = saved[f"A{end}"], []
        for t, at in enumerate(A):
            function, where = layer.of_direction(end).function_at(t), at_zero_within(at, near)
            if where.any():
                step = len(A) - 1 - t if end else t
                what = f"{function.title} inside layer {name!r} at time step {step}"
                what += " of the backward direction" if end else ""
                choices.append(at_kinks(function, at, where, what, ""))
                function = with_slopes(function, choices[-1])
            functions[end].append(function)
    return (with_functions(layer, functions), choices) if choices else (layer, [])


def with_functions(layer: Rnn, functions: Mapping[str, Sequence[Activation]]) -> Rnn:
    """Return the layer with these functions at the time steps of each direction, in the order in which it reads them."""
    each = {
        end: overriding(layer.of_direction(end), function_at=lambda _, t, own=own: own[t])
        for end, own in functions.items()
    }
    return overriding(layer, of_direction=lambda _, end: each[end]) if layer.bidirectional else each[""]


def at_kink_within(function: Activation, values: Array, near: float) -> Array:
    """Return True where a number is within this part of the largest of a kink of the function."""
    if not function.kinks():
        return np.zeros(values.shape, bool)
    size = float(np.abs(values).max(initial=0))
    return np.asarray(np.abs(values - nearest_kink(function, values)) <= near * size)


def _points(function: Activation) -> str:
    """Return the kinks of a function in words."""
    return " or ".join(f"{point + 0.0:.4g}" for point in function.kinks())


def at_zero_within(values: Array, near: float) -> Array:
    """Return True where a number is within this part of the largest of 0."""
    return np.asarray(np.abs(values) <= near * float(np.abs(values).max(initial=0)))
