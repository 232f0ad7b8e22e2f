"""Reports about recurrent layers, in loops over the time steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.core.checking.forward_readings import programs as forward
from tests.core.checking.mistakes.through_time import program
from tests.core.checking.reports.public_report import Body, PublicReport, body, dense
from tests.core.checking.student import Array


def through_time(kind: str, wrong: str, seed: int, *, sequences: bool = False) -> Body:
    """A recurrent layer; dense; half the squared error, summed over examples and time steps."""
    p = program(kind, seed, sequences)
    H = p.forward()
    states = np.stack(H[1:], axis=1) if sequences else H[-1]
    D: Array = states @ p.V + p.c - p.Y
    found = p.solve(wrong)
    axes = tuple(range(D.ndim - 1))
    gradients = {
        "r": {name: found[name] for name in p.P},
        "out": {
            "weight": states.reshape(-1, p.u).T @ D.reshape(-1, D.shape[-1]),
            "bias": D.sum(axis=axes),
        },
    }
    layers = [{"kind": kind, "units": p.u, "return_sequences": sequences, "name": "r"}, dense(2, name="out")]
    parameters = {"r": p.P, "out": {"weight": p.V, "bias": p.c}}
    loss: Any = {"kind": "half_squared_error", "reduction": "sum"}
    return body(layers, p.X, p.Y, parameters, {"loss": float(0.5 * (D**2).sum()), "gradients": gradients}, loss=loss)


def of_another_pass(e: forward.Exercise, one: forward.Pass, kind: str, *, activations: bool = False) -> Body:
    """Return the loss and the gradients of a forward pass of one's own, differentiated by complex steps."""
    gradients: Any = {
        layer: {name: np.zeros(array.shape) for name, array in own.items()} for layer, own in e.parameters.items()
    }
    for layer, own in e.parameters.items():
        for name, array in own.items():
            for at in np.ndindex(array.shape):
                moved = array.astype(complex)
                moved[at] += 1e-30j
                value = one({**e.parameters, layer: {**own, name: moved}}, e.X)[0]
                gradients[layer][name][at] = value.imag / 1e-30
    loss, computed = one(e.parameters, e.X)
    sent: Body = {"loss": float(np.real(loss)), "gradients": gradients}
    if activations:
        sent["activations"] = {layer: np.real(array) for layer, array in computed.items()}
    sequences = e.Y.ndim == 3
    layers = [{"kind": kind, "units": 3, "return_sequences": sequences}, dense(2)]
    return body(layers, e.X, e.Y, e.parameters, sent)


def with_initial_state() -> Body:
    """Return a right program whose states begin at numbers that are not 0."""
    e = forward.recurrent("rnn", 73, sequences=True)
    start = np.random.default_rng(74).standard_normal((len(e.X), 3))
    return of_another_pass(e, forward.elman(e, start), "rnn", activations=True)


LSTM, GRU = forward.recurrent("lstm", 71), forward.recurrent("gru", 72)


def in_layer(tensor: str, cause: str) -> list[tuple[str, str, str]]:
    return [("r", f"gradients.{tensor}", cause)]


def last_step_with_half_a_derivative() -> Body:
    """Return an LSTM's last time step on its own, with f for f (1 − f) in the forget gate."""
    p: Any = program("lstm", 77, False)
    H = p.forward()
    s, before, shown = p.S[-1], p.C[-2], np.tanh(p.C[-1])
    dh = (H[-1] @ p.V + p.c - p.Y) @ p.V.T
    dc = dh * s["o"] * (1 - shown**2)
    by_gate = [
        dc * s["g"] * s["i"] * (1 - s["i"]),
        dc * before * s["f"],
        dc * s["i"] * (1 - s["g"] ** 2),
        dh * shown * s["o"] * (1 - s["o"]),
    ]
    D = np.concatenate(by_gate, axis=1)
    found = through_time("lstm", "", 77)
    own = {"weight": p.X[:, -1].T @ D, "recurrent_weight": H[-2].T @ D, "bias": D.sum(axis=0)}
    found["submission"]["gradients"]["r"] = {name: array.tolist() for name, array in own.items()}
    return found


REPORTS = (
    PublicReport(
        kind="LSTM: f for f (1 − f) in the forget gate",
        body=through_time("lstm", "forget-gate-derivative-incomplete", 75),
        blame=in_layer("weight", "forget-gate-derivative-incomplete"),
    ),
    PublicReport(
        kind="LSTM: nothing is carried to the step before",
        body=through_time("lstm", "time-truncated", 76),
        blame=in_layer("weight", "time-truncated"),
    ),
    PublicReport(
        kind="LSTM: f for f (1 − f), and the last time step alone",
        body=last_step_with_half_a_derivative(),
        blame=in_layer(
            "weight",
            "time-truncated+forget-gate-derivative-incomplete | forget-gate-derivative-incomplete+time-truncated",
        ),
    ),
    PublicReport(
        kind="LSTM: the cell's gradient is not carried",
        body=through_time("lstm", "cell-not-carried", 78),
        blame=in_layer("weight", "cell-not-carried"),
    ),
    PublicReport(
        kind="LSTM: one bias for all gates forward",
        body=of_another_pass(
            LSTM, forward.remember(LSTM, bias=lambda b: {**b, "i": b["o"], "f": b["o"]}), "lstm", activations=True
        ),
        blame=[("1", "preactivations", "bias-of-another-gate")],
    ),
    PublicReport(
        kind="RNN: h[−1] is the last state",
        body=through_time("rnn", "recurrent-gradient-wraps-around", 79, sequences=True),
        blame=in_layer("recurrent_weight", "recurrent-gradient-wraps-around"),
    ),
    PublicReport(
        kind="RNN: right, the numerical check was not",
        body=through_time("rnn", "", 80, sequences=True),
        verdicts=("correct",),
    ),
    PublicReport(
        kind="RNN: right, from an initial state that is not 0",
        source="cs231n, assignment 3",
        body=with_initial_state(),
        verdicts=("equivalent-layout",),
        says=["initial-state"],
    ),
    PublicReport(
        kind="GRU: right, the reset gate before the product",
        source="Cho et al., Keras with reset_after=False",
        body=of_another_pass(GRU, forward.gated(GRU, before=True), "gru"),
        verdicts=("equivalent-layout",),
        says=["reset-gate-before-product"],
    ),
)
