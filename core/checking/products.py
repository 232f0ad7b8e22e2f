r"""Products of matrices in the formulas of mistakes, as each convention writes them.

A formula says which product is meant, and the convention decides on the order of the factors and on what is transposed:

    \outer{A}{D}         the gradient of a weight           row Aᵀ D       column D Aᵀ      torch Dᵀ A
    \back{D}{W}          what a layer sends back            row D Wᵀ       column Wᵀ D      torch D W
    \ahead{A}{W}         what a layer computes              row A W        column W A       torch A Wᵀ
    \backwrong{D}{W}     sent back without the transpose    row D W        column W D       torch D Wᵀ
    \overexamples{D}     the sum over the examples          row Dᵀ 1       column D 1       torch Dᵀ 1
    \overunits{D}        the sum over the units             row D 1        column Dᵀ 1      torch D 1
    \foreveryexample{b}  a number for each unit, repeated   row 1 bᵀ       column b 1ᵀ      torch 1 bᵀ
    \foreveryunit{y}     a number for each example          row y 1ᵀ       column 1 yᵀ      torch y 1ᵀ
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from core.arrays import Shape
from core.convention import Convention

FORMS: Mapping[str, Mapping[Convention, str]] = {
    "outer": {"row": r"<A>^\top <B>", "column": r"<B> <A>^\top", "torch": r"<B>^\top <A>"},
    "back": {"row": r"<A> <B>^\top", "column": r"<B>^\top <A>", "torch": r"<A> <B>"},
    "ahead": {"row": r"<A> <B>", "column": r"<B> <A>", "torch": r"<A> <B>^\top"},
    "backwrong": {"row": r"<A> <B>", "column": r"<B> <A>", "torch": r"<A> <B>^\top"},
    "overexamples": {"row": r"<A>^\top \mathbf{1}", "column": r"<A> \mathbf{1}", "torch": r"<A>^\top \mathbf{1}"},
    "overunits": {"row": r"<A> \mathbf{1}", "column": r"<A>^\top \mathbf{1}", "torch": r"<A> \mathbf{1}"},
    "foreveryexample": {
        "row": r"\mathbf{1} <A>^\top",
        "column": r"<A> \mathbf{1}^\top",
        "torch": r"\mathbf{1} <A>^\top",
    },
    "foreveryunit": {"row": r"<A> \mathbf{1}^\top", "column": r"\mathbf{1} <A>^\top", "torch": r"<A> \mathbf{1}^\top"},
}
"""The products by name and convention, with their factors <A> and <B>."""

_FACTOR = r"\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}"
"""A factor in braces, with braces in it at most two deep, as in a fraction of letters with indices."""

_PRODUCT = re.compile(rf"\\({'|'.join(FORMS)}){_FACTOR}(?:{_FACTOR})?(?![A-Za-z])")


def written(formula: str, convention: Convention) -> str:
    """Return a formula in LaTeX with its products written in a convention."""
    return _PRODUCT.sub(lambda found: _form(found, convention), formula)


def convention_of(shape: Shape, convention: Convention) -> Convention:
    """Return the convention in which a layer that reads a tensor of that shape multiplies.

    Tensors of rank 3 and more are batch-first in every convention. Under `column` such a layer multiplies rows by a
    weight that is out x in, as under `torch`.
    """
    return "torch" if convention == "column" and len(shape) > 2 else convention


def _form(found: re.Match[str], convention: Convention) -> str:
    factors = {"<A>": written(found[2], convention), "<B>": written(found[3] or "", convention)}
    return re.sub(
        r"(<A>|<B>)(\^\\top)?", lambda place: _factor(factors[place[1]], place[2] or ""), FORMS[found[1]][convention]
    )


def _factor(text: str, transposed: str) -> str:
    """Return a factor, in parentheses if it is a sum or an elementwise product, or a fraction that is transposed."""
    compound = re.search(r" [-+] |\\circ", text) or (transposed and text.startswith(r"\frac"))
    return (rf"\left( {text} \right)" if compound else text) + transposed
