"""The variants of a sweep: requests that differ in the values of the sweep."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from app.jobs.request_schemas import JobRequest
from app.problem.schemas import NetworkSpec
from core.errors import Refusal
from core.network import names_of

MOST = 64
"""Maximum number of parts of a sweep."""

NUMBERS = frozenset(("seed", "learning_rate"))
"""The values that change no shape."""


def variants(body: JobRequest) -> Iterator[tuple[dict[str, Any], JobRequest]]:
    """Yield the values of each part of a sweep, and the request of the part.

    Raises:
        Refusal: if there are too many combinations, or a layer is unknown or has no units.
    """
    sweep = body.sweep
    if sweep is None:
        return
    axes: dict[tuple[str, ...], list[Any]] = {}
    for name in ("learning_rate", "seed", "batch_size"):
        if (values := getattr(sweep, name)) is not None:
            axes[(name,)] = values
    names = names_of(body.network.layers)
    for layer, sizes in (sweep.units or {}).items():
        if layer not in names or not hasattr(body.network.layers[names.index(layer)], "units"):
            detail = f"There is no layer {layer[:60]!r} with a field units."
            raise Refusal.of("unknown-name", detail, "sweep", "units", layer, expected=names[:50])
        axes["units", layer] = list(sizes)
    count = 1
    for values in axes.values():
        count *= len(values)
    if not axes or count > MOST:
        detail = f"A sweep has 1 to {MOST} combinations; this one has {count if axes else 0}."
        raise Refusal.of("invalid-request", detail, "sweep", expected=MOST, got=count if axes else 0)
    for chosen in itertools.product(*axes.values()):
        settings = dict(zip(axes, chosen, strict=True))
        yield {".".join(path): value for path, value in settings.items()}, _with(body, settings, names)


def distinct(parts: Iterable[tuple[Mapping[str, Any], JobRequest]]) -> list[JobRequest]:
    """Return the requests of parts without those that differ from another one in numbers alone.

    If one of them can be trained, so can the others: a seed and a learning rate change no shape. Checking a request draws
    its parameters, which takes seconds for the largest network.
    """
    found: dict[tuple[Any, ...], JobRequest] = {}
    for values, body in parts:
        found.setdefault(tuple((name, value) for name, value in values.items() if name not in NUMBERS), body)
    return list(found.values())


def _with(body: JobRequest, settings: dict[tuple[str, ...], Any], names: list[str]) -> JobRequest:
    update: dict[str, Any] = {"sweep": None}
    layers = list(body.network.layers)
    for path, value in settings.items():
        if path[0] == "units":
            position = names.index(path[1])
            layers[position] = replace(layers[position], units=value)
            update["network"] = NetworkSpec(layers=layers)
        elif path[0] == "learning_rate" and body.optimizer is not None:
            update["optimizer"] = replace(body.optimizer, learning_rate=value)
        else:
            update[path[0]] = value
    return body.model_copy(update=update)
