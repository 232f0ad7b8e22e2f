"""The body and answer of POST /v1/check."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from app.computations.check.step_schemas import StepSubmission
from app.problem.conditions import HAS_LOSS, HAS_NETWORK, NO_FEEDBACK, either, given, states
from app.problem.results import GradientsAnswer, Warning
from app.problem.schemas import Body, Parameters, Problem
from core.convention import Convention


class Submission(GradientsAnswer):
    """The numbers that your own code computed: any parts, for any layers.

    The complete answer of /v1/gradients is a valid submission. loss, output, preactivations, activations, deltas,
    gradients and input_gradient are compared, and the update in `step`; other fields are accepted and ignored. A tensor of
    the wrong shape is not refused but reported as a mistake.
    """

    step: StepSubmission | None = None
    """Your parameters after one step or several, and the optimizer. Where `gradients` are sent as well, they are those that
    the first step used."""

    convention: Convention | None = None  # type: ignore[assignment]
    """Layout of the submitted matrices. Default: the convention of the problem."""

    dtype: str | None = None  # type: ignore[assignment]
    """Precision in which the numbers were computed. float32 numbers are compared with float32's precision. Default:
    inferred from the numbers."""

    warnings: list[Warning] | None = None  # type: ignore[assignment]
    """Ignored."""


class Tolerance(Body):
    """Two numbers agree if |yours − expected| ≤ atol + rtol |expected|. Replaces the tolerance that the server derives."""

    rtol: Annotated[float, Field(ge=0, lt=1)] | None = None
    """Relative tolerance."""

    atol: Annotated[float, Field(ge=0)] | None = None
    """Absolute tolerance."""


class CheckRequest(Problem):
    """A problem, and the numbers that your own code computed for it."""

    model_config = states(HAS_NETWORK, NO_FEEDBACK, either(given("submission"), HAS_LOSS))

    submission: Submission | None = None
    """Your numbers. If they are left out, the server checks its own backward pass."""

    tolerance: Tolerance | None = None
    """Tolerance of the comparison. Default: derived from the precision and digits of the submission and from the effect
    of rounding at this point."""

    hints: Literal["layer", "rule", "cause", "full"] = "full"
    """Amount of detail in the answer. layer: the layer. rule: also the rule. cause: also the cause. full: also the fix and
    the expected numbers."""


class Fix(Body):
    """The correct formula."""

    numpy: str | None = None
    """The formula as a line of NumPy. The names are A, Z, D (delta) and W, each followed by the layer's name."""

    latex: str
    """The formula in LaTeX."""


class Alternative(Body):
    """Another mistake that gives the same numbers."""

    cause: str
    """Name of the mistake."""

    layer: str | None = None
    """The layer whose rule contains the mistake."""

    tensor: str
    """The tensor that the rule computes."""

    why: str
    """Description of the mistake."""

    separate: str
    """Data to send so that the two mistakes give different numbers."""


class Evidence(Body):
    """The evidence for a cause."""

    ratio: float | None = None
    """Your number divided by the number that the correct rule computes from your own inputs to it, if this ratio is the
    same for every element."""

    factor: float | None = None
    """The unknown constant in the wrong formula (a learning rate, a λ), fitted by least squares."""

    residual_if_fixed: float | None = None
    """The difference that the wrong formula leaves unexplained: ‖yours − replayed‖ / ‖yours‖."""

    alternatives: list[Alternative]
    """Other mistakes that give the same numbers."""


class Blame(Body):
    """A rule that your code computes wrongly."""

    layer: str | None = None
    """The layer whose rule is wrong; for input_gradient, the name of the input. Left out for the loss."""

    tensor: str | None = None
    """The tensor that the rule computes: deltas, gradients.weight, activations, step.parameters, ..."""

    step: int | None = None
    """For an update: the first step in which the mistake shows."""

    tensors: list[str] | None = None
    """All tensors of the layer that this mistake makes wrong. More than one if the mistake is inside the layer, for
    instance in one gate of an lstm."""

    block: str | None = None
    """The part of the layer or tensor that alone is wrong: forget gate f, keys K, kernel offset (0, 1). Left out if it
    is all of it."""

    cause: str | None = None
    """Name of the mistake; `unknown` if no known mistake reproduces the numbers."""

    certainty: Literal["exact", "likely", "ambiguous", "located"] | None = None
    """exact: this wrong formula reproduces your numbers, and no other known one does. ambiguous: other mistakes give
    the same numbers, see evidence.alternatives. likely: there are too few numbers to be sure. located: the rule is
    wrong, but the cause is unknown."""

    rule: str | None = None
    """The correct rule in LaTeX."""

    wrong: str | None = None
    """The wrong formula that was used instead, in LaTeX."""

    why: str | None = None
    """Explanation of the mistake."""

    fix: Fix | None = None
    """The correct formula."""

    evidence: Evidence | None = None
    """The evidence for the cause."""


class Equivalence(Body):
    """A difference from the request that is a matter of notation and not a mistake."""

    cause: str
    """Name of the difference: transposed-layout, sum-instead-of-mean, ..."""

    why: str
    """Description of the difference."""


class Worst(Body):
    """The element with the largest error."""

    index: list[int]
    """Index of the element, counted from 0, in the layout of this answer's convention."""

    yours: float
    """The submitted number."""

    expected: float | None = None
    """The correct number."""


class ComparedTensor(Body):
    """The comparison of one tensor with the expected one."""

    layer: str | None = None
    """The layer that the tensor belongs to. Left out for the loss."""

    tensor: str
    """Name of the tensor: loss, preactivations, activations, deltas, gradients.<parameter>, input_gradient,
    step.parameters.<parameter> or step.optimizer_state.<slot>.<parameter>."""

    step: int | None = None
    """For an update: the number of steps completed."""

    status: Literal["correct", "wrong", "inherited", "missing"]
    """correct: the numbers agree. wrong: the rule of this tensor is wrong. inherited: the numbers are wrong only
    because an earlier tensor is. missing: the tensor was not submitted."""

    relative_error: float | None = None
    """‖yours − expected‖ / (‖yours‖ + ‖expected‖); 0 if both are 0."""

    cosine: float | None = None
    """Cosine of the angle between the two tensors. Left out if one of them is 0."""

    worst: Worst | None = None
    """The element with the largest error, if any element is wrong."""

    mismatched: int | None = None
    """Number of elements that differ by more than the criterion allows."""

    total: int
    """Number of elements of the tensor."""

    layout: str | None = None
    """Rearrangement of the submitted tensor to the expected shape: transposed, axes-of-length-one."""

    shape: list[int] | None = None
    """The submitted shape, if it does not fit."""

    expected_shape: list[int] | None = None
    """The expected shape, if the submitted one does not fit."""


class Kink(Body):
    """A point at which a derivative jumps, so that several values are correct. It is not compared."""

    layer: str
    """The layer whose activation has the kink."""

    index: list[int]
    """Index of the element in the layer's delta."""

    distance: float
    """Distance of the number from the kink."""

    why: str
    """Description of the kink."""


class BlindSpot(Body):
    """A known mistake that this batch could not have revealed."""

    cause: str
    """Name of the mistake."""

    layer: str | None = None
    """The layer in whose rule the mistake would stay hidden. Left out for the loss."""

    tensor: str
    """The tensor that the rule computes."""

    reason: str
    """Why the mistake would not change the numbers."""


class Oracle(Body):
    """Independent verification of the expected gradients."""

    method: str
    """complex_step or central_difference: the change of the loss along a random direction of all parameters, inputs and
    preactivations, computed by forward passes alone."""

    error: float
    """Difference between that change and the one that the expected deltas and gradients predict, relative to the sum of
    the magnitudes of its terms."""


class CheckAnswer(Body):
    """The wrong rules, their causes and their fixes."""

    verdict: Literal["correct", "wrong", "equivalent-layout", "inconclusive"]
    """The outcome of the check."""

    summary: str
    """The outcome in a few sentences."""

    blame: list[Blame]
    """The rules that are wrong in themselves. A rule whose result is wrong only because of an earlier mistake is not
    listed."""

    not_mistakes: list[Equivalence]
    """Differences from the request that are a matter of notation and not mistakes."""

    tensors: list[ComparedTensor]
    """The comparison of every tensor, first of the forward pass, then of the backward pass."""

    kinks: list[Kink]
    """Points at or near this batch at which a derivative jumps."""

    blind_spots: list[BlindSpot]
    """Known mistakes that this batch could not have revealed."""

    needs: list[str]
    """Parts that a submission could add to allow a more precise diagnosis."""

    partial: bool
    """True if the search ended before every known mistake was tried, for a very large network. What is said is located all
    the same."""

    oracle: Oracle | None = None
    """Independent verification of the expected gradients. Left out if there is no loss."""

    criterion: str
    """The criterion by which two numbers agree."""

    parameters: Parameters | None = None
    """All parameters. Returned if some of them were drawn from the seed."""

    convention: Convention
    """Layout to which the indices and formulas of this answer refer."""

    dtype: str
    """Precision of the problem. The check itself is computed in float64."""

    warnings: list[Warning]
    """Observations that did not prevent the computation but deserve attention."""
