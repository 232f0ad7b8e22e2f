"""The answers of /v1/models/import and /v1/models/{id}/export."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, Any, Literal

from app import models
from app.exchange import Reply
from app.formats import tensors
from app.formats.imported import Imported, Options
from app.formats.onnx_export import onnx_of
from app.formats.onnx_import import from_onnx
from app.schemas.problem import Convention, NetworkSpec
from app.settings import Settings
from app.storage import Database, model_store
from app.wire.decode import decode
from app.wire.encode import encode
from app.wire.message import MEDIA_TYPE
from core.errors import Refusal
from core.model import Model, received
from core.network import Limits

Format = Literal["safetensors", "npz", "onnx", "json"]
IMPORTERS: dict[str, Callable[[bytes, Options, int], Imported]] = {
    "safetensors": tensors.from_safetensors,
    "npz": tensors.from_npz,
    "json": tensors.from_json,
    "onnx": from_onnx,
}
MEDIA_TYPES = {"safetensors": MEDIA_TYPE, "npz": "application/zip", "onnx": "application/octet-stream",
               "json": "application/json"}  # fmt: skip


def network_of_query(text: str | None) -> NetworkSpec | None:
    """The network that a query brings as JSON.

    Raises:
        Refusal: whatever is wrong with it; paths start with `query`.
    """
    if text is None:
        return None
    try:
        return decode(text.encode(), NetworkSpec)
    except Refusal as refusal:
        raise refusal.below("query", "network") from None


def imported(
    file: IO[bytes], form: Format, options: Options, name: str | None, settings: Settings, database: Database
) -> Reply:
    """Store the model of a file; 200 where there is one with the same content already."""
    found = IMPORTERS[form](file.read(), options, settings.max_parameters)
    models.refuse_long(len(found.layers), settings)
    limits = Limits(parameters=settings.max_parameters)
    model = received(found.layers, found.parameters, found.state, found.convention, limits)
    return models.stored(database, model, list(found.warnings), name=name)


def exported(identity: str, form: Format, convention: Convention, database: Database) -> tuple[bytes, str]:
    """The file of a model, and its media type."""
    model = model_store.load_model(database, identity)
    return EXPORTERS[form](model, convention), MEDIA_TYPES[form]


def _json_of(model: Model, convention: Convention) -> bytes:
    body: dict[str, Any] = {
        "network": {"layers": model_store.network_of(model.layers)},
        "parameters": model.parameters_in(convention),
        "convention": convention,
    }
    is_short = {array.dtype.name for array in model.tensors().values()} == {"float32"}
    return encode(body | ({"state": model.state} if model.state else {}) | ({"dtype": "float32"} if is_short else {}))


EXPORTERS: dict[str, Callable[[Model, Convention], bytes]] = {
    "safetensors": tensors.safetensors_of,
    "npz": tensors.npz_of,
    "json": _json_of,
    "onnx": onnx_of,
}
