"""The environment that, together with the request, determines the last bits of a result."""

from __future__ import annotations

import platform
from typing import Any

import numpy as np
import threadpoolctl  # type: ignore[import-untyped]


def environment() -> dict[str, Any]:
    """Return the processor, libraries and threads. With the same ones, the same request gives the same bits."""
    blas = [pool for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]
    return {
        "machine": platform.machine(),
        "numpy": np.__version__,
        "blas": [
            {
                "library": pool["internal_api"],
                "version": pool["version"],
                "core": pool.get("architecture"),
                "threads": pool["num_threads"],
            }
            for pool in blas
        ],
    }
