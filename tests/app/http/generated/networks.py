"""Problems whose parts fit together: layers of any kind with parameters, a batch, a loss and targets of the right shapes."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from app.problem.schemas import LayerSpec
from core.layers import Layer
from core.losses import LOSSES, Loss
from core.problem_spec import ProblemSpec
from tests.core.layers.layer_cases import CASES, Sizes
from tests.core.sample import CONVENTIONS, sample

_LAYERS: TypeAdapter[Any] = TypeAdapter(list[LayerSpec])
HIDDEN = ("tanh", "sigmoid", "relu", "softplus", "gelu", "identity", "leaky_relu")


def layers_as_json(layers: Sequence[Layer]) -> list[dict[str, Any]]:
    """The layers as a caller writes them, without the fields that have their default value."""
    written = _LAYERS.dump_python(list(layers), mode="json", exclude_defaults=True)
    return [{"kind": layer.kind, **fields} for layer, fields in zip(layers, written, strict=True)]


def dense_problem(draw: random.Random) -> dict[str, Any]:
    """A chain of dense layers with a loss that fits its last activation."""
    n, width, hidden = draw.randint(1, 4), draw.randint(1, 4), draw.randint(0, 2)
    units = [draw.randint(1, 4) for _ in range(hidden + 1)]
    kind, last = draw.choice(
        [
            ("half_squared_error", "identity"), ("mean_squared_error", "tanh"), ("mean_absolute_error", "identity"),
            ("huber", "identity"), ("binary_cross_entropy", "sigmoid"), ("sigmoid_cross_entropy", "identity"),
            ("cross_entropy", "softmax"), ("softmax_cross_entropy", "identity"), ("hinge", "identity"),
            ("kullback_leibler", "softmax"),
        ]
    )  # fmt: skip
    layers: list[dict[str, Any]] = [
        {"kind": "dense", "units": count, "activation": draw.choice(HIDDEN)} for count in units
    ]
    layers[-1]["activation"] = last
    for at, layer in enumerate(layers):
        layer |= draw.choice([{}, {}, {"bias": False}, {"initializer": "he_normal"}, {"name": f"layer {at} σ"}])
    targets: Any = _numbers(draw, (n, units[-1]))
    if kind in ("binary_cross_entropy", "sigmoid_cross_entropy"):
        targets = [[draw.randint(0, 1) for _ in range(units[-1])] for _ in range(n)]
    elif kind in ("cross_entropy", "softmax_cross_entropy"):
        targets = [draw.randrange(units[-1]) for _ in range(n)]
    elif kind == "kullback_leibler":
        targets = [[1 / units[-1]] * units[-1] for _ in range(n)]
    problem: dict[str, Any] = {
        "network": {"layers": layers},
        "batch": {"inputs": _numbers(draw, (n, width)), "targets": targets},
        "loss": {"kind": kind} | draw.choice([{}, {"reduction": "sum"}, {"l2": 0.1}]),
    }
    if draw.random() < 0.5:
        return problem | {"seed": draw.randrange(2**62)}
    reads, parameters = width, dict[str, Any]()
    for at, layer in enumerate(layers, 1):
        bias = {} if layer.get("bias") is False else {"bias": _numbers(draw, (layer["units"],))}
        parameters[layer.get("name", str(at))] = {"weight": _numbers(draw, (reads, layer["units"])), **bias}
        reads = layer["units"]
    return problem | {"parameters": parameters, "convention": "row"}


def problem_of_any_kind(draw: random.Random) -> dict[str, Any]:
    """A problem with a layer of any kind, in any convention."""
    sizes = Sizes(*(draw.randint(1, 4) for _ in range(4)))
    spec = _sampled(draw.randrange(len(CASES)), sizes, draw.choice(CONVENTIONS), draw.choice(_whole_losses()))
    return dense_problem(draw) if spec is None else as_json(spec)


def as_json(spec: ProblemSpec) -> dict[str, Any]:
    """A problem as the body of a request."""
    loss = spec.loss
    given = {} if loss is None else {k: v for k, v in dataclasses.asdict(loss).items() if k in ("delta",)}
    batch = {"inputs": _plain(spec.inputs)} | {
        name: _plain(value) for name in ("targets", "upstream") if (value := getattr(spec, name, None)) is not None
    }
    problem: dict[str, Any] = {
        "network": {"layers": layers_as_json(spec.layers)},
        "parameters": _plain(spec.parameters),
        "batch": batch,
        "convention": spec.convention,
    }
    if loss is not None:
        problem["loss"] = {"kind": loss.kind, **given}
    if spec.state:
        problem["state"] = _plain(spec.state)
    return problem


@cache
def _whole_losses() -> tuple[str, ...]:
    """The losses that compare any numbers."""
    return ("half_squared_error", "mean_squared_error", "mean_absolute_error", "huber", "upstream")


@cache
def _sampled(at: int, sizes: Sizes, convention: Any, loss: str) -> ProblemSpec | None:
    """The problem of a case; None for sizes at which it has none."""
    try:
        layers, inputs = CASES[at].built(sizes, convention)
        return sample(layers, inputs, convention=convention, loss=_loss(loss))
    except (AssertionError, ValueError, TypeError):
        return None


def _loss(kind: str) -> Loss:
    construct: Callable[..., Loss] = LOSSES[kind]
    return construct()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return np.asarray(value).tolist()


def _numbers(draw: random.Random, shape: tuple[int, ...]) -> Any:
    if not shape:
        return round(draw.gauss(0, 1), 3)
    return [_numbers(draw, shape[1:]) for _ in range(shape[0])]
