"""Two mistakes at once inherit from both: a method of one must not be a rule or a factor of the other by accident."""

from __future__ import annotations

import pytest

from core.checking.formulas import Formulas
from core.checking.mistakes.attention import ATTENTION
from core.checking.mistakes.base import Fitted, Mistake
from core.checking.mistakes.matrix import MATRIX
from core.checking.mistakes.normalisation import NORMALISATION
from core.checking.mistakes.shared.factor import ConstantFactor
from core.checking.mistakes.shared.kind import InsideLayer


@pytest.mark.parametrize("kind", [*ATTENTION, *NORMALISATION, *MATRIX], ids=lambda kind: kind.__name__)
def test_a_term_has_the_name_of_no_rule(kind: type[Mistake]) -> None:
    interface = set(dir(InsideLayer))
    own = {name for base in kind.__mro__ if not issubclass(InsideLayer, base) for name in vars(base)} - interface
    rules = {name for base in (Formulas, Fitted, ConstantFactor) for name in dir(base)} - interface
    assert not own & rules
