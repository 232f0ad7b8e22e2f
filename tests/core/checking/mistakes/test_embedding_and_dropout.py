"""The mistakes of embedding and dropout, replayed against loops written by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.checking.comparison import Comparator
from core.checking.interpretation import Right
from core.checking.mistakes.dropout import DROPOUT
from core.checking.mistakes.embedding import EMBEDDING
from core.checking.precision import criterion_for
from core.checking.quantity import Quantity
from core.checking.replay import findings
from core.layers import KINDS
from core.losses import LOSSES
from core.problem_spec import ProblemSpec
from core.problem_validation import validate

Array = NDArray[np.float64]
X = np.array([[0, 1, 1, 2], [2, 1, 0, 2], [2, 3, 3, 3], [1, 1, 4, 0]])


def found_by(right: Right, quantity: Quantity, yours: Array) -> set[str]:
    comparator = Comparator(
        right.network, criterion_for(set(), {quantity: yours}, None, None), right.trace, right.values
    )
    assert not comparator.is_right(quantity, yours)
    return {
        each.slug
        for each in findings(comparator, right.trace, quantity, {quantity: yours}, {quantity: quantity.by_rule})
    }


def embedded(seed: int) -> tuple[Right, Array]:
    """Embedding, flatten, dense; and the delta of the embedding by hand."""
    rng = np.random.default_rng(seed)
    E, V, c, Y = (rng.standard_normal(shape) for shape in ((5, 2), (8, 2), (2,), (4, 2)))
    kinds: Any = KINDS
    loss: Any = LOSSES["half_squared_error"]
    problem = validate(
        ProblemSpec(
            layers=[
                kinds["embedding"](vocabulary_size=5, units=2, name="e"),
                kinds["flatten"](name="f"),
                kinds["dense"](units=2, name="out"),
            ],
            inputs={"input": X.astype(float)},
            parameters={"e": {"weight": E}, "out": {"weight": V, "bias": c}},
            targets=Y,
            loss=loss(reduction="sum"),
            convention="row",
        )
    )
    return Right(problem), ((E[X].reshape(4, 8) @ V + c - Y) @ V.T).reshape(4, 4, 2)


def gradient_of(wrong: str, D: Array) -> Array:
    """One position after the other, with what that mistake does."""
    dW, count, seen = np.zeros((5, 2)), np.zeros(5), set()
    for n in range(4):
        for t in range(4):
            x, d = X[n, t], D[n, t]
            count[x] += 1
            match wrong:
                case "repeated-rows-overwritten":
                    dW[x] = d
                case "repeated-rows-first-only":
                    dW[x] += d * (x not in seen)
                case "repeated-rows-lost-in-example":
                    dW[x] += d * (x not in X[n, t + 1 :])
                case "repeated-rows-lost-at-position":
                    dW[x] += d * (x not in X[n + 1 :, t])
                case "last-position-only":
                    dW[x] += d * (t == 3)
                case "first-position-only":
                    dW[x] += d * (t == 0)
                case _:
                    dW[x] += d
            seen.add(x)
    return dW * {"mean-over-occurrences": 1 / count, "multiplied-by-occurrences": count}.get(wrong, np.ones(5))[:, None]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("wrong", [mistake.slug for mistake in EMBEDDING])
def test_a_mistake_of_embedding_is_found(wrong: str, seed: int) -> None:
    right, D = embedded(seed)
    np.testing.assert_allclose(gradient_of("", D), right.values[Quantity("gradients", "e", "weight")], rtol=1e-10)
    assert found_by(right, Quantity("gradients", "e", "weight"), gradient_of(wrong, D)) == {wrong}


def dropped(seed: int) -> tuple[Right, Array, Array]:
    """Dense, dropout, dense; and by hand ∂L/∂(the dropout's result) and the mask, which the layer draws."""
    rng = np.random.default_rng(seed)
    x, W, b, V, Y = (rng.standard_normal(shape) for shape in ((6, 3), (3, 4), (4,), (4, 2), (6, 2)))
    kinds: Any = KINDS
    loss: Any = LOSSES["half_squared_error"]
    dropout = kinds["dropout"](drop_probability=0.4, seed=seed, name="drop")
    problem = validate(
        ProblemSpec(
            layers=[kinds["dense"](units=4, name="a"), dropout, kinds["dense"](units=2, bias=False, name="out")],
            inputs={"input": x},
            parameters={"a": {"weight": W, "bias": b}, "out": {"weight": V}},
            targets=Y,
            loss=loss(reduction="sum"),
            convention="row",
        )
    )
    mask = dropout.mask((6, 4), 1)
    return Right(problem), ((x @ W + b) * mask @ V - Y) @ V.T, mask


@pytest.mark.parametrize("seed", [1, 2, 3])  # With seed 0 nothing of the first example is dropped.
@pytest.mark.parametrize("wrong", [mistake.slug for mistake in DROPOUT])
def test_a_mistake_of_dropout_is_found(wrong: str, seed: int) -> None:
    right, D, mask = dropped(seed)
    keep, scale = mask > 0, 1 / 0.6
    factor = {
        "dropout-mask-forgotten": np.ones((6, 4)),
        "dropout-scale-forgotten": keep,
        "dropout-scale-alone": np.full((6, 4), scale),
        "dropout-mask-applied-twice": keep * scale**2,
        "dropout-mask-inverted": ~keep * scale,
        "dropout-scale-inverted": keep * 0.6,
        "dropout-mask-of-first-example": np.tile(mask[0], (6, 1)),
    }[wrong]
    assert found_by(right, Quantity("deltas", "a"), D * factor) == {wrong}
