"""The computation of /v1/check."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from app.computations.check.schemas import CheckRequest, Submission
from app.computations.check.step import check_steps
from app.http.problem_details import error_of
from app.problem.from_request import problem_of
from app.problem.writer import ProblemWriter
from app.settings import Settings
from core.arrays import Array, CheckDeadline
from core.checking import Checker, Report, SubmissionSpec, Tolerance
from core.checking.quantity import Quantity
from core.checking.report import Blame, BlindSpot, Row
from core.checking.steps import StepBlame, StepRow, with_steps
from core.convention import is_transposed
from core.diagnoses import diagnose_learning
from core.errors import Issue, refuse_if_any
from core.network import INPUT
from core.plan import Retain
from core.problem import Problem

BACKWARD = ("loss", "deltas", "gradients", "input_gradient")

PARTS = (*BACKWARD, "preactivations", "activations", "output")
"""The fields of a submission that are numbers of a backpropagation."""

SKIPPED = Issue(
    code="blind-spots-skipped",
    path=("network",),
    detail="The network is too large to try every known mistake in every rule, so blind_spots is empty.",
    hint="Check a smaller network with the same kinds of layers; POST /v1/probe constructs a batch for it.",
)


def check_submission(body: CheckRequest, settings: Settings, check_deadline: CheckDeadline) -> dict[str, Any]:
    """Check the submission of a request, or the server's own backward pass if there is none."""
    sent = body.submission
    needs_loss = sent is None or sent.step is not None or any(getattr(sent, part) is not None for part in BACKWARD)
    problem = problem_of(body, settings, needs_loss=needs_loss)
    submission = None if sent is None else _submission(problem, sent)
    tolerance = Tolerance() if body.tolerance is None else Tolerance(**body.tolerance.model_dump())
    plan = problem.plan(
        backward=problem.objective is not None,
        retain=Retain(preactivations=True),  # The diagnoses read them.
        check_deadline=check_deadline,
    )
    with np.errstate(all="ignore"):  # Numbers that are not finite are refused here, with their location.
        plan.forward()
        plan.backward()
    examination = Checker(problem, check_deadline)
    report = examination.report(submission, _dtypes(sent), tolerance)
    if sent is not None and sent.step is not None:
        steps = check_steps(problem, sent, body.freeze or (), _dtypes(sent), tolerance, check_deadline)
        report = with_steps(report, steps, alone=all(getattr(sent, part) is None for part in PARTS))
    rendering = ProblemWriter(problem, (), None)
    answer = write_report(report, problem, body.hints)
    if body.seed is not None:
        answer["parameters"] = rendering.parameters(problem.parameters, everything=True)
    with np.errstate(all="ignore"):
        diagnoses = diagnose_learning(plan) if problem.objective is not None else []
    found = [*problem.warnings, *diagnoses, *([SKIPPED] if examination.skips_blind_spots else [])]
    warnings = [error_of(issue) for issue in found]
    return {**answer, "convention": problem.convention, "dtype": problem.dtype.name, "warnings": warnings}


def _submission(problem: Problem, sent: Submission) -> SubmissionSpec:
    """Return the tensors of a submission.

    Raises:
        Refusal: `invalid-request`, if the inputs have names and the input gradient has none.
    """
    last = problem.nodes[-1].name
    activations = dict(sent.activations or {})
    if sent.output is not None:
        activations.setdefault(last, sent.output)
    inputs = {} if sent.input_gradient is None else sent.input_gradient
    if not isinstance(inputs, dict):
        if INPUT not in problem.inputs:
            detail = "The batch has named inputs, so input_gradient must be an object with the same names."
            refuse_if_any(
                [
                    Issue(
                        code="invalid-request",
                        path=("submission", "input_gradient"),
                        detail=detail,
                        expected=list(problem.inputs),
                    )
                ]
            )
        inputs = {INPUT: inputs}
    return SubmissionSpec(
        loss=sent.loss,
        preactivations=sent.preactivations or {},
        activations=activations,
        deltas=sent.deltas or {},
        gradients={
            layer: {name: problem.documented(layer, name, np.asarray(array)) for name, array in named.items()}
            for layer, named in (sent.gradients or {}).items()
        },
        input_gradient=inputs,
        convention=sent.convention,
    )


def _dtypes(sent: Submission | None) -> set[str]:
    """Return the precisions that a submission or its tensors declare."""
    if sent is None:
        return set()
    found = {sent.dtype} if sent.dtype else set()
    maps = (sent.preactivations, sent.activations, sent.deltas, *(sent.gradients or {}).values())
    return found | {
        array.dtype.name for named in maps for array in (named or {}).values() if isinstance(array, np.ndarray)
    }


def write_report(report: Report, problem: Problem, hints: str) -> dict[str, Any]:
    """Return a report in the form of the answer, limited to what the hints allow."""
    answer: dict[str, Any] = {
        "verdict": report.verdict,
        "summary": report.summary if hints in ("cause", "full") else _withheld(report, hints),
        "blame": [_blame(each, hints) for each in report.blame],
        "not_mistakes": [{"cause": each.slug, "why": each.said} for each in report.equivalences],
        "tensors": [] if hints == "layer" else [_row(row, problem, hints) for row in report.rows],
        "kinks": [
            {
                "layer": kink.layer,
                "index": _index(Quantity("deltas", kink.layer), kink.index, problem),
                "distance": kink.distance,
                "why": kink.why,
            }
            for kink in report.kinks
        ],
        "blind_spots": spots(report.blind_spots),
        "needs": list(report.needs),
        "partial": report.partial,
        "criterion": report.criterion,
    }
    if report.oracle and math.isfinite(report.oracle.error):
        answer["oracle"] = {"method": report.oracle.method, "error": report.oracle.error}
    return answer


def spots(found: Sequence[BlindSpot]) -> list[dict[str, Any]]:
    """Return blind spots in the form of the answer."""
    return [
        {
            "cause": each.cause,
            **({"layer": each.layer} if each.layer else {}),
            "tensor": each.tensor,
            "reason": each.reason,
        }
        for each in found
    ]


def _withheld(report: Report, hints: str) -> str:
    """Return a summary that reveals no more than the hints allow."""
    if not report.blame:
        return report.summary
    where = dict.fromkeys(
        each.quantity.layer
        if hints == "layer"
        else f"{each.quantity.tensor} of {each.quantity.layer}".removesuffix(" of ")
        for each in report.blame
    )
    return "Something is wrong in " + ", ".join(name or "the loss" for name in where) + "."


def _blame(blame: Blame, hints: str) -> dict[str, Any]:
    found: dict[str, Any] = _at(blame.quantity) | ({"step": blame.step} if isinstance(blame, StepBlame) else {})
    if hints == "layer":
        found.pop("tensor")
        return found
    found |= {"tensors": [each.tensor for each in blame.tensors], "rule": blame.rule}
    if blame.block:
        found["block"] = blame.block
    if hints == "rule":
        return found
    found |= {"cause": blame.cause, "certainty": blame.certainty, "why": f"{blame.said} {blame.why}"}
    if hints == "cause":
        return found
    numbers = {"ratio": blame.ratio, "factor": blame.factor, "residual_if_fixed": blame.residual}
    alternatives = [
        {"cause": each.cause, **_at(each.quantity), "why": each.why, "separate": each.separate}
        for each in blame.alternatives
    ]
    fix = {"latex": blame.fix.latex} | ({"numpy": blame.fix.numpy} if blame.fix.numpy else {})
    known = {name: value for name, value in numbers.items() if value is not None}
    wrong = {"wrong": blame.wrong} if blame.wrong else {}
    return {**found, **wrong, "fix": fix, "evidence": {**known, "alternatives": alternatives}}


def _at(quantity: Quantity) -> dict[str, Any]:
    return ({"layer": quantity.layer} if quantity.layer else {}) | {"tensor": quantity.tensor}


def _row(row: Row, problem: Problem, hints: str) -> dict[str, Any]:
    found: dict[str, Any] = {**_at(row.quantity), "status": row.status, "total": row.total}
    if isinstance(row, StepRow):
        found["step"] = row.step
    if row.layout:
        found["layout"] = row.layout
    if row.shapes:
        found |= {"shape": list(row.shapes[0]), "expected_shape": _written_shape(row, problem), "mismatched": row.total}
    if row.difference is None or row.yours is None or row.expected is None:
        return found
    apart = row.difference
    found["mismatched"] = apart.mismatched
    if math.isfinite(apart.relative_error):  # Not where numbers overflow.
        found["relative_error"] = apart.relative_error
    if apart.cosine is not None:
        found["cosine"] = apart.cosine
    if apart.mismatched and hints == "full":
        found["worst"] = {
            "index": _index(row.quantity, apart.worst, problem),
            "yours": float(row.yours[apart.worst]),
            "expected": float(row.expected[apart.worst]),
        }
    return found


def _is_turned(quantity: Quantity, rank: int, problem: Problem) -> bool:
    """Return whether the caller's convention transposes this tensor."""
    if quantity.name:
        node = next(node for node in problem.nodes if node.name == quantity.layer)
        return is_transposed(node.parameters[quantity.name], problem.convention)
    return problem.convention == "column" and rank == 2


def _index(quantity: Quantity, index: tuple[int, ...], problem: Problem) -> list[int]:
    return list(index[::-1] if _is_turned(quantity, len(index), problem) else index)


def _written_shape(row: Row, problem: Problem) -> list[int]:
    expected: Array = np.empty(row.shapes[1] if row.shapes else ())
    return list(expected.shape[::-1] if _is_turned(row.quantity, expected.ndim, problem) else expected.shape)
