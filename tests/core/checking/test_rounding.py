"""Right programs in float32, float16 or a few digits are never accused, whatever their layers cancel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.checking import SubmissionSpec
from core.checking.digits import SHORTEST, Digits, digits_of
from core.problem import Problem
from tests.core.checking import other_programs
from tests.core.checking.other_programs import layer, problem
from tests.core.checking.student import Exercise, Student, examined

Array = np.ndarray[Any, Any]


def attention(seed: int, dtype: Any) -> tuple[Problem, dict[str, dict[str, Array]]]:
    """Self-attention with one head; flatten; dense; half the squared error. The key bias has the gradient 0."""
    rng = np.random.default_rng(seed)
    n, T, d = 3, 4, 2
    X, W, b = rng.standard_normal((n, T, d)), rng.standard_normal((d, 3 * d)), rng.standard_normal(3 * d)
    U, c, V = rng.standard_normal((d, d)), rng.standard_normal(d), rng.standard_normal((T * d, 2))
    e, Y = rng.standard_normal(2), rng.standard_normal((n, 2))
    layers = [layer("multi_head_attention", heads=1), layer("flatten"), layer("dense", units=2)]
    parameters = {
        "1": {"in_weight": W, "in_bias": b, "out_weight": U, "out_bias": c},
        "3": {"weight": V, "bias": e},
    }
    asked = problem(layers, X, Y, parameters, "half_squared_error")
    X, W, b, U, c, V, e, Y = (array.astype(dtype) for array in (X, W, b, U, c, V, e, Y))
    root = dtype(np.sqrt(d))
    Q, K, values = np.split(X @ W + b, 3, axis=2)
    S = Q @ K.transpose(0, 2, 1) / root
    P = np.exp(S - S.max(axis=2, keepdims=True))
    P = P / P.sum(axis=2, keepdims=True)
    C = P @ values
    A = (C @ U + c).reshape(n, T * d)
    D3 = (A @ V + e - Y) / dtype(n)
    D1 = (D3 @ V.T).reshape(n, T, d)
    dC = D1 @ U.T
    dP = dC @ values.transpose(0, 2, 1)
    dS = P * (dP - (P * dP).sum(axis=2, keepdims=True)) / root
    blocks = np.concatenate([dS @ K, dS.transpose(0, 2, 1) @ Q, P.transpose(0, 2, 1) @ dC], axis=2)
    return asked, {
        "1": {
            "in_weight": np.einsum("nti,ntj->ij", X, blocks),
            "in_bias": blocks.sum(axis=(0, 1)),
            "out_weight": np.einsum("nti,ntj->ij", C, D1),
            "out_bias": D1.sum(axis=(0, 1)),
        },
        "3": {"weight": A.T @ D3, "bias": D3.sum(axis=0)},
    }


def mapped(sent: SubmissionSpec, change: Any) -> SubmissionSpec:
    """A submission with every tensor changed."""
    found: dict[str, Any] = {}
    for part in ("preactivations", "activations", "deltas"):
        found[part] = {name: change(array) for name, array in getattr(sent, part).items()}
    gradients = {name: {key: change(a) for key, a in named.items()} for name, named in sent.gradients.items()}
    return replace(sent, gradients=gradients, **found)


def four_digits(array: Array) -> Array:
    return np.asarray(np.vectorize(lambda x: float(f"{x:.4g}"))(array))


def shortest(array: Array) -> Array:
    """Float32 as Python prints it: the fewest digits that tell it from its neighbours."""
    return np.asarray(np.vectorize(lambda x: float(str(np.float32(x))))(array))


def half(array: Array) -> Array:
    return np.asarray(array.astype(np.float16).astype(np.float64))


def half_shortest(array: Array) -> Array:
    return np.asarray(np.vectorize(lambda x: float(str(np.float16(x))))(array))


def brain(array: Array) -> Array:
    """Rounded to the eight bits of a bfloat16, half of the way up."""
    bits = array.astype(np.float32).view(np.uint32).astype(np.uint64)
    return np.asarray(((bits + 0x8000) & 0xFFFF0000).astype(np.uint32).view(np.float32).astype(np.float64))


CHANGES = [four_digits, shortest, half, half_shortest, brain]


@pytest.mark.parametrize("seed", range(12))
def test_attention_in_float32(seed: int) -> None:
    asked, gradients = attention(seed, np.float32)
    for change in (np.float64, shortest, four_digits, half):
        sent = mapped(SubmissionSpec(gradients=gradients), change)
        report = examined(asked, sent)
        assert report.verdict == "correct", (change, report.summary)


def test_the_rounding_hides_no_mistake_of_attention() -> None:
    asked, gradients = attention(0, np.float32)
    gradients["1"]["in_weight"] = gradients["1"]["in_weight"] * np.float32(1.01)
    report = examined(asked, mapped(SubmissionSpec(gradients=gradients), shortest))
    assert report.verdict == "wrong"
    assert {(blame.quantity.layer, blame.quantity.name) for blame in report.blame} == {("1", "in_weight")}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("program", ["convolutional", "normalised", "recurrent", "embedded"])
def test_other_layers_in_few_digits(program: str, change: Callable[[Array], Array]) -> None:
    asked, sent = getattr(other_programs, program)("nothing")
    for parts in (sent, SubmissionSpec(gradients=sent.gradients)):
        report = examined(asked, mapped(parts, change))
        assert report.verdict == "correct", (change, report.summary)


def test_deltas_without_the_mean_in_four_digits() -> None:
    exercise = Exercise((3, 4, 2), ("tanh", "sigmoid"), examples=32)
    solution = Student().solve(exercise)
    solution.D = [32 * D for D in solution.D]
    report = examined(exercise.problem(), mapped(solution.submission("gradients", "deltas"), four_digits))
    assert [each.slug for each in report.equivalences] == ["deltas-without-mean"], report.summary
    assert not report.blame


def test_a_tensor_may_be_rounded_alone() -> None:
    exercise = Exercise((3, 4, 2), ("tanh", "sigmoid"))
    solution = Student().solve(exercise)
    solution.loss = round(solution.loss, 5)
    assert examined(exercise.problem(), solution.submission("loss", "gradients", "deltas")).verdict == "correct"
    solution.loss += 1e-3
    assert examined(exercise.problem(), solution.submission("loss", "gradients", "deltas")).verdict == "wrong"


def test_formats_of_sixteen_bits_are_recognised() -> None:
    numbers = np.random.default_rng(0).standard_normal(100)
    assert digits_of([half(numbers)]) == Digits(binary="float16")
    assert digits_of([half_shortest(numbers)]) == Digits(binary=SHORTEST)
    assert digits_of([brain(numbers)]) == Digits(binary="bfloat16")


def three_decimals(array: Array) -> Array:
    return np.round(array, 3)


@pytest.mark.parametrize("change", [three_decimals, four_digits, half])
@pytest.mark.parametrize("part", ["gradients", "deltas", "activations", "loss"])
def test_one_part_may_be_printed_in_few_digits_and_the_others_not(part: str, change: Callable[[Array], Array]) -> None:
    """A notebook shows its gradients rounded and its loss in full, or the other way round."""
    exercise = Exercise((3, 4, 2), ("tanh", "sigmoid"))
    sent = Student().solve(exercise).submission("loss", "activations", "deltas", "gradients")
    rounded = mapped(sent, change)
    if part == "loss":
        assert sent.loss is not None
        few = replace(sent, loss=float(change(np.asarray(sent.loss))))
    else:
        few = replace(sent, **{part: getattr(rounded, part)})
    assert examined(exercise.problem(), few).verdict == "correct"


def test_a_mistake_in_a_tensor_of_few_digits_is_found_beside_full_ones() -> None:
    exercise = Exercise((3, 4, 2), ("tanh", "sigmoid"))
    solution = Student().solve(exercise)
    solution.db[1] = np.round(1.1 * solution.db[1], 3)
    report = examined(exercise.problem(), solution.submission("loss", "deltas", "gradients"))
    assert [(blame.quantity.layer, blame.quantity.name) for blame in report.blame] == [("2", "bias")]


def test_the_smallest_float16_are_not_taken_for_bfloat16() -> None:
    tiny = half(1e-6 * np.random.default_rng(1).standard_normal(40))
    found = digits_of([tiny])
    assert found is not None
    assert float(found.half_unit(tiny).min()) >= 2.0**-25


def test_numbers_of_three_decimals_near_one_are_not_taken_for_three_digits() -> None:
    numbers = np.array([0.87, 0.668, 1.0, -0.987, -0.041, 0.319])
    found = digits_of([numbers])
    assert found is not None
    assert (found.half_unit(numbers) >= 0.0005).all()
