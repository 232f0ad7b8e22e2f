"""Derivations as a self-contained HTML page: MathML, no script, printable, with light and dark colours."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, select_autoescape
from latex2mathml.converter import convert
from markupsafe import Markup, escape

from app.computations.explain.document import Document

MEDIA_TYPE = "text/html"


def page(document: Document) -> str:
    """Return the document as an HTML page."""
    return _environment().get_template("page.html").render(document=document, problem=document.explanation.problem)


def math(latex: str) -> Markup:
    """Return a formula as MathML. The converter escapes its text."""
    return Markup(convert(latex, display="block"))  # noqa: S704


def numbers(latex: str) -> Markup:
    """Return a formula with matrices as MathML.

    The style sheet draws the brackets, as not every font stretches them.
    """
    return math(latex.replace("pmatrix", "matrix"))


def sentence(text: str) -> Markup:
    """Return a sentence with the formulas between dollar signs as MathML."""
    parts = text.split("$")
    return Markup("").join(
        Markup(convert(part)) if position % 2 else escape(part)  # noqa: S704
        for position, part in enumerate(parts)
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("app.computations.explain"),
        autoescape=select_autoescape(),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"math": math, "numbers": numbers, "sentence": sentence}
    return environment
