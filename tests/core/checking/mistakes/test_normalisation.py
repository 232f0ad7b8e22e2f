"""The mistakes in normalisations, made by a program that goes through the groups of numbers that share a mean."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.checking.mistakes.normalisation import NORMALISATION
from core.checking.quantity import Quantity
from core.losses import LOSSES
from core.problem import Problem
from core.problem_spec import ProblemSpec
from core.problem_validation import validate
from tests.core.checking.mistakes.examination import named, right_values
from tests.core.checking.other_programs import layer

Array = NDArray[np.float64]
BELOW = Quantity("deltas", "1")
AXES = {"examples": (0,), "positions": (1,), "features": (2,)}
"""In n x time x features; batch_norm has its features in axis 1."""


class Program:
    """dense; a normalisation; half the squared error. `wrong` is the line that is wrong."""

    def __init__(
        self, seed: int, kind: str, wrong: str = "", *, rank: int = 3, evaluates: bool = False, state: bool = True
    ) -> None:
        rng = np.random.default_rng(seed)
        self.kind, self.wrong, self.rank, self.evaluates = kind, wrong, rank, evaluates
        self.n, self.epsilon, self.momentum = 7, 0.05, 0.3
        lead, width = (self.n, 3)[: rank - 1], 5
        self.features = (3 if rank == 3 else width) if kind == "batch_norm" else width
        self.inputs, self.targets = rng.standard_normal((*lead, 2)), rng.standard_normal((*lead, width))
        self.weight, self.bias = rng.standard_normal((2, width)), rng.standard_normal(width)
        self.gamma, self.beta = rng.uniform(0.5, 2, self.features), rng.standard_normal(self.features)
        self.running = {
            "running_mean": rng.standard_normal(self.features),
            "running_variance": rng.uniform(1, 3, self.features),
        }
        self.state = self.running if state else {"running_mean": 0 * self.gamma, "running_variance": 1 + 0 * self.gamma}
        self.sends_state = state and kind == "batch_norm"
        self.run()

    def problem(self) -> Problem:
        own = {"gamma": self.gamma} | ({} if self.kind == "rms_norm" else {"beta": self.beta})
        more: dict[str, Any] = {"epsilon": self.epsilon}
        if self.kind == "batch_norm":
            more |= {"momentum": self.momentum, "mode": "eval" if self.evaluates else "train"}
        loss: Any = LOSSES["half_squared_error"]
        return validate(
            ProblemSpec(
                layers=[layer("dense", units=len(self.bias)), layer(self.kind, **more)],
                inputs={"input": self.inputs},
                parameters={"1": {"weight": self.weight, "bias": self.bias}, "2": own},
                state={"2": self.running} if self.sends_state else {},
                targets=self.targets,
                loss=loss(),
                convention="row",
            )
        )

    def groups(self) -> Iterator[tuple[Any, Any]]:
        """The index of every group of numbers with one mean, and that of its γ."""
        if self.kind == "batch_norm":
            yield from (((slice(None), c), c) for c in range(self.features))
        else:
            yield from ((index, slice(None)) for index in np.ndindex(*self.inputs.shape[:-1]))

    def run(self) -> None:
        X = self.X = self.inputs @ self.weight + self.bias
        self.hat, self.s, self.Z = np.zeros_like(X), np.zeros_like(X), np.zeros_like(X)
        for at, own in self.groups():
            x = X[at]
            mean, variance = (0.0 if self.kind == "rms_norm" else x.mean()), 0.0
            variance = ((x - mean) ** 2).mean()
            if self.evaluates:
                mean, variance = self.state["running_mean"][own], self.state["running_variance"][own]
            self.s[at] = np.sqrt(variance + self.epsilon)
            self.hat[at] = (x - mean) / self.s[at]
            self.Z[at] = self.gamma[own] * self.hat[at] + (0 if self.kind == "rms_norm" else self.beta[own])
        self.D = (self.Z - self.targets) / self.n
        self.dX = np.zeros_like(X)
        if self.wrong.startswith("over-"):
            self.over_axes(tuple(axis for role in self.wrong.split("-")[1:] for axis in self.axes(role)))
        else:
            for at, own in self.groups():
                self.dX[at] = self.staged(X[at], self.D[at], self.gamma[own], own)
        self.parameter_gradients()

    def axes(self, role: str) -> tuple[int, ...]:
        if self.kind == "batch_norm":
            return {"examples": (0,), "features": (1,), "positions": (2,)}[role]
        return {"examples": (0,), "features": (self.rank - 1,), "positions": (1,)}[role]

    def over_axes(self, axes: tuple[int, ...]) -> None:
        """The gradient in closed form, with means over other axes."""
        G = self.D * (self.gamma.reshape(1, -1, 1) if self.kind == "batch_norm" and self.rank == 3 else self.gamma)
        first = 0 if self.kind == "rms_norm" else np.mean(G, axis=axes, keepdims=True)
        self.dX = (G - first - self.hat * np.mean(G * self.hat, axis=axes, keepdims=True)) / self.s

    def staged(self, x: Array, d: Array, gamma: Any, own: Any) -> Array:
        """∂L/∂x of one group: through x̂, then the variance, then the mean."""
        wrong, N, rms = self.wrong, x.size, self.kind == "rms_norm"
        mean = 0.0 if rms else x.mean()
        variance = ((x - mean) ** 2).mean()
        if self.evaluates:
            mean, variance = self.state["running_mean"][own], self.state["running_variance"][own]
        epsilon = 0.0 if wrong == "no-epsilon-everywhere" else self.epsilon
        g = d if wrong in ("no-gamma", "gamma-outside") else gamma * d
        lacking = wrong.removeprefix("no-gamma-in-").split("-") if wrong.startswith("no-gamma-in-") else []
        to_hat, to_mean, to_variance = (d if term in lacking else g for term in ("direct", "mean", "variance"))
        inverse = 1 / np.sqrt(variance + epsilon)
        match wrong:
            case "no-epsilon":
                scale = 1 / np.sqrt(variance)
            case "unbiased-backward":
                scale = 1 / np.sqrt(variance * N / (N - 1) + epsilon)
            case "no-division":
                scale = 1.0
            case "root":
                scale = np.sqrt(variance + epsilon)
            case "variance-divisor":
                scale = 1 / (variance + epsilon)
            case _ if wrong.startswith("running"):
                running = self.state["running_variance"][own]
                if "updated" in wrong:
                    running = (1 - self.momentum) * running + self.momentum * x.var(ddof=1)
                scale = 1 / np.sqrt(running + epsilon)
            case _:
                scale = inverse
        centred = x - mean
        d_variance = np.sum(to_variance * centred) * -0.5 * inverse**3
        d_mean = -np.sum(to_mean) * inverse
        power = {"power-one-half": inverse**-2, "one-centred": inverse**-1}.get(wrong, 1.0)
        d_variance = d_variance * power * {"doubled": 2, "halved": 0.5, "sign": -1}.get(wrong, 1)
        through_mean = d_mean / N
        through_variance = d_variance * 2 * centred / N
        if wrong == "raw":
            through_variance = -x * np.sum(to_variance * x) / N * inverse
        if wrong in ("constants", "running-constant", "running-updated-constant", "no-mean") or rms:
            through_mean = 0.0
        if wrong in ("constants", "running-constant", "running-updated-constant", "no-variance"):
            through_variance = 0.0
        if self.evaluates and wrong != "as-training":
            through_mean = through_variance = 0.0
        if wrong == "mean-sign":
            through_mean = -through_mean
        if wrong in ("sums", "sum-mean"):
            through_mean = through_mean * N
        if wrong in ("sums", "sum-variance"):
            through_variance = through_variance * N
        ratio = {"count-examples": N / self.n, "count-all": N / self.X.size, "count-minus-one": N / (N - 1)}.get(
            wrong, 1.0
        )
        through_mean, through_variance = through_mean * ratio, through_variance * ratio
        if wrong == "variance-count-minus-one":
            through_variance = through_variance * N / (N - 1)
        found = (to_hat * inverse + through_variance + through_mean) * (scale / inverse)
        return np.asarray(gamma * found if wrong == "gamma-outside" else found)

    def parameter_gradients(self) -> None:
        hat, D = self.hat, self.D
        axis = 1 if self.kind == "batch_norm" else self.rank - 1
        gammas = self.gamma.reshape(1, -1, 1) if axis == 1 and self.rank == 3 else self.gamma
        match self.wrong:
            case "dgamma-raw":
                hat = self.X
            case "dgamma-centred":
                hat = self.hat * self.s
            case "dgamma-result":
                hat = self.Z
            case "dgamma-gamma":
                D = gammas * D
        terms = {"gamma": D * hat, "beta": D}
        if self.wrong == "dgamma-swapped":
            terms = {"gamma": D, "beta": D * hat}
        self.gradients = {name: self.added(array, axis) for name, array in terms.items()}
        if self.kind == "rms_norm":
            del self.gradients["beta"]

    def added(self, terms: Array, axis: int) -> Array:
        moved = np.moveaxis(terms, axis, -1).reshape(self.n, -1, self.features)
        match self.wrong:
            case "dgamma-mean-positions":
                return np.asarray(moved.mean(axis=1).sum(axis=0))
            case "dgamma-mean":
                return np.asarray(moved.reshape(-1, self.features).mean(axis=0))
            case "dgamma-unsummed":
                return terms
            case _ if self.wrong.startswith("dgamma-over-"):
                roles = self.wrong.removeprefix("dgamma-over-").split("-")
                return np.asarray(terms.sum(axis=tuple(each for role in roles for each in self.axes(role))))
        return np.asarray(moved.sum(axis=1).sum(axis=0))

    def below(self) -> dict[Quantity, Array]:
        return {BELOW: self.dX}


SIZES_OF_MEANS = {
    "divided-by-positions",
    "divided-by-time-steps",
    "divided-by-batch-size-and-time-steps",
    "divided-by-batch-size-and-outputs",
    "divided-by-batch-size",
}
"""The sizes over which these layers sum, alone or together."""

ALL, CENTRED, FEATURES = (
    ("batch_norm", "layer_norm", "rms_norm"),
    ("batch_norm", "layer_norm"),
    ("layer_norm", "rms_norm"),
)
BELOW_CASES: list[tuple[str, str, tuple[str, ...]]] = [
    ("constants", "statistics-as-constants", ALL),
    ("no-mean", "mean-term-missing", CENTRED),
    ("mean-sign", "mean-term-sign", CENTRED),
    ("no-variance", "variance-term-missing", CENTRED),
    *((wrong, "variance-term-factor", ALL) for wrong in ("doubled", "halved", "sign", "power-one-half", "one-centred")),
    ("raw", "variance-term-of-raw-input", CENTRED),
    ("variance-count-minus-one", "variance-term-count-minus-one", ALL),
    ("sums", "means-divided-by-another-number", ALL),
    *((wrong, "means-divided-by-another-number", CENTRED) for wrong in ("sum-mean", "sum-variance", "count-minus-one")),
    *((wrong, "means-divided-by-another-number", ALL) for wrong in ("count-examples", "count-all")),
    ("no-gamma", "gamma-left-out", ALL),
    ("gamma-outside", "gamma-outside-the-means", FEATURES),
    *((f"no-gamma-in-{terms}", "gamma-left-out-of-a-term", CENTRED) for terms in ("mean", "mean-variance")),
    *((f"no-gamma-in-{terms}", "gamma-left-out-of-a-term", ALL) for terms in ("variance", "direct")),
    ("no-division", "normalisation-divisor-left-out", ALL),
    ("root", "multiplied-by-deviation", ALL),
    ("variance-divisor", "divided-by-variance", ALL),
    ("unbiased-backward", "unbiased-variance-backward", ALL),
    ("no-epsilon", "epsilon-left-out-backward", ALL),
    ("no-epsilon-everywhere", "epsilon-left-out-backward", ALL),
    *(
        (f"running-{how}", "running-statistics-backward", ("batch_norm",))
        for how in ("constant", "updated-constant", "terms", "updated-terms")
    ),
    *(
        (f"over-{roles}", "means-over-wrong-axes", ALL)
        for roles in ("examples", "positions", "examples-features", "positions-features", "examples-positions-features")
    ),
    ("over-features", "means-over-wrong-axes", ("batch_norm",)),
    ("over-examples-positions", "means-over-wrong-axes", FEATURES),
]
GRADIENT_CASES: list[tuple[str, str, tuple[str, ...]]] = [
    ("dgamma-raw", "gamma-gradient-of-raw-input", ALL),
    ("dgamma-centred", "gamma-gradient-of-centred-input", CENTRED),
    ("dgamma-result", "gamma-gradient-of-result", CENTRED),
    ("dgamma-gamma", "gamma-in-parameter-gradient", ALL),
    ("dgamma-swapped", "gamma-and-beta-gradients-swapped", CENTRED),
    ("dgamma-mean-positions", "parameter-gradient-mean-over-positions", ALL),
    ("dgamma-mean", "parameter-gradient-mean", ALL),
    ("dgamma-unsummed", "parameter-gradient-over-wrong-axes", ALL),
    *(
        (f"dgamma-over-{roles}", "parameter-gradient-over-wrong-axes", ALL)
        for roles in ("examples", "positions", "features", "positions-features")
    ),
]


def each_kind(cases: list[tuple[str, str, tuple[str, ...]]]) -> list[tuple[str, str, str]]:
    return [(kind, wrong, slug) for wrong, slug, kinds in cases for kind in kinds]


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("rank", [2, 3])
@pytest.mark.parametrize("evaluates", [False, True])
def test_a_right_program_computes_what_the_core_computes(kind: str, rank: int, evaluates: bool) -> None:
    program = Program(1, kind, rank=rank, evaluates=evaluates and kind == "batch_norm")
    right = right_values(program.problem())
    np.testing.assert_allclose(program.dX, right[BELOW], rtol=1e-10, atol=1e-12)
    for name, array in program.gradients.items():
        np.testing.assert_allclose(array, right[Quantity("gradients", "2", name)], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("kind", "wrong", "slug"), each_kind(BELOW_CASES))
def test_a_mistake_is_named_by_the_delta_below(seed: int, kind: str, wrong: str, slug: str) -> None:
    program = Program(seed, kind, wrong)
    assert named(program.problem(), BELOW, program.below()) == {slug}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("kind", "wrong", "slug"), each_kind(GRADIENT_CASES))
def test_a_mistake_is_named_by_the_gradient(seed: int, kind: str, wrong: str, slug: str) -> None:
    program = Program(seed, kind, wrong)
    right = right_values(program.problem())
    for name, array in program.gradients.items():
        quantity = Quantity("gradients", "2", name)
        if array.shape != right[quantity].shape or not np.allclose(array, right[quantity]):
            found = named(program.problem(), quantity, {quantity: array})
            assert slug in found
            # A mean is the sum times 1/positions, and batch_norm's positions are here as many as the outputs.
            factors = {"constant-factor", "divided-by-outputs", *SIZES_OF_MEANS} if "-mean" in wrong else set()
            assert found <= {slug, *factors}


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("wrong", ["constants", "no-gamma", "root", "no-epsilon", "sums", "doubled", "sign"])
def test_a_matrix_of_examples_and_features_too(kind: str, wrong: str) -> None:
    program = Program(2, kind, wrong, rank=2)
    (slug,) = {slug for name, slug, _ in BELOW_CASES if name == wrong}
    assert named(program.problem(), BELOW, program.below()) == {slug}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("rank", [2, 3])
def test_a_layer_in_evaluation_has_no_terms_through_statistics(seed: int, rank: int) -> None:
    program = Program(seed, "batch_norm", "as-training", rank=rank, evaluates=True)
    assert named(program.problem(), BELOW, program.below()) == {"evaluation-as-training"}
    other = Program(seed, "batch_norm", "no-gamma", rank=rank, evaluates=True)
    assert named(other.problem(), BELOW, other.below()) == {"gamma-left-out"}


def test_running_statistics_that_were_not_sent_are_0_and_1() -> None:
    program = Program(3, "batch_norm", "running-updated-terms", state=False)
    assert named(program.problem(), BELOW, program.below()) == {"running-statistics-backward"}


@pytest.mark.parametrize("kind", CENTRED)
def test_two_mistakes_combine(kind: str) -> None:
    one, right = Program(1, kind, "mean-sign"), Program(1, kind)
    one.dX = one.dX * right.s**2
    assert "mean-term-sign+multiplied-by-deviation" in named(one.problem(), BELOW, one.below())


def test_every_mistake_is_made_by_a_program() -> None:
    slugs = {slug for _, slug, _ in [*BELOW_CASES, *GRADIENT_CASES]}
    assert slugs | {"evaluation-as-training", "unbiased-variance"} == {kind.slug for kind in NORMALISATION}
