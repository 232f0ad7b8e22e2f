"""The recognition of a numerical gradient: by the error of its quotients, or by their rounding."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from core.arrays import CheckDeadline
from core.checking.numerical.entry import Entry, Gradients
from core.checking.numerical.path import paths
from core.checking.numerical.quantum import of_rounding
from core.checking.numerical.replay import reproduces
from core.checking.numerical.scheme import STILL, Numerical, Scheme, drifting
from core.checking.numerical.step import DECADES, Curvature, across_a_kink, curvatures, estimate, likely, refined
from core.checking.numerical.surface import Surface
from core.derivatives.certificate import read_as_classes
from core.errors import Refusal
from core.problem import Problem

CLOSE = 0.35
"""Largest error of a difference quotient, as a share of the gradient."""

EXAMINED = 8
"""Number of entries from whose errors the step is worked out."""

SMALL = 5_000
"""Up to this many numbers, points that drift are considered: with more, the last ones would be far away."""

UNEXPLAINED = 0.5
"""Share of the errors that terms of higher order may make up."""

MOST = 250
"""Forward passes after which no other scheme is tried."""


def recognise(problem: Problem, gradients: Gradients, check_deadline: CheckDeadline) -> Numerical | None:
    """Return the kind of finite difference that the submitted gradients are, if they are one.

    Args:
        problem: the problem.
        gradients: the submitted gradients, right and wrong.
        check_deadline: called now and then; ends the search by raising.
    """
    if not any(gradients.yours[quantity].any() for quantity in gradients.wrong):
        return None
    try:
        with np.errstate(all="ignore"):
            surface = Surface(problem, check_deadline)
            return _of_truncation(problem, surface, gradients) or of_rounding(gradients, surface.here)
    except Refusal:
        return None  # A point nearby at which the network has no value.


def _of_truncation(problem: Problem, surface: Surface, gradients: Gradients) -> Numerical | None:
    """Recognise quotients by the curvature that they pass over."""
    still = [scheme for scheme in STILL if gradients.are_close(scheme.factor, CLOSE)]
    if not still or read_as_classes(problem.nodes) & {quantity.layer for quantity in gradients.wrong}:
        return None
    known: dict[float, list[Curvature]] = {}
    for factor in dict.fromkeys(scheme.factor for scheme in still):
        entries = gradients.worst(factor, max(2, EXAMINED // len(gradients.wrong)), EXAMINED)
        known[factor] = curvatures(surface, gradients, entries)
    schemes = still
    if sum(yours.size for yours in gradients.yours.values()) <= SMALL:
        schemes = [*still, *(each for each in drifting(paths(problem, list(gradients.yours))) if each.factor in known)]
    estimates = [(scheme, *estimate(scheme, known[scheme.factor])) for scheme in schemes]
    for scheme, near, share in sorted(estimates, key=lambda each: round(each[2], 3)):
        for step in likely(near) if share <= UNEXPLAINED else ():
            if surface.runs > MOST:
                return None
            if (found := _replayed(surface, gradients, scheme, step, known[scheme.factor][0].entry)) is not None:
                return scheme.name(found)
    if _has_kinks(problem):
        for scheme, step in _across_kinks(surface, still, {factor: each[0].entry for factor, each in known.items()}):
            if surface.runs > MOST:
                return None
            if reproduces(surface, gradients, scheme, step):
                return scheme.name(step)
    return None


def _replayed(surface: Surface, gradients: Gradients, scheme: Scheme, step: float, entry: Entry) -> float | None:
    """Return the step, or a better one near it, with which the scheme makes the gradients; None if none does."""
    if reproduces(surface, gradients, scheme, step):
        return step
    better = refined(surface, scheme, entry, step)
    return better if better != step and reproduces(surface, gradients, scheme, better) else None


def _across_kinks(surface: Surface, schemes: list[Scheme], worst: dict[float, Entry]) -> Iterator[tuple[Scheme, float]]:
    """Yield schemes and steps that make the largest error, from losses that all schemes share."""
    losses = {
        (entry, count, step): surface.loss(entry, count * step)
        for entry in dict.fromkeys(worst.values())
        for step in DECADES
        for count in (1, -1)
    }
    for scheme in schemes:
        entry = worst[scheme.factor]
        made = {}
        for step in DECADES:
            ahead, behind = (
                losses[entry, count, step] if count else surface.here for count in (scheme.ahead, scheme.behind)
            )
            made[step] = (ahead - behind) / (scheme.divisor * step)
        yield from ((scheme, step) for step in across_a_kink(surface, scheme, entry, made))


def _has_kinks(problem: Problem) -> bool:
    """Return True if the loss has kinks somewhere."""
    if problem.objective is not None and problem.objective.loss.kink:
        return True
    return any(
        node.function.kinks()
        or node.layer.has_kinks
        or ((function := node.layer.function_of_input()) is not None and function.kinks())
        for node in problem.nodes
    )
