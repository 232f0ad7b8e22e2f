"""The database: a SQLite file by default, PostgreSQL by GRADD_DATABASE_URL. Everything here blocks: call it in threads."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from app.storage import migration
from core.errors import Refusal

SECONDS_TO_WAIT = 30.0
"""How long a transaction waits for the lock of another one, on SQLite that of the file."""

ATTEMPTS = 10
"""How often a transaction is tried that others come between."""

_WRITES = "gradd_writes"
_DEADLOCKS = ("40P01", "40001")
T = TypeVar("T")

_SERVER_SETTINGS = {
    "idle_in_transaction_session_timeout": 10_000,  # milliseconds
    "tcp_keepalives_idle": 10,  # seconds
    "tcp_keepalives_interval": 5,
    "tcp_keepalives_count": 3,
}
"""How PostgreSQL finds out that a client does not go on. Transactions of this service are short."""


class Deadlock(Refusal):
    """Of two transactions that waited for each other, this one was chosen to fail: it may be repeated at once."""


class Database:
    """One database and its connections. Threads share it; a process that forks makes its own."""

    def __init__(self, url: str, *, patience_seconds: float = SECONDS_TO_WAIT) -> None:
        """`patience_seconds` is how long a transaction waits for a lock before it fails with `not-ready`."""
        self.url = _url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._engine: Engine = (_sqlite if self.is_sqlite else _postgresql)(self.url, patience_seconds)
        # PostgreSQL would show each statement of a transaction another moment.
        self._reading = (
            self._engine if self.is_sqlite else self._engine.execution_options(isolation_level="REPEATABLE READ")
        )

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that only reads: everything it sees is of one moment.

        Raises:
            Refusal: `not-ready`, where the database does not answer or has not been migrated.
        """
        with self._session(self._reading) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that writes, committed at the end of the block and rolled back on an exception.

        On SQLite it takes the write lock at its start, so that it cannot fail half-way for having read before; there is
        one writer at a time, so such blocks are short and compute nothing.

        Raises:
            Refusal: `not-ready`, where the database does not answer or has not been migrated.
        """
        with self._session(self._engine.execution_options(**{_WRITES: True})) as session, session.begin():
            yield session

    def repeat(self, work: Callable[[Session], T]) -> T:
        """The result of a transaction that writes, done again where others came between.

        That is so where it fell victim to a deadlock, and where a row that it found there was deleted before it was done.

        Raises:
            Refusal: as `write` does, and whatever `work` refuses.
        """
        for left in reversed(range(ATTEMPTS)):
            try:
                with self.write() as session:
                    return work(session)
            except (Deadlock, IntegrityError):
                if not left:
                    raise
        raise AssertionError("unreachable")

    @contextmanager
    def _session(self, engine: Engine) -> Iterator[Session]:
        try:
            with Session(engine, expire_on_commit=False) as session:
                yield session
        except (OperationalError, InterfaceError, ProgrammingError) as error:
            if getattr(error.orig, "sqlstate", None) in _DEADLOCKS:
                raise Deadlock.of("not-ready", "Others changed the same at the same time.", hint="Again.") from error
            detail = "The database does not answer as it should."
            hint = "The operator looks at its address (GRADD_DATABASE_URL) and runs `gradd migrate`."
            raise Refusal.of("not-ready", detail, hint=hint) from error

    def migrate(self) -> None:
        """Bring the tables to this version of the service. Safe to run in several processes at the same time."""
        if self.is_sqlite:
            _enter_wal(self._engine)
        with self._engine.execution_options(**{_WRITES: True}).begin() as connection:
            migration.run(connection)

    def is_current(self) -> bool:
        """Whether the tables are those of this version. False also where the database does not answer."""
        try:
            with self._engine.connect() as connection:
                return migration.is_current(connection)
        except DBAPIError:
            return False

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def _url(text: str) -> URL:
    """The address with the driver that is used; it may hold a password and is never shown.

    Raises:
        ValueError: where it is neither SQLite nor PostgreSQL.
    """
    try:
        url = make_url(text.replace("postgres://", "postgresql://", 1))
    except ArgumentError:
        raise ValueError("GRADD_DATABASE_URL is no address of a database: postgresql://user@host/name") from None
    backend = url.get_backend_name()
    if backend not in ("sqlite", "postgresql"):
        raise ValueError(f"GRADD_DATABASE_URL names {backend!r}; sqlite and postgresql are what there is")
    return url.set(drivername="sqlite" if backend == "sqlite" else "postgresql+psycopg")


def _postgresql(url: URL, patience: float) -> Engine:
    """Connections are tried before they are used: the server may have been restarted in between.

    The server ends the transaction of a client that is frozen or gone: nobody would get past its locks.
    """
    engine = create_engine(url, pool_pre_ping=True, pool_size=5, max_overflow=15)

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _: object) -> None:
        for name, value in {**_SERVER_SETTINGS, "lock_timeout": round(1000 * patience)}.items():
            connection.execute(f"SET {name} = {value}")
        connection.commit()

    return engine


def _sqlite(url: URL, patience: float) -> Engine:
    if not url.database or url.database == ":memory:":
        raise ValueError("GRADD_DATABASE_URL names no file: sqlite:////folder/gradd.sqlite3")
    engine = create_engine(url, connect_args={"timeout": patience})

    @event.listens_for(engine, "do_connect")
    def connecting(*_: object) -> None:
        Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _: object) -> None:
        connection.isolation_level = None  # BEGIN is written below, not when the driver sees fit.
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _enter_wal(engine: Engine) -> None:
    """Let readers go on while one writes. The file remembers it; while it changes no one else may use it."""
    deadline = time.monotonic() + SECONDS_TO_WAIT
    with closing(engine.raw_connection()) as connection:
        while True:
            try:
                connection.cursor().execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
