"""Blind spots: known mistakes that a batch cannot reveal.

Every mistake is made on purpose, in every rule in which it can occur, with the right numbers before it. If the result is
still right, a program with the mistake passes this check. A mistake that shows at no other point either is none: it changes
nothing in this network, as f'(a) for f'(z) of relu.
"""

from __future__ import annotations

from collections.abc import Iterator

from core.arrays import CheckDeadline
from core.checking.comparison import Comparator
from core.checking.mistakes import MISTAKES
from core.checking.mistakes.base import Fitted, Mistake
from core.checking.mistakes.shared.factor import ConstantFactor
from core.checking.other_points import OtherPoints
from core.checking.quantity import Quantity
from core.checking.replay import made_by
from core.checking.report import BlindSpot
from core.checking.trace import Trace
from core.checking.words import Words


def blind_spots(
    comparator: Comparator,
    trace: Trace,
    words: Words,
    check_deadline: CheckDeadline,
    others: OtherPoints | None = None,
) -> list[BlindSpot]:
    """Return the mistakes that do not show, each with the reason.

    Args:
        comparator: decides whether a mistake shows.
        trace: the numbers around the rules.
        words: of the texts.
        check_deadline: called now and then; ends the search by raising.
        others: points at which the mistakes may show instead.
    """
    others = others or OtherPoints(trace.network.problem)
    found: list[BlindSpot] = []
    mistakes = [
        kind() for kind in MISTAKES
    ]  # One of each, which keeps what it computed for another tensor of its layer.
    for quantity, right in comparator.right.items():
        check_deadline()
        hidden: dict[str, type[Mistake]] = {}
        shown: set[str] = set()
        for mistake in mistakes:
            kind = type(mistake)
            if not isinstance(mistake, Fitted) and mistake.strikes_at(trace, quantity):
                if comparator.differs(made_by(quantity.by_rule, mistake, trace), right):
                    shown.add(kind.slug)
                else:
                    hidden.setdefault(kind.slug, kind)
        nothing = not right.any()
        for slug, kind in hidden.items():
            if slug not in shown and others.show(slug, quantity):
                reason = "every number of it is 0 here: a dead or saturated layer" if nothing else kind.unseen
                found.append(_spot(words, quantity, slug, reason))
        found += _confused(trace, quantity, words, others)
    return found


def _confused(trace: Trace, quantity: Quantity, words: Words, others: OtherPoints) -> Iterator[BlindSpot]:
    """Yield factors that are the same number here, and another number at another point: n = K, or n = 2."""
    if quantity.part != "deltas" or quantity.layer != trace.network.last:
        return
    known: dict[float, str] = {}
    for kind in MISTAKES:
        mistake = kind()
        if isinstance(mistake, ConstantFactor) and mistake.strikes_at(trace, quantity):
            multiplier = mistake.multiplier(trace)
            other = known.setdefault(multiplier, kind.slug)
            if other != kind.slug and multiplier != 1 and others.tell_apart(kind.slug, other):
                yield _spot(
                    words, quantity, kind.slug, f"it gives the same numbers as {other}: both are {multiplier:g}"
                )


def _spot(words: Words, quantity: Quantity, slug: str, reason: str) -> BlindSpot:
    return BlindSpot(cause=slug, layer=quantity.layer, tensor=quantity.tensor, reason=words.fill(reason, quantity))
