"""Shape inference: names, wiring, parameters and sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from core.activations.choice import Function
from core.arrays import Shape
from core.convention import Convention
from core.errors import Issue
from core.layers import Layer
from core.layers.activation import ActivationLayer
from core.layers.add import Add
from core.layers.dense import Dense
from core.layers.subtract import Subtract
from core.network import NetworkLimits
from core.shape_inference import ShapeReport, infer_shapes

BATCH: dict[str, Shape] = {"input": (4, 3)}


def surveyed(
    layers: Sequence[Layer],
    parameters: Mapping[str, Mapping[str, Shape]] | None = None,
    *,
    inputs: Mapping[str, Shape] = BATCH,
    convention: Convention = "row",
    limits: NetworkLimits | None = None,
) -> ShapeReport:
    """Infer shapes; parameters are drawn unless some are sent."""
    return infer_shapes(layers, inputs, parameters or {}, convention, seeded=parameters is None, limits=limits)


def codes_and_paths(issues: Sequence[Issue]) -> list[tuple[str, tuple[str | int, ...]]]:
    """Code and path of each issue."""
    return [(issue.code, issue.path) for issue in issues]


def test_layers_without_a_name_are_named_by_position() -> None:
    found = surveyed([Dense(units=2), Dense(units=5, name="middle"), Dense(units=1)])
    assert not found.issues
    assert [(node.name, node.reads, node.shape) for node in found.nodes] == [
        ("1", ("input",), (4, 2)),
        ("middle", ("1",), (4, 5)),
        ("3", ("middle",), (4, 1)),
    ]


def test_the_same_name_twice_is_refused() -> None:
    (issue,) = surveyed([Dense(units=2, name="a"), Dense(units=2, name="a")]).issues
    assert (issue.code, issue.path) == ("invalid-request", ("network", "layers", 1, "name"))
    assert "taken by an earlier layer" in issue.detail


def test_a_default_name_that_is_taken_is_explained() -> None:
    (issue,) = surveyed([Dense(units=2, name="2"), Dense(units=2)]).issues
    assert issue.path == ("network", "layers", 1, "name")
    assert "'2' (the default name of layer 2) is taken" in issue.detail


def test_input_is_the_name_of_the_batch() -> None:
    (issue,) = surveyed([Dense(units=2, name="input")]).issues
    assert "'input' is taken by an input of the batch" in issue.detail


def test_a_named_input_is_no_name_for_a_layer() -> None:
    (issue,) = surveyed([Dense(units=2, name="text", inputs=["text"])], inputs={"text": (4, 3)}).issues
    assert "'text' is taken by an input of the batch" in issue.detail


def test_an_unknown_name_is_told_the_nearest() -> None:
    (issue,) = surveyed([Dense(units=2, name="hidden"), Dense(units=2, inputs=["hiden"])]).issues
    assert (issue.code, issue.path) == ("unknown-name", ("network", "layers", 1, "inputs", 0))
    assert (issue.expected, issue.got, issue.hint) == (["input", "hidden"], "hiden", "Did you mean 'hidden'?")


def test_a_layer_reads_no_later_layer_and_not_itself() -> None:
    layers = [Dense(units=2, name="a", inputs=["b"]), Dense(units=2, name="b", inputs=["b"])]
    found = surveyed(layers)
    assert codes_and_paths(found.issues) == [
        ("unknown-name", ("network", "layers", 0, "inputs", 0)),
        ("unknown-name", ("network", "layers", 1, "inputs", 0)),
    ]
    assert found.issues[0].hint == "Layers are listed in execution order."


def test_the_first_layer_must_say_which_of_several_inputs_it_reads() -> None:
    (issue,) = surveyed([Dense(units=2)], inputs={"image": (4, 3), "text": (4, 2)}).issues
    assert (issue.code, issue.path, issue.expected) == ("unknown-name", ("network", "layers", 0), ["image", "text"])


def test_a_long_name_is_not_repeated_whole() -> None:
    (issue,) = surveyed([Dense(units=2, inputs=["x" * 1000])]).issues
    assert len(issue.detail) < 200
    assert issue.got == "x" * 60


def test_what_follows_an_unknown_shape_is_not_blamed() -> None:
    layers = [
        Dense(units=2, name="a"),
        Add(inputs=["a", "input"], name="broken"),
        Dense(units=2, name="after"),
        Subtract(inputs=["a", "nowhere"], name="broken too"),
        Dense(units=2, inputs=["a"], name="fine"),
    ]
    found = surveyed(layers)
    assert codes_and_paths(found.issues) == [
        ("shape-mismatch", ("network", "layers", 1, "inputs")),
        ("unknown-name", ("network", "layers", 3, "inputs", 1)),
    ]
    assert found.unknown == {"broken", "after", "broken too"}
    assert [node.name for node in found.nodes] == ["a", "fine"]


def test_an_unknown_activation_does_not_hide_other_issues() -> None:
    layers = [
        Dense(units=2, activation="sigmiod"),
        Dense(units=2, activation=Function(function="relu", alpha=0.5)),
        Dense(units=2, activation=Function(function="rely")),
        ActivationLayer(function="tan"),
    ]
    found = surveyed(layers, {"1": {"weight": (3, 7)}, "3": {"weight": (2, 2), "bias": (2,)}})
    assert set(codes_and_paths(found.issues)) == {
        ("unknown-name", ("network", "layers", 0, "activation")),
        ("invalid-request", ("network", "layers", 1, "activation", "alpha")),
        ("unknown-name", ("network", "layers", 2, "activation", "function")),
        ("unknown-name", ("network", "layers", 3, "function")),
        ("shape-mismatch", ("parameters", "1", "weight")),
        ("missing-parameters", ("parameters", "1", "bias")),
        ("missing-parameters", ("parameters", "2", "weight")),
        ("missing-parameters", ("parameters", "2", "bias")),
    }


def test_missing_parameters_say_their_shape() -> None:
    weight, bias = surveyed([Dense(units=2)], {"1": {}}).issues
    assert codes_and_paths([weight, bias]) == [
        ("missing-parameters", ("parameters", "1", "weight")),
        ("missing-parameters", ("parameters", "1", "bias")),
    ]
    assert (weight.expected, bias.expected) == ([3, 2], [2])
    assert weight.hint and "seed" in weight.hint
    assert bias.hint and '"bias": false' in bias.hint


@pytest.mark.parametrize(("convention", "wanted"), [("row", [3, 2]), ("column", [2, 3]), ("torch", [2, 3])])
def test_a_weight_has_the_shape_of_its_convention(convention: Convention, wanted: list[int]) -> None:
    transposed = tuple(wanted[::-1])
    sent = {"1": {"weight": transposed, "bias": (2,)}}
    (issue,) = surveyed([Dense(units=2)], sent, convention=convention).issues
    assert (issue.code, issue.path) == ("shape-mismatch", ("parameters", "1", "weight"))
    assert (issue.expected, issue.got, issue.hint) == (wanted, list(transposed), "It is transposed.")
    assert repr(convention) in issue.detail
    batch = "[3, 4]" if convention == "column" else "[4, 3]"
    assert f"reads a tensor of shape {batch}" in issue.detail
    assert issue.equation == Dense.equations[convention]


def test_a_parameter_that_a_layer_lacks_is_refused() -> None:
    sent = {"1": {"weight": (3, 2), "bias": (2,), "wieght": (3, 2)}, "2": {"weight": (2, 1), "bias": (1,)}}
    first, second = surveyed([Dense(units=2), Dense(units=1, bias=False)], sent).issues
    assert (first.code, first.path, first.expected) == (
        "unknown-name",
        ("parameters", "1", "wieght"),
        ["weight", "bias"],
    )
    assert (second.path, second.hint) == (("parameters", "2", "bias"), 'The layer says "bias": false.')


def test_parameters_of_no_layer_are_refused() -> None:
    good = {"weight": (3, 2), "bias": (2,)}
    first, second = surveyed([Dense(units=2, name="output")], {"output": good, "ouput": good, "0": {}}).issues
    assert (first.code, first.path, first.hint) == (
        "unknown-name",
        ("parameters", "ouput"),
        "Did you mean 'output'?",
    )
    assert second.hint and "counted from 1" in second.hint


def test_a_network_has_a_layer() -> None:
    assert codes_and_paths(surveyed([]).issues) == [("invalid-request", ("network", "layers"))]


def test_too_many_parameters_and_activations_are_counted_apart() -> None:
    layers = [Dense(units=10), Dense(units=10**9), Dense(units=10)]
    parameters, activations = surveyed(layers, limits=NetworkLimits(parameters=10**6, activations=10**6)).issues
    assert codes_and_paths([parameters, activations]) == [("too-large", ("network", "layers", 1))] * 2
    assert parameters.got == 40 + 11 * 10**9 + 10**10 + 10
    assert "11,000,000,000" in parameters.detail
    assert activations.got == 40 + 4 * 10**9 + 40


def test_a_network_at_its_limits_is_accepted() -> None:
    assert not surveyed([Dense(units=2)], limits=NetworkLimits(parameters=8, activations=8)).issues
    assert len(surveyed([Dense(units=2)], limits=NetworkLimits(parameters=7, activations=7)).issues) == 2


def test_an_unknown_initializer_is_told_the_nearest() -> None:
    found = surveyed([Dense(units=2, initializer="he_norml")], {"1": {"weight": (3, 2), "bias": (2,)}})
    (issue,) = found.issues
    assert (issue.code, issue.path) == ("unknown-name", ("network", "layers", 0, "initializer"))
    assert issue.hint == "Did you mean 'he_normal'?"
