"""A sample of the campaign: no right submission is accused, and a known mistake is looked for in its own layer."""

from __future__ import annotations

import pytest

from core.layers import KINDS
from tests.core.checking.campaign.families import outcomes_of
from tests.core.checking.campaign.problems import sample_of
from tests.core.layers.layer_cases import CASES

pytestmark = pytest.mark.slow


def test_every_kind_of_layer_has_problems() -> None:
    assert {sample_of(number).kind for number in range(len(CASES))} == set(KINDS)


@pytest.mark.parametrize("number", range(0, len(CASES), 9))
def test_a_right_submission_is_not_accused(number: int) -> None:
    for outcome in outcomes_of(("right", number, 11)):
        assert outcome.verdict in ("correct", "equivalent-layout"), f"{outcome.again}: {outcome.said}"


@pytest.mark.parametrize("number", range(0, len(CASES), 9))
def test_a_known_mistake_is_found_in_its_layer(number: int) -> None:
    for outcome in outcomes_of(("known", number, 37)):
        assert outcome.layer, f"{outcome.again}: {outcome.verdict}, {outcome.said}"
