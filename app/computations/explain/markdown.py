"""Derivations as Markdown with LaTeX formulas."""

from __future__ import annotations

from app.computations.explain.document import Document

MEDIA_TYPE = "text/markdown"


def markdown(document: Document) -> str:
    """Return the document as Markdown."""
    explanation = document.explanation
    problem = explanation.problem
    lines = [f"# {document.title}", "", f"Convention `{problem.convention}`, {problem.dtype.name}.", ""]
    for issue in document.warnings:
        lines += [f"> **{issue.code}**: {issue.detail}", ""]
    if explanation.focus:
        focus = explanation.focus
        lines += [
            "## Why this number",
            "",
            f"`{focus.path}` = {focus.value:.{document.style.digits}g}. {focus.because}",
            "",
        ]
        if focus.terms:
            lines += ["| term | value | share |", "|---|---|---|"]
            lines += [f"| {term.of} | {term.value:.6g} | {term.share:.1%} |" for term in focus.terms]
            lines.append("")
    number = 0
    for name, steps in document.sections:
        lines += [f"## {name}", ""]
        for step in steps:
            number += 1
            lines += [f"### {number}. {step.title}", "", f"$${step.shapes}$$", ""]
            numbers = document.numbers(step)
            if numbers:
                lines += [f"$${numbers}$$", ""]
            lines += [step.equation.because, "", "```python", step.numpy, "```", ""]
    lines += ["## The program", "", "```python", explanation.script.rstrip(), "```", ""]
    return "\n".join(lines)
