"""A submission: the tensors that a user's own code computed, batch-first and in x out if their shapes allow it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from core.arrays import Array, Shape
from core.checking.quantity import Quantity
from core.checking.trace import Network
from core.convention import Convention, is_transposed, parameter_shape, tensor_shape
from core.errors import Issue, did_you_mean, refuse_if_any


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionSpec:
    """The submission as sent: any subset of the tensors, in the caller's convention."""

    loss: float | None = None
    preactivations: Mapping[str, Array] = field(default_factory=dict)
    activations: Mapping[str, Array] = field(default_factory=dict)
    deltas: Mapping[str, Array] = field(default_factory=dict)
    gradients: Mapping[str, Mapping[str, Array]] = field(default_factory=dict)
    input_gradient: Mapping[str, Array] = field(default_factory=dict)
    convention: Convention | None = None
    """The convention of its matrices. Default: that of the problem."""


@dataclass(frozen=True, slots=True)
class Submission:
    """The submission by quantity."""

    values: Mapping[Quantity, Array]
    """Batch-first and in x out if the shape fits, otherwise as sent."""

    layouts: Mapping[Quantity, str]
    """The rearrangement that makes a tensor fit: `transposed`, `axes-of-length-one`."""

    def fits(self, network: Network, quantity: Quantity) -> bool:
        """Return True if a submitted tensor has the expected shape."""
        return self.values[quantity].shape == quantity.shape(network)


def read(network: Network, sent: SubmissionSpec) -> Submission:
    """Convert a submission to batch-first, in x out. A tensor of a wrong shape is kept: the check explains it.

    Raises:
        Refusal: `unknown-name` for a layer, parameter or input that the problem does not have.
    """
    arrays, issues = _by_quantity(network, sent)
    refuse_if_any(issues)
    convention = sent.convention or network.convention
    values, layouts = {}, {}
    for quantity, array in arrays.items():
        values[quantity], layout = _in_layout(network, quantity, np.asarray(array, np.float64), convention)
        if layout:
            layouts[quantity] = layout
    return Submission(values, layouts)


def as_written(network: Network, quantity: Quantity, convention: Convention) -> Shape:
    """Return the shape of a quantity in this convention."""
    if quantity.part == "gradients":
        return parameter_shape(network.nodes[quantity.layer].parameters[quantity.name], convention)
    return tensor_shape(quantity.shape(network), convention)


def _in_layout(network: Network, quantity: Quantity, array: Array, convention: Convention) -> tuple[Array, str | None]:
    """Return a tensor batch-first and in x out, and the rearrangement that was needed besides the convention."""
    wanted = as_written(network, quantity, convention)
    if array.shape == wanted:
        return _to_core(network, quantity, array, convention), None
    if array.shape == wanted[::-1] and len(wanted) == 2:
        return _to_core(network, quantity, array.T, convention), "transposed"
    if [length for length in array.shape if length > 1] == [length for length in wanted if length > 1]:
        return _to_core(network, quantity, array.reshape(wanted), convention), "axes-of-length-one"
    return array, None


def _to_core(network: Network, quantity: Quantity, array: Array, convention: Convention) -> Array:
    if quantity.part == "gradients":
        parameter = network.nodes[quantity.layer].parameters[quantity.name]
        return array.T if is_transposed(parameter, convention) else array
    return array.T if convention == "column" and array.ndim == 2 else array


def _by_quantity(network: Network, sent: SubmissionSpec) -> tuple[dict[Quantity, Array], list[Issue]]:
    """Return the tensors by quantity, and an issue for every name that does not exist."""
    found: dict[Quantity, Array] = {}
    issues: list[Issue] = []
    if sent.loss is not None and network.objective.loss.needs_targets:
        found[Quantity("loss")] = np.asarray(sent.loss)
    elif sent.loss is not None:
        detail = "The loss 'upstream' has no value to compare with: it is the gradient of your own loss."
        issues.append(
            Issue(code="invalid-request", path=("submission", "loss"), detail=detail, hint="Leave out submission.loss.")
        )
    for part in ("preactivations", "activations", "deltas"):
        for layer, array in getattr(sent, part).items():
            if layer in network.nodes:
                found[Quantity(part, layer)] = array
            else:
                issues.append(_unknown("layer", layer, network.nodes, part, layer))
    for layer, named in sent.gradients.items():
        if layer not in network.nodes:
            issues.append(_unknown("layer", layer, network.nodes, "gradients", layer))
            continue
        parameters = network.nodes[layer].parameters
        for name, array in named.items():
            if name in parameters:
                found[Quantity("gradients", layer, name)] = array
            else:
                issues.append(_unknown(f"parameter of layer {layer!r}", name, parameters, "gradients", layer, name))
    for name, array in sent.input_gradient.items():
        if name in network.inputs:
            found[Quantity("input_gradient", name)] = array
        else:
            issues.append(_unknown("input", name, network.inputs, "input_gradient", name))
    return found, issues


def _unknown(what: str, name: str, known: Mapping[str, object], *path: str) -> Issue:
    return Issue(
        code="unknown-name",
        path=("submission", *path),
        detail=f"There is no {what} {name[:60]!r} in the network.",
        expected=list(known)[:50],
        got=name[:60],
        hint=did_you_mean(name, known),
    )
