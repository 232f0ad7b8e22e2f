"""The compiled engine against NumPy's, which is the reference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.layers.dense import Dense
from core.losses.softmax_cross_entropy import SoftmaxCrossEntropy
from core.optimizers.sgd import Sgd
from core.problem import Problem
from core.problem_spec import ProblemSpec
from core.problem_validation import validate
from core.training import Recipe, TrainingState, train
from tests.app.compiled.problems import LOSSES, OPTIMIZERS, Precision, compiled, needs_numba, problem

pytestmark = needs_numba
TOLERANCE: dict[Precision, float] = {"float64": 1e-9, "float32": 1e-4}


def assert_agreement(sent: Problem, recipe: Recipe, folder: Path) -> None:
    tolerance = 1e-4 if sent.dtype == np.float32 else 1e-9
    for ours, reference in zip(compiled(sent, recipe, folder), train(sent, recipe), strict=True):
        found, known = ours.report.as_json(), reference.report.as_json()
        assert found.keys() == known.keys()
        for name, value in known.items():
            assert found[name] == pytest.approx(value, rel=tolerance, abs=tolerance), name
        tensors = reference.state().tensors()
        assert ours.state().notes()["step"] == reference.state().notes()["step"]
        for path, array in ours.state().tensors().items():
            scale = np.abs(tensors[path]).max(initial=1e-3)
            np.testing.assert_allclose(array, tensors[path], rtol=tolerance, atol=tolerance * scale, err_msg=path)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("rule", OPTIMIZERS)
@pytest.mark.parametrize("loss", LOSSES)
def test_trajectories_agree_to_rounding(loss: str, rule: str, dtype: Precision, folder: Path) -> None:
    generator = np.random.default_rng([ord(letter) for letter in loss + rule])
    for validation in (0.0, 0.2):
        recipe = Recipe(optimizer=OPTIMIZERS[rule], epochs=5, batch_size=5, validation_fraction=validation, seed=3)
        assert_agreement(problem(generator, loss, dtype), recipe, folder)


@pytest.mark.parametrize("batch_size", [1, 8, 23, 100])
def test_any_size_of_step(batch_size: int, folder: Path) -> None:
    recipe = Recipe(optimizer=OPTIMIZERS["adam"], epochs=3, batch_size=batch_size, shuffle=False)
    assert_agreement(problem(np.random.default_rng(batch_size)), recipe, folder)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("rule", ["nesterov", "amsgrad"])
def test_a_run_that_goes_on_has_the_bits_of_one_that_was_not_interrupted(
    rule: str, dtype: Precision, folder: Path
) -> None:
    sent = problem(np.random.default_rng(7), dtype=dtype)
    recipe = Recipe(optimizer=OPTIMIZERS[rule], epochs=6, batch_size=5)
    states = [epoch.state() for epoch in compiled(sent, recipe, folder)]
    for at in (0, 3):
        kept = TrainingState.restore(states[at].tensors(), states[at].notes())
        *_, last = compiled(sent, recipe, folder, kept)
        assert same_bits(last.state(), states[-1])
    *_, again = compiled(sent, recipe, folder)
    assert same_bits(again.state(), states[-1])


def same_bits(one: TrainingState, other: TrainingState) -> bool:
    tensors = other.tensors()
    return one.notes() == other.notes() and all(
        array.tobytes() == tensors[path].tobytes() for path, array in one.tensors().items()
    )


def test_a_gradient_whose_norm_overflows_is_clipped_to_nothing_as_by_the_reference(folder: Path) -> None:
    """In float32 the squares are infinite although the gradient is not."""
    far = {"input": 1e21 * np.random.default_rng(1).normal(size=(23, 4)).astype("float32")}
    sent = validate(
        ProblemSpec(
            layers=[Dense(units=3)],
            inputs=far,
            targets=np.arange(23) % 3,
            loss=SoftmaxCrossEntropy(),
            seed=1,
            dtype="float32",
        )
    )
    recipe = Recipe(optimizer=Sgd(gradient_clip_norm=1.0), epochs=2, batch_size=5)
    with np.errstate(all="ignore"):
        assert_agreement(sent, recipe, folder)
