"""Blame: the accusations of a hypothesis in words, with the right rule and what else explains the same numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.checking.blocks import wrong_blocks
from core.checking.comparison import Comparator
from core.checking.forward_readings.difference import ForwardDifference
from core.checking.hypothesis import Accusation, Hypothesis
from core.checking.kinks import kinks_in
from core.checking.mistakes.base import Mistake
from core.checking.quantity import Quantity
from core.checking.replay import Finding
from core.checking.report import Alternative, Blame, Certainty, Fix
from core.checking.slopes.places import NEAR
from core.checking.words import Words

UNKNOWN = "unknown"
ANOTHER_FUNCTION = (
    "Compare your forward pass with the network of the request, from this tensor on, before anything else."
)
ALIKE = 0.75
"""A hypothesis that costs at most this much more than the best one is an alternative."""


def write_blame(
    words: Words,
    comparator: Comparator,
    best: Hypothesis,
    others: Sequence[Hypothesis],
    *,
    deltas_sent: bool,
    difference: ForwardDifference | None = None,
) -> list[Blame]:
    """Return the accusations of the best hypothesis in words, with the alternatives from hypotheses that explain as much.

    Args:
        words: the names and equations of the network.
        comparator: decides which numbers of a tensor are wrong.
        best: the hypothesis that is believed.
        others: the hypotheses that explain the submission less well.
        deltas_sent: whether each rule was judged on submitted deltas; otherwise one unknown mistake makes every cause that
            is named beside it only likely.
        difference: the forward tensor that is another function than the request's, if one is.
    """
    rivals = [each for each in others if each.cost <= best.cost + ALIKE]
    in_agreement = deltas_sent or all(accusation.findings for accusation in best.accusations)
    found = []
    for accusation in best.accusations:
        if accusation.findings:
            alternatives = _rivals(accusation, best, rivals)
            shared = in_agreement and all(_names(each, accusation) for each in rivals)
            if not deltas_sent and accusation.quantity.part == "gradients" and len(accusation.findings[0].mistakes) > 1:
                shared = False  # A factor of the delta would give the same product.
            blame = _named(words, accusation, alternatives, in_agreement=shared)
        else:
            blame = _unknown(words, comparator, accusation)
            if difference is not None and difference.quantity == accusation.quantity:
                blame = replace(blame, said=difference.said, why=ANOTHER_FUNCTION)
        found.append(_with_kinks(words, comparator, blame))
    return found


def _names(hypothesis: Hypothesis, accusation: Accusation) -> bool:
    """Return True if a hypothesis has that mistake, too."""
    return any(each.quantity == accusation.quantity and each.slug == accusation.slug for each in hypothesis.accusations)


def _with_kinks(words: Words, comparator: Comparator, blame: Blame) -> Blame:
    """Return the blame with a sentence about numbers at a kink whose slopes enter its rule, where more than one is right."""
    found = kinks_in(comparator.truth, blame.quantity, NEAR)
    if not found:
        return blame
    layers = ", ".join(repr(layer) for layer in dict.fromkeys(kink.layer for kink in found))
    count = "One number lies" if len(found) == 1 else f"{len(found)} numbers lie"
    said = (
        f"{count} at or next to a kink in layer {layers}, where any slope between those of the two sides is right; no such "
        "slope explains all the difference."
    )
    return replace(blame, why=f"{blame.why} {said}")


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


def _unknown(words: Words, comparator: Comparator, accusation: Accusation) -> Blame:
    quantity = accusation.quantity
    rule = words.equations.rule(quantity)
    concluded = accusation.yours is None or not accusation.certain
    block = _block(words, comparator, accusation)
    named = words.named(quantity)
    if shape := _shape(words, accusation):
        said = shape
    elif accusation.also and quantity.part != "deltas":
        shown = [each for each in (quantity, *accusation.also) if each.part != "deltas"]
        tensors = ", ".join(words.named(each).split(" of layer")[0] for each in shown)
        delta = ", or the delta that reaches it" if len(shown) <= len(accusation.also) else ""
        said = (
            f"Something inside layer {quantity.layer!r} is wrong in its backward pass{delta}: its {tensors} "
            f"{'do' if len(shown) > 1 else 'does'} not follow from its delta by its rules, and no known mistake explains "
            f"{'them' if len(shown) > 1 else 'it'}."
        )
    elif concluded:
        said = f"Your {named} is probably the first wrong tensor; no known mistake explains it."
    else:
        said = f"Your {named} does not follow from your own numbers by its rule, and no known mistake explains it."
    if block:
        said += f" Wrong are the numbers of the {block}; the rest of the tensor is right."
    return Blame(
        quantity=quantity,
        tensors=(quantity, *accusation.also),
        block=block,
        cause=UNKNOWN,
        certainty="likely" if concluded else "located",
        rule=rule.latex,
        wrong="",
        said=said,
        why="No known mistake reproduces these numbers. Compare your code for this rule with the formula term by term.",
        fix=Fix(numpy=rule.numpy, latex=rule.latex),
        ratio=accusation.ratio,
        factor=None,
        residual=None,
    )


def _named(
    words: Words, accusation: Accusation, rivals: Sequence[tuple[Quantity, Finding]], *, in_agreement: bool
) -> Blame:
    quantity, findings = accusation.quantity, accusation.findings
    rule, first = words.equations.rule(quantity), findings[0]
    alternatives = [
        Alternative(
            cause=finding.slug,
            quantity=place,
            why=" ".join(words.fill(mistake.why, place) for mistake in finding.mistakes),
            separate=_separating(words, place, first, finding),
        )
        for place, finding in [*((quantity, finding) for finding in findings[1:]), *rivals]
    ]
    certainty: Certainty = "ambiguous" if alternatives else "exact" if first.sure and in_agreement else "likely"
    sentence = " and ".join(words.fill(mistake.said, quantity, **_numbers(first)) for mistake in first.mistakes)
    prelude = [words.fill(mistake.prelude, quantity) for mistake in first.mistakes if mistake.prelude]
    numpy = "\n".join([*prelude, rule.numpy]) if rule.numpy else ""
    shape = _shape(words, accusation)
    return Blame(
        quantity=quantity,
        tensors=(quantity, *accusation.also),
        block=" and ".join(dict.fromkeys(block for block in map(_block_of, first.mistakes) if block)),
        cause=first.slug,
        certainty=certainty,
        rule=rule.latex,
        wrong=r", \quad ".join(words.wrong(mistake, quantity) for mistake in first.mistakes),
        said=" ".join(filter(None, [shape, f"Your {words.named(quantity)} {sentence}."])),
        why=" ".join(words.fill(mistake.why, quantity, **_numbers(first)) for mistake in first.mistakes),
        fix=Fix(numpy=numpy, latex=rule.latex),
        ratio=accusation.ratio,
        factor=first.factor,
        residual=first.residual,
        alternatives=alternatives,
    )


def _block_of(mistake: type[Mistake]) -> str:
    return str(getattr(mistake, "block", ""))


def _block(words: Words, comparator: Comparator, accusation: Accusation) -> str:
    """Return the part of a parameter's gradient that alone is wrong: a gate, the keys, a kernel offset; "" for none."""
    quantity, yours = accusation.quantity, accusation.yours
    node = words.node(quantity)
    if quantity.part != "gradients" or node is None or yours is None or yours.shape != accusation.expected.shape:
        return ""
    apart = abs(yours - accusation.expected) > comparator.allowed(quantity)
    return ", ".join(wrong_blocks(node, quantity.name, apart))


def _shape(words: Words, accusation: Accusation) -> str:
    """Return the sentence about a tensor of another shape than its rule gives; "" if the shape is right."""
    yours, expected = accusation.yours, accusation.expected
    if yours is None or yours.shape == expected.shape:
        return ""
    quantity = accusation.quantity
    right = words.shape(quantity, expected.shape)
    is_what = "is a single number" if yours.size == 1 else f"has the shape {words.shape(quantity, yours.shape)}"
    said = f"Your {words.named(quantity)} {is_what}; its shape should be {right}."
    lines = words.equations.rule(quantity).numpy.splitlines()
    return f"{said} {lines[-1]} has that shape." if lines else said


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
