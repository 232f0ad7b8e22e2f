"""Connections to SQLite and PostgreSQL, as the service sets them up."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from core.errors import Refusal

SECONDS_TO_WAIT = 30.0
"""Default number of seconds that a transaction waits for the lock of another one (on SQLite, of the file)."""

MOST_LOG_BYTES = 64 * 2**20
"""Size of SQLite's write-ahead log that stays on the disk after a larger transaction."""

WRITES = "gradd_writes"
"""The execution option of a connection that will write."""

_SERVER_SETTINGS = {
    "idle_in_transaction_session_timeout": 10_000,  # milliseconds
    "tcp_keepalives_idle": 10,  # seconds
    "tcp_keepalives_interval": 5,
    "tcp_keepalives_count": 3,
}
"""Timeouts by which PostgreSQL detects clients that have stopped. Transactions of this service are short."""


def url_of(text: str) -> URL:
    """Return the URL with the driver to use. It may contain a password and must never be shown.

    Raises:
        ValueError: if it is neither a SQLite nor a PostgreSQL URL.
    """
    try:
        url = make_url(text.replace("postgres://", "postgresql://", 1))
    except ArgumentError:
        raise ValueError(
            "GRADD_DATABASE_URL is not the URL of a database, for instance postgresql://user@host/name"
        ) from None
    backend = url.get_backend_name()
    if backend not in ("sqlite", "postgresql"):
        raise ValueError(f"GRADD_DATABASE_URL names {backend!r}; only sqlite and postgresql are supported")
    return url.set(drivername="sqlite" if backend == "sqlite" else "postgresql+psycopg")


def postgresql_engine(url: URL, patience: float) -> Engine:
    """Return an engine that tests connections before use, because the server may have been restarted.

    The server ends the transactions of clients that have stopped, because their locks would block all others.
    """
    engine = create_engine(url, pool_pre_ping=True, pool_size=5, max_overflow=15)

    # Before SQLAlchemy's own first query, which fails without a word about the reason.
    @event.listens_for(engine, "connect", insert=True)
    def refuse_other_encoding(connection: Any, _: object) -> None:
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            connection.close()
            detail = f"The PostgreSQL database has the encoding {encoding}; gradd needs UTF8."
            hint = "Create another one: createdb --encoding=UTF8 --template=template0 NAME"
            raise Refusal.of("not-ready", detail, hint=hint)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _: object) -> None:
        for name, value in {**_SERVER_SETTINGS, "lock_timeout": round(1000 * patience)}.items():
            connection.execute(f"SET {name} = {value}")
        connection.commit()

    return engine


def sqlite_engine(url: URL, patience: float) -> Engine:
    """Return an engine whose write transactions take the lock of the file at their start.

    Raises:
        ValueError: if the URL names no file.
    """
    if not url.database or url.database == ":memory:":
        raise ValueError("GRADD_DATABASE_URL must name a file, for instance sqlite:////folder/gradd.sqlite3")
    engine = create_engine(url, connect_args={"timeout": patience})

    @event.listens_for(engine, "do_connect")
    def create_folder(*_: object) -> None:
        Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _: object) -> None:
        connection.isolation_level = None  # BEGIN is emitted below instead of by the driver.
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA journal_size_limit = {MOST_LOG_BYTES}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def prepare_file(engine: Engine) -> None:
    """Switch the file to write-ahead logging, so that readers are not blocked by a writer, and a new file to auto_vacuum.

    The settings are stored in the file. The switch needs exclusive access, so it is retried. auto_vacuum can only be chosen
    before the first table; `gradd prune` gives it to files of older versions.
    """
    deadline = time.monotonic() + SECONDS_TO_WAIT
    with closing(engine.raw_connection()) as connection:
        while True:
            try:
                connection.cursor().execute("PRAGMA auto_vacuum = INCREMENTAL")
                connection.cursor().execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
