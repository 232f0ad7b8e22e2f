"""From a request to the core and back: the glue that the endpoints share."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from app.problems import MOST_ERRORS
from app.schemas.gradients import ForwardRequest, GradientsRequest
from app.schemas.problem import Problem as ProblemBody
from app.settings import Settings
from core.arrays import Array
from core.convention import layer_parameters, tensor
from core.errors import Issue, Refusal, did_you_mean
from core.feedback_alignment import SentFeedback
from core.network import INPUT, Limits, Node, names_of
from core.problem import Problem
from core.problem_spec import ProblemSpec, validate


def problem_of(
    body: ProblemBody,
    settings: Settings,
    *,
    needs_loss: bool,
    besides: Sequence[Issue] = (),
    takes_feedback: bool = False,
) -> Problem:
    """The checked problem of a request.

    Args:
        body: the request.
        settings: of the server.
        needs_loss: whether the computation is one of gradients.
        besides: issues that were found elsewhere in the request.
        takes_feedback: whether it goes backward by the rules that feedback alignment changes.

    Raises:
        Refusal: with everything that is wrong with it.
    """
    layers = body.network.layers
    if len(layers) > settings.max_layers:
        detail = f"The network has {len(layers):,} layers; this server takes {settings.max_layers:,}."
        raise Refusal.of("too-large", detail, "network", "layers", expected=settings.max_layers, got=len(layers))
    batch = body.batch
    sent = ProblemSpec(
        layers=layers,
        inputs=batch.inputs if isinstance(batch.inputs, dict) else {INPUT: batch.inputs},
        parameters=body.parameters or {},
        state=body.state or {},
        loss=body.loss,
        targets=batch.targets,
        upstream=batch.upstream,
        sample_weight=batch.sample_weight,
        first_label=batch.first_label,
        convention=body.convention,
        dtype=body.dtype,
        seed=body.seed,
        feedback=_feedback(body, takes_feedback),
    )
    limits = Limits(parameters=settings.max_parameters, activations=settings.max_activations)
    return validate(sent, limits, needs_loss=needs_loss, besides=besides)


def _feedback(body: ProblemBody, takes_feedback: bool) -> SentFeedback | None:
    feedback = body.feedback
    if feedback is None:
        return None
    if not takes_feedback:
        detail = (
            "Feedback alignment gives directions to train along; this computation is about the derivatives themselves."
        )
        hint = "POST /v1/gradients compares its directions with the gradient."
        raise Refusal.of("invalid-request", detail, "feedback", hint=hint)
    return SentFeedback(kind=feedback.kind, seed=feedback.seed, weights=feedback.weights or {})


def unknown_parts(body: ForwardRequest | GradientsRequest, valid: Sequence[str]) -> list[Issue]:
    """An issue for every part and every layer that a request asks for and that does not exist."""
    names = names_of(body.network.layers)
    return [*unknown_names("include", body.include, valid), *unknown_names("layers", body.layers or [], names)]


class Rendering:
    """Writes a problem's tensors as the request writes them: its convention, its choice of parts and layers."""

    def __init__(self, problem: Problem, parts: Iterable[str], layers: Sequence[str] | None) -> None:
        self.problem = problem
        self.parts = set(parts)
        self.nodes: dict[str, Node] = {node.name: node for node in problem.nodes}
        self.layers = set(self.nodes if layers is None else layers)

    def tensor(self, array: Array) -> Array:
        """One tensor."""
        return tensor(array, self.problem.convention)

    def tensors(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """A map of tensors by layer."""
        return {name: self.tensor(arrays[name]) for name in self.nodes if name in self.layers and name in arrays}

    def parameters(self, arrays: Mapping[str, Mapping[str, Array]], *, everything: bool = False) -> dict[str, Any]:
        """Parameters, or their gradients, by layer and name."""
        return {
            name: layer_parameters(arrays[name], node.parameters, self.problem.convention)
            for name, node in self.nodes.items()
            if node.parameters and (everything or name in self.layers)
        }

    def named_inputs(self, arrays: Mapping[str, Array]) -> Any:
        """A tensor for each input of the batch: one, or an object of named ones, as the batch has them."""
        written = {name: self.tensor(array) for name, array in arrays.items()}
        return written[INPUT] if set(written) == {INPUT} else written

    def refuse_large(self, limit: int, *, seeded: bool) -> None:
        """Refuse an answer with more numbers than the limit, before they are computed.

        Args:
            limit: numbers that an answer may have.
            seeded: whether the parameters are part of the answer, because some are drawn.

        Raises:
            Refusal: `too-large`.
        """
        nodes = [node for name, node in self.nodes.items() if name in self.layers]
        per_layer = sum(math.prod(node.shape) for node in nodes)
        weights = sum(math.prod(parameter.shape) for node in nodes for parameter in node.parameters.values())
        inputs = sum(array.size for array in self.problem.inputs.values())
        sizes = {
            "output": math.prod(self.problem.output_shape),
            "preactivations": per_layer,
            "activations": per_layer,
            "deltas": per_layer,
            "gradients": weights,
            "input_gradient": inputs,
            "per_example_gradients": weights * self.problem.output_shape[0] if self.problem.output_shape else 0,
        }
        total = sum(size for part, size in sizes.items() if part in self.parts)
        if seeded:
            every = (parameter for node in self.nodes.values() for parameter in node.parameters.values())
            total += sum(math.prod(parameter.shape) for parameter in every)
        if total > limit:
            detail = f"The answer would hold {total:,} numbers; this server writes {limit:,}."
            hint = 'Name fewer parts in "include" or fewer layers in "layers".'
            raise Refusal.of("too-large", detail, "include", expected=limit, got=total, hint=hint)


def unknown_names(field: str, asked: Sequence[str], valid: Sequence[str]) -> list[Issue]:
    """An issue for each name that is not valid."""
    issues: list[Issue] = []
    for position, name in enumerate(asked):
        if name not in valid:
            issues.append(
                Issue(
                    code="unknown-name",
                    path=(field, position),
                    detail=f"{name[:60]!r} is not one of {', '.join(valid[:50])}.",
                    expected=list(valid[:50]),
                    got=name[:60],
                    hint=did_you_mean(name, valid) if len(issues) < MOST_ERRORS else None,
                )
            )
    return issues


def scalar(value: Any) -> Any:
    """A number of the computation, in its own precision."""
    return value if isinstance(value, np.generic) else float(value)
