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
        detail = (
            f"The computation would take about {cost.operations:,.3g} operations, {cost.seconds:,.3g} s of one core; this "
            f"server allows {settings.max_operations:,.3g}."
        )
        layer, part = _slowest(cost)
        if layer:
            detail += f" Layer {layer.name!r} ({layer.layer.kind}) alone takes about {part:,.3g}."
        limit, got, variable = settings.max_operations, cost.operations, "GRADD_MAX_OPERATIONS"
    elif cost.bytes > settings.max_memory_bytes:
        detail = (
            f"The computation would take about {cost.bytes:,} bytes of memory; this server allows "
            f"{settings.max_memory_bytes:,}."
        )
        layer, part = _heaviest(cost)
        if layer:
            detail += f" Layer {layer.name!r} ({layer.layer.kind}) alone takes about {part:,.0f}."
        limit, got, variable = settings.max_memory_bytes, cost.bytes, "GRADD_MAX_MEMORY_BYTES"
    else:
        return
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
