"""safetensors and npz files: the tensors of a model by name, with the network as JSON."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson

from app.models.formats import sklearn, state_dict
from app.models.formats.imported import Imported, ImportOptions
from app.models.repository import network_of
from app.models.schemas import ModelRequest
from app.problem.schemas import NetworkSpec
from app.wire import npz_file, safetensors_file, safetensors_message
from app.wire.decode import decode, read_values, validate_values
from app.wire.file_content import FileContent, opened
from app.wire.limits import DocumentLimits
from app.wire.tensor_fields import field_tree
from core.arrays import Array
from core.convention import Convention
from core.errors import Issue, Refusal, refuse_if_any
from core.model import Model, in_precision

KEY = safetensors_message.KEY
PARTS = ("parameters.", "state.")


def safetensors_of(model: Model, convention: Convention) -> bytes:
    """Return the model as safetensors. In the convention torch the names are torch's, otherwise paths."""
    return safetensors_file.write(_tensors_by_name(model, convention), {KEY: _metadata(model, convention).decode()})


def npz_of(model: Model, convention: Convention) -> bytes:
    """Return the model as npz. The array `gradd` holds the bytes of the network as JSON."""
    file = io.BytesIO()
    npz_file.write(
        {**_tensors_by_name(model, convention), KEY: np.frombuffer(_metadata(model, convention), np.uint8)}, file
    )
    return file.getvalue()


def from_safetensors(body: FileContent, options: ImportOptions, elements: int) -> Imported:
    """Return the model of an exported file or of a state_dict."""
    file = safetensors_file.read(body, DocumentLimits(elements=elements))
    _refuse_quantised({name: dtype for name, dtype in file.dtypes.items() if dtype[0] in "IUB" and dtype[-2:] != "64"})
    return _from_tensors(file.tensors, file.metadata.get(KEY), options)


def from_npz(body: FileContent, options: ImportOptions, elements: int) -> Imported:
    """Return the model of an exported file or of the arrays of a state_dict."""
    tensors = npz_file.read(opened(body), elements, texts=sklearn.TEXTS)
    metadata = tensors.pop(KEY, None)
    dtypes = npz_file.dtypes(opened(body))
    _refuse_quantised({name: dtype for name, dtype in dtypes.items() if name in tensors and _is_short_integer(dtype)})
    if metadata is None and sklearn.is_sklearn(tensors) and options.network is None:
        return sklearn.from_sklearn(tensors, npz_file.texts(opened(body), sklearn.TEXTS), options)
    if metadata is None:
        return _from_tensors(tensors, None, options)
    try:
        text = metadata.astype(np.uint8).tobytes().decode()
    except UnicodeDecodeError:
        raise Refusal.of("invalid-request", f"The array {KEY!r} is not JSON in UTF-8.", KEY) from None
    return _from_tensors(tensors, text, options)


def _is_short_integer(dtype: str) -> bool:
    return np.dtype(dtype).kind in "iub" and np.dtype(dtype).itemsize < 8


def _refuse_quantised(dtypes: Mapping[str, str]) -> None:
    """Refuse integers of few bits and booleans, which are not the weights themselves but stand for them.

    Integers of 64 bits are numbers that somebody has written without a point.
    """
    issues = [
        Issue(
            code="invalid-request",
            path=(name[:200],),
            detail=f"The tensor {name[:60]!r} is {dtype}: quantised weights are not the numbers that a layer computes with.",
            expected="floating-point numbers",
            got=dtype,
            hint="Send the weights before they were quantised, or multiplied by their scale.",
        )
        for name, dtype in dtypes.items()
        if name.rpartition(".")[2] != state_dict.COUNTERS and name not in sklearn.LINEAR - {"coef_", "intercept_"}
    ]
    refuse_if_any(issues[:100])


def _tensors_by_name(model: Model, convention: Convention) -> dict[str, Array]:
    parameters = model.parameters_in(convention)
    if convention == "torch":
        return state_dict.to_torch_names(model.layers, parameters, model.state)
    return Model(model.layers, parameters, model.state).tensors()


def _metadata(model: Model, convention: Convention) -> bytes:
    return orjson.dumps({"network": {"layers": network_of(model.layers)}, "convention": convention})


def _from_tensors(tensors: Mapping[str, Array], metadata: str | None, options: ImportOptions) -> Imported:
    """Return the model of named tensors. The network is that of the query or the file, or inferred from the shapes."""
    said: dict[str, Any] = {}
    if metadata is not None:
        place = field_tree(ModelRequest)
        values, issues = read_values(metadata.encode(), place)
        values.setdefault("network", {"layers": []})
        body = validate_values(values, issues, ModelRequest, place)
        said = {name: getattr(body, name) for name in body.model_fields_set if name in ("network", "convention")}
    network: NetworkSpec | None = options.network or said.get("network")
    if not tensors:
        raise Refusal.of("invalid-request", "The file contains no tensors.")
    if network is None or not network.layers:
        return state_dict.infer_network(tensors, options)
    by_path = all(name.startswith(PARTS) for name in tensors)
    convention: Convention = options.convention or said.get("convention") or ("row" if by_path else "torch")
    if not by_path:
        parameters, state = state_dict.from_torch_names(tensors, network.layers, convention)
        is_known = bool(options.convention or said.get("convention"))
        return Imported(
            network.layers,
            parameters,
            state,
            convention,
            [] if is_known else state_dict.ambiguities(network.layers, parameters),
        )
    parts: dict[str, dict[str, dict[str, Array]]] = {"parameters": {}, "state": {}}
    for name, array in tensors.items():
        part, _, rest = name.partition(".")
        layer, _, tensor = rest.rpartition(".")
        parts[part].setdefault(layer, {})[tensor] = array
    return Imported(network.layers, parts["parameters"], parts["state"], convention)


def from_json(body: FileContent, options: ImportOptions, elements: int) -> Imported:
    """Return the model of a JSON file in the form of the body of POST /v1/models."""
    request = decode(body[:], ModelRequest, DocumentLimits(elements=elements))
    network = options.network or request.network
    convention: Convention = options.convention or request.convention or "row"
    parameters = in_precision(request.parameters or {}, request.dtype, "parameters")
    return Imported(network.layers, parameters, in_precision(request.state or {}, request.dtype, "state"), convention)
