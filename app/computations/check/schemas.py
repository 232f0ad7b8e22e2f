"""POST /v1/check: what it takes and gives."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from app.problem.results import GradientsAnswer, Warning
from app.problem.schemas import Body, Convention, Parameters, Problem


class Submission(GradientsAnswer):
    """What your own code computed: any part, any layers. The answer of /v1/gradients is one as it is.

    Compared are loss, output, preactivations, activations, deltas, gradients and input_gradient; other members of such an
    answer are accepted and not looked at. A tensor of a wrong shape is not refused: it is a mistake to find.
    """

    convention: Convention | None = None  # type: ignore[assignment]
    """How its matrices are written; default: as those of the problem."""

    dtype: str | None = None  # type: ignore[assignment]
    """The precision it was computed in: float32 is compared at float32's precision. Default: found in its numbers."""

    warnings: list[Warning] | None = None  # type: ignore[assignment]
    """Not looked at."""


class Tolerance(Body):
    """When two numbers agree: |yours − expected| ≤ atol + rtol |expected|. It replaces the one that is worked out."""

    rtol: Annotated[float, Field(ge=0, lt=1)] | None = None
    """Relative tolerance."""

    atol: Annotated[float, Field(ge=0)] | None = None
    """Absolute tolerance."""


class CheckRequest(Problem):
    """A problem, and what your own code computed for it."""

    submission: Submission | None = None
    """Your numbers. Without them the server checks its own backward pass."""

    tolerance: Tolerance | None = None
    """Default: by the precision and the digits of the submission, and by what rounding does at this point."""

    hints: Literal["layer", "rule", "cause", "full"] = "full"
    """How much the answer gives away: the layer; the rule too; the cause too; the fix and the expected numbers too."""


class Fix(Body):
    """The right formula."""

    numpy: str | None = None
    """As a line of NumPy, in the names A, Z, D (delta), W with the layer behind."""

    latex: str
    """In LaTeX."""


class Alternative(Body):
    """Another cause that gives the same numbers."""

    cause: str
    """Its name."""

    layer: str | None = None
    """The layer whose rule it is in."""

    tensor: str
    """The tensor whose rule it is in."""

    why: str
    """What it is."""

    separate: str
    """What to send so that the two give different numbers."""


class Evidence(Body):
    """What a cause rests on."""

    ratio: float | None = None
    """Yours divided by what the right rule makes of your own numbers, where it is the same for every number."""

    factor: float | None = None
    """The unknown number in the wrong formula (a learning rate, a λ), found by least squares."""

    residual_if_fixed: float | None = None
    """What is left of the difference when the wrong formula is replayed: ‖yours − replayed‖ / ‖yours‖."""

    alternatives: list[Alternative]
    """Other causes that give the same numbers."""


class Blame(Body):
    """A rule that is wrong."""

    layer: str | None = None
    """Whose rule it is; an input's name for input_gradient. The loss has none."""

    tensor: str | None = None
    """The tensor that the rule makes: deltas, gradients.weight, activations, ..."""

    cause: str | None = None
    """The mistake's name; `unknown` where no known mistake reproduces the numbers."""

    certainty: Literal["exact", "likely", "ambiguous", "located"] | None = None
    """exact: the wrong formula reproduces your numbers, and no other known one does. ambiguous: others do too, see
    evidence.alternatives. likely: too few numbers to be sure. located: the rule is wrong, the cause unknown."""

    rule: str | None = None
    """The right rule, in LaTeX."""

    wrong: str | None = None
    """The formula that was used instead, in LaTeX."""

    why: str | None = None
    """What is wrong with it."""

    fix: Fix | None = None
    """The right formula."""

    evidence: Evidence | None = None
    """What the cause rests on."""


class Equivalence(Body):
    """A way of writing things that is not the request's, and no mistake."""

    cause: str
    """Its name: transposed-layout, sum-instead-of-mean, ..."""

    why: str
    """What it is."""


class Worst(Body):
    """The number that is furthest off."""

    index: list[int]
    """Where it is, in the tensor as this answer's convention writes it, counted from 0."""

    yours: float
    """What was submitted."""

    expected: float | None = None
    """What is right."""


class ComparedTensor(Body):
    """One tensor beside what is expected."""

    layer: str | None = None
    """Whose it is. The loss is nobody's."""

    tensor: str
    """loss, preactivations, activations, deltas, gradients.<parameter> or input_gradient."""

    status: Literal["correct", "wrong", "inherited", "missing"]
    """correct: it is what it should be. wrong: its own rule is wrong. inherited: wrong because of something before it.
    missing: it was not submitted."""

    relative_error: float | None = None
    """‖yours − expected‖ / (‖yours‖ + ‖expected‖), and 0 where both are 0."""

    cosine: float | None = None
    """Of the angle between the two, where neither is 0."""

    worst: Worst | None = None
    """The number that is furthest off, where one is."""

    mismatched: int | None = None
    """How many numbers differ by more than the criterion allows."""

    total: int
    """How many numbers there are."""

    layout: str | None = None
    """How the tensor was read so that its shape fits: transposed, axes-of-length-one."""

    shape: list[int] | None = None
    """Its shape, where it does not fit."""

    expected_shape: list[int] | None = None
    """The shape it should have, where it does not fit."""


class Kink(Body):
    """A place where a derivative jumps, so that more than one value is right. It is not compared."""

    layer: str
    """The layer."""

    index: list[int]
    """Where, in its delta."""

    distance: float
    """How far the number is from the kink."""

    why: str
    """Which kink it is."""


class BlindSpot(Body):
    """Known mistakes that this batch could not have revealed."""

    cause: str
    """The mistake's name."""

    layer: str | None = None
    """The layer in whose rule it would hide; the loss has none."""

    tensor: str
    """The tensor that the rule makes."""

    reason: str
    """Why it would not show."""


class Oracle(Body):
    """How the expected gradients were certified."""

    method: str
    """complex_step or central_difference: the change of the loss along a random direction of all parameters, inputs and
    preactivations at once, found by forward passes alone."""

    error: float
    """Difference between that and the expected deltas and gradients, relative to the sum of the terms' magnitudes."""


class CheckAnswer(Body):
    """Which rule is wrong, why, and how to put it right."""

    verdict: Literal["correct", "wrong", "equivalent-layout", "inconclusive"]
    """The outcome."""

    summary: str
    """The outcome in a few sentences."""

    blame: list[Blame]
    """Every rule that is wrong by itself: one mistake, one accusation."""

    not_mistakes: list[Equivalence]
    """What differs from the request and is right all the same."""

    tensors: list[ComparedTensor]
    """Every tensor: forward, then backward."""

    kinks: list[Kink]
    """Where a derivative jumps at or near this point."""

    blind_spots: list[BlindSpot]
    """Known mistakes that this batch could not have revealed."""

    needs: list[str]
    """Parts of a submission that would show more."""

    oracle: Oracle | None = None
    """How the expected gradients were certified; absent without a loss."""

    criterion: str
    """When two numbers agree."""

    parameters: Parameters | None = None
    """All parameters, where some were drawn from the seed."""

    convention: Convention
    """How indices and formulas of this answer are to be read."""

    dtype: str
    """Precision of the problem. The check itself computes in float64."""

    warnings: list[Warning]
    """What was not refused and deserves a look."""
