"""What a check answered to one program, judged against what is known about the program."""

from __future__ import annotations

import time
import traceback
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from core.checking import Checker, Report, SubmissionSpec, Tolerance
from core.checking.quantity import Quantity
from core.checking.report import Blame
from core.errors import Refusal

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One trial."""

    family: str
    number: int
    """With the family and `name` it finds the trial again."""
    name: str
    kind: str
    """The kind of the layer that is wrong, or that the problem is about."""
    way: str
    """What was sent."""
    verdict: str
    """The verdict; "refused" or "crashed" if there was none."""
    seconds: float
    accusations: int = 0
    wanted: int = 1
    """The number of accusations that is right."""
    layer: bool = False
    rule: bool = False
    cause: bool = False
    false_exact: bool = False
    """Whether a cause that is not the one was called certain."""
    certainty: str = ""
    said: str = ""
    """What was accused, for the list of failures."""

    @property
    def again(self) -> str:
        """The command that runs the trial again."""
        return f"python -m tests.core.checking.campaign {self.family} {self.number} '{self.name} {self.way}'"


@dataclass(frozen=True, slots=True)
class Expected:
    """What is right to say."""

    places: frozenset[Quantity]
    """The rules that are wrong; for a mistake inside a layer, all that show it."""
    causes: frozenset[str]
    """Names for the mistake; `unknown` if it is on no list."""
    every: bool = False
    """Whether all places and causes are expected, an accusation for each place, instead of one of them."""

    @property
    def layers(self) -> set[str]:
        """The layers of these rules."""
        return {place.layer for place in self.places}


@dataclass(frozen=True, slots=True)
class Trial:
    """A submission to a problem."""

    family: str
    number: int
    name: str
    kind: str
    way: str
    sent: SubmissionSpec
    expected: Expected | None = None
    """None if nothing is wrong."""
    dtypes: Collection[str] = ()

    def report(self, checker: Checker) -> Report:
        """What the check says."""
        return checker.report(self.sent, set(self.dtypes), Tolerance())

    def outcome(self, checker: Checker) -> Outcome:
        """The same, judged."""
        start = time.perf_counter()
        try:
            report = self.report(checker)
        except Refusal as refusal:
            return self._failed("refused", str(refusal.issues[0].detail), start)
        except Exception:  # A crash is a result that the campaign lists.
            return self._failed("crashed", traceback.format_exc().splitlines()[-1], start)
        return self._judged(report, time.perf_counter() - start)

    def _failed(self, verdict: str, said: str, start: float) -> Outcome:
        seconds = time.perf_counter() - start
        return Outcome(self.family, self.number, self.name, self.kind, self.way, verdict, seconds, said=said)

    def _judged(self, report: Report, seconds: float) -> Outcome:
        expected = self.expected or Expected(frozenset(), frozenset())
        named = [_readings(blame) for blame in report.blame]
        places = [{place for place, _ in readings} for readings in named]
        causes = [{_sorted(cause) for _, cause in readings} for readings in named]
        right_causes, enough = {_sorted(cause) for cause in expected.causes}, all if expected.every else any
        return Outcome(
            self.family,
            self.number,
            self.name,
            self.kind,
            self.way,
            report.verdict,
            seconds,
            accusations=len(report.blame),
            wanted=len(expected.places) if expected.every else 1,
            layer=enough(any(layer in {p.layer for p in each} for each in places) for layer in expected.layers),
            rule=enough(any(place in each for each in places) for place in expected.places),
            cause=enough(any(cause in each for each in causes) for cause in right_causes),
            false_exact=any(
                blame.certainty == "exact" and blame.cause != UNKNOWN and not each & right_causes
                for blame, each in zip(report.blame, causes, strict=True)
            ),
            certainty=report.blame[0].certainty if report.blame else "",
            said=_said(report),
        )


def _readings(blame: Blame) -> set[tuple[Quantity, str]]:
    """The places and causes that an accusation names, alternatives included."""
    found = {(place, blame.cause) for place in (blame.quantity, *blame.tensors)}
    return found | {(other.quantity, other.cause) for other in blame.alternatives}


def _sorted(cause: str) -> str:
    """A cause, with the parts of a compound in one order."""
    return "+".join(sorted(cause.split("+")))


def _said(report: Report) -> str:
    blamed = []
    for blame in report.blame:
        others = ", ".join(f"{other.quantity.layer}.{other.cause}" for other in blame.alternatives[:4])
        place = f"{blame.quantity.layer}.{blame.quantity.tensor}"
        blamed.append(f"{place} {blame.cause} {blame.certainty}" + (f" (or {others})" if others else ""))
    cleared = [each.slug for each in report.equivalences]
    return "; ".join([*blamed, *(f"cleared by {slug}" for slug in cleared)])


def failures(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The trials in which something was said that is not so, or nothing at all."""
    return [each for each in outcomes if _fails(each)]


def _fails(outcome: Outcome) -> bool:
    if outcome.verdict in ("refused", "crashed"):
        return True
    if outcome.family == "right":
        return outcome.verdict not in ("correct", "equivalent-layout")
    return not (outcome.rule and outcome.cause) or outcome.accusations != outcome.wanted or outcome.false_exact
