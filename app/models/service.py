"""The operations of /v1/models."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from app.http.caller import Caller
from app.http.entity_tags import refuse_if_changed
from app.http.problem_details import error_of
from app.http.reply import Reply
from app.models import repository
from app.models.schemas import ModelChange, ModelRequest
from app.problem.from_request import refuse_too_many_layers
from app.settings import Settings
from app.storage import Database
from app.storage.tables.models import StoredModel
from app.wire.timestamp import timestamp
from core.convention import Convention
from core.errors import Issue, Refusal
from core.model import Model, fits_transposed, in_precision, validate_model
from core.network import NetworkLimits


def create_model(body: ModelRequest, settings: Settings, database: Database, caller: Caller) -> Reply:
    """Store a model. The status is 200 if the caller has stored the same content already."""
    layers = body.network.layers
    refuse_too_many_layers(len(layers), settings)
    parameters = in_precision(body.parameters or {}, body.dtype, "parameters")
    state = in_precision(body.state or {}, body.dtype, "state")
    limits = NetworkLimits(parameters=settings.max_parameters)
    model = validate_model(layers, parameters, state, body.convention or "row", limits)
    warnings = []
    if body.convention is None and fits_transposed(layers, parameters):
        detail = "The request names no convention, so 'row' was assumed; but every weight would also fit transposed."
        hint = 'Send "convention" to be explicit.'
        warnings = [Issue(code="ambiguous-convention", path=("convention",), detail=detail, hint=hint)]
    most = settings.max_models
    return store_model(database, model, warnings, caller, name=body.name, metadata=body.metadata, most=most)


def store_model(
    database: Database,
    model: Model,
    warnings: list[Issue],
    caller: Caller,
    *,
    name: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    most: int | None = None,
) -> Reply:
    """Store a model of the core with what was assumed of it, and return the answer with its id.

    `most` is the largest number of models that may be stored.

    Raises:
        Refusal: `insufficient-storage`.
    """
    written = [error_of(issue) for issue in warnings]
    row, is_new = repository.save_model(
        database, model, name=name, metadata=metadata, warnings=written, caller=caller, most=most
    )
    return Reply(summary(row), 201 if is_new else 200, {"Location": f"/v1/models/{row.id}"})


def show_model(
    identity: str,
    settings: Settings,
    database: Database,
    caller: Caller,
    *,
    convention: Convention,
    with_parameters: bool,
) -> dict[str, Any]:
    """Return a model, with its parameters in a convention."""
    with database.read() as session:
        row = repository.find(session, identity, caller)
        if not with_parameters:
            return summary(row)
        _refuse_large_answer(row, settings)
        model = repository.to_model(session, row)
    answer = {**summary(row), "parameters": model.parameters_in(convention), "convention": convention}
    return answer | ({"state": model.state} if model.state else {})


def describe_model(identity: str, database: Database, caller: Caller) -> dict[str, Any]:
    """Return a model without its parameters. Its id stands for them."""
    with database.read() as session:
        return summary(repository.find(session, identity, caller))


def list_models(database: Database, limit: int, after: str | None, caller: Caller) -> dict[str, Any]:
    """Return one page of the list of models."""
    rows, has_more = repository.list_models(database, limit, after, caller)
    answer: dict[str, Any] = {"data": [summary(row) for row in rows], "has_more": has_more}
    return answer | ({"next": rows[-1].id} if has_more else {})


def change_model(
    identity: str, body: ModelChange, database: Database, caller: Caller, if_match: str | None
) -> dict[str, Any]:
    """Change the name and metadata of a model, and return the model.

    Raises:
        Refusal: `not-found`, or `precondition-failed` if the model is not in the state that If-Match names.
    """
    changes: dict[str, Any] = {}
    if "name" in body.model_fields_set:
        changes["name"] = body.name
    if "metadata" in body.model_fields_set:
        changes["notes"] = body.metadata or {}

    def check(row: StoredModel) -> None:
        refuse_if_changed(if_match, summary(row))

    return summary(repository.change_model(database, identity, changes, caller, check))


def summary(row: StoredModel) -> dict[str, Any]:
    """Return a model without its parameters."""
    counted = (math.prod(entry["shape"]) for entry in row.tensors if entry["path"].startswith("parameters."))
    answer = {
        "id": row.id,
        "name": row.name,
        "metadata": row.notes,
        "parent": row.parent,
        "created_at": timestamp(row.created_at),
        "network": {"layers": row.network},
        "tensors": row.tensors,
        "parameter_count": sum(counted),
        "dtype": "float32" if {entry["dtype"] for entry in row.tensors} == {"float32"} else "float64",
        "warnings": row.warnings,
    }
    return {name: value for name, value in answer.items() if value is not None}


def _refuse_large_answer(row: StoredModel, settings: Settings) -> None:
    size, limit = sum(math.prod(entry["shape"]) for entry in row.tensors), settings.max_answer_elements
    if size > limit:
        detail = f"The model has {size:,} numbers; an answer of this server may have {limit:,}."
        hint = f"GET /v1/models/{row.id}/export?format=safetensors has no limit; ?parameters=false leaves the parameters out."
        raise Refusal.of("too-large", detail, expected=limit, got=size, hint=hint)
