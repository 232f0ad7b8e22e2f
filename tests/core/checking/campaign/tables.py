"""The tables of the campaign: how many trials of each sort were answered rightly, by kind of layer; and what failed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from tests.core.checking.campaign.families import Unit, run
from tests.core.checking.campaign.outcome import Outcome, failures
from tests.core.checking.campaign.program import WAYS

PLAN: dict[str, tuple[int, int]] = {"right": (1044, 6), "known": (174, 13), "unknown": (174, 1), "pairs": (174, 1)}
"""Of each family the number of problems, and of how many trials of a problem one is made."""

LISTED = 25
"""So many failures of each family are listed with their commands."""


def outcomes(scale: float) -> dict[str, list[Outcome]]:
    """All trials by family; `scale` times as many problems as in `PLAN`."""
    units: list[Unit] = [
        (family, number, every)
        for family, (problems, every) in PLAN.items()
        for number in range(max(1, round(problems * scale)))
    ]
    found: dict[str, list[Outcome]] = {family: [] for family in PLAN}
    for outcome in run(units):
        found[outcome.family].append(outcome)
    return found


def tables(scale: float) -> Iterator[str]:
    """The lines of all tables."""
    found = outcomes(scale)
    for family, title in (
        ("known", "Known mistakes, over every kind of layer"),
        ("unknown", "Unknown faults, over every kind of layer"),
        ("pairs", "Two known mistakes in one program"),
    ):
        yield f"### {title}"
        yield ""
        yield from _found(found[family], family)
        yield ""
    yield "### Right submissions"
    yield ""
    yield from _accused(found["right"])
    yield ""
    yield "### Time of a check, in ms"
    yield ""
    yield "| trials | median | slowest | slowest trial |"
    yield "|---|---|---|---|"
    for family, each in found.items():
        if each:
            times = sorted(each, key=lambda outcome: outcome.seconds)
            middle, last = times[len(times) // 2], times[-1]
            yield f"| {family} | {middle.seconds * 1e3:.0f} | {last.seconds * 1e3:.0f} | {last.kind}, `{last.again}` |"
    yield ""
    yield "### What failed"
    yield ""
    yield "Each command runs the trial again and prints what the check says."
    yield ""
    for each in found.values():
        failed = failures(each)
        yield from (f"* {one.kind}: `{one.again}`: {one.verdict}, {one.said[:160]}" for one in failed[:LISTED])
        if len(failed) > LISTED:
            yield f"* and {len(failed) - LISTED} more"


def _found(outcomes: Sequence[Outcome], family: str) -> Iterator[str]:
    """Layer, rule and cause by kind of layer and by what was sent, of how many; accusations; false causes."""
    open_cause = "no cause claimed" if family == "unknown" else "cause"
    asked: list[tuple[str, Callable[[Outcome], bool]]] = [
        ("layer", lambda outcome: outcome.layer),
        ("rule", lambda outcome: outcome.rule),
        (open_cause, lambda outcome: outcome.cause),
        ("accusations as expected", lambda outcome: outcome.accusations == outcome.wanted),
        ("false cause called exact", lambda outcome: outcome.false_exact),
    ]
    heads = " | ".join(f"{name}" for name, _ in asked)
    yield f"| layer kind | what was sent | trials | {heads} |"
    yield "|---" * (3 + len(asked)) + "|"
    by: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by[outcome.kind, outcome.way].append(outcome)
        by["**all**", outcome.way].append(outcome)
    for kind in sorted({kind for kind, _ in by}, key=lambda kind: (kind == "**all**", kind)):
        for way in WAYS:
            if each := by[kind, way]:
                cells = " | ".join(str(sum(ask(outcome) for outcome in each)) for _, ask in asked)
                yield f"| {kind} | {way} | {len(each)} | {cells} |"


def _accused(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Accusations by precision."""
    yield "| numbers | submissions | accused | inconclusive | refused | crashed |"
    yield "|---|---|---|---|---|---|"
    by: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by[outcome.name].append(outcome)
        by["**all**"].append(outcome)
    for name in sorted(by, key=lambda name: (name == "**all**", name)):
        counts = [
            sum(each.verdict == word for each in by[name]) for word in ("wrong", "inconclusive", "refused", "crashed")
        ]
        yield f"| {name} | {len(by[name])} | " + " | ".join(map(str, counts)) + " |"
