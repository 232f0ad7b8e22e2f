"""dropout: a mask that a request repeats."""

from __future__ import annotations

import numpy as np
import pytest

from core.derivatives.certificate import certify
from core.layers.dropout import Dropout
from core.problem_spec import ProblemSpec
from core.problem_validation import validate
from tests.core.layers.forward import ran, result
from tests.core.sample import CONVENTIONS, sampled
from tests.gradient import build_plan, solved

X = np.random.default_rng(0).standard_normal((40, 50))


def test_kept_numbers_are_scaled_up_so_that_the_mean_stays() -> None:
    plan = ran(Dropout(drop_probability=0.2, seed=0), X)
    mask = plan.reported["1"]["mask"]
    assert set(np.unique(mask)) == {0, 1 / 0.8}
    assert np.mean(mask == 0) == pytest.approx(0.2, abs=0.03)
    np.testing.assert_array_equal(plan.output, X * mask)


def test_the_same_request_has_the_same_mask_in_every_run_and_precision() -> None:
    layer = Dropout(drop_probability=0.5, seed=3)
    plan = ran(layer, X)
    mask = plan.reported["1"]["mask"].copy()
    plan.forward()
    np.testing.assert_array_equal(plan.reported["1"]["mask"], mask)
    np.testing.assert_array_equal(ran(layer, X, dtype="float32").reported["1"]["mask"], mask)
    np.testing.assert_array_equal(ran(layer, X.T, convention="column").reported["1"]["mask"], mask.T)
    assert (ran(Dropout(drop_probability=0.5, seed=4), X).reported["1"]["mask"] != mask).any()


def test_two_layers_with_one_seed_have_two_masks() -> None:
    layer = Dropout(drop_probability=0.5, seed=3)
    plan = build_plan(
        validate(ProblemSpec(layers=[layer, layer], inputs={"input": X}), needs_loss=False), backward=False
    )
    assert (plan.reported["1"]["mask"] != plan.reported["2"]["mask"]).any()


def test_the_mask_can_be_drawn_again_from_the_documentation() -> None:
    drawn = np.random.Generator(np.random.PCG64([3, 0])).random(X.shape)
    mask = ran(Dropout(drop_probability=0.3, seed=3), X).reported["1"]["mask"]
    np.testing.assert_array_equal(mask, np.where(drawn >= 0.3, 1 / (1 - 0.3), 0))


def test_nothing_is_left_out_with_probability_0() -> None:
    np.testing.assert_array_equal(result(Dropout(drop_probability=0.0, seed=0), X), X)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_the_backward_pass_has_the_mask_of_the_forward_pass(convention: str) -> None:
    problem = sampled([Dropout(drop_probability=0.5, seed=1)], {"input": (4, 6)}, convention=convention)
    gradients = solved(problem).gradients
    certificate = certify(problem, gradients.gradients, gradients.input_gradients)
    assert certificate.method == "complex_step"
    assert certificate.relative_error < 1e-13
