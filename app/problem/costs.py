"""The costs that the computations of a problem have in common: its network, its numbers in the body and in the answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from app.problem.from_request import shapes_of
from app.problem.schemas import Problem
from app.settings import Settings
from core.cost import Cost, NetworkCost
from core.cost.passes import initialisation
from core.operations import CALL, READ, REQUEST, WRITE, count
from core.shape_inference import infer_shapes

READ_BYTES = 36
"""Memory of a number of a body: about 20 bytes of text, and 8 of the array twice, as it is read and in the core's layout."""

WRITTEN_BYTES = 48
"""Memory of a number of an answer: 8 bytes of the array, and about 20 of text in pieces and as a whole."""

LAYER = 20 * CALL
"""Operations of validating one layer and laying its part of a plan."""


def network_cost(body: Problem, settings: Settings) -> NetworkCost | None:
    """Return the figures of the network of a request; None if it is beyond another limit or its shapes cannot be inferred.

    Raises:
        Refusal: `too-large`, if the network has too many layers.
    """
    report = shapes_of(body, settings)
    if report.unknown or not report.nodes or any(issue.code == "too-large" for issue in report.issues):
        return None
    return NetworkCost(report.nodes, report.shapes, column=report.convention == "column")


def network_of_examples(body: Problem, settings: Settings, examples: int) -> NetworkCost:
    """Return the figures of the network of a request for another number of examples."""
    report = shapes_of(body, settings)
    names = {node.name for node in report.nodes}
    inputs = {name: (examples, *shape[1:]) for name, shape in report.shapes.items() if name not in names}
    part = infer_shapes(body.network.layers, inputs, {}, report.convention, seeded=True)
    return NetworkCost(part.nodes, part.shapes, column=report.convention == "column")


def itemsize(body: Problem) -> int:
    """Return the bytes of a number in the precision of a request."""
    return 4 if body.dtype == "float32" else 8


def request_cost(body: Problem, network: NetworkCost, settings: Settings) -> Cost:
    """Return the cost of reading a request, and of drawing the parameters that it has a seed for."""
    sent = elements_of([body.batch.inputs, body.batch.targets, body.batch.upstream, body.parameters, body.state])
    targets = count(network.output) * itemsize(body)  # Class numbers become one-hot rows.
    cost = Cost(REQUEST + LAYER * len(network.layers) + READ * sent, READ_BYTES * sent + targets)
    return cost if body.seed is None else cost + initialisation(network) + answer_cost(network.parameters, settings)


def answer_cost(elements: int, settings: Settings) -> Cost:
    """Return the cost of writing an answer with so many numbers. One beyond the limit is refused, not written."""
    elements = min(elements, settings.max_answer_elements)
    return Cost(WRITE * elements, WRITTEN_BYTES * elements)


def elements_of(tensors: Iterable[Any]) -> int:
    """Return the number of elements of tensors, which may be nested in objects by name."""
    found = 0
    for tensor in tensors:
        if isinstance(tensor, np.ndarray):
            found += tensor.size
        elif isinstance(tensor, Mapping):
            found += elements_of(tensor.values())
    return found


def part_sizes(body: Problem, network: NetworkCost) -> dict[str, int]:
    """Return the number of elements of each part of an answer."""
    asked = None if body.layers is None else set(body.layers)
    layers = [layer for layer in network.layers if asked is None or layer.node.name in asked]
    results, weights = sum(layer.result for layer in layers), sum(layer.parameters for layer in layers)
    return {
        "output": count(network.output),
        "preactivations": results,
        "activations": results,
        "deltas": results,
        "gradients": weights,
        "input_gradient": network.inputs,
        "per_example_losses": network.examples,
        "per_example_gradients": weights * network.examples,
    }
