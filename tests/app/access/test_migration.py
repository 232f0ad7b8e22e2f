"""What was stored before there were keys is everybody's without one."""

from __future__ import annotations

from alembic import command
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from app.http.caller import ANYBODY, Caller
from app.models import repository
from app.storage import Database, migration
from core.layers.dense import Dense
from core.model import Model


def test_what_is_there_keeps_its_id_and_has_no_owner(database: Database) -> None:
    model = Model([Dense(units=2)])
    kept, _ = repository.save_model(database, model, name="kept")
    owned, _ = repository.save_model(database, model, name="owned", caller=Caller("one"))
    assert owned.id == kept.id
    engine = create_engine(database.url, poolclass=NullPool)
    with engine.connect() as connection, connection.begin():
        configuration = migration._configuration()
        configuration.attributes["connection"] = connection
        command.downgrade(configuration, "0003")
    with engine.connect() as connection, connection.begin():
        assert connection.execute(text("SELECT name FROM models")).all() == [("kept",)], (
            "an owner's row would be everybody's"
        )
        values = "VALUES ('a', 'b', CURRENT_TIMESTAMP)"
        connection.execute(text(f"INSERT INTO idempotency_keys (key, digest, created_at) {values}"))
    database.migrate()
    assert database.is_current()
    with database.read() as session:
        assert repository.find(session, kept.id, ANYBODY).name == "kept"
    with engine.connect() as connection:
        assert connection.execute(text("SELECT owner, key FROM idempotency_keys")).all() == [("", "a")]
    again, is_new = repository.save_model(database, model, caller=Caller("one"))
    assert (again.id, is_new) == (kept.id, True)
