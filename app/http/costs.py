"""The refusal of requests that cost more than the server allows, before anything is computed."""

from __future__ import annotations

from app.settings import Settings
from core.cost import Cost
from core.errors import Refusal
from core.network import Node


def refuse_expensive(cost: Cost, settings: Settings) -> None:
    """Refuse a request that costs more operations or bytes than the settings allow.

    Raises:
        Refusal: `too-large`, with the layer that costs most.
    """
    if cost.operations > settings.max_operations:
        found = f"{cost.operations:,.3g} operations, {cost.seconds:,.3g} s of one core"
        limit, got, variable = settings.max_operations, cost.operations, "GRADD_MAX_OPERATIONS"
        (layer, part), form = _slowest(cost), ",.3g"
    elif cost.bytes > settings.max_memory_bytes:
        found = f"{cost.bytes:,} bytes of memory"
        limit, got, variable = settings.max_memory_bytes, cost.bytes, "GRADD_MAX_MEMORY_BYTES"
        (layer, part), form = _heaviest(cost), ",.0f"
    else:
        return
    detail = f"The computation would take about {found}; this server allows {limit:{form}}."
    if layer:
        detail += f" Layer {layer.name!r} ({layer.layer.kind}) alone takes about {part:{form}}."
    path = ("network", "layers", layer.position) if layer else ()
    hint = f"Send fewer examples or smaller layers, or raise {variable} on a server of your own."
    raise Refusal.of("too-large", detail, *path, expected=limit, got=got, hint=hint)


def _slowest(cost: Cost) -> tuple[Node | None, float]:
    """Return the layer that takes the most operations, and how many."""
    network = cost.network
    found = network and network.slowest()
    if not network or not found:
        return None, 0.0
    return found.node, cost.operations * (found.forward + found.backward) / (network.forward + network.backward)


def _heaviest(cost: Cost) -> tuple[Node | None, float]:
    """Return the layer that takes the most bytes, and how many."""
    network = cost.network
    found = network and network.heaviest()
    if not network or not found:
        return None, 0.0
    return found.node, cost.bytes * (found.stored + found.parameters) / (network.stored + network.parameters)
