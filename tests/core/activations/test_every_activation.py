"""Every activation function: its values, its derivative, and the two ways in which a network holds it."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.activations import FUNCTIONS
from core.activations.base import Activation
from core.activations.choice import Function, resolve
from core.arrays import Array
from core.errors import Refusal
from core.layers import Layer
from core.layers.activation import ActivationLayer
from core.layers.dense import Dense
from core.plan import Retain
from core.problem import Problem
from tests.core.activations.activation_cases import ELEMENTWISE, MODERATE, OF_POSITIVE_NUMBERS, OVER_FEATURES, Case
from tests.core.sample import sampled
from tests.gradient import STEP, assert_backward_is_the_derivative, assert_same, gradients_of, solved

WITHOUT_INVERSE = (
    "relu",
    "gelu",
    "silu",
    "square",
    "sin",
    "hard_sigmoid",
    "hard_swish",
    "mish",
    "clip",
    "reciprocal",
    "abs",
    "power",
)
every_function = pytest.mark.parametrize("name", FUNCTIONS)
every_case = pytest.mark.parametrize("case", ELEMENTWISE, ids=lambda case: case.name)
over_features = pytest.mark.parametrize("name", OVER_FEATURES)
scores = arrays(float, st.tuples(st.integers(1, 3), st.integers(1, 5)), elements=st.floats(-800, 800))


def values_of(function: Activation, Z: Array) -> Array:
    """f(Z), in fresh memory."""
    A = np.empty_like(Z)
    function.forward(Z.copy(), A)()
    return A


def derivatives_of(function: Activation, Z: Array, dA: Array) -> Array:
    """∂L/∂Z by the backward step."""
    dZ = np.empty_like(Z)
    function.backward(Z, values_of(function, Z), dA, dZ)()
    return dZ


def test_no_activation_is_left_out() -> None:
    assert {case.function.function for case in ELEMENTWISE} | set(OVER_FEATURES) == set(FUNCTIONS)


@every_case
def test_values_are_those_of_the_formula(case: Case) -> None:
    Z = np.array(case.arguments)
    expected = [case.reference(z) for z in case.arguments]
    np.testing.assert_allclose(values_of(case.function.resolve(), Z), expected, rtol=case.tolerance, atol=0)


@every_case
def test_float32_values_are_those_of_the_formula(case: Case) -> None:
    Z = np.array([z for z in MODERATE if z > 0 or min(case.arguments) < 0], np.float32)
    A = values_of(case.function.resolve(), Z)
    assert A.dtype == np.float32
    np.testing.assert_allclose(A, [case.reference(float(z)) for z in Z], rtol=3e-6)


@every_case
def test_the_derivative_is_that_of_a_complex_step(case: Case) -> None:
    """Away from 0, where some have a kink."""
    function, Z = case.function.resolve(), np.array([z for z in case.arguments if abs(z) > 1e-290])
    stepped = values_of(function, Z + 1j * STEP).imag / STEP
    np.testing.assert_allclose(derivatives_of(function, Z, np.ones_like(Z)), stepped, rtol=1e-13, atol=1e-15)


@every_case
def test_the_derivative_is_the_slope_of_the_formula(case: Case) -> None:
    Z = np.array([z for z in case.arguments if 1e-3 < abs(z) < 50])
    h = 1e-6 * np.abs(Z)
    slope = [(case.reference(z + d) - case.reference(z - d)) / (2 * d) for z, d in zip(Z, h, strict=True)]
    found = derivatives_of(case.function.resolve(), Z, np.ones_like(Z))
    np.testing.assert_allclose(found, slope, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize(("name", "at_kink"), [("relu", 0.0), ("leaky_relu", 0.01), ("elu", 1.0), ("selu", 1.7580993)])
def test_a_kink_has_the_derivative_of_its_left_side(name: str, at_kink: float) -> None:
    found = derivatives_of(FUNCTIONS[name](), np.zeros(1), np.ones(1))
    np.testing.assert_allclose(found, [at_kink], rtol=1e-7)


@pytest.mark.parametrize(
    ("function", "at", "slopes"),
    [
        (Function(function="hard_sigmoid"), [-3.0, 3.0], [0, 0]),
        (Function(function="hard_swish"), [-3.0, 3.0], [0, 1]),
        (Function(function="clip", lower=-1.0, upper=2.0), [-1.0, 2.0], [1, 1]),
        (Function(function="abs"), [0.0], [0]),
    ],
)
def test_a_kink_has_the_derivative_that_torch_takes(function: Function, at: list[float], slopes: list[float]) -> None:
    found = function.resolve()
    assert list(found.kinks()) == at
    np.testing.assert_array_equal(derivatives_of(found, np.array(at), np.ones(len(at))), slopes)


@over_features
@given(Z=scores)
def test_functions_over_features_are_those_of_the_formula(name: str, Z: Array) -> None:
    expected = [OVER_FEATURES[name](row) for row in Z.tolist()]
    np.testing.assert_allclose(values_of(FUNCTIONS[name](), Z), expected, rtol=1e-13, atol=1e-300)


@over_features
def test_functions_over_features_treat_examples_apart(name: str) -> None:
    Z = np.random.default_rng(0).standard_normal((3, 2, 4))
    together = values_of(FUNCTIONS[name](), Z)
    for example in np.ndindex(3, 2):
        np.testing.assert_array_equal(together[example], values_of(FUNCTIONS[name](), Z[example][np.newaxis])[0])


@given(Z=scores)
def test_a_softmax_sums_to_one_and_its_gradients_to_zero(Z: Array) -> None:
    function = FUNCTIONS["softmax"]()
    np.testing.assert_allclose(values_of(function, Z).sum(axis=1), 1, rtol=1e-14)
    dA = np.cos(Z)
    np.testing.assert_allclose(derivatives_of(function, Z, dA).sum(axis=1), 0, atol=1e-14)


def problems(function: Function) -> tuple[Problem, Problem]:
    """One network with the function as activation, and the same with a layer of its own for it."""
    shapes = {"input": (3, 4)}
    dense = Dense(units=5, name="d")
    layer = ActivationLayer(**{field.name: getattr(function, field.name) for field in fields(function)}, name="f")
    last = Dense(units=2, name="last")
    joined = sampled([replace(dense, activation=function), last], shapes)
    apart: list[Layer] = [dense, layer, last]
    problem = sampled(apart, shapes)
    for each in (joined, problem):
        if function.function in OF_POSITIVE_NUMBERS:
            each.parameters["d"]["weight"][...] = np.abs(each.parameters["d"]["weight"])
            each.parameters["d"]["bias"][...] = 1.0
            each.inputs["input"][...] = np.abs(each.inputs["input"])
    return joined, problem


@every_function
@settings(max_examples=3)
@given(gain=st.sampled_from([1.0, 0.5]))
def test_an_activation_and_a_layer_of_its_own_agree_with_a_complex_step(name: str, gain: float) -> None:
    joined, apart = problems(Function(function=name, gain=gain))
    assert_backward_is_the_derivative(joined)
    assert_backward_is_the_derivative(apart)
    assert_same(gradients_of(solved(joined)), gradients_of(solved(apart)), 1e-13)


@every_function
def test_keeping_preactivations_changes_no_number(name: str) -> None:
    joined, _ = problems(Function(function=name))
    in_place = solved(joined)
    kept = solved(joined, Retain(preactivations=True, deltas=True, input_gradients=True))
    assert np.array_equal(in_place.output, kept.output)
    for path, array in gradients_of(kept).items():
        np.testing.assert_array_equal(gradients_of(in_place)[path], array)
    Z, A = kept.preactivations["d"], kept.activations["d"]
    np.testing.assert_array_equal(A, values_of(FUNCTIONS[name](), Z))


@every_function
def test_float32_gradients_agree_with_float64(name: str) -> None:
    wide, _ = problems(Function(function=name))
    narrow = replace(
        wide,
        inputs={key: array.astype(np.float32) for key, array in wide.inputs.items()},
        parameters={
            layer: {key: array.astype(np.float32) for key, array in named.items()}
            for layer, named in wide.parameters.items()
        },
        dtype=np.dtype("float32"),
    )
    assert_same(gradients_of(solved(narrow)), gradients_of(solved(wide)), 2e-5)


@pytest.mark.parametrize(
    ("constant", "name"), [("alpha", "relu"), ("negative_slope", "elu"), ("alpha", "leaky_relu"), ("alpha", "softmax")]
)
def test_refuses_a_constant_that_the_function_lacks(constant: str, name: str) -> None:
    with pytest.raises(Refusal) as refusal:
        resolve(name, 1.0, {constant: 0.5})
    (issue,) = refusal.value.issues
    assert (issue.code, issue.path) == ("invalid-request", (constant,))


def test_refuses_an_unknown_function_and_names_a_near_one() -> None:
    with pytest.raises(Refusal) as refusal:
        Function(function="sigmiod").resolve()
    (issue,) = refusal.value.issues
    assert (issue.code, issue.path, issue.hint) == ("unknown-name", ("function",), "Did you mean 'sigmoid'?")
    assert issue.expected == list(FUNCTIONS)


@every_case
def test_an_inverse_undoes_the_function_and_a_function_with_two_arguments_for_a_value_has_none(case: Case) -> None:
    function, Z = case.function.resolve(), np.array([z for z in MODERATE if z > 0 or min(case.arguments) < 0])
    A = values_of(function, Z)
    if function.image() is None:
        assert case.function.function in WITHOUT_INVERSE
        return
    low, high = function.image() or (0.0, 0.0)
    assert (low < A).all()
    assert (high > A).all()
    np.testing.assert_allclose(function.inverse(A), Z, rtol=1e-6, atol=1e-15)
    np.testing.assert_allclose(values_of(function, function.inverse(A)), A, rtol=1e-13)


def test_no_slope_or_scale_of_0_has_an_inverse() -> None:
    for function in (
        Function(function="leaky_relu", negative_slope=0.0),
        Function(function="elu", alpha=0.0),
        Function(function="tanh", gain=0.0),
    ):
        assert function.resolve().image() is None
