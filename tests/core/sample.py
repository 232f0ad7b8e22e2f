"""Sample problems: layers with random inputs, parameters and targets, in the words of a caller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from core.arrays import Array, Shape
from core.convention import Convention, parameter_shape, tensor_shape
from core.derivatives.certificate import read_as_classes
from core.layers import Layer
from core.layers.embedding import Embedding
from core.losses import Loss
from core.losses.half_squared_error import HalfSquaredError
from core.losses.upstream import Upstream
from core.problem import Problem
from core.problem_spec import ProblemSpec
from core.problem_validation import validate
from core.shape_inference import infer_shapes

CONVENTIONS: tuple[Convention, ...] = ("row", "column", "torch")


def sample(
    layers: Sequence[Layer],
    inputs: Mapping[str, Shape],
    *,
    convention: Convention = "row",
    loss: Loss | None = None,
    seed: int = 0,
    **more: Any,
) -> ProblemSpec:
    """A problem whose numbers are all random.

    Args:
        layers: the network.
        inputs: shapes of the batch's tensors as this convention writes them.
        convention: of the request.
        loss: half the squared error, if it is not given. What it compares with is random too, unless `more` has it.
        seed: of the random numbers.
        more: other fields of the request.
    """
    generator = np.random.default_rng(seed)
    shapes = {name: _batch_first(shape, convention) for name, shape in inputs.items()}
    found = infer_shapes(layers, shapes, {}, convention, seeded=True)
    issues = [issue for issue in found.issues if issue.path[:1] != ("state",)]  # It is drawn below.
    assert not issues, issues
    parameters: dict[str, dict[str, Array]] = {
        node.name: {
            name: generator.standard_normal(parameter_shape(parameter, convention))
            for name, parameter in node.parameters.items()
        }
        for node in found.nodes
    }
    loss = loss or HalfSquaredError()
    like_output = generator.standard_normal(tensor_shape(found.nodes[-1].shape, convention))
    compared = {"upstream" if isinstance(loss, Upstream) else "targets": np.asarray(like_output)}
    state = {
        node.name: {name: generator.uniform(0.5, 2, shape) for name, shape in node.state.items()}
        for node in found.nodes
        if node.state
    }
    fields: dict[str, Any] = compared | {"state": state} | more
    classes = min((layer.vocabulary_size for layer in layers if isinstance(layer, Embedding)), default=0)
    read = read_as_classes(found.nodes)
    return ProblemSpec(
        layers=layers,
        inputs={
            name: generator.integers(classes, size=shape) if name in read else generator.standard_normal(shape)
            for name, shape in inputs.items()
        },
        parameters=parameters,
        loss=loss,
        convention=convention,
        **fields,
    )


def _batch_first(shape: Shape, convention: Convention) -> Shape:
    """The shape of an input in the core's view. Under `column` a flat list is one example."""
    if convention == "column" and len(shape) == 1:
        return (1, *shape)
    return tensor_shape(shape, convention)


def sampled(layers: Sequence[Layer], inputs: Mapping[str, Shape], **more: Any) -> Problem:
    """The same, checked."""
    return validate(sample(layers, inputs, **more))
