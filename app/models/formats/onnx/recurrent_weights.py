"""The tensors W, R, B and initial states of ONNX's RNN, LSTM and GRU as the parameters of rnn, lstm and gru.

ONNX stacks the directions on the first axis, forward before reverse, and the blocks of the gates on the second:

    W    directions x gates·hidden x input      the weights of the input
    R    directions x gates·hidden x hidden     the recurrent weights
    B    directions x 2·gates·hidden            [Wb Rb], the bias of each

with the gates of LSTM in the order i, o, f, c and those of GRU in the order z, r, h. RNN and LSTM only ever read Wb + Rb,
which is `bias`. In GRU Wb is `bias` and Rb is `recurrent_bias`: with linear_before_reset the reset gate multiplies H Rᵀ + Rb,
as with `reset_after`; without it, it multiplies H alone, as without `reset_after`.

A node whose direction is "reverse" has one direction: its parameters are those of a layer in one direction that reads the
sequence in reversed time, and whose states of all time steps are then reversed back.

Source: the ONNX operators RNN, LSTM and GRU (opset 7 to 22).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import numpy as np

from core.arrays import Array
from core.layers.shared.recurrence import Recurrent

RecurrentKind = Literal["rnn", "lstm", "gru"]

GATES_OF_ONNX: dict[RecurrentKind, tuple[str, ...]] = {"rnn": ("a",), "lstm": tuple("iofg"), "gru": tuple("zrn")}
"""The order of the gates' blocks in ONNX, in the letters of the layers here."""

DIRECTIONS = ("", "_reverse")
"""The ends of the names of each direction's parameters, in the order of ONNX's first axis."""


def recurrent_parameters(
    kind: RecurrentKind, W: Array, R: Array, B: Array | None, gates: Sequence[str]
) -> dict[str, Array]:
    """Return the parameters of a recurrent layer, in the convention `row`.

    Args:
        kind: the kind of the layer.
        W: the weights of the input.
        R: the recurrent weights.
        B: the biases; None where the node has none, so that the layer has `bias: false`.
        gates: the order of the gates' blocks in the layer, its `gates()`.

    Raises:
        ValueError: if the shapes do not belong together, with the tensor that does not fit.
    """
    _check_shapes(kind, W, R, B)
    found: dict[str, Array] = {}
    for position, end in enumerate(DIRECTIONS[: len(W)]):
        found[f"weight{end}"] = _in_order(kind, W[position], gates).T.copy()
        found[f"recurrent_weight{end}"] = _in_order(kind, R[position], gates).T.copy()
        if B is not None:
            of_input, recurrent = (_in_order(kind, part, gates) for part in np.split(B[position], 2))
            if kind == "gru":
                found |= {f"bias{end}": of_input, f"recurrent_bias{end}": recurrent}
            else:
                found[f"bias{end}"] = of_input + recurrent
    return found


def recurrent_tensors(kind: RecurrentKind, parameter: Callable[[str], Array], layer: Recurrent) -> dict[str, Array]:
    """Return W, R and B of a recurrent layer by name; without B where it has no bias. The inverse of the above.

    Args:
        kind: the kind of the layer.
        parameter: returns a parameter of the layer by its name, in the convention `row`.
        layer: the layer.
    """
    gates, biases = layer.gates(), layer.biases
    found: dict[str, list[Array]] = {name: [] for name in ("WRB" if layer.bias else "WR")}
    for end in layer.directions():
        found["W"].append(_in_order_of_onnx(kind, parameter(f"weight{end}").T, gates))
        found["R"].append(_in_order_of_onnx(kind, parameter(f"recurrent_weight{end}").T, gates))
        if layer.bias:
            parts = [_in_order_of_onnx(kind, parameter(f"{name}{end}"), gates) for name in biases]
            found["B"].append(np.concatenate([*parts, np.zeros_like(parts[0])][:2]))
    return {name: np.stack(arrays) for name, arrays in found.items()}


def initial_state(state: Array) -> Array:
    """Return initial_h or initial_c, directions x n x hidden, as the layer reads it: n x directions·hidden."""
    return np.concatenate(list(state), axis=-1)


def _in_order(kind: RecurrentKind, array: Array, gates: Sequence[str]) -> Array:
    """Return an array with the blocks along its first axis in the layer's order."""
    blocks = dict(zip(GATES_OF_ONNX[kind], np.split(array, len(GATES_OF_ONNX[kind])), strict=True))
    return np.concatenate([blocks[gate] for gate in gates])


def _in_order_of_onnx(kind: RecurrentKind, array: Array, gates: Sequence[str]) -> Array:
    """Return an array with the blocks along its first axis in ONNX's order."""
    blocks = dict(zip(gates, np.split(array, len(gates)), strict=True))
    return np.concatenate([blocks[gate] for gate in GATES_OF_ONNX[kind]])


def _check_shapes(kind: RecurrentKind, W: Array, R: Array, B: Array | None) -> None:
    """Refuse tensors whose shapes do not belong together."""
    for problem in _misfits(kind, W, R, B):
        raise ValueError(problem)


def _misfits(kind: RecurrentKind, W: Array, R: Array, B: Array | None) -> Iterator[str]:
    count = len(GATES_OF_ONNX[kind])
    if R.ndim != 3 or R.shape[0] not in (1, 2) or R.shape[1] != count * R.shape[2]:
        yield f"R is directions x {count}·hidden x hidden; it has the shape {list(R.shape)}"
    elif W.ndim != 3 or W.shape[:2] != R.shape[:2]:
        yield f"W is {R.shape[0]} x {R.shape[1]} x input, as R has it; it has the shape {list(W.shape)}"
    elif B is not None and B.shape != (R.shape[0], 2 * R.shape[1]):
        yield f"B is {R.shape[0]} x {2 * R.shape[1]}, as R has it; it has the shape {list(B.shape)}"
