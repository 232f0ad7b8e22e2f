"""Arrays as the wire has them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def encoded(values: ArrayLike) -> dict[str, Any]:
    """An array as base64; float32 stays float32, everything else becomes float64."""
    array = np.asarray(values)
    array = np.ascontiguousarray(array, "<f4" if array.dtype == np.float32 else "<f8")
    data = base64.b64encode(array.tobytes()).decode()
    return {"dtype": array.dtype.name, "shape": list(array.shape), "data": data}


def decoded(value: Mapping[str, Any]) -> NDArray[Any]:
    """The array that base64 holds."""
    dtype = np.dtype(str(value["dtype"])).newbyteorder("<")
    return np.frombuffer(base64.b64decode(value["data"]), dtype).reshape(value["shape"])


def with_arrays(value: Any) -> Any:
    """The same document with every encoded tensor as an array."""
    if isinstance(value, dict):
        if value.keys() == {"dtype", "shape", "data"}:
            return decoded(value)
        return {name: with_arrays(item) for name, item in value.items()}
    return [with_arrays(item) for item in value] if isinstance(value, list) else value
