"""The checker's answer to the body of a request, without a server, and whether it is a teacher's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.activations.choice import Function
from core.checking import Checker, SubmissionSpec, Tolerance
from core.checking.report import Report
from core.checking.steps import SentStep, StepChecker, StepReport, StepSpec
from core.diagnoses import diagnose_learning
from core.layers import KINDS
from core.losses import LOSSES
from core.optimizers import OPTIMIZERS
from core.plan import Retain
from core.problem import Problem
from core.problem_spec import ProblemSpec
from core.problem_validation import validate
from core.training.stepper import OptimizerState
from tests.core.checking.reports.public_report import Body, PublicReport


@dataclass(frozen=True)
class Answer:
    """What a teacher's answer is compared with."""

    verdict: str
    blame: Sequence[tuple[str, str, set[str]]]
    """Layer, tensor, and the cause with what else the answer says it may be."""
    says: set[str]
    summary: str

    def is_a_teachers(self, report: PublicReport) -> bool:
        """Return whether a teacher would have said the same."""
        found = {(layer, tensor): causes for layer, tensor, causes in self.blame}
        expected = {(layer, tensor): set(causes.split(" | ")) for layer, tensor, causes in report.blame}
        return (
            self.verdict in report.verdicts
            and found.keys() == expected.keys()
            and all(found[place] & causes for place, causes in expected.items())
            and set(report.says) <= self.says
        )


def answer(body: Body) -> Answer:
    """Return the answer of the core to the body of a request."""
    problem = problem_of(body)
    sent = body["submission"]
    report = steps(problem, body) if "step" in sent else checked(problem, sent)
    return Answer(
        report.verdict,
        [
            (
                blame.quantity.layer,
                blame.quantity.tensor,
                {blame.cause}
                | ({each.cause for each in blame.alternatives} if blame.certainty == "ambiguous" else set()),
            )
            for blame in report.blame
        ],
        {each.slug for each in report.equivalences} | warnings(problem),
        report.summary,
    )


def answer_over_http(found: Body) -> Answer:
    """Return the same from the answer of /v1/check."""
    return Answer(
        found["verdict"],
        [
            (
                blame.get("layer", ""),
                blame["tensor"],
                {blame["cause"]}
                | (
                    {each["cause"] for each in blame["evidence"]["alternatives"]}
                    if blame["certainty"] == "ambiguous"
                    else set()
                ),
            )
            for blame in found["blame"]
        ],
        {each["cause"] for each in found["not_mistakes"]} | {each["code"] for each in found["warnings"]},
        found["summary"],
    )


def problem_of(body: Body) -> Problem:
    """Return the problem of a request."""
    layers: list[Any] = []
    for fields in body["network"]["layers"]:
        own = {key: value for key, value in fields.items() if key != "kind"}
        if isinstance(own.get("activation"), dict):
            own["activation"] = Function(**own["activation"])
        kind: Any = KINDS[fields["kind"]]
        layers.append(kind(**own))
    batch = body["batch"]
    fields = {key: value for key, value in body["loss"].items() if key != "kind"}
    loss: Any = LOSSES[body["loss"]["kind"]]
    return validate(
        ProblemSpec(
            layers=layers,
            inputs={"input": np.asarray(batch["inputs"], float)},
            parameters=arrays(body["parameters"]),
            targets=np.asarray(batch["targets"]) if "targets" in batch else None,
            upstream=np.asarray(batch["upstream"], float) if "upstream" in batch else None,
            first_label=batch.get("first_label", 0),
            loss=loss(**fields),
            convention=body["convention"],
        )
    )


def arrays(named: Any) -> dict[str, dict[str, Any]]:
    """Return parameters or gradients as arrays."""
    return {
        layer: {name: np.asarray(value, float) for name, value in own.items()} for layer, own in (named or {}).items()
    }


def checked(problem: Problem, sent: Body) -> Report:
    """Check a backpropagation."""
    by_layer: dict[str, Any] = {
        part: {layer: np.asarray(array, float) for layer, array in sent.get(part, {}).items()}
        for part in ("preactivations", "activations", "deltas")
    }
    gradient = {"input": np.asarray(sent["input_gradient"], float)} if "input_gradient" in sent else {}
    submission = SubmissionSpec(
        loss=sent.get("loss"), gradients=arrays(sent.get("gradients")), input_gradient=gradient, **by_layer
    )
    dtypes = {sent["dtype"]} if "dtype" in sent else set()
    return Checker(problem, lambda: None).report(submission, dtypes, Tolerance())


def steps(problem: Problem, body: Body) -> StepReport:
    """Check an update."""
    step = body["submission"]["step"]
    optimizer: Any = OPTIMIZERS[step["optimizer"]["kind"]]
    sent = [
        SentStep(step=number + 1, path=("submission", "step", "steps", number), parameters=arrays(each["parameters"]))
        for number, each in enumerate(step["steps"])
    ]
    fields = {key: value for key, value in step["optimizer"].items() if key != "kind"}
    spec = StepSpec(optimizer=optimizer(**fields), before=OptimizerState(), steps=sent, frozen=body.get("freeze", ()))
    return StepChecker(problem, spec, set(), None, None, lambda: None).report()


def warnings(problem: Problem) -> set[str]:
    """Return the codes of what the network itself shows: nothing can be learned, units are alike or saturated."""
    plan = problem.plan(backward=True, retain=Retain(preactivations=True))
    with np.errstate(all="ignore"):
        plan.forward()
        plan.backward()
        return {issue.code for issue in diagnose_learning(plan)}
