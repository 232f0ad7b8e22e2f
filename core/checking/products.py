r"""Products of matrices in the formulas of mistakes, as each convention writes them.

A formula says which product is meant, and the convention decides on the order of the factors and on what is transposed:

    \outer{A}{D}       the gradient of a weight           row Aᵀ D       column D Aᵀ      torch Dᵀ A
    \back{D}{W}        what a layer sends back            row D Wᵀ       column Wᵀ D      torch D W
    \ahead{A}{W}       what a layer computes              row A W        column W A       torch A Wᵀ
    \backwrong{D}{W}   sent back without the transpose    row D W        column W D       torch D Wᵀ
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from core.convention import Convention

FORMS: Mapping[str, Mapping[Convention, str]] = {
    "outer": {"row": r"{0}^\top {1}", "column": r"{1} {0}^\top", "torch": r"{1}^\top {0}"},
    "back": {"row": r"{0} {1}^\top", "column": r"{1}^\top {0}", "torch": r"{0} {1}"},
    "ahead": {"row": r"{0} {1}", "column": r"{1} {0}", "torch": r"{0} {1}^\top"},
    "backwrong": {"row": r"{0} {1}", "column": r"{1} {0}", "torch": r"{0} {1}^\top"},
}
"""The products by name and convention."""

_PRODUCT = re.compile(r"\\(outer|backwrong|back|ahead)\{((?:[^{}]|\{[^{}]*\})*)\}\{((?:[^{}]|\{[^{}]*\})*)\}")


def written(formula: str, convention: Convention) -> str:
    """Return a formula in LaTeX with its products written in a convention."""
    return _PRODUCT.sub(lambda found: _form(found, convention), formula)


def _form(found: re.Match[str], convention: Convention) -> str:
    form = FORMS[found[1]][convention]
    return form.replace("{0}", _factor(found[2])).replace("{1}", _factor(found[3]))


def _factor(text: str) -> str:
    """Return a factor, in parentheses if it is a sum or a fraction."""
    return rf"\left( {text} \right)" if re.search(r" [-+] |\\circ", text) else text
