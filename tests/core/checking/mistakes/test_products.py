"""The wrong formula of a mistake, written as the convention of the request writes its products."""

from __future__ import annotations

from string import Template

import pytest

from core.checking.mistakes import MISTAKES
from core.checking.mistakes.base import Mistake
from core.checking.products import FORMS, written
from core.checking.quantity import Quantity
from core.checking.trace import Network
from core.checking.words import Words
from core.convention import Convention
from core.layers.dense import Dense
from core.layers.rnn import Rnn
from core.losses.half_squared_error import HalfSquaredError
from tests.core.sample import CONVENTIONS, sampled

MADE = {mistake.__name__: mistake for mistake in MISTAKES}

dA, dW, db = (rf"\frac{{\partial L}}{{\partial {of}}} = " for of in "AWb")
dWl = r"\frac{\partial L}{\partial W_l} = "
dL = r"\frac{\partial L}{\partial A_l}"
dM = r"\frac{\partial L}{\partial A_m}"
STEP = r"\left( W - \eta \frac{\partial L}{\partial W} \right)"
INSTEAD = r" \quad \text{instead of} \quad "

WRITTEN = {
    "BiasLeftOut": ("Z = A W", "Z = W A", r"Z = A W^\top"),
    "ForwardWeightsTransposed": (
        r"Z = A W^\top + \mathbf{1} b^\top",
        r"Z = W^\top A + b \mathbf{1}^\top",
        r"Z = A W + \mathbf{1} b^\top",
    ),
    "WeightsNotTransposed": (
        rf"{dA}\delta W{INSTEAD}\delta W^\top",
        rf"{dA}W \delta{INSTEAD}W^\top \delta",
        rf"{dA}\delta W^\top{INSTEAD}\delta W",
    ),
    "WeightsOfWrongLayer": (
        r"\delta_l = (\delta_m W_l^\top) \circ f'(Z_l)",
        r"\delta_l = (W_l^\top \delta_m) \circ f'(Z_l)",
        r"\delta_l = (\delta_m W_l) \circ f'(Z_l)",
    ),
    "UpdatedWeightsUsed": (rf"{dA}\delta {STEP}^\top", rf"{dA}{STEP}^\top \delta", rf"{dA}\delta {STEP}"),
    "ErrorInsteadOfDelta": (
        rf"\delta_l = \left( {dM} W_m^\top \right) \circ f'(Z_l)",
        rf"\delta_l = \left( W_m^\top {dM} \right) \circ f'(Z_l)",
        rf"\delta_l = \left( {dM} W_m \right) \circ f'(Z_l)",
    ),
    "DifferenceInsteadOfDelta": (
        r"\delta_l = \left( \left( A_L - Y \right) W_L^\top \right) \circ f'(Z_l)",
        r"\delta_l = \left( W_L^\top \left( A_L - Y \right) \right) \circ f'(Z_l)",
        r"\delta_l = \left( \left( A_L - Y \right) W_L \right) \circ f'(Z_l)",
    ),
    "ActivationInsteadOfDelta": (
        r"\delta_l = (A_m W_m^\top) \circ f'(Z_l)",
        r"\delta_l = (W_m^\top A_m) \circ f'(Z_l)",
        r"\delta_l = (A_m W_m) \circ f'(Z_l)",
    ),
    "OwnOutputInsteadOfInput": (
        rf"{dWl}A_l^\top \delta_l",
        rf"{dWl}\delta_l A_l^\top",
        rf"{dWl}\delta_l^\top A_l",
    ),
    "PreactivationInsteadOfActivation": (
        rf"{dWl}Z_{{l-1}}^\top \delta_l",
        rf"{dWl}\delta_l Z_{{l-1}}^\top",
        rf"{dWl}\delta_l^\top Z_{{l-1}}",
    ),
    "GradientAtActivation": (
        rf"{dWl}A_{{l-1}}^\top {dL}",
        rf"{dWl}{dL} A_{{l-1}}^\top",
        rf"{dWl}\left( {dL} \right)^\top A_{{l-1}}",
    ),
    "InputLeftOut": (
        rf"{dW}J^\top \delta, \quad J_{{ij}} = 1",
        rf"{dW}\delta J^\top, \quad J_{{ij}} = 1",
        rf"{dW}\delta^\top J, \quad J_{{ij}} = 1",
    ),
    "BiasGradientOverWrongAxis": (
        rf"{db}\delta \mathbf{{1}} \quad \text{{(one number for each example)}}",
        rf"{db}\delta^\top \mathbf{{1}} \quad \text{{(one number for each example)}}",
        rf"{db}\delta \mathbf{{1}} \quad \text{{(one number for each example)}}",
    ),
    "PenaltyOnEveryParameter": (
        rf"{db}\delta^\top \mathbf{{1}} + \lambda \, b",
        rf"{db}\delta \mathbf{{1}} + \lambda \, b",
        rf"{db}\delta^\top \mathbf{{1}} + \lambda \, b",
    ),
}
"""The formulas as a textbook of the convention writes them: row, column, torch."""


@pytest.mark.parametrize("name", WRITTEN)
def test_a_dense_layer_in_every_convention(name: str) -> None:
    assert tuple(written(MADE[name].wrong, convention) for convention in CONVENTIONS) == WRITTEN[name]


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.__name__)
def test_no_product_is_left_unwritten(mistake: type[Mistake], convention: Convention) -> None:
    found = written(Template(mistake.wrong).safe_substitute(n=4, K=3, f="tanh"), convention)
    assert not any(rf"\{name}{{" in found for name in FORMS)
    assert found.count("{") == found.count("}")
    assert "<" not in found.replace("< 0", "").replace("h < k", "")


def test_a_product_within_a_product() -> None:
    assert written(r"\back{\ahead{A}{W}}{U}", "row") == r"A W U^\top"


@pytest.mark.parametrize(("convention", "expected"), list(zip(CONVENTIONS, (r" U^\top", " U", " U"), strict=True)))
def test_sequences_are_rows_in_every_convention(convention: Convention, expected: str) -> None:
    """The states of a sequence are n x units, whatever the convention; the weight is out x in unless it is `row`."""
    layers = [Rnn(units=3, return_sequences=False), Dense(units=2)]
    problem = sampled(layers, {"input": (2, 4, 3)}, convention=convention, loss=HalfSquaredError())
    words = Words(Network(problem))
    for quantity in (Quantity("gradients", "1", "weight"), Quantity("input_gradient", "input")):
        assert words.wrong(MADE["CarriedWithoutDerivative"], quantity).endswith("dh_{t+1}" + expected)


@pytest.mark.parametrize(("convention", "expected"), list(zip(CONVENTIONS, ("A W", "W A", r"A W^\top"), strict=True)))
def test_what_follows_a_sequence_is_written_as_the_request(convention: Convention, expected: str) -> None:
    layers = [Rnn(units=3, return_sequences=False), Dense(units=2)]
    problem = sampled(layers, {"input": (2, 4, 3)}, convention=convention, loss=HalfSquaredError())
    assert Words(Network(problem)).wrong(MADE["BiasLeftOut"], Quantity("preactivations", "2")) == f"Z = {expected}"
