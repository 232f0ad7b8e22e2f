"""Hand-written backpropagation through rnn, lstm and gru, in loops over the time steps, with one line that can be wrong.

It owes nothing to the code under test. `wrong` is the name of the mistake, "" for none.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.layers import KINDS
from core.losses import LOSSES
from core.problem import Problem
from core.problem_spec import ProblemSpec
from core.problem_validation import validate

Array = NDArray[np.float64]
Found = dict[str, Array]


def sigmoid(a: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-a)))


def slope(gate: str, v: Array, wrong: str, names: dict[str, str]) -> Array:
    """σ' or tanh' in terms of the gate's value."""
    tanh = gate in "gn"
    own = {f"{names[gate]}-derivative-", "all-blocks-derivative-"} | (set() if tanh else {"all-gates-derivative-"})
    form = next((wrong.removeprefix(start) for start in own if wrong.startswith(start)), "")
    match form:
        case "incomplete":
            return v
        case "missing":
            return np.ones_like(v)
        case "without-gate" | "without-square":
            return 1 - v
        case "of-tanh":
            return 1 - v**2
        case "of-sigmoid":
            return v * (1 - v)
        case "at-gate" | "at-candidate":
            return 1 - np.tanh(v) ** 2 if tanh else sigmoid(v) * (1 - sigmoid(v))
    return 1 - v**2 if tanh else v * (1 - v)


class Program:
    """A recurrent layer, dense, half the squared error; n = 5, four time steps, two features, three units."""

    gates: dict[str, str]
    order: str

    def __init__(self, kind: str, seed: int, sequences: bool, **fields: Any) -> None:
        rng = np.random.default_rng(seed)
        self.kind, self.sequences, self.fields = kind, sequences, fields
        self.n, self.T, self.u = 5, 4, 3
        self.order = {"rnn": "a", "lstm": "ifgo", "gru": "rzn"}[kind]
        k = len(self.order)
        self.X = rng.standard_normal((self.n, self.T, 2))
        self.P: Found = {
            "weight": rng.standard_normal((2, k * self.u)),
            "recurrent_weight": rng.standard_normal((self.u, k * self.u)),
            "bias": rng.standard_normal(k * self.u),
        }
        if kind == "gru":
            self.P["recurrent_bias"] = rng.standard_normal(k * self.u)
        self.V, self.c = rng.standard_normal((self.u, 2)), rng.standard_normal(2)
        self.Y = rng.standard_normal((self.n, self.T, 2) if sequences else (self.n, 2))

    def problem(self) -> Problem:
        recurrent: Any = KINDS[self.kind]
        dense: Any = KINDS["dense"]
        loss: Any = LOSSES["half_squared_error"]
        return validate(
            ProblemSpec(
                layers=[
                    recurrent(units=self.u, return_sequences=self.sequences, name="r", **self.fields),
                    dense(units=2, name="out"),
                ],
                inputs={"input": self.X},
                parameters={"r": self.P, "out": {"weight": self.V, "bias": self.c}},
                targets=self.Y,
                loss=loss(reduction="sum"),
                convention="row",
            )
        )

    def block(self, array: Array, gate: str) -> Array:
        k = self.order.index(gate)
        return array[..., k * self.u : (k + 1) * self.u]

    def solve(self, wrong: str = "") -> Found:
        """The gradients of the parameters of the layer, and of its input."""
        H = self.forward()
        dH = [np.zeros((self.n, self.u)) for _ in range(self.T)]
        for t in range(self.T):
            if self.sequences:
                dH[t] = (H[t + 1] @ self.V + self.c - self.Y[:, t]) @ self.V.T
            elif t == self.T - 1 or wrong == "last-result-repeated":
                dH[t] = (H[-1] @ self.V + self.c - self.Y) @ self.V.T
        if wrong == "last-result-repeated":
            dH = [dH[-1]] * self.T
        if wrong == "results-in-reversed-time":
            dH = dH[::-1]
        each: list[Found] = []
        dX = np.zeros_like(self.X)
        self.later = np.zeros((self.n, self.u))
        self.later_cell = np.zeros((self.n, self.u))
        for t in reversed(range(self.T)):
            later = np.zeros_like(self.later) if wrong == "time-truncated" else self.later
            dh = dH[t] + later
            if wrong == "state-gradient-overwritten" and t < self.T - 1:
                dh = later
            dp, dq = self.step(t, dh, wrong)
            before = H[t]
            if wrong == "recurrent-gradient-of-current-state":
                before = H[t + 1]
            if t == 0 and wrong in (
                "recurrent-gradient-wraps-around",
                "state-and-cell-wrap-around",
                "gate-state-wraps-around",
            ):
                before = H[self.T]
            dX[:, t] = dp @ self.P["weight"].T
            found = {"weight": self.X[:, t].T @ dp, "recurrent_weight": self.for_recurrent(t, before, dp, dq, wrong)}
            found |= {"bias": dp.sum(axis=0), "recurrent_bias": dq.sum(axis=0)}
            if wrong == "recurrent-bias-without-reset":
                found["recurrent_bias"] = dp.sum(axis=0)
            each.append(found)
        total: Found = {}
        for name in self.P:
            start = name.replace("_", "-") + "-"
            form = next((wrong.removeprefix(s) for s in (start, "") if wrong.startswith(s)), "")
            terms = [one[name] for one in each]
            total[name] = np.asarray(sum(terms)) / (self.T if form == "mean-over-time" else 1)
            if form in ("last-step-only", "first-step-only"):
                total[name] = terms[0 if form == "last-step-only" else -1]
        return total | {"input": dX}

    def through(self, d: Array, wrong: str) -> Array:
        """d Uᵀ, gate by gate."""
        names, total = NAMES[self.kind], np.zeros((self.n, self.u))
        for gate in self.order:
            U = self.block(self.P["recurrent_weight"], gate)
            if wrong == f"{names[gate]}-not-carried-through":
                continue
            total += self.block(d, gate) @ (U if wrong == "recurrent-weight-not-transposed" else U.T)
        return total

    def for_recurrent(self, t: int, before: Array, dp: Array, dq: Array, wrong: str) -> Array:
        return before.T @ dq

    def forward(self) -> list[Array]:
        raise NotImplementedError

    def step(self, t: int, dh: Array, wrong: str) -> tuple[Array, Array]:
        raise NotImplementedError


NAMES = {
    "rnn": {"a": "state"},
    "lstm": {"i": "input-gate", "f": "forget-gate", "g": "cell-candidate", "o": "output-gate"},
    "gru": {"r": "reset-gate", "z": "update-gate", "n": "candidate-state"},
}


class RnnProgram(Program):
    def forward(self) -> list[Array]:
        self.A, self.H = [], [np.zeros((self.n, self.u))]
        for t in range(self.T):
            self.A.append(self.X[:, t] @ self.P["weight"] + self.H[-1] @ self.P["recurrent_weight"] + self.P["bias"])
            self.H.append(np.tanh(self.A[-1]))
        return self.H

    def step(self, t: int, dh: Array, wrong: str) -> tuple[Array, Array]:
        a, h = self.A[t], self.H[t + 1]
        factor = {
            "time-derivative-missing": np.ones_like(h),
            "time-derivative-at-state": 1 - np.tanh(h) ** 2,
            "time-derivative-formula-of-sum": 1 - a**2,
            "time-derivative-of-earlier-step": 1 - self.H[t] ** 2,
            "time-derivative-of-another-function": h * (1 - h),
        }.get(wrong, 1 - h**2)
        da = dh * factor
        self.later = self.through(dh if wrong == "carried-without-derivative" else da, wrong)
        if wrong == "recurrent-weight-left-out":
            self.later = da
        return da, da


class LstmProgram(Program):
    def forward(self) -> list[Array]:
        self.H, self.C, self.S = [np.zeros((self.n, self.u))], [np.zeros((self.n, self.u))], []
        for t in range(self.T):
            a = self.X[:, t] @ self.P["weight"] + self.H[-1] @ self.P["recurrent_weight"] + self.P["bias"]
            s = {gate: np.tanh(self.block(a, gate)) if gate == "g" else sigmoid(self.block(a, gate)) for gate in "ifgo"}
            self.C.append(s["f"] * self.C[-1] + s["i"] * s["g"])
            self.H.append(s["o"] * np.tanh(self.C[-1]))
            self.S.append(s)
        return self.H

    def step(self, t: int, dh: Array, wrong: str) -> tuple[Array, Array]:
        s, c, before = self.S[t], self.C[t + 1], self.C[t]
        if wrong == "state-not-carried":
            dh = dh - self.later
        if t == 0 and wrong in ("cell-wraps-around", "state-and-cell-wrap-around"):
            before = self.C[self.T]
        shown = np.tanh(c)
        tanh_slope = {
            "cell-derivative-missing": np.ones_like(c),
            "cell-derivative-of-cell": 1 - c**2,
            "cell-derivative-at-tanh": 1 - np.tanh(shown) ** 2,
        }.get(wrong, 1 - shown**2)
        by_state = dh * tanh_slope * (1 if wrong == "output-gate-left-out" else s["o"])
        by_cell = self.later_cell * (wrong not in ("cell-not-carried", "time-truncated"))
        dc = by_state + by_cell
        if wrong == "cell-gradient-overwritten" and t < self.T - 1:
            dc = by_cell
        beside = {
            "i": {"input-gate-multiplied-by-itself": s["i"], "input-gate-multiplied-by-previous-cell": before}.get(
                wrong, s["g"]
            ),
            "f": {
                "forget-gate-multiplied-by-current-cell": c,
                "forget-gate-multiplied-by-tanh-of-current-cell": shown,
            }.get(wrong, before),
            "g": {
                "cell-candidate-multiplied-by-itself": s["g"],
                "cell-candidate-multiplied-by-forget-gate": s["f"],
            }.get(wrong, s["i"]),
            "o": {"output-gate-multiplied-by-cell": c, "output-gate-multiplied-by-previous-cell": before}.get(
                wrong, shown
            ),
        }
        da = {
            gate: (dh if gate == "o" else dc) * beside[gate] * slope(gate, s[gate], wrong, NAMES["lstm"])
            for gate in "ifgo"
        }
        names = NAMES["lstm"]
        for one in "ifgo":
            for other in "ifgo":
                if wrong == f"{names[one]}-copied-from-{names[other]}":
                    da[one] = da[other]
        joined = np.concatenate([da[gate] for gate in self.order], axis=1)
        self.later = self.through(joined, wrong)
        kept = s["f"]
        if wrong == "forget-gate-left-out":
            kept = np.ones_like(kept)
        if wrong == "forget-gate-of-wrong-step" and t > 0:
            kept = self.S[t - 1]["f"]
        self.later_cell = dc * kept
        return joined, joined


class GruProgram(Program):
    @property
    def after(self) -> bool:
        return bool(self.fields.get("reset_after", True))

    def forward(self) -> list[Array]:
        self.H, self.S = [np.zeros((self.n, self.u))], []
        W, U, b = self.P["weight"], self.P["recurrent_weight"], self.P["bias"]
        c = self.P.get("recurrent_bias", np.zeros_like(b))
        for t in range(self.T):
            h, x = self.H[-1], self.X[:, t]
            s = {
                gate: sigmoid(
                    x @ self.block(W, gate) + self.block(b, gate) + h @ self.block(U, gate) + self.block(c, gate)
                )
                for gate in "rz"
            }
            p = x @ self.block(W, "n") + self.block(b, "n")
            s["q"] = h @ self.block(U, "n") + self.block(c, "n")
            s["n"] = np.tanh(
                p + (s["r"] * s["q"] if self.after else (s["r"] * h) @ self.block(U, "n") + self.block(c, "n"))
            )
            self.H.append((1 - s["z"]) * s["n"] + s["z"] * h)
            self.S.append(s)
        return self.H

    def step(self, t: int, dh: Array, wrong: str) -> tuple[Array, Array]:
        s, h, names = self.S[t], self.H[t], NAMES["gru"]
        if wrong == "gate-state-wraps-around" and t == 0:
            h = self.H[self.T]
        if wrong == "update-gate-of-current-state":
            h = self.H[t + 1]
        r, z, m, q = s["r"], s["z"], s["n"], s["q"]
        swapped = wrong in ("update-gate-swapped", "update-gate-shares-swapped")
        share = z if wrong == "candidate-with-z" or swapped else 1 - z
        if wrong == "candidate-without-one-minus-z":
            share = np.ones_like(z)
        dn = dh * share * slope("n", m, wrong, names)
        beside = {
            "update-gate-sign-flipped": m - h,
            "update-gate-swapped": m - h,
            "update-gate-without-candidate": h,
            "update-gate-without-state": -m,
        }.get(wrong, h - m)
        dz = dh * beside * slope("z", z, wrong, names)
        U_n = self.block(self.P["recurrent_weight"], "n")
        if self.after:
            dr = dn * (h if wrong == "reset-gate-multiplied-by-state" else q) * slope("r", r, wrong, names)
            dq_n = dn if wrong == "candidate-path-without-reset" else dn * r
        else:
            ds = dn @ (U_n if wrong == "recurrent-weight-not-transposed" else U_n.T)
            if wrong == "reset-gate-without-weight":
                ds = dn
            dr = ds * h * slope("r", r, wrong, names)
            dq_n = np.zeros_like(dn)
        if wrong == "reset-path-missing":
            dr = np.zeros_like(dr)
        dp = np.concatenate([dr, dz, dn], axis=1)
        dq = np.concatenate([dr, dz, dq_n], axis=1)
        carried = self.through(dq, wrong)
        if not self.after and wrong != "candidate-state-not-carried-through":
            carried = carried + (ds if wrong == "candidate-path-without-reset" else ds * r)
        if wrong == "path-through-gates-missing":
            carried = np.zeros_like(carried)
        direct = dh * {
            "direct-path-missing": np.zeros_like(z),
            "direct-path-with-one-minus-z": 1 - z,
            "direct-path-without-z": np.ones_like(z),
        }.get(wrong, 1 - z if swapped else z)
        self.later = carried + direct
        return dp, dq if self.after else dp

    def for_recurrent(self, t: int, before: Array, dp: Array, dq: Array, wrong: str) -> Array:
        found = before.T @ dq
        if self.after and wrong == "recurrent-gradient-without-reset":
            self.block(found, "n")[...] = before.T @ self.block(dp, "n")
        if not self.after:
            scaled = before if wrong == "recurrent-gradient-without-reset" else self.S[t]["r"] * before
            self.block(found, "n")[...] = scaled.T @ self.block(dp, "n")
        return found


def program(kind: str, seed: int, sequences: bool, **fields: Any) -> Program:
    made: dict[str, type[Program]] = {"rnn": RnnProgram, "lstm": LstmProgram, "gru": GruProgram}
    return made[kind](kind, seed, sequences, **fields)
