"""Storage of models in the database. They are content-addressed: the same content has the same id.

Each owner of a content has a row of its own, with a name and metadata that others do not see; the tensors are stored once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from pydantic import TypeAdapter
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app.access.quotas import refuse_beyond_storage
from app.http.caller import ANYBODY, OPERATOR, Caller
from app.problem.schemas import LayerSpec
from app.storage import blobs
from app.storage.base import now
from app.storage.database import Database
from app.storage.numbered import may_be_id, page
from app.storage.ownership import owned_by, visible
from app.storage.room import refuse_beyond
from app.storage.tables.models import StoredModel
from core.arrays import Array
from core.errors import Refusal
from core.layers import Layer
from core.model import Model
from core.network import INPUT, names_of

_LAYERS: TypeAdapter[Any] = TypeAdapter(list[LayerSpec])


def save_model(
    database: Database,
    model: Model,
    *,
    name: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    parent: str | None = None,
    warnings: Sequence[Mapping[str, Any]] | None = None,
    caller: Caller = ANYBODY,
    most: int | None = None,
) -> tuple[StoredModel, bool]:
    """Store a model of the core.

    Args:
        database: where it is stored.
        model: the layers and tensors, which determine the id.
        name: display name.
        metadata: further information by name.
        parent: id of the model that training started from.
        warnings: what was assumed of the model, as answers show it. It replaces what was assumed when the same content was
            stored before; None leaves that.
        caller: who stores it and owns the row. Another owner of the same content has a row of its own, with the same id.
        most: the largest number of models that may be stored; None for no limit.

    Returns:
        The row, and whether it is new. If the owner has the content already, its row is returned with its own name,
        metadata and parent.

    Raises:
        Refusal: `insufficient-storage`, `quota-exceeded`.
    """

    def work(session: Session) -> tuple[StoredModel, bool]:
        row, is_new = put_model(
            session, model, name=name, metadata=metadata, parent=parent, warnings=warnings, owner=caller.owner
        )
        refuse_beyond_storage(session, caller)
        if is_new and most is not None:
            own = select(func.count()).select_from(StoredModel).where(StoredModel.checkpoint_of.is_(None))
            refuse_beyond((session.scalar(own) or 0) - 1, most, "models")
        return row, is_new

    return database.repeat(work)


def put_model(
    session: Session,
    model: Model,
    *,
    name: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    parent: str | None = None,
    checkpoint_of: str | None = None,
    warnings: Sequence[Mapping[str, Any]] | None = None,
    owner: str | None = None,
) -> tuple[StoredModel, bool]:
    """Store a model as part of a transaction, which must be repeated after an IntegrityError. See `save_model`."""
    tensors = model.tensors()
    network, content = network_of(model.layers), blobs.digest_of(tensors)
    identity = hashlib.sha256(orjson.dumps(network, option=orjson.OPT_SORT_KEYS) + content.encode()).hexdigest()
    row: dict[str, Any] = {
        "id": f"mdl_{identity[:24]}",
        "network": network,
        "tensors": blobs.describe_tensors(tensors),
        "content": content,
        "name": name,
        "notes": dict(metadata or {}),
        "parent": parent,
        "checkpoint_of": checkpoint_of,
        "warnings": list(warnings or []),
        "owner": owner,
        "created_at": now(),
    }
    blobs.put(session, content, tensors)
    is_new, stored = False, None
    while stored is None:
        is_new = blobs.insert_unless_there(session, StoredModel, row)
        # Locked, so that it is not deleted with its checkpoint while another transaction starts to use it.
        mine = StoredModel.id == row["id"], owned_by(StoredModel.owner, owner)
        stored = session.scalars(select(StoredModel).where(*mine).with_for_update()).one_or_none()
    if stored.checkpoint_of and not checkpoint_of:
        # The model of a checkpoint becomes a model of its own, with the new name and metadata.
        stored.checkpoint_of, stored.name, stored.notes, is_new = None, name, dict(metadata or {}), True
    if warnings is not None and stored.warnings != row["warnings"]:
        stored.warnings = row["warnings"]
    session.flush()
    return stored, is_new


def load_model(database: Database, identity: str, caller: Caller = OPERATOR) -> Model:
    """Return a stored model as an object of the core.

    Raises:
        Refusal: `not-found`.
    """
    with database.read() as session:
        return to_model(session, find(session, identity, caller))


def to_model(session: Session, stored: StoredModel) -> Model:
    """Return the model of a row as an object of the core."""
    parts: dict[str, dict[str, dict[str, Array]]] = {"parameters": {}, "state": {}}
    for path, array in blobs.get(session, stored.content).items():
        part, _, rest = path.partition(".")
        layer, _, name = rest.rpartition(".")
        parts[part].setdefault(layer, {})[name] = array
    return Model(layers_of(stored.network), **parts)


def find(session: Session, identity: str, caller: Caller = OPERATOR, *, lock: bool = False) -> StoredModel:
    """Return the row of a model. With `lock`, it is locked until the transaction ends.

    Raises:
        Refusal: `not-found`, also if the caller may not see it.
    """
    if not may_be_id(identity):
        raise not_found(identity)
    query = select(StoredModel).where(StoredModel.id == identity, visible(StoredModel, caller))
    stored = session.scalars(query.with_for_update() if lock else query).one_or_none()
    if stored is None:
        raise not_found(identity)
    return stored


def warnings_of(session: Session, identity: str | None, owner: str | None = None) -> list[dict[str, Any]]:
    """Return what was assumed of a model, for a request that names it as `model`; nothing if there is no such model."""
    mine = StoredModel.id == identity, owned_by(StoredModel.owner, owner)
    found = session.scalar(select(StoredModel.warnings).where(*mine)) if identity else None
    return [{**warning, "pointer": "#/model"} for warning in found or ()]


def not_found(identity: str) -> Refusal:
    """Return the refusal of an id that no model has."""
    return Refusal.of("not-found", f"There is no model {identity[:60]!r}.", hint="GET /v1/models lists them.")


def list_models(
    database: Database, limit: int, after: str | None, caller: Caller = OPERATOR
) -> tuple[Sequence[StoredModel], bool]:
    """Return models, newest first, and whether there are more.

    Raises:
        Refusal: `unknown-name`, if there is no model with the id `after`.
    """
    with database.read() as session:
        seen = visible(StoredModel, caller)
        return page(session, StoredModel, limit, after, seen, StoredModel.checkpoint_of.is_(None))


def change_model(
    database: Database,
    identity: str,
    changes: Mapping[str, Any],
    caller: Caller = OPERATOR,
    check: Callable[[StoredModel], object] = bool,
) -> StoredModel:
    """Change `name` and `notes`, the only fields that can be changed.

    Args:
        database: holds the model.
        identity: its id.
        changes: the new values.
        caller: who changes it.
        check: raises if the model must not be changed in the state that it is in.

    Raises:
        Refusal: `not-found`, and that of `check`.
    """
    with database.write() as session:
        found = find(session, identity, caller, lock=True)
        check(found)
        number = found.number
        if changes:
            session.execute(
                update(StoredModel).where(StoredModel.number == number).values(**changes, checkpoint_of=None)
            )
        return find(session, identity, caller)


def delete_model(database: Database, identity: str, caller: Caller = OPERATOR) -> None:
    """Delete a model of the caller, and its tensors unless something else refers to them.

    Raises:
        Refusal: `not-found`.
    """

    def work(session: Session) -> None:
        number = find(session, identity, caller).number
        content = session.scalar(delete(StoredModel).where(StoredModel.number == number).returning(StoredModel.content))
        if content is None:
            raise not_found(identity)
        blobs.drop_unused(session, content, large_later=True)

    database.repeat(work)


def network_of(layers: Sequence[Layer]) -> list[dict[str, Any]]:
    """Return the layers as JSON in canonical form: without default values and without default names and inputs."""
    names = names_of(layers)
    written = _LAYERS.dump_python(list(layers), mode="json", exclude_defaults=True)
    for position, (layer, members) in enumerate(zip(layers, written, strict=True)):
        members["kind"] = layer.kind
        if members.get("name") == str(position + 1):
            del members["name"]
        if members.get("inputs") == [names[position - 1] if position else INPUT]:
            del members["inputs"]
    return list(written)


def layers_of(network: Sequence[Any]) -> list[Layer]:
    """Return the layers of a network in the form of `network_of`."""
    return list(_LAYERS.validate_python(network))
