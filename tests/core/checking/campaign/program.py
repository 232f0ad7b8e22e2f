"""A program with one rule wrong, whose later numbers follow honestly from the wrong ones; and what of it is sent."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, MutableMapping
from typing import Any

import numpy as np

from core.arrays import Array
from core.checking import SubmissionSpec
from core.checking.formulas import RIGHT
from core.checking.quantity import Quantity, quantities
from core.checking.trace import BackwardOfLayer, Network, Trace
from core.convention import Convention, is_transposed, tensor

Values = dict[Quantity, Array]
Rule = Callable[[Trace], Array]

EVERYTHING = ("loss", "preactivations", "activations", "deltas", "gradients", "input_gradient")
ALONE = ("loss", "gradients")
WAYS = {"deltas sent": EVERYTHING, "loss and gradients alone": ALONE}


def computed(
    network: Network,
    wrong: Mapping[Quantity, Rule] | None = None,
    inside: Mapping[str, BackwardOfLayer] | None = None,
) -> Values:
    """All numbers of a program.

    Args:
        network: the rules.
        wrong: rules that are wrong, with what the program does instead.
        inside: layers whose whole backward pass is wrong, with the wrong one.
    """
    trace, values = Trace(network, inside=inside or {}), {}
    stores: dict[str, MutableMapping[str, Array]] = {
        "preactivations": trace.preactivations,
        "activations": trace.activations,
        "deltas": trace.deltas,
    }
    for quantity in quantities(network):
        rule = (wrong or {}).get(quantity)
        with np.errstate(all="ignore"):
            value = np.asarray(quantity.by_rule(RIGHT, trace) if rule is None else rule(trace))
        values[quantity] = value
        if quantity.part in stores:
            stores[quantity.part][quantity.layer] = value
    return values


def right_trace(network: Network) -> Trace:
    """The numbers around every rule of the right program."""
    values, trace = computed(network), Trace(network)
    for quantity, value in values.items():
        match quantity.part:
            case "preactivations":
                trace.preactivations[quantity.layer] = value
            case "activations":
                trace.activations[quantity.layer] = value
            case "deltas":
                trace.deltas[quantity.layer] = value
    return trace


def submission(
    network: Network, values: Mapping[Quantity, Array], parts: Collection[str], convention: Convention | None = None
) -> SubmissionSpec:
    """These parts of the numbers as a convention writes them."""
    convention = convention or network.convention
    found: dict[str, Any] = {}
    for quantity, value in values.items():
        if quantity.part not in parts:
            continue
        if quantity.part == "loss":
            found["loss"] = float(value)
        elif quantity.part == "gradients":
            parameter = network.nodes[quantity.layer].parameters[quantity.name]
            turned = value.ndim == 2 and is_transposed(parameter, convention)
            named = found.setdefault("gradients", {}).setdefault(quantity.layer, {})
            named[quantity.name] = value.T if turned else value
        else:
            found.setdefault(quantity.part, {})[quantity.layer] = np.array(tensor(value, convention))
    return SubmissionSpec(**found)


def differs(values: Mapping[Quantity, Array], right: Mapping[Quantity, Array], parts: Collection[str]) -> bool:
    """Whether what is sent differs from the right numbers by more than a right program may."""
    return any(
        value.shape != right[quantity].shape
        or bool(np.any(np.abs(value - right[quantity]) > 1e-4 * (np.abs(right[quantity]).max(initial=0) + 1e-6)))
        for quantity, value in values.items()
        if quantity.part in parts
    )


def is_finite(values: Mapping[Quantity, Array], parts: Collection[str]) -> bool:
    """Whether what is sent can be written in a request."""
    return all(bool(np.isfinite(value).all()) for quantity, value in values.items() if quantity.part in parts)
