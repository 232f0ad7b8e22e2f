"""Interpretation: the explanation of a submission under one reading of the request, and its rows in the report."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from core.checking.comparison import Comparator, difference
from core.checking.equivalences import Reading
from core.checking.formulas import RIGHT
from core.checking.hypothesis import Hypothesis
from core.checking.quantity import quantities, run, value_in
from core.checking.report import ReportedEquivalence, Row, Status
from core.checking.submission import Submission
from core.checking.trace import Network
from core.problem import Problem


class Right:
    """The right values of every quantity of a problem."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.network = Network(problem)
        self.trace = run(self.network, RIGHT)
        self.values = {quantity: value_in(self.trace, quantity, RIGHT) for quantity in quantities(self.network)}


@dataclass(frozen=True, slots=True)
class Interpretation:
    """The explanation of a submission under one reading of the request."""

    reading: Reading
    right: Right
    submission: Submission
    comparator: Comparator
    hypotheses: Sequence[Hypothesis]

    @property
    def cost(self) -> float:
        """The cost of the mistakes and of the differences in writing."""
        return self.hypotheses[0].cost + self.reading.price if self.hypotheses else math.inf


def equivalences_of(interpretation: Interpretation) -> list[ReportedEquivalence]:
    """Return the differences in writing, in words."""
    reading = interpretation.reading
    found = [ReportedEquivalence(slug=slug, said=said) for slug, said in zip(reading.slugs, reading.said, strict=True)]
    turned = [quantity for quantity, layout in interpretation.submission.layouts.items() if layout == "transposed"]
    if turned:
        names = ", ".join(f"{each.tensor} of {each.layer!r}" for each in turned)
        said = f"Transposed, compared with the request's convention: {names}."
        found.append(ReportedEquivalence(slug="transposed-layout", said=said))
    return found


def rows_of(interpretation: Interpretation) -> list[Row]:
    """Return a row for every tensor, compared with the expected one."""
    submission, comparator = interpretation.submission, interpretation.comparator
    accusations = interpretation.hypotheses[0].accusations
    accused = {accusation.quantity for accusation in accusations}
    for accusation in accusations:
        if accusation.quantity.part == "gradients":  # What a wrong delta makes wrong is inherited.
            accused.update(accusation.also)
    rows = []
    for quantity, expected in interpretation.right.values.items():
        if quantity not in submission.values:
            rows.append(Row(quantity=quantity, status="missing", total=expected.size))
            continue
        yours = submission.values[quantity]
        # If every rule holds on the user's own numbers, the remaining differences are accumulated rounding.
        right = not accused or comparator.is_right(quantity, yours)
        status: Status = "wrong" if quantity in accused else "correct" if right else "inherited"
        fits = yours.shape == expected.shape
        rows.append(
            Row(
                quantity=quantity,
                status=status,
                total=expected.size,
                difference=difference(yours, expected, comparator.allowed(quantity, yours)) if fits else None,
                yours=yours,
                expected=expected,
                layout=submission.layouts.get(quantity),
                shapes=None if fits else (yours.shape, expected.shape),
            )
        )
    return rows


def needs_of(submission: Submission, best: Hypothesis) -> list[str]:
    """Return the parts that would show more than the submitted ones."""
    sent = {quantity.part for quantity in submission.values}
    needs = []
    if not submission.values or (best.accusations and "deltas" not in sent):
        needs.append("deltas")
    vague = any(not accusation.findings for accusation in best.accusations)
    if not submission.values or (vague and "gradients" not in sent):
        needs.append("gradients")
    if vague and "activations" not in sent:
        needs.append("activations")
    return needs
