"""Every kind of layer has a cost, which grows with the examples."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.cost import NetworkCost
from core.layers import KINDS
from core.shape_inference import infer_shapes
from tests.core.layers.layer_cases import CASES, Case, Sizes

FEW, MANY = Sizes(n=4, i=4, k=3, o=5), Sizes(n=60, i=4, k=3, o=5)


def cost(case: Case, sizes: Sizes) -> NetworkCost:
    layers, inputs = case.built(sizes, "row")
    report = infer_shapes(layers, inputs, {}, "row", seeded=True)
    assert not report.unknown
    return NetworkCost(report.nodes, report.shapes)


def grows(case: Case) -> bool:
    """Return whether the shapes of a case depend on the number of examples, and whether the layer fits more of them."""
    try:
        more = infer_shapes(*case.built(MANY, "row"), {}, "row", seeded=True)
    except ValueError:
        return False
    return not more.unknown and case.shapes(FEW) != case.shapes(MANY)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_has_a_cost_that_grows_with_the_examples(case: Case) -> None:
    few = cost(case, FEW).layers[-1]
    assert few.forward > 0
    assert few.backward > 0
    assert few.stored > 0
    if grows(case):
        many = cost(case, MANY).layers[-1]
        assert many.forward > few.forward
        assert many.backward > few.backward
        assert many.stored >= few.stored


def test_every_kind_has_a_case_that_grows() -> None:
    kinds = {case.layer(FEW).kind for case in CASES if grows(case)}
    assert kinds == set(KINDS)


def test_the_network_up_to_a_layer_has_the_figures_of_its_layers() -> None:
    layers, inputs = next(case for case in CASES if case.layer(FEW).kind == "dense").built(FEW, "row")
    twice = [replace(layers[-1], name="1"), replace(layers[-1], name="2", inputs=["1"])]
    report = infer_shapes(twice, inputs, {}, "row", seeded=True)
    whole = NetworkCost(report.nodes, report.shapes)
    first = whole.up_to(0)
    assert first.forward == whole.layers[0].forward < whole.forward
    assert first.parameters == whole.layers[0].parameters
    assert first.inputs == whole.inputs
    assert first.output == report.shapes["1"]
