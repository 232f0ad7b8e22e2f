"""Derivations as a self-contained HTML page: MathML, no script, printable, with light and dark colours."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, select_autoescape
from latex2mathml.converter import convert
from markupsafe import Markup, escape

from app.computations.explain.document import Document

MEDIA_TYPE = "text/html"
BOLD_ONE = "\U0001d7cf"


def page(document: Document) -> str:
    """Return the document as an HTML page."""
    return _environment().get_template("page.html").render(document=document, problem=document.explanation.problem)


def math(latex: str) -> Markup:
    """Return a formula as MathML. The converter escapes its text."""
    return Markup(convert(_plain_bold(latex), display="block"))  # noqa: S704  (escaped by the converter)


def numbers(latex: str) -> Markup:
    """Return a formula with matrices as MathML.

    The style sheet draws the brackets, as not every font stretches them.
    """
    return math(latex.replace("pmatrix", "matrix"))


def sentence(text: str) -> Markup:
    """Return a sentence with the formulas between dollar signs as MathML."""
    parts = text.split("$")
    return Markup("").join(
        Markup(convert(_plain_bold(part))) if position % 2 else escape(part)  # noqa: S704  (likewise)
        for position, part in enumerate(parts)
    )


def _plain_bold(latex: str) -> str:
    """The vector of ones as a bold character of its own: browsers ignore `mathvariant`, and a plain 1 is a number."""
    return latex.replace(r"\mathbf{1}", BOLD_ONE)


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
