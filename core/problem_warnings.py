"""Warnings about a problem that follow from its layers and its loss alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from core.activations import Activation
from core.activations.gain import Gain
from core.errors import Issue
from core.losses import Loss
from core.network import Node


def unread_layers(nodes: Sequence[Node]) -> Iterator[Issue]:
    """Yield a warning for every layer but the last that nothing reads: its gradients are 0."""
    read = {name for node in nodes for name in node.reads}
    for node in nodes[:-1]:
        if node.name not in read:
            yield Issue(
                code="unread-layer",
                path=("network", "layers", node.position),
                detail=f"Nothing reads layer {node.name!r}; it does not influence the output, and its gradients are 0.",
            )


def activation_applied_twice(nodes: Sequence[Node], loss: Loss | None) -> Iterator[Issue]:
    """Yield a warning if the output has passed the function that a loss on logits applies itself."""
    if loss is None or loss.applies is None:
        return
    applied, on_probabilities, repeated, code = loss.applies
    node = nodes[-1]
    function, field_name = _last_function(node)
    if function not in repeated:
        return
    if function == "log_softmax":
        effect = "which leaves log-probabilities as they are: the value is right, and softmax is computed twice"
    else:
        effect = f"so that {applied} is applied twice and the gradients are not those of {on_probabilities}"
    hint = f'Use the loss {{"kind": "{on_probabilities}"}} with {applied}, or leave {function} out.'
    yield Issue(
        code=code,
        path=("network", "layers", node.position, field_name),
        detail=f"The output of layer {node.name!r} has passed {function}, and {loss.kind} applies {applied} itself, "
        f"{effect}.",
        hint=hint,
    )


def softmax_of_one(nodes: Sequence[Node], loss: Loss | None) -> Iterator[Issue]:
    """Yield a warning if softmax runs over a single output: it is 1, whatever the parameters are."""
    node = nodes[-1]
    function, field_name = _last_function(node)
    applies = loss is not None and loss.applies is not None and loss.applies[0] == "softmax"
    if node.shape[-1:] != (1,) or not (applies or function in ("softmax", "log_softmax")):
        return
    yield Issue(
        code="softmax-of-one",
        path=("network", "layers", node.position, field_name),
        detail=f"Layer {node.name!r} has one output, and softmax over one number is 1 whatever the parameters are: every "
        "gradient is 0.",
        hint="For two classes, use sigmoid with binary_cross_entropy, or two outputs with softmax.",
    )


def _last_function(node: Node) -> tuple[str, str]:
    """The name of the function that a layer applies last, and the field that names it."""
    name = _name(node.function)
    of_input = node.layer.function_of_input()
    if of_input and name == "identity":
        return _name(of_input), "function"
    return name, "activation"


def _name(function: Activation) -> str:
    """A function's name in requests, without its gain."""
    return (function.function if isinstance(function, Gain) else function).name
