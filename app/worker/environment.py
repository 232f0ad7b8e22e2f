"""The environment that, together with the request, determines the last bits of a result."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Any

import numpy as np
import threadpoolctl  # type: ignore[import-untyped]

NUMPY: dict[str, Any] = {"name": "numpy"}
"""The engine of jobs that were begun before engines were recorded."""


def gives_same_bits(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Return whether a job has the same bits in both environments, whatever the reason for its engine."""
    return _without_reason(before) == _without_reason(now)


def _without_reason(environment: Mapping[str, Any]) -> dict[str, Any]:
    engine = environment.get("engine", NUMPY)
    return {**environment, "engine": {name: value for name, value in engine.items() if name != "reason"}}


def environment(engine: Mapping[str, Any]) -> dict[str, Any]:
    """Return the processor, libraries, threads and engine. With the same ones, the same request gives the same bits."""
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
        "engine": dict(engine),
    }
