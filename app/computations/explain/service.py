"""The computation of /v1/explain."""

from __future__ import annotations

import dataclasses
from typing import Any

from latex2mathml.converter import convert

from app.computations.explain.document import Document
from app.computations.explain.schemas import ExplainRequest, Style
from app.http.problem_details import error_of
from app.http.reply import Reply
from app.problem.from_request import problem_of
from app.problem.learning_rates import rates_of
from app.problem.writer import ProblemWriter, scalar
from app.settings import Settings
from core.arrays import CheckDeadline
from core.errors import Issue
from core.explaining.explanation import Explanation, explain
from core.explaining.step import Step


def explain_problem(body: ExplainRequest, settings: Settings, check_deadline: CheckDeadline) -> Reply:
    """Derive the gradients of a problem."""
    problem = problem_of(body, settings, needs_loss=True)
    ProblemWriter(problem, ("activations", "deltas", "gradients"), None).refuse_large(
        settings.max_answer_elements, seeded=body.seed is not None
    )
    style = body.style
    explanation = explain(
        problem,
        style.notation,
        style.focus,
        check_deadline,
        optimizer=body.optimizer,
        rates=rates_of(body.optimizer, problem) if body.optimizer else None,
    )
    warnings = [*problem.warnings, *explanation.plan.warnings]
    if not explanation.with_numbers:
        warnings.append(
            Issue(
                code="numbers-left-out",
                path=("style",),
                detail="The problem has too many numbers, so the steps show only symbols and shapes.",
                hint="Send few examples and a small network to see numbers. The script reads them from request.json.",
            )
        )
    content: dict[str, Any] = {
        "steps": [_step(step, style, explanation) for step in explanation.steps],
        "shape_table": [_shapes(step) for step in explanation.steps],
        "script": explanation.script,
        "focus": dataclasses.asdict(explanation.focus) if explanation.focus else None,
        "convention": problem.convention,
        "dtype": problem.dtype.name,
        "warnings": [error_of(issue) for issue in warnings],
    }
    if body.seed is not None:
        content["parameters"] = ProblemWriter(problem, (), None).parameters(problem.parameters, everything=True)
    if content["focus"] is None:
        del content["focus"]
    return Reply(content, source=Document(explanation, style, warnings))


def _step(step: Step, style: Style, explanation: Explanation) -> dict[str, Any]:
    written: dict[str, Any] = {
        "id": step.id,
        "title": step.title,
        "depends_on": list(step.depends_on),
        "because": step.equation.because,
    }
    if "latex" in style.formats:
        written |= {"latex": step.latex, "shapes": step.shapes}
        if explanation.with_numbers:
            written["numbers"] = step.numbers(style.digits, style.max_elements)
    if "mathml" in style.formats:
        written["mathml"] = convert(step.latex)
    if "numpy" in style.formats:
        written["numpy"] = step.numpy
    if "text" in style.formats:
        written["text"] = step.text
    if explanation.with_numbers and step.result.value.size <= style.max_elements:
        value = step.result.value
        written["value"] = value if value.ndim else scalar(value[()])
    return written


def _shapes(step: Step) -> dict[str, Any]:
    symbols = dict.fromkeys([step.result, *step.operands.values()])
    return {
        "id": step.id,
        "equation": step.latex,
        "shapes": {symbol.latex: list(symbol.value.shape) for symbol in symbols},
    }
