"""The choice between explanations: of readings of the request, and of mistakes and differences that explain the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from core.arrays import Array
from core.checking.equivalences import EQUIVALENCES, Equivalence, Reading
from core.checking.forward_readings.difference import FORWARD, ForwardDifference
from core.checking.interpretation import Interpretation
from core.checking.mistakes.base import Fitted
from core.checking.mistakes.shared.factor import ConstantFactor
from core.checking.precision import Criterion
from core.checking.quantity import Quantity
from core.checking.replay import Finding
from core.checking.submission import Submission

NEAR = 1e-3
"""A tensor this near to the right one, relative to its largest number, may be right."""


def readings(reading: Reading, equivalences: Sequence[Equivalence] = EQUIVALENCES) -> Iterator[Reading]:
    """Yield the readings of the request that differ in one more respect."""
    for equivalence in equivalences:
        if equivalence.slug not in reading.slugs:
            for problem, sent, said in equivalence.readings(reading):
                yield Reading(
                    problem=problem, sent=sent, slugs=(*reading.slugs, equivalence.slug), said=(*reading.said, said)
                )


def is_better(
    before: Mapping[Quantity, bool], submission: Submission, right: Mapping[Quantity, Array], criterion: Criterion
) -> bool:
    """Return True if another reading makes a wrong tensor right, and none of the right ones wrong, as far as that shows."""
    better = False
    for quantity, was_right in before.items():
        near = _is_near(submission.values[quantity], right[quantity], criterion)
        if was_right and not near:
            return False
        better = better or (near and not was_right)
    return better


def _is_near(yours: Array, expected: Array, criterion: Criterion) -> bool:
    """Return True if rounding may explain the difference, without trying it out."""
    if yours.shape != expected.shape:
        return False
    allowed = 64 * criterion.allowed(expected) + NEAR * np.abs(expected).max(initial=0)
    return bool(np.all(np.abs(yours - expected) <= allowed))


def blaming_nothing_behind(
    interpretation: Interpretation, difference: ForwardDifference
) -> tuple[Interpretation, ForwardDifference | None]:
    """Return the interpretation without what it blames behind a forward pass that is another function.

    A known mistake stands: it reproduces the submission from the numbers of this forward pass.
    """
    hypothesis = interpretation.hypotheses[0]
    if not any(each.quantity == difference.quantity and not each.findings for each in hypothesis.accusations):
        return interpretation, None
    kept = tuple(each for each in hypothesis.accusations if each.findings or each.quantity.part in FORWARD)
    judged = replace(hypothesis, accusations=kept)
    return replace(interpretation, hypotheses=[judged, *interpretation.hypotheses[1:]]), difference


def rival_of(located: Interpretation, best: Interpretation) -> Interpretation | None:
    """Return the one mistake that explains what a constant factor of the loss would clear, if it is not a factor itself.

    A loss that was sent decides between the two, because the factor would be in it.
    """
    if best is located or best.hypotheses[0].accusations:
        return None
    if not all(equivalence.scales_loss for equivalence in EQUIVALENCES if equivalence.slug in best.reading.slugs):
        return None
    for hypothesis in located.hypotheses:
        findings = [each for accusation in hypothesis.accusations for each in accusation.findings]
        structural = tuple(each for each in findings if each.sure and not _has_factor(each))
        if len(hypothesis.accusations) == 1 and structural:
            accusation = replace(hypothesis.accusations[0], findings=structural)
            return replace(located, hypotheses=[replace(hypothesis, accusations=(accusation,))])
    return None


def _has_factor(finding: Finding) -> bool:
    return any(mistake.plain or issubclass(mistake, (Fitted, ConstantFactor)) for mistake in finding.mistakes)
