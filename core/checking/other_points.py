"""Other points of a network: whether a mistake that does not show in a batch shows in any."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from core.checking.comparison import Comparator
from core.checking.formulas import RIGHT
from core.checking.mistakes import MISTAKES, Mistake
from core.checking.mistakes.shared.factor import ConstantFactor
from core.checking.point import batch_sizes, draw_point
from core.checking.precision import criterion_for
from core.checking.quantity import Quantity, quantities, run, value_in
from core.checking.replay import made_by
from core.checking.trace import Network
from core.errors import Refusal
from core.problem import Problem
from core.problem_validation import validate

TRIED = 3
"""The number of points that are tried."""


def comparator_of(problem: Problem) -> Comparator:
    """Return the comparator of the right values of a problem in double precision."""
    network = Network(problem)
    trace = run(network, RIGHT)
    right = {quantity: value_in(trace, quantity, RIGHT) for quantity in quantities(network)}
    return Comparator(network, criterion_for({"float64"}, {}, None, None), trace, right)


class OtherPoints:
    """A few random points of the network of a problem, with another number of examples; made when one is asked for."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._drawn: list[tuple[Comparator, dict[str, list[Mistake]]]] = []
        self._rest = self._points()

    def show(self, slug: str, quantity: Quantity) -> bool:
        """Return True if a mistake in the rule of a quantity shows at one of them, or if no point can be made."""
        known = list(self._drawn)
        return (
            any(_shows(*point, slug, quantity) for point in known)
            or any(_shows(*point, slug, quantity) for point in self._further())
            or not self._drawn
        )

    def tell_apart(self, slug: str, other: str) -> bool:
        """Return True if two constant factors are different numbers at the first of them, or if no point can be made."""
        point = self._drawn[0] if self._drawn else next(self._further(), None)
        if point is None:
            return True
        comparator, mistakes = point
        one, two = (
            {each.multiplier(comparator.truth) for each in mistakes[name] if isinstance(each, ConstantFactor)}
            for name in (slug, other)
        )
        return not one & two

    def _further(self) -> Iterator[tuple[Comparator, dict[str, list[Mistake]]]]:
        """Yield points that have not been asked for before."""
        for comparator in self._rest:
            mistakes: dict[str, list[Mistake]] = {}
            for kind in MISTAKES:
                mistakes.setdefault(kind.slug, []).append(kind())
            self._drawn.append((comparator, mistakes))
            yield self._drawn[-1]

    def _points(self) -> Iterator[Comparator]:
        problem = self._problem
        if problem.objective is None:
            return
        layers = [replace(node.layer, name=node.name, inputs=list(node.reads)) for node in problem.nodes]
        own = {name: array.shape for name, array in problem.inputs.items()}
        examples = len(next(iter(problem.inputs.values())))
        try:
            sizes = batch_sizes(layers, {name: shape[1:] for name, shape in own.items()}, problem.convention)
        except Refusal:
            sizes = [examples]  # Some inputs are no batch of as many examples.
        for seed in range(TRIED):
            for size in dict.fromkeys(
                (sizes[0], examples)
            ):  # Some layers hold an array of as many examples as the batch.
                shapes = {name: (size, *shape[1:]) if shape[0] == examples else shape for name, shape in own.items()}
                generator = np.random.Generator(np.random.PCG64([TRIED, seed]))
                try:
                    sent = draw_point(layers, shapes, problem.objective.loss, problem.convention, generator, None)
                    point = validate(sent, None)
                    plan = point.plan()
                    plan.forward()  # A layer may refuse the point, such as a matrix that is not definite; the rules do not.
                    plan.backward()
                    found = comparator_of(point)
                except (Refusal, ValueError, np.linalg.LinAlgError):
                    continue
                yield found
                break


def _shows(comparator: Comparator, mistakes: dict[str, list[Mistake]], slug: str, quantity: Quantity) -> bool:
    trace, right = comparator.truth, comparator.right[quantity]
    return any(
        mistake.strikes_at(trace, quantity) and comparator.differs(made_by(quantity.by_rule, mistake, trace), right)
        for mistake in mistakes[slug]
    )
