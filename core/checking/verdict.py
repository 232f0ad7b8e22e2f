"""The verdict of a check in words."""

from __future__ import annotations

from collections.abc import Sequence

from core.checking.hypothesis import Accusation, Hypothesis
from core.checking.mistakes.base import Mistake
from core.checking.oracle import Oracle
from core.checking.quantity import Quantity
from core.checking.replay import Finding
from core.checking.report import Alternative, Blame, Certainty, Fix, ReportedEquivalence, Row, Verdict
from core.checking.words import Words

UNKNOWN = "unknown"
ALIKE = 0.75
"""A hypothesis that costs at most this much more than the best one is an alternative."""


def write_blame(words: Words, best: Hypothesis, others: Sequence[Hypothesis]) -> list[Blame]:
    """Return the accusations of the best hypothesis in words, with the alternatives from hypotheses that explain as much."""
    rivals = [each for each in others if each.cost <= best.cost + ALIKE]
    return [_blame(words, accusation, _rivals(accusation, best, rivals)) for accusation in best.accusations]


def _rivals(accusation: Accusation, best: Hypothesis, others: Sequence[Hypothesis]) -> list[tuple[Quantity, Finding]]:
    """Return the mistakes by which other hypotheses explain the same numbers, here or at other quantities."""
    if accusation is not best.accusations[0]:
        return []
    known = {(each.quantity, each.slug) for each in best.accusations}
    found = []
    for other in others:
        for each in other.accusations:
            if each.findings and (each.quantity, each.slug) not in known:
                known.add((each.quantity, each.slug))
                found.append((each.quantity, each.findings[0]))
    return found


def _blame(words: Words, accusation: Accusation, rivals: Sequence[tuple[Quantity, Finding]]) -> Blame:
    quantity, findings = accusation.quantity, accusation.findings
    rule = words.equations.rule(quantity)
    fix = Fix(numpy=rule.numpy, latex=rule.latex)
    if not findings:
        concluded = accusation.yours is None or not accusation.certain
        said = (
            f"Your {words.named(quantity)} does not follow from your own numbers by its rule, and no known mistake "
            "explains it."
        )
        if concluded:
            said = f"Your {words.named(quantity)} is probably the first wrong tensor; no known mistake explains it."
        return Blame(
            quantity=quantity,
            cause=UNKNOWN,
            certainty="likely" if concluded else "located",
            rule=rule.latex,
            wrong="",
            said=said,
            why=(
                "No known mistake reproduces these numbers. Compare your code for this rule with the formula term "
                "by term."
            ),
            fix=fix,
            ratio=accusation.ratio,
            factor=None,
            residual=None,
        )
    first = findings[0]
    alternatives = [
        Alternative(
            cause=finding.slug,
            quantity=place,
            why=" ".join(words.fill(mistake.why, place) for mistake in finding.mistakes),
            separate=_separating(words, place, first, finding),
        )
        for place, finding in [*((quantity, finding) for finding in findings[1:]), *rivals]
    ]
    certainty: Certainty = "ambiguous" if alternatives else "exact" if first.sure else "likely"
    sentence = " and ".join(words.fill(mistake.said, quantity, **_numbers(first)) for mistake in first.mistakes)
    prelude = [words.fill(mistake.prelude, quantity) for mistake in first.mistakes if mistake.prelude]
    if fix.numpy and prelude:
        fix = Fix(numpy="\n".join([*prelude, fix.numpy]), latex=fix.latex)
    return Blame(
        quantity=quantity,
        cause=first.slug,
        certainty=certainty,
        rule=rule.latex,
        wrong=r", \quad ".join(words.fill(mistake.wrong, quantity) for mistake in first.mistakes),
        said=f"Your {words.named(quantity)} {sentence}.",
        why=" ".join(words.fill(mistake.why, quantity, **_numbers(first)) for mistake in first.mistakes),
        fix=fix,
        ratio=accusation.ratio,
        factor=first.factor,
        residual=first.residual,
        alternatives=alternatives,
    )


def _numbers(finding: Finding) -> dict[str, str]:
    return {} if finding.factor is None else {"factor": f"{finding.factor:.6g}"}


def _separating(words: Words, quantity: Quantity, first: Finding, other: Finding) -> str:
    """Return the data to send so that two mistakes give different numbers."""
    wishes: list[type[Mistake]] = [*first.mistakes, *other.mistakes]
    for mistake in wishes:
        if mistake.separate:
            return words.fill(mistake.separate, quantity)
    return (
        "Send activations and deltas, for a batch whose numbers of examples, classes and units are different primes "
        "(POST /v1/probe makes one)."
    )


def summary(
    verdict: Verdict,
    blame: Sequence[Blame],
    rows: Sequence[Row],
    equivalences: Sequence[ReportedEquivalence],
    oracle: Oracle | None,
) -> str:
    """Return the outcome in a few sentences."""
    compared = [row for row in rows if row.status != "missing"]
    if not compared:
        return "The submission contains no tensor that can be compared."
    otherwise = [each.said for each in equivalences]
    if verdict == "inconclusive" and otherwise:
        return " ".join([*otherwise, "They say nothing about a backpropagation."])
    if verdict == "inconclusive":
        error = oracle.error if oracle else 0.0
        return f"The expected gradients could not be certified (error {error:.1e}), so there is no verdict."
    if verdict == "correct":
        return f"Everything that was submitted is right: {len(compared)} tensor{'s' * (len(compared) > 1)}."
    if verdict == "equivalent-layout":
        return " ".join(["Everything that was submitted is right, but written differently.", *otherwise])
    said = [each.said for each in blame]
    inherited = sum(row.status == "inherited" for row in rows)
    if inherited:
        what = f"{inherited} more tensor{'s are' if inherited > 1 else ' is'}"
        said.append(f"{what} wrong only because of {'that' if len(blame) == 1 else 'these'}.")
    if any(row.status == "correct" for row in rows):
        said.append("Everything else is right.")
    if otherwise:
        said += ["Not a mistake:", *otherwise]
    return " ".join(said)
