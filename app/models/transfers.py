"""The operations of /v1/models/import and /v1/models/{id}/export."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import IO, Any, Literal

from app.http.caller import Caller
from app.http.reply import Reply
from app.models import repository, service
from app.models.formats import tensors
from app.models.formats.imported import Imported, ImportOptions
from app.models.formats.keras.importer import from_keras
from app.models.formats.onnx.exporter import onnx_of
from app.models.formats.onnx.importer import from_onnx
from app.models.formats.signature import choose_format
from app.problem.from_request import refuse_too_many_layers
from app.problem.schemas import NetworkSpec
from app.settings import Settings
from app.storage import Database
from app.wire.decode import decode
from app.wire.encode import encode
from app.wire.file_content import FileContent, mapped
from app.wire.limits import RANK_LIMIT
from app.wire.safetensors_message import MEDIA_TYPE
from core.convention import Convention
from core.errors import Refusal
from core.model import Model, validate_model
from core.network import NetworkLimits

Format = Literal["safetensors", "npz", "onnx", "json"]
"""The formats in which models go out."""

ImportFormat = Literal["safetensors", "npz", "onnx", "json", "keras"]
"""The formats in which models come in."""

IMPORTERS: dict[str, Callable[[FileContent, ImportOptions, int], Imported]] = {
    "safetensors": tensors.from_safetensors,
    "npz": tensors.from_npz,
    "json": tensors.from_json,
    "onnx": from_onnx,
    "keras": from_keras,
}
MEDIA_TYPES = {"safetensors": MEDIA_TYPE, "npz": "application/zip", "onnx": "application/octet-stream",
               "json": "application/json"}  # fmt: skip


def network_of_query(text: str | None) -> NetworkSpec | None:
    """Return the network that a query contains as JSON.

    Raises:
        Refusal: with all errors; their paths start with `query`.
    """
    if text is None:
        return None
    try:
        return decode(text.encode(), NetworkSpec)
    except Refusal as refusal:
        raise refusal.below("query", "network") from None


def shapes_of_query(texts: Sequence[str]) -> dict[str, list[int]]:
    """Return the shapes of examples by the name of the input; under "" that of the only input.

    Raises:
        Refusal: if a text is no list of lengths.
    """
    shapes: dict[str, list[int]] = {}
    for position, text in enumerate(texts):
        name, _, lengths = text.rpartition(":")
        parts = [part.strip() for part in lengths.split(",")]
        if len(parts) > RANK_LIMIT - 1 or not all(part.isdecimal() and 0 < int(part[:9]) < 2**24 for part in parts):
            detail = f"{text[:60]!r} is no list of at most {RANK_LIMIT - 1} lengths of axes."
            hint = "Send the lengths of one example without the axis of the examples, such as ?input_shape=3,32,32."
            raise Refusal.of("invalid-request", detail, "query", "input_shape", position, hint=hint)
        shapes[name] = [int(part) for part in parts]
    return shapes


def outputs_of_query(output: str | None, outputs: str | None) -> tuple[str, ...]:
    """Return the names of the values that a network computes.

    Raises:
        Refusal: if both parameters are sent, or one of several names is empty or is sent twice.
    """
    if outputs is None:
        return () if output is None else (output,)
    names = tuple(name.strip() for name in outputs.split(","))
    if output is not None or "" in names or len(set(names)) < len(names):
        detail = (
            "?output= and ?outputs= are both sent."
            if output is not None
            else f"{outputs[:60]!r} is no list of different names."
        )
        hint = "Send ?output=NAME, or ?outputs=NAME,NAME with the output of the model as the last one."
        raise Refusal.of("invalid-request", detail, "query", "outputs", hint=hint)
    return names


def import_model(
    file: IO[bytes],
    form: ImportFormat | None,
    options: ImportOptions,
    name: str | None,
    settings: Settings,
    database: Database,
    caller: Caller,
) -> Reply:
    """Store the model of a file. The status is 200 if the same content exists already."""
    body = mapped(file)
    chosen = choose_format(body, form, IMPORTERS)
    if chosen == "json" and len(body) > settings.max_body_bytes:
        detail = f"The file has {len(body):,} bytes; JSON may have {settings.max_body_bytes:,} on this server."
        hint = "Send the model as safetensors, which takes a fraction of the bytes."
        raise Refusal.of("too-large", detail, expected=settings.max_body_bytes, got=len(body), hint=hint)
    found = IMPORTERS[chosen](body, options, settings.max_parameters)
    refuse_too_many_layers(len(found.layers), settings)
    limits = NetworkLimits(parameters=settings.max_parameters)
    model = validate_model(found.layers, found.parameters, found.state, found.convention, limits)
    return service.store_model(database, model, list(found.warnings), caller, name=name, most=settings.max_models)


def export_model(
    identity: str, form: Format, convention: Convention, database: Database, caller: Caller
) -> tuple[bytes, str]:
    """Return a model as a file, and the media type of the file."""
    model = repository.load_model(database, identity, caller)
    return EXPORTERS[form](model, convention), MEDIA_TYPES[form]


def _json_of(model: Model, convention: Convention) -> bytes:
    body: dict[str, Any] = {
        "network": {"layers": repository.network_of(model.layers)},
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
