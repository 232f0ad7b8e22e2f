"""The families of trials, and a run of many of them on several processors."""

from __future__ import annotations

import multiprocessing
import warnings
from collections.abc import Callable, Iterable, Iterator

from core.checking import Checker
from tests.core.checking.campaign import known, pairs, right, spoiled
from tests.core.checking.campaign.outcome import Outcome, Trial
from tests.core.checking.campaign.problems import Sample

FAMILIES: dict[str, Callable[[int], Iterator[tuple[Sample, Trial]]]] = {
    module.FAMILY: module.trials for module in (right, known, spoiled, pairs)
}
Unit = tuple[str, int, int]
"""A family, the number of a problem, and of how many trials one is made."""


def outcomes_of(unit: Unit) -> list[Outcome]:
    """The outcomes of the trials of one problem, or of every so manieth of them, another one for each problem."""
    family, number, every = unit
    found, checkers = [], dict[int, Checker]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for k, (sample, trial) in enumerate(FAMILIES[family](number)):
            if (k + number) % every == 0:
                checker = checkers.setdefault(id(sample.problem), sample.checker())
                found.append(trial.outcome(checker))
    return found


def run(units: Iterable[Unit], processes: int = 2) -> Iterator[Outcome]:
    """The outcomes of all these, in the same order whatever the processors do."""
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for outcomes in pool.imap(outcomes_of, units):
            yield from outcomes
