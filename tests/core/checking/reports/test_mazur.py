"""The numbers that are printed in Mazur's example come from weights that were updated before they carried the delta."""

from __future__ import annotations

import numpy as np
import pytest

from tests.core.checking.reports import mazur


@pytest.mark.parametrize(("updated", "printed"), [(True, mazur.PRINTED), (False, mazur.RIGHT)])
def test_the_loss_after_one_step(updated: bool, printed: float) -> None:
    assert round(mazur.loss(*mazur.trained(1, updated=updated)), 9) == printed


def test_the_outputs_after_ten_thousand_steps() -> None:
    first, second = mazur.trained(10_000, updated=True)
    outputs = mazur.sigmoid(mazur.sigmoid(mazur.X @ first + mazur.B) @ second + mazur.C)
    assert np.round(outputs, 9).tolist() == [[0.015912196, 0.984065734]]
