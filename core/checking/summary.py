"""The summary of a report: the outcome in a few sentences."""

from __future__ import annotations

from collections.abc import Sequence

from core.checking.forward_readings import FORWARD_READINGS
from core.checking.oracle import Oracle
from core.checking.report import Blame, ReportedEquivalence, Row, Verdict

CONVENTIONS = frozenset(reading.slug for reading in FORWARD_READINGS)
"""The names of neighbouring conventions of a layer."""


def summary(
    verdict: Verdict,
    blame: Sequence[Blame],
    rows: Sequence[Row],
    equivalences: Sequence[ReportedEquivalence],
    oracle: Oracle | None,
    *,
    own: bool = False,
    partial: bool = False,
    another_function: bool = False,
) -> str:
    """Return the outcome in a few sentences.

    Args:
        verdict: the outcome.
        blame: the accusations.
        rows: the tensors beside what was expected.
        equivalences: what is written differently and is no mistake.
        oracle: the agreement of the expected gradients with an independent derivative.
        own: whether nothing was submitted, so that the server's own backward pass was checked.
        partial: whether the search ended before everything was tried.
        another_function: whether the forward pass is another function, so that nothing behind it is judged.
    """
    compared = [row for row in rows if row.status != "missing"]
    if not compared:
        return "The submission contains no tensor that can be compared."
    otherwise = [each.said for each in equivalences]
    if verdict == "inconclusive":
        return _inconclusive(blame, otherwise, oracle)
    if verdict == "correct" and own:
        what = f"{len(compared)} tensor{'s' * (len(compared) > 1)}"
        proof = "" if oracle is None else f", and agrees with an independent derivative (error {oracle.error:.1e})"
        return f"Nothing was submitted, so this is the service's own backward pass: {what}{proof}."
    if verdict == "correct":
        return f"Everything that was submitted is right: {len(compared)} tensor{'s' * (len(compared) > 1)}."
    if verdict == "equivalent-layout":
        neighbouring = any(each.slug in CONVENTIONS for each in equivalences)
        how = " for a neighbouring convention." if neighbouring else ", but written differently."
        return " ".join([f"Everything that was submitted is right{how}", *otherwise])
    said = [each.said for each in blame]
    inherited = sum(row.status == "inherited" for row in rows)
    if inherited:
        what = f"{inherited} more tensor{'s are' if inherited > 1 else ' is'}"
        reason = f"wrong only because of {'that' if len(blame) == 1 else 'these'}"
        said.append(f"{what} {'not judged' if another_function else reason}.")
    if any(row.status == "correct" for row in rows):
        said.append("Everything else is right.")
    if otherwise:
        said += ["Not a mistake:", *otherwise]
    if partial:
        said.append("The search ended before every known mistake was tried; what is said here holds all the same.")
    return " ".join(said)


def _inconclusive(blame: Sequence[Blame], otherwise: Sequence[str], oracle: Oracle | None) -> str:
    if blame and otherwise:
        return " ".join(
            [
                "Two readings explain these numbers, and they cannot decide between them. Either this is written "
                "differently and right:",
                *otherwise,
                "Or it is wrong:",
                *(each.said for each in blame),
                "Send the loss of your program, which tells them apart.",
            ]
        )
    if otherwise:
        return " ".join([*otherwise, "They say nothing about a backpropagation."])
    error = oracle.error if oracle else 0.0
    return f"The expected gradients could not be certified (error {error:.1e}), so there is no verdict."
