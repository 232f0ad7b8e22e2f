"""Models without a convention: what is known of parameters without a batch."""

from __future__ import annotations

import numpy as np
import pytest

from core.arrays import Array
from core.convention import Convention
from core.errors import Refusal
from core.layers import Layer
from core.layers.dense import Dense
from core.model import Model, fits_transposed, parameters_of, state_of, template, validate_model
from core.network import NetworkLimits
from core.shape_inference import infer_shapes
from tests.core.layers.layer_cases import CASES, Case, Sizes
from tests.core.sample import CONVENTIONS

SIZES = Sizes(2, 3, 2, 3)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_names_orientation_and_fixed_lengths_do_not_depend_on_what_a_layer_reads(case: Case) -> None:
    layers, inputs = case.built(SIZES, "row")
    layer = layers[-1]
    node = infer_shapes(layers, inputs, {}, "row", seeded=True).nodes[-1]
    stated = parameters_of(layer)
    assert {name: p.follows_convention for name, p in stated.items()} == {
        name: p.follows_convention for name, p in node.parameters.items()
    }
    assert list(state_of(layer)) == list(node.state)
    for name, lengths in template(layer).items():
        shape = node.parameters[name].shape
        assert len(lengths) == len(shape)
        assert all(length in (None, actual) for length, actual in zip(lengths, shape, strict=True))


LAYERS: list[Layer] = [Dense(units=3), Dense(units=2, name="out", bias=False)]
WEIGHTS: dict[str, dict[str, Array]] = {
    "1": {"weight": np.arange(12.0).reshape(4, 3), "bias": np.zeros(3)},
    "out": {"weight": np.ones((3, 2))},
}


def as_sent(convention: Convention) -> dict[str, dict[str, Array]]:
    return Model(LAYERS, WEIGHTS).parameters_in(convention)


@pytest.mark.parametrize("sent", CONVENTIONS)
@pytest.mark.parametrize("asked", CONVENTIONS)
def test_what_comes_in_one_convention_goes_out_in_another(sent: Convention, asked: Convention) -> None:
    model = validate_model(LAYERS, as_sent(sent), {}, sent, NetworkLimits())
    for layer, named in model.parameters_in(asked).items():
        for name, array in named.items():
            expected = WEIGHTS[layer][name]
            np.testing.assert_array_equal(array, expected.T if asked != "row" and expected.ndim == 2 else expected)


def test_everything_that_cannot_fit_is_refused_at_once() -> None:
    layers = [*LAYERS, Dense(units=1, activation="tan"), Dense(units=1, name="out", initializer="he")]
    parameters: dict[str, dict[str, Array]] = {
        "1": {"weight": np.ones((3, 4)), "bias": np.ones(4), "gain": np.ones(1)},
        "out": {"weight": np.ones((1, 1))},
        "hidden": {"weight": np.ones((1, 1))},
    }
    with pytest.raises(Refusal) as caught:
        validate_model(layers, parameters, {"1": {"running_mean": np.ones(1)}}, "row", NetworkLimits())
    assert {(issue.code, issue.path) for issue in caught.value.issues} == {
        ("invalid-request", ("network", "layers", 3, "name")),
        ("unknown-name", ("network", "layers", 2, "activation")),
        ("unknown-name", ("network", "layers", 3, "initializer")),
        ("shape-mismatch", ("parameters", "1", "weight")),
        ("shape-mismatch", ("parameters", "1", "bias")),
        ("unknown-name", ("parameters", "1", "gain")),
        ("unknown-name", ("parameters", "hidden")),
        ("unknown-name", ("state", "1", "running_mean")),
    }
    (weight,) = [issue for issue in caught.value.issues if issue.path[-1] == "weight"]
    assert (weight.expected, weight.got, weight.hint) == ([None, 3], [3, 4], "It is transposed.")


def test_a_model_may_lack_parameters_but_not_exceed_the_limit() -> None:
    lacking = validate_model(LAYERS, {"1": {"bias": np.zeros(3)}}, {}, "row", NetworkLimits())
    assert list(lacking.tensors()) == ["parameters.1.bias"]
    with pytest.raises(Refusal, match="21 parameters"):
        validate_model(LAYERS, WEIGHTS, {}, "row", NetworkLimits(parameters=17))


def test_weights_that_fit_either_way_are_known() -> None:
    assert not fits_transposed(LAYERS, WEIGHTS)
    assert fits_transposed([Dense(units=2)], {"1": {"weight": np.ones((2, 2)), "bias": np.ones(2)}})
    assert not fits_transposed([Dense(units=2)], {"1": {"bias": np.ones(2)}})
