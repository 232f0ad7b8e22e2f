"""Arrays as the wire has them: base64, so that nothing is lost and large tensors are quick."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
from gradd_api.models import EncodedTensor, NamedTensors, Parameters
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]
Arrays = Mapping[str, ArrayLike]
"""Tensors by name."""
ArraysOfLayers = Mapping[str, Arrays]
"""Tensors by layer and name, as parameters and gradients are."""

ON_THE_WIRE = ("float64", "float32", "int64", "int32")


def encoded(values: ArrayLike) -> EncodedTensor:
    """Numbers as base64 in their own type, or as float64 where the wire does not have it.

    Raises:
        TypeError: these are no real numbers (complex, text).
        ValueError: the rows have different lengths.
    """
    array = np.asarray(values)
    if array.dtype.name not in ON_THE_WIRE:
        array = array.astype(np.float64, casting="same_kind")
    data = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
    # Through from_dict, which narrows the name of the type to one that the generated model knows.
    return EncodedTensor.from_dict(
        {"dtype": array.dtype.name, "shape": list(array.shape), "data": base64.b64encode(data).decode()}
    )


def encoded_by_name(arrays: Arrays) -> NamedTensors:
    """Tensors by name, as base64."""
    tensors = NamedTensors()
    tensors.additional_properties = {name: encoded(values) for name, values in arrays.items()}
    return tensors


def encoded_by_layer(arrays: ArraysOfLayers) -> Parameters:
    """Tensors by layer and name, as base64."""
    layers = Parameters()
    layers.additional_properties = {layer: encoded_by_name(named) for layer, named in arrays.items()}
    return layers


def decoded(tensor: EncodedTensor) -> Array:
    """The array that base64 holds; it can be written to."""
    dtype = np.dtype(tensor.dtype)
    array = np.frombuffer(bytearray(base64.b64decode(tensor.data)), dtype.newbyteorder("<"))
    return array.reshape(tensor.shape).astype(dtype, copy=False)


def decoded_by_layer(layers: Parameters | None) -> dict[str, dict[str, Array]]:
    """Arrays by layer and name; none where there is nothing."""
    if layers is None:
        return {}
    return {
        layer: {name: _array(tensor) for name, tensor in named.additional_properties.items()}
        for layer, named in layers.additional_properties.items()
    }


def _array(tensor: object) -> Array:
    return decoded(tensor) if isinstance(tensor, EncodedTensor) else np.asarray(tensor)
