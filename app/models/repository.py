"""Models in the database: content-addressed, so that the same content is one model, whoever stores it and how often."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from pydantic import TypeAdapter
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.problem.schemas import LayerSpec
from app.storage import blobs
from app.storage.base import now
from app.storage.database import Database
from app.storage.numbered import may_be_id, page
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
) -> tuple[StoredModel, bool]:
    """Store a model of the core.

    Returns:
        Its row, and whether it is new. Where the content is there already, the row is the one that is there, with the
        name, the metadata and the parent that it has.
    """
    return database.repeat(lambda session: put_model(session, model, name=name, metadata=metadata, parent=parent))


def put_model(
    session: Session,
    model: Model,
    *,
    name: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    parent: str | None = None,
    checkpoint_of: str | None = None,
) -> tuple[StoredModel, bool]:
    """The same as a part of a transaction, which is repeated where it fails for an IntegrityError."""
    tensors = model.tensors()
    network, content = network_of(model.layers), blobs.digest_of(tensors)
    identity = hashlib.sha256(orjson.dumps(network, option=orjson.OPT_SORT_KEYS) + content.encode()).hexdigest()
    row = {
        "id": f"mdl_{identity[:24]}",
        "network": network,
        "tensors": blobs.listed(tensors),
        "content": content,
        "name": name,
        "notes": dict(metadata or {}),
        "parent": parent,
        "checkpoint_of": checkpoint_of,
        "created_at": now(),
    }
    blobs.put(session, content, tensors)
    is_new, stored = False, None
    while stored is None:
        is_new = blobs.insert_unless_there(session, StoredModel, row)
        # Locked, so that it does not go with a checkpoint in the moment in which somebody else comes to need it.
        stored = session.scalars(select(StoredModel).where(StoredModel.id == row["id"]).with_for_update()).one_or_none()
    if stored.checkpoint_of and not checkpoint_of:
        # From now on it is a model of its own, with what its new owner says about it.
        stored.checkpoint_of, stored.name, stored.notes, is_new = None, name, dict(metadata or {}), True
        session.flush()
    return stored, is_new


def load_model(database: Database, identity: str) -> Model:
    """A stored model as the core knows it.

    Raises:
        Refusal: `not-found`.
    """
    with database.read() as session:
        return loaded(session, find(session, identity))


def loaded(session: Session, stored: StoredModel) -> Model:
    """A row as a model of the core."""
    parts: dict[str, dict[str, dict[str, Array]]] = {"parameters": {}, "state": {}}
    for path, array in blobs.get(session, stored.content).items():
        part, _, rest = path.partition(".")
        layer, _, name = rest.rpartition(".")
        parts[part].setdefault(layer, {})[name] = array
    return Model(layers_of(stored.network), **parts)


def find(session: Session, identity: str) -> StoredModel:
    """The row of a model.

    Raises:
        Refusal: `not-found`.
    """
    if not may_be_id(identity):
        raise not_found(identity)
    stored = session.scalars(select(StoredModel).where(StoredModel.id == identity)).one_or_none()
    if stored is None:
        raise not_found(identity)
    return stored


def not_found(identity: str) -> Refusal:
    """The refusal of an id that no model has."""
    return Refusal.of("not-found", f"There is no model {identity[:60]!r}.", hint="GET /v1/models lists them.")


def list_models(database: Database, limit: int, after: str | None) -> tuple[Sequence[StoredModel], bool]:
    """Models, the newest first, and whether there are more.

    Raises:
        Refusal: `unknown-name`, where there is no model `after`.
    """
    with database.read() as session:
        return page(session, StoredModel, limit, after, StoredModel.checkpoint_of.is_(None))


def change_model(database: Database, identity: str, changes: Mapping[str, Any]) -> StoredModel:
    """Change `name` and `notes`, the only things that can be.

    Raises:
        Refusal: `not-found`.
    """
    with database.write() as session:
        find(session, identity)
        if changes:
            session.execute(update(StoredModel).where(StoredModel.id == identity).values(**changes, checkpoint_of=None))
        return find(session, identity)


def delete_model(database: Database, identity: str) -> None:
    """Delete a model, and its tensors unless something else has the same.

    Raises:
        Refusal: `not-found`.
    """

    def work(session: Session) -> None:
        find(session, identity)
        content = session.scalar(delete(StoredModel).where(StoredModel.id == identity).returning(StoredModel.content))
        if content is None:
            raise not_found(identity)
        blobs.drop_unused(session, content)

    database.repeat(work)


def network_of(layers: Sequence[Layer]) -> list[dict[str, Any]]:
    """The layers as JSON, each in one way only: without what is at its default, and without names that go without saying."""
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
    """The layers that were written."""
    return list(_LAYERS.validate_python(network))
