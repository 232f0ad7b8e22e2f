"""The first forward tensor that is not the request's, and the sentence that says so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.arrays import Array
from core.checking.comparison import Comparator
from core.checking.forward_readings.joined_directions import directions_said
from core.checking.quantity import Quantity
from core.checking.submission import Submission
from core.layers.shared.recurrence import Recurrent
from core.problem import Problem

FORWARD = ("preactivations", "activations", "loss")


@dataclass(frozen=True, slots=True)
class ForwardDifference:
    """The first forward tensor, in the order of computation, that is another one than the request's."""

    quantity: Quantity
    yours: Array
    expected: Array
    said: str
    """What follows from it, in sentences."""


def first_forward_difference(
    problem: Problem, submission: Submission, comparator: Comparator
) -> ForwardDifference | None:
    """Return the first forward tensor that is wrong; None if there is none, or if all gradients are right nevertheless.

    A loss alone that is wrong while every delta and gradient is right is a mistake of its own: the gradients show that
    the forward pass is the request's.
    """
    wrong = [q for q, yours in submission.values.items() if not comparator.is_right(q, yours)]
    order = {quantity: position for position, quantity in enumerate(comparator.right)}
    forward = sorted((q for q in wrong if q.part in FORWARD), key=order.__getitem__)
    backward = [q for q in submission.values if q.part not in FORWARD]
    if not forward or (forward[0].part == "loss" and backward and not set(backward) & set(wrong)):
        return None
    first = forward[0]
    yours, expected = submission.values[first], comparator.right[first]
    return ForwardDifference(first, yours, expected, _sentence(problem, submission, first, yours, expected))


def _sentence(problem: Problem, submission: Submission, first: Quantity, yours: Array, expected: Array) -> str:
    """Return the difference in words."""
    if yours.shape != expected.shape:
        place = f"{first.part.removesuffix('s')} of layer {first.layer!r}" if first.layer else first.part
        return (
            f"Your {place} has the shape {list(yours.shape)}, batch-first; its shape should be {list(expected.shape)}. The "
            "gradients behind it are not judged."
            f"{directions_said(problem, first, yours, expected)}"
        )
    if first.part == "loss":
        said = (
            f"Your loss is that of another function: {float(yours):.6g} where this network gives {float(expected):.6g}. Your "
            "forward pass differs from the request's, so the gradients behind it are not judged."
        )
        if not any(q.part in ("activations", "preactivations") for q in submission.values):
            said += " Send activations to find the first layer that differs."
    else:
        place = f"{first.part.removesuffix('s')} of layer {first.layer!r}"
        said = (
            f"Your {place} is that of another function: it is the first forward tensor that differs from the request's"
            f"{_largest_apart(yours, expected)}. The gradients behind it are not judged."
        )
    recurrent = [node.name for node in problem.nodes if isinstance(node.layer, Recurrent) and len(node.reads) == 1]
    if recurrent:
        said += (
            f" If the state of {recurrent[0]!r} does not start at 0 in your program, send the initial state as an input that "
            "the layer reads."
        )
    return said


def _largest_apart(yours: Array, expected: Array) -> str:
    """Return the number that differs most as part of a sentence."""
    if yours.shape != expected.shape or not expected.size:
        return ""
    at = np.unravel_index(int(np.argmax(np.abs(yours - expected))), expected.shape)
    return f", {yours[at]:.6g} at {[int(k) for k in at]} where this network gives {expected[at]:.6g}"
