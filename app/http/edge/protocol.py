"""The class of connections that uvicorn is to use: that of the parser which is installed."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec


def protocol_class() -> type[asyncio.Protocol]:
    """Return the guarded connections of httptools, or of h11 where httptools is not installed."""
    if find_spec("httptools"):
        from app.http.edge.protocol_httptools import GuardedHttpTools

        return GuardedHttpTools
    from app.http.edge.protocol_h11 import GuardedH11

    return GuardedH11
