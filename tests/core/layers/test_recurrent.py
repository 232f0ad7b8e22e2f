"""Recurrent layers against loops by hand, whose derivatives are complex steps: initial states, orders of gates, resets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import permutations
from typing import Any

import numpy as np
import pytest

from core.arrays import Array
from core.layers import Layer
from core.layers.gru import Gru
from core.layers.lstm import Lstm
from core.layers.rnn import Rnn
from core.losses.upstream import Upstream
from core.problem_spec import ProblemSpec
from core.problem_validation import validate
from tests.core.layers.test_layer_refusals import refusal_of
from tests.gradient import gradients_of, solved

N, TIME, FEATURES, UNITS = 2, 3, 4, 3
ORDERS_OF_LSTM = ["".join(letters) for letters in permutations("ifgo")]
ORDERS_OF_GRU = ["".join(letters) for letters in permutations("rzn")]

Tensors = Mapping[str, Any]
States = Callable[[Tensors], list[Array]]


def sigma(a: Any) -> Any:
    return 1 / (1 + np.exp(-a))


def rnn_by_hand(v: Tensors) -> list[Array]:
    h, found = v["batch.h0"], []
    for t in range(TIME):
        h = np.tanh(v["batch.x"][:, t] @ v["1.weight"] + h @ v["1.recurrent_weight"] + v["1.bias"])
        found.append(h)
    return found


def lstm_by_hand(order: str) -> States:
    """One gate at a time, each with its own columns of the weights."""

    def states(v: Tensors) -> list[Array]:
        h, c, found = v["batch.h0"], v["batch.c0"], []
        for t in range(TIME):
            a = {}
            for k, letter in enumerate(order):
                own = range(k * UNITS, k * UNITS + UNITS)
                a[letter] = v["batch.x"][:, t] @ v["1.weight"][:, own] + v["1.bias"][own]
                a[letter] = a[letter] + h @ v["1.recurrent_weight"][:, own]
            c = sigma(a["f"]) * c + sigma(a["i"]) * np.tanh(a["g"])
            h = sigma(a["o"]) * np.tanh(c)
            found.append(h)
        return found

    return states


def gru_by_hand(order: str, reset_after: bool) -> States:
    """Cho et al. (2014) where r multiplies the state, torch where it multiplies the product."""

    def states(v: Tensors) -> list[Array]:
        own = {letter: range(k * UNITS, k * UNITS + UNITS) for k, letter in enumerate(order)}
        W, U, b, c = (v[f"1.{name}"] for name in ("weight", "recurrent_weight", "bias", "recurrent_bias"))
        h, found = v["batch.h0"], []
        for t in range(TIME):
            x = v["batch.x"][:, t]
            r, z = (sigma(x @ W[:, own[k]] + b[own[k]] + h @ U[:, own[k]] + c[own[k]]) for k in "rz")
            n = own["n"]
            by_state = r * (h @ U[:, n] + c[n]) if reset_after else (r * h) @ U[:, n] + c[n]
            h = z * h + (1 - z) * np.tanh(x @ W[:, n] + b[n] + by_state)
            found.append(h)
        return found

    return states


def assert_as_by_hand(layer: Layer, states: States, *, gates: int, sequences: bool) -> None:
    """The result and every gradient, that of the initial state included, are those of the loop."""
    random = np.random.default_rng(7)
    shapes: dict[str, tuple[int, ...]] = {
        "batch.x": (N, TIME, FEATURES),
        "batch.h0": (N, UNITS),
        "batch.c0": (N, UNITS),
        "1.weight": (FEATURES, gates * UNITS),
        "1.recurrent_weight": (UNITS, gates * UNITS),
        "1.bias": (gates * UNITS,),
        "1.recurrent_bias": (gates * UNITS,),
    }
    read = [name for name in layer.inputs or [] if name != "input"]
    own = {name for name in layer.parameters((N, TIME, FEATURES))}
    values = {
        path: random.normal(size=shape)
        for path, shape in shapes.items()
        if path.removeprefix("batch.") in read or path.removeprefix("1.") in own
    }

    def result(at: Tensors) -> Array:
        found = states(at)
        return np.stack(found, axis=1) if sequences else found[-1]

    upstream = random.normal(size=result(values).shape)
    sent = ProblemSpec(
        layers=[layer],
        inputs={name: values[f"batch.{name}"] for name in read},
        parameters={"1": {name: values[f"1.{name}"] for name in own}},
        loss=Upstream(),
        upstream=upstream,
    )
    plan = solved(validate(sent))
    np.testing.assert_allclose(plan.output, result(values), rtol=1e-13, atol=1e-14)
    found = gradients_of(plan)
    assert set(found) == set(values)
    for path, value in values.items():
        derivative = np.empty_like(value)
        for index in np.ndindex(*value.shape):
            moved = value.astype(complex)
            moved[index] += 1e-30j
            derivative[index] = np.imag((result({**values, path: moved}) * upstream).sum()) / 1e-30
        np.testing.assert_allclose(found[path], derivative, rtol=1e-11, atol=1e-13, err_msg=path)


every_result = pytest.mark.parametrize("sequences", [True, False])


@every_result
def test_rnn_reads_an_initial_state(sequences: bool) -> None:
    layer = Rnn(units=UNITS, inputs=["x", "h0"], return_sequences=sequences)
    assert_as_by_hand(layer, rnn_by_hand, gates=1, sequences=sequences)


@every_result
@pytest.mark.parametrize("order", ORDERS_OF_LSTM)
def test_lstm_reads_initial_states_and_has_its_gates_in_any_order(order: str, sequences: bool) -> None:
    layer = Lstm(units=UNITS, inputs=["x", "h0", "c0"], gate_order=order, return_sequences=sequences)
    assert_as_by_hand(layer, lstm_by_hand(order), gates=4, sequences=sequences)


@every_result
@pytest.mark.parametrize("reset_after", [True, False])
@pytest.mark.parametrize("order", ORDERS_OF_GRU)
def test_gru_has_its_reset_gate_before_or_after_the_product(order: str, reset_after: bool, sequences: bool) -> None:
    layer = Gru(units=UNITS, inputs=["x", "h0"], gate_order=order, reset_after=reset_after, return_sequences=sequences)
    assert_as_by_hand(layer, gru_by_hand(order, reset_after), gates=3, sequences=sequences)


def test_a_cell_that_is_not_read_starts_at_0() -> None:
    def states(v: Tensors) -> list[Array]:
        return lstm_by_hand("ifgo")({**v, "batch.c0": np.zeros((N, UNITS))})

    assert_as_by_hand(Lstm(units=UNITS, inputs=["x", "h0"]), states, gates=4, sequences=False)


def test_other_letters_and_lists_name_the_same_gates() -> None:
    assert Lstm(units=1, gate_order="iofc").gates() == Lstm(units=1, gate_order=list("iofg")).gates() == tuple("iofg")
    assert Gru(units=1, gate_order="zrh").gates() == tuple("zrn")
    assert Lstm(units=2, gate_order="figo").blocks("bias") == {
        "f": slice(0, 2), "i": slice(2, 4), "g": slice(4, 6), "o": slice(6, 8)
    }  # fmt: skip
    assert "[f i g o]" in (Lstm(units=2, gate_order="figo").equation("row") or "")
    with pytest.raises(KeyError):
        Lstm(units=1).blocks("recurrent_bias")


@pytest.mark.parametrize("order", ["ifg", "iffo", "ifgox", "keras", "", ["ifgo"], ["i", "f"]])
def test_refuses_an_order_that_is_none(order: str | list[str]) -> None:
    issue = refusal_of("lstm", (N, TIME, FEATURES), units=2, gate_order=order)
    assert (issue.code, issue.path) == ("invalid-request", ("network", "layers", 0, "gate_order"))
    assert (issue.expected, issue.got) == ("the letters i, f, g, o in any order, as 'ifgo'", order)
    assert issue.hint and "iofc" in issue.hint


@pytest.mark.parametrize(
    ("shape", "hint"),
    [((1, N, UNITS), "h_0[0]"), ((UNITS, N), "transposed"), ((UNITS,), "for each example"), ((N, UNITS + 1), None)],
)
def test_refuses_an_initial_state_of_another_shape(shape: tuple[int, ...], hint: str | None) -> None:
    issue = refusal_of("rnn", (N, TIME, FEATURES), shape, units=UNITS)
    assert (issue.code, issue.path) == ("shape-mismatch", ("network", "layers", 0, "inputs", 1))
    assert (issue.expected, issue.got) == ([N, UNITS], list(shape))
    assert (issue.hint is None) if hint is None else (issue.hint and hint in issue.hint)


def test_counts_the_tensors_that_it_reads() -> None:
    state = (N, UNITS)
    assert "reads 1 to 2 tensors; it is given 3" in refusal_of("gru", (N, TIME, 4), state, state, units=UNITS).detail
