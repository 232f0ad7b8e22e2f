"""The recurrent layers of Keras, which read n x time x features as those here do."""

from __future__ import annotations

from typing import Any

import numpy as np

from app.models.formats.keras.builder import Builder, Untranslatable, Value
from app.models.formats.keras.graph import KerasNode
from app.models.formats.keras.options import flag, function_of, number, refuse_unless, whole
from core.arrays import Array

NONLINEARITIES = ("tanh", "relu", "sigmoid", "identity")


def simple_rnn(builder: Builder, node: KerasNode) -> Value:
    """The function is inside the recurrence."""
    function = function_of(node)
    if function not in NONLINEARITIES:
        raise Untranslatable(f"its activation is {str(function)[:40]}; an rnn has one of {', '.join(NONLINEARITIES)}")
    return _recurrent(builder, node, "rnn", 1, nonlinearity=function)


def lstm(builder: Builder, node: KerasNode) -> Value:
    """Keras' blocks are i, f, c, o, in the order that lstm has here."""
    _refuse_functions(node)
    return _recurrent(builder, node, "lstm", 4)


def gru(builder: Builder, node: KerasNode) -> Value:
    """Keras' blocks are z, r, h; with reset_after there are two biases, one row each."""
    _refuse_functions(node)
    return _recurrent(builder, node, "gru", 3, gate_order="zrn", reset_after=flag(node, "reset_after", True))


def _refuse_functions(node: KerasNode) -> None:
    refuse_unless(node, activation="tanh", recurrent_activation="sigmoid")


def _recurrent(builder: Builder, node: KerasNode, kind: str, gates: int, **fields: Any) -> Value:
    (X,) = builder.inputs(node)
    refuse_unless(node, go_backwards=False, stateful=False, return_state=False)
    if X.rank != 3:
        raise Untranslatable(f"it reads a tensor of rank {X.rank}")
    if number(node, "dropout", 0) or number(node, "recurrent_dropout", 0):
        builder.left_out.append(f"dropout in {node.describe()}")
    X, units, has_bias = builder.plain(X), whole(node, "units"), flag(node, "use_bias", True)
    returns = flag(node, "return_sequences", False)
    rows: tuple[int, ...] = (2, gates * units) if fields.get("reset_after") else (gates * units,)
    found = builder.take(node, (X.shape[2], gates * units), (units, gates * units), *[rows] * has_bias)
    fields |= {"bias": has_bias, "return_sequences": returns}
    builder.add(node.name, [X], kind, units=units, **fields)
    builder.parameters[node.name] = {"weight": found[0], "recurrent_weight": found[1]} | (
        biases(kind, found[2]) if has_bias else {}
    )
    return Value(node.name, (X.shape[0], *([X.shape[1]] if returns else []), units), (0, 1, 2) if returns else (0, 1))


def biases(kind: str, bias: Array) -> dict[str, Array]:
    """Return the biases of a layer by name."""
    if kind != "gru":
        return {"bias": bias}
    if bias.ndim == 1:
        return {"bias": bias, "recurrent_bias": np.zeros_like(bias)}
    return {"bias": np.ascontiguousarray(bias[0]), "recurrent_bias": np.ascontiguousarray(bias[1])}
