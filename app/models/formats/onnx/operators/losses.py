"""Losses: a network ends with the scores, and a request chooses the loss."""

from __future__ import annotations

from dataclasses import replace

from app.models.formats.onnx.file import OnnxGraph
from app.models.formats.onnx.graph import Builder, Translator
from app.models.formats.onnx.node import OnnxNode, Untranslatable
from app.models.formats.onnx.operators.functions import over_features
from core.errors import Issue

CROSS_ENTROPY, LIKELIHOOD = "SoftmaxCrossEntropyLoss", "NegativeLogLikelihoodLoss"


def loss(builder: Builder, node: OnnxNode) -> None:
    """Translate the second output of a loss, log-probabilities, where only that is read; refuse the loss itself.

    Raises:
        Untranslatable: with the value that has the scores, and the loss of a request that is the same.
    """
    wanted = [name for name in node.outputs if name and builder.readers[name]]
    if node.operator == CROSS_ENTROPY and wanted == list(node.outputs[1:]):
        over_features("log_softmax")(
            builder, replace(node, inputs=node.inputs[:1], outputs=wanted, attributes={"axis": 1})
        )
        return
    raise Untranslatable(describe(node, _scores(builder.graph, node)))


def describe(node: OnnxNode, scores: str) -> str:
    """Return which loss a node is, and how a request has the same one."""
    weights = ", weighted by class" if len(node.inputs) > 2 and node.inputs[2] else ""
    ignored = ", without those of an ignored class" if "ignore_index" in node.attributes else ""
    of_logits = node.operator == CROSS_ENTROPY or scores != node.inputs[0]
    kind = "softmax_cross_entropy" if of_logits else "cross_entropy, of their exponentials"
    return (
        f"it is a loss ({node.text('reduction', 'mean')[:10]} of cross-entropies along axis 1{weights}{ignored}), and a "
        f"network ends with the scores, ?output={scores[:60]}; ask for the loss {kind}"
    )


def scores_of(graph: OnnxGraph) -> tuple[str, Issue] | None:
    """Return the value that has the scores of a graph with a loss among its outputs, and a warning that names the loss."""
    for node in graph.nodes:
        if node.operator in LOSSES and node.outputs[0] in graph.outputs:
            scores = _scores(graph, node)
            detail = f"{node.describe()} was left out: {describe(node, scores)}."
            return scores, Issue(code="loss-left-out", path=("graph", "outputs"), detail=detail)
    return None


def _scores(graph: OnnxGraph, node: OnnxNode) -> str:
    """Return the value from which a loss is computed, before its softmax where that is a node of its own."""
    scores = node.inputs[0]
    maker = next((other for other in graph.nodes if scores in other.outputs), None)
    if node.operator == LIKELIHOOD and maker is not None and maker.operator == "LogSoftmax":
        return maker.inputs[0]
    return scores


LOSSES: dict[str, Translator] = {CROSS_ENTROPY: loss, LIKELIHOOD: loss}
"""The losses that ONNX has."""
