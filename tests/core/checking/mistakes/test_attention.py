"""The mistakes in attention, made by a program that loops over sequences and heads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.checking.interpretation import Right
from core.checking.mistakes.attention import ATTENTION
from core.checking.mistakes.attention.backward import AttentionBackward
from core.checking.quantity import Quantity
from core.checking.trace import Trace
from core.problem import Problem
from tests.core.checking.mistakes.examination import named, right_values
from tests.core.checking.other_programs import layer, problem

Array = NDArray[np.float64]
IN_WEIGHT = Quantity("gradients", "2", "in_weight")
BELOW = Quantity("deltas", "1")


class Program:
    """dense; attention; half the squared error. `wrong` is the line that is wrong."""

    def __init__(self, seed: int, wrong: str = "", *, causal: bool = False, time: int = 3, heads: int = 2) -> None:
        rng = np.random.default_rng(seed)
        self.wrong, self.causal, self.heads, self.size = wrong, causal, heads, 3
        self.n, self.time, self.features = 2, time, 3 * heads
        d = self.features
        self.inputs, self.targets = (rng.standard_normal((self.n, time, width)) for width in (2, d))
        self.first, self.bias = rng.standard_normal((2, d)), rng.standard_normal(d)
        self.W, self.b = rng.standard_normal((d, 3 * d)) / 2, rng.standard_normal(3 * d)
        self.U, self.c = rng.standard_normal((d, d)), rng.standard_normal(d)
        self.forward()
        self.backward()

    def problem(self) -> Problem:
        parameters = {
            "1": {"weight": self.first, "bias": self.bias},
            "2": {"in_weight": self.W, "in_bias": self.b, "out_weight": self.U, "out_bias": self.c},
        }
        layers = [
            layer("dense", units=self.features),
            layer("multi_head_attention", heads=self.heads, causal=self.causal),
        ]
        return problem(layers, self.inputs, self.targets, parameters, "half_squared_error")

    def softmax(self, S: Array) -> Array:
        e = np.exp(S - S.max(axis=1, keepdims=True))
        return np.asarray(e / e.sum(axis=1, keepdims=True))

    def columns(self, part: int, head: int) -> slice:
        start = part * self.features + head * self.size
        return slice(start, start + self.size)

    def forward(self) -> None:
        self.X = self.inputs @ self.first + self.bias
        self.C, self.P, self.S = np.zeros_like(self.X), {}, {}
        self.QKV = self.X @ self.W + self.b
        for i in range(self.n):
            for h in range(self.heads):
                q, k, v = (self.QKV[i][:, self.columns(part, h)] for part in range(3))
                S = q @ k.T / np.sqrt(self.size)
                self.S[i, h] = S.copy()
                if self.causal:
                    S[np.triu_indices(self.time, 1)] = -np.inf
                self.P[i, h] = self.softmax(S)
                self.C[i][:, self.columns(0, h)] = self.P[i, h] @ v
        self.D = (self.C @ self.U + self.c - self.targets) / self.n

    def divided(self, dC: Array, h: int) -> Array:
        """The gradient of a head's result, T x s."""
        if self.wrong in ("apart-reshaped", "both-reshaped"):
            return np.asarray(dC.reshape(self.heads, self.time, self.size)[h])
        if self.wrong in ("apart-interleaved", "both-interleaved"):
            return dC[:, h :: self.heads]
        return dC[:, self.columns(0, h)]

    def joined(self, per_head: list[Array]) -> Array:
        if self.wrong in ("together-reshaped", "both-reshaped"):
            return np.concatenate(per_head, axis=0).reshape(self.time, self.features)
        if self.wrong in ("together-interleaved", "both-interleaved"):
            return np.stack(per_head, axis=2).reshape(self.time, self.features)
        return np.concatenate(per_head, axis=1)

    def scores_gradient(self, i: int, h: int, P: Array, dP: dict[int, Array]) -> Array:
        weighted = P * dP[h]
        match self.wrong:
            case "diagonal":
                return np.asarray(weighted * (1 - P))
            case "sum-missing":
                return np.asarray(weighted)
            case "softmax-left-out":
                return dP[h]
            case "sum-unweighted":
                return np.asarray(P * (dP[h] - dP[h].sum(axis=1, keepdims=True)))
            case "over-queries":
                return np.asarray(weighted - P * weighted.sum(axis=0))
            case "over-matrix":
                return np.asarray(weighted - P * weighted.sum())
            case "over-heads":
                total = sum((self.P[i, g] * dP[g]).sum(axis=1, keepdims=True) for g in range(self.heads))
                return np.asarray(weighted - P * total)
        dS = np.zeros_like(P)
        for row in range(self.time):
            jacobian = np.diag(P[row]) - np.outer(P[row], P[row])
            dS[row] = jacobian @ dP[h][row]
        return dS

    def backward(self) -> None:
        wrong, root, d = self.wrong, np.sqrt(self.size), self.features
        dC = self.D @ {"U-not-transposed": self.U, "U-left-out": np.eye(d)}.get(wrong, self.U.T)
        parts = np.zeros((3, self.n, self.time, d))
        for i in range(self.n):
            own: list[list[Array]] = [[], [], []]
            dCs = [self.divided(dC[i], h) for h in range(self.heads)]
            Vs = [self.QKV[i][:, self.columns(2, h)] for h in range(self.heads)]
            dP = {h: dCs[h] @ (Vs[h] if wrong == "V-not-transposed" else Vs[h].T) for h in range(self.heads)}
            for h in range(self.heads):
                q, k = (self.QKV[i][:, self.columns(part, h)] for part in range(2))
                P = self.softmax(self.S[i, h]) if wrong == "mask-left-out" else self.P[i, h]
                dS = self.scores_gradient(i, h, P, dP)
                dq = {"q-score-transposed": dS.T @ k, "q-of-queries": dS @ q}.get(wrong, dS @ k)
                dk = {"k-score-not-transposed": dS @ q, "k-of-keys": dS.T @ k}.get(wrong, dS.T @ q)
                dv = {"P-not-transposed": P @ dCs[h], "of-scores": self.S[i, h].T @ dCs[h]}.get(wrong, P.T @ dCs[h])
                of_q = {"scale": 1.0, "q-scale": 1.0, "twice": root**2, "all-features": np.sqrt(d)}.get(wrong, root)
                of_k = {"scale": 1.0, "k-scale": 1.0, "twice": root**2, "all-features": np.sqrt(d)}.get(wrong, root)
                for grads, grad in zip(own, (dq / of_q, dk / of_k, dv), strict=True):
                    grads.append(grad)
            for part, grads in enumerate(own):
                if wrong == "last-head-only":
                    grads = [*(0 * grad for grad in grads[:-1]), grads[-1]]
                elif wrong in ("first-head-copied", "last-head-copied"):
                    grads = [grads[0 if wrong == "first-head-copied" else -1]] * self.heads
                parts[part, i] = self.joined(grads)
        if wrong == "swapped":
            parts = parts[[1, 0, 2]]
        self.dX = np.zeros_like(self.X)
        for part, letter in enumerate("qkv"):
            weight = self.W[:, part * d : (part + 1) * d]
            if wrong not in (f"without-{letter}", *(f"only-{other}" for other in "qkv" if other != letter)):
                self.dX += parts[part] @ (weight if wrong == "W-not-transposed" else weight.T)
        blocks = [np.einsum("nti,ntj->ij", self.X, part) for part in parts]
        sums: list[Array] = list(parts)
        if wrong == "dW-transposed":
            blocks = [block.T for block in blocks]
        if wrong.startswith("order-"):
            order = ["qkv".index(letter) for letter in wrong.removeprefix("order-")]
            blocks, sums = [blocks[k] for k in order], [sums[k] for k in order]
        columns = np.arange(3 * d)
        if wrong == "by-head":
            columns = np.concatenate(
                [np.arange(3 * d)[self.columns(p, h)] for h in range(self.heads) for p in range(3)]
            )
        in_bias, out_bias = (
            self.added(np.concatenate(sums, axis=2)[:, :, columns], "in"),
            self.added(self.D, "out"),
        )
        C = self.X if wrong == "U-of-input" else self.C
        dU = np.einsum("nti,ntj->ij", C, self.D)
        self.gradients = {
            "in_weight": np.concatenate(blocks, axis=1)[:, columns],
            "in_bias": in_bias,
            "out_weight": dU.T if wrong == "dU-transposed" else dU,
            "out_bias": out_bias,
        }

    def added(self, terms: Array, which: str) -> Array:
        """The gradient of a bias."""
        how = {f"{which}-{name}": name for name in ("mean", "examples", "time")}
        how |= {f"both-{name}": name for name in ("mean", "examples", "time")}
        match how.get(self.wrong):
            case "mean":
                return np.asarray(terms.sum(axis=(0, 1)) / self.time)
            case "examples":
                return np.asarray(terms.sum(axis=0))
            case "time":
                return np.asarray(terms.sum(axis=1))
        return np.asarray(terms.sum(axis=(0, 1)))

    def submitted(self, *names: str) -> dict[Quantity, Array]:
        return {Quantity("gradients", "2", name): self.gradients[name] for name in names or self.gradients}

    def below(self) -> dict[Quantity, Array]:
        return {BELOW: self.dX}


EVERYWHERE = [
    ("swapped", "query-and-key-gradients-swapped"),
    ("k-score-not-transposed", "key-gradient-score-not-transposed"),
    ("q-score-transposed", "query-gradient-score-transposed"),
    ("q-of-queries", "query-gradient-of-queries"),
    ("k-of-keys", "key-gradient-of-keys"),
    ("scale", "attention-scale-left-out"),
    ("q-scale", "attention-scale-left-out-of-queries"),
    ("k-scale", "attention-scale-left-out-of-keys"),
    ("twice", "attention-scale-applied-twice"),
    ("all-features", "attention-scale-of-all-features"),
    ("diagonal", "attention-softmax-diagonal"),
    ("sum-missing", "attention-softmax-sum-missing"),
    ("softmax-left-out", "attention-softmax-left-out"),
    ("sum-unweighted", "attention-softmax-sum-unweighted"),
    ("over-queries", "attention-softmax-over-queries"),
    ("over-heads", "attention-softmax-over-all-heads"),
    ("over-matrix", "attention-softmax-over-queries-and-keys"),
    ("P-not-transposed", "value-gradient-weights-not-transposed"),
    ("of-scores", "value-gradient-of-scores"),
    ("V-not-transposed", "weights-gradient-values-not-transposed"),
    ("first-head-copied", "first-head-copied"),
    ("last-head-copied", "last-head-copied"),
    ("last-head-only", "last-head-only"),
    *(
        (f"{where}-{how}", "heads-in-another-order")
        for where in ("apart", "together", "both")
        for how in ("reshaped", "interleaved")
    ),
    ("U-not-transposed", "attention-output-weight-not-transposed"),
    ("U-left-out", "attention-output-weight-left-out"),
]
GRADIENTS_ONLY = [
    ("order-kqv", "query-and-key-gradients-swapped"),
    ("U-of-input", "attention-output-weight-gradient-of-input"),
    ("dU-transposed", "attention-output-weight-gradient-transposed"),
    ("dW-transposed", "attention-input-weight-gradient-transposed"),
    *((f"order-{order}", "attention-blocks-in-another-order") for order in ("qvk", "kvq", "vqk", "vkq")),
    ("by-head", "attention-blocks-in-another-order"),
    *((f"{which}-mean", "attention-bias-gradient-mean-over-time") for which in ("in", "out", "both")),
    *((f"{which}-examples", "attention-bias-gradient-over-examples-only") for which in ("in", "out", "both")),
    *((f"{which}-time", "attention-bias-gradient-over-time-only") for which in ("in", "out", "both")),
]
BELOW_ONLY = [
    ("W-not-transposed", "attention-input-weights-not-transposed"),
    *((f"{how}-{letter}", "attention-path-missing") for how in ("only", "without") for letter in "qkv"),
]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("causal", [False, True])
def test_a_right_program_computes_what_the_core_computes(seed: int, causal: bool) -> None:
    program = Program(seed, causal=causal, time=4)
    right = right_values(program.problem())
    for quantity, array in {**program.submitted(), **program.below()}.items():
        np.testing.assert_allclose(array, right[quantity], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_the_rules_with_a_method_for_every_term_are_the_right_ones(causal: bool, bias: bool) -> None:
    rng = np.random.default_rng(4)
    X, Y, U = rng.standard_normal((3, 5, 6)), rng.standard_normal((3, 5, 6)), rng.standard_normal((6, 6))
    parameters: dict[str, Any] = {"in_weight": rng.standard_normal((6, 18)), "out_weight": U}
    if bias:
        parameters |= {"in_bias": rng.standard_normal(18), "out_bias": rng.standard_normal(6)}
    layers = [layer("multi_head_attention", heads=3, causal=causal, bias=bias)]
    trace: Trace = Right(problem(layers, X, Y, {"1": parameters}, "half_squared_error")).trace
    right, written = trace.backward("1"), AttentionBackward().backward(trace, "1")
    assert written is not None
    assert set(written.parameters) == set(right.parameters)
    np.testing.assert_allclose(written.inputs[0], right.inputs[0], rtol=1e-12, atol=1e-13)
    for name, array in right.parameters.items():
        np.testing.assert_allclose(written.parameters[name], array, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("wrong", "slug"), [*EVERYWHERE, *GRADIENTS_ONLY])
def test_a_mistake_is_named_by_the_gradients_of_the_layer(seed: int, wrong: str, slug: str) -> None:
    program = Program(seed, wrong)
    assert named(program.problem(), IN_WEIGHT, program.submitted()) == {slug}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("wrong", "slug"), [*EVERYWHERE, *BELOW_ONLY])
def test_a_mistake_is_named_by_the_delta_below(seed: int, wrong: str, slug: str) -> None:
    program = Program(seed, wrong)
    assert named(program.problem(), BELOW, program.below()) == {slug}


@pytest.mark.parametrize("seed", range(3))
def test_a_mask_left_out_is_named(seed: int) -> None:
    program = Program(seed, "mask-left-out", causal=True, time=4)
    assert named(program.problem(), IN_WEIGHT, program.submitted()) == {"causal-mask-left-out-backward"}
    assert named(program.problem(), BELOW, program.below()) == {"causal-mask-left-out-backward"}


@pytest.mark.parametrize("wrong", ["k-score-not-transposed", "over-heads", "scale", "both-interleaved", "in-mean"])
def test_a_causal_layer_of_another_size_too(wrong: str) -> None:
    program = Program(5, wrong, causal=True, time=5, heads=3)
    slug = dict([*EVERYWHERE, *GRADIENTS_ONLY])[wrong]
    assert named(program.problem(), IN_WEIGHT, program.submitted()) == {slug}


def test_every_mistake_is_made_by_a_program() -> None:
    slugs = {slug for _, slug in [*EVERYWHERE, *GRADIENTS_ONLY, *BELOW_ONLY]} | {"causal-mask-left-out-backward"}
    assert slugs == {kind.slug for kind in ATTENTION}


def test_two_mistakes_combine() -> None:
    right = {slug: wrong for wrong, slug in EVERYWHERE}
    program = Program(1, right["attention-scale-left-out"])
    both = Program(1, right["value-gradient-weights-not-transposed"])
    one, other = program.gradients, both.gradients
    values = slice(2 * program.features, None)
    for name in ("in_weight", "in_bias"):
        one[name][..., values] = other[name][..., values]
    found = named(program.problem(), IN_WEIGHT, program.submitted())
    assert found == {"attention-scale-left-out+value-gradient-weights-not-transposed"}
