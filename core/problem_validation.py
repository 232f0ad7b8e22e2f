"""Validation: from a problem in the caller's words to one in which every shape fits, or to a refusal with every issue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.convention import CONVENTIONS, Convention
from core.errors import Issue, refuse_if_any
from core.network import NetworkLimits
from core.problem import Problem
from core.problem_form import ProblemForm, path_of_input
from core.problem_reading import read_problem, sent_shapes
from core.problem_spec import ProblemSpec
from core.problem_warnings import activation_applied_twice, softmax_of_one, unread_layers
from core.shape_inference import ShapeReport


def validate(
    sent: ProblemSpec, limits: NetworkLimits | None = None, *, needs_loss: bool = True, besides: Sequence[Issue] = ()
) -> Problem:
    """Check a problem and bring it to the core's view; arguments and refusals as of `validate_form`."""
    return validate_form(sent, limits, needs_loss=needs_loss, besides=besides).fill(sent)


def validate_form(
    sent: ProblemSpec,
    limits: NetworkLimits | None = None,
    *,
    needs_loss: bool = True,
    besides: Sequence[Issue] = (),
    report: ShapeReport | None = None,
) -> ProblemForm:
    """Check a problem and return its form, which `fill` turns into the problem in the core's view.

    Args:
        sent: The problem as it was sent. Shapes of `core/accepted_shapes.py` are brought to the documented ones.
        limits: The largest problem that is accepted.
        needs_loss: Whether a problem without a loss is refused.
        besides: Issues that were found elsewhere in the request.
        report: The shapes of the problem as it was sent, if they have been inferred already.

    Raises:
        Refusal: with every issue that was found; where shapes do not fit, the convention that would fit is named.
    """
    convention = sent.convention or "row"
    reading = read_problem(sent, convention, limits, needs_loss=needs_loss, report=report)
    found, documented = reading.report, reading.spec
    issues = [*besides, *_unreadable(sent), *reading.issues]
    if any(issue.code == "shape-mismatch" for issue in issues):
        issues = _with_fitting_conventions(issues, sent, convention, limits)
    refuse_if_any(issues)
    return ProblemForm(
        convention=convention,
        report=found,
        needs_loss=needs_loss,
        sent_shapes=sent_shapes(sent, documented),
        is_documented=documented is sent,
        warnings=[
            *_ambiguity(sent, documented, limits),
            *unread_layers(found.nodes),
            *activation_applied_twice(found.nodes, sent.loss if reading.objective else None),
            *softmax_of_one(found.nodes, sent.loss if reading.objective else None),
        ],
    )


def _unreadable(sent: ProblemSpec) -> list[Issue]:
    """The issues for inputs that are single numbers and so have no axis of examples."""
    return [
        Issue(
            code="shape-mismatch",
            path=path_of_input(sent, name),
            detail=f"The input {name!r} is a single number; a batch is a tensor whose examples can be counted.",
            hint="Send one example with one feature as [[x]].",
        )
        for name, array in sent.inputs.items()
        if not array.ndim
    ]


def _with_fitting_conventions(
    issues: list[Issue], sent: ProblemSpec, convention: Convention, limits: NetworkLimits | None
) -> list[Issue]:
    """The same issues; the shape mismatches among them name the conventions in which everything fits."""
    fitting = [other for other in CONVENTIONS if other != convention and read_problem(sent, other, limits).fits]
    if not fitting:
        return issues
    advice = "These shapes fit " + " and ".join(f'"convention": "{other}"' for other in fitting) + "."
    return [
        replace(issue, hint=f"{issue.hint} {advice}" if issue.hint else advice)
        if issue.code == "shape-mismatch"
        else issue
        for issue in issues
    ]


def _ambiguity(sent: ProblemSpec, documented: ProblemSpec, limits: NetworkLimits | None) -> list[Issue]:
    """A warning where no convention was named and the weights fit more than one."""
    if sent.convention is not None:
        return []
    matrices = [
        array for layer, named in documented.parameters.items() for name, array in named.items() if array.ndim == 2
    ]
    flat = [
        name
        for layer, named in sent_shapes(sent, documented).items()
        for name in named
        if documented.parameters[layer][name].ndim == 2
    ]
    if not matrices:
        return []
    # A flat weight is read alike in `row` and `torch`; `column` reads other inputs with it.
    others: list[Convention] = ["column"] if len(flat) == len(matrices) else ["column", "torch"]
    exactly = documented is sent
    fitting = [other for other in others if read_problem(sent, other, limits, exactly=exactly).fits]
    if not fitting:
        return []
    named_conventions = " and ".join(f"{other!r}" for other in fitting)
    return [
        Issue(
            code="ambiguous-convention",
            path=("convention",),
            detail="No convention was named and 'row' was taken; the same shapes also fit "
            f"{named_conventions}, with other results.",
            hint='Send "convention".',
        )
    ]
