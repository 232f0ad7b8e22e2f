"""One pass of a variant, which shares with the request's network what is the same in both."""

from __future__ import annotations

import copy

import numpy as np

from core.checking.formulas import RIGHT
from core.checking.layer_rules import LayerRules
from core.checking.trace import Network, Trace
from core.problem import Problem


def network_of(problem: Problem, base: Network) -> Network:
    """Return the network of a variant; the rules of the layers that are the same are shared."""
    if problem.inputs is not base.problem.inputs:
        return Network(problem)
    found = copy.copy(base)
    found.problem = problem
    found.nodes = {node.name: node for node in problem.nodes}
    found.layer_rules = dict(base.layer_rules)
    for node in problem.nodes:
        own, sent = problem.parameters[node.name], base.problem.parameters[node.name]
        if node is base.nodes[node.name] and own is sent:
            continue
        if node.layer is base.nodes[node.name].layer and own is sent:
            continue  # Only the activation function is another one, and the rules of the layer do not contain it.
        found.layer_rules[node.name] = LayerRules(
            node,
            [base.shapes[name] for name in node.reads],
            own,
            problem.state.get(node.name, {}),
            dtype=np.dtype(np.float64),
            column=problem.convention == "column",
        )
    return found


def forward_pass(network: Network, right: Trace) -> Trace:
    """Return the trace of the forward pass; the numbers before the first difference are shared."""
    trace = Trace(network)
    moved: set[str] = set()
    for name, node in network.nodes.items():
        same_rules = network.layer_rules[name] is right.network.layer_rules.get(name)
        if same_rules and not moved & set(node.reads):
            trace.preactivations[name] = right.preactivations[name]
        else:
            trace.preactivations[name] = RIGHT.preactivation(trace, name)
            moved.add(name)
        if name not in moved and node.function is right.network.nodes[name].function:
            trace.activations[name] = right.activations[name]
        else:
            trace.activations[name] = RIGHT.activation(trace, name)
            moved.add(name)
    return trace
