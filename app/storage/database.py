"""The database: SQLite by default, PostgreSQL if GRADD_DATABASE_URL names it.

All calls block, so use them in threads.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from sqlalchemy import Engine, PoolProxiedConnection, Select
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from app.http.no_space import no_space_left
from app.settings import Settings
from app.storage import migration
from app.storage.disk_full import is_disk_full
from app.storage.engines import SECONDS_TO_WAIT, WRITES, postgresql_engine, prepare_file, sqlite_engine, url_of
from app.storage.migration import SchemaState
from app.storage.room import LIMITS, StorageLimits
from core.errors import Refusal

ATTEMPTS = 10
"""Number of times a transaction is tried if concurrent transactions interfere."""

_DEADLOCKS = ("40P01", "40001")
T = TypeVar("T")


class Deadlock(Refusal):
    """The database ended this transaction because of a deadlock. It may be repeated immediately."""


class Database:
    """A database and its connections. Threads can share it; a forked process must create its own."""

    def __init__(
        self, url: str, *, patience_seconds: float = SECONDS_TO_WAIT, limits: StorageLimits | None = None
    ) -> None:
        """Connect lazily to a database.

        Args:
            url: the URL of the database.
            patience_seconds: how long a transaction waits for a lock before it fails with `not-ready`.
            limits: what may be stored; without them the disk is the limit.
        """
        self.url = url_of(url)
        self._limits = limits
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._engine: Engine = (sqlite_engine if self.is_sqlite else postgresql_engine)(self.url, patience_seconds)
        self._reader: PoolProxiedConnection | None = None
        """On SQLite, the connection of `fetch_quickly`: taking one from the pool takes longer than the query."""

        self._lock = Lock()
        # By default, each statement of a PostgreSQL transaction sees another snapshot.
        self._reading = (
            self._engine if self.is_sqlite else self._engine.execution_options(isolation_level="REPEATABLE READ")
        )

    @classmethod
    def of(cls, settings: Settings) -> Database:
        """Return the database of a service that stores things, with the limits of its settings."""
        database = cls(settings.database_url)
        file = database.url.database if database.is_sqlite else None
        folder = Path(file).parent if file else None
        database._limits = StorageLimits(settings.max_storage_bytes, settings.min_free_bytes, folder)
        return database

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a read-only transaction. All its statements see the same snapshot.

        Raises:
            Refusal: `not-ready`, if the database does not answer or has not been migrated.
        """
        with self._session(self._reading) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open a write transaction. It is committed at the end of the block and rolled back on an exception.

        On SQLite it takes the write lock at its start, so that it cannot fail later because it read first. There is only one
        writer at a time, so these blocks must be short and compute nothing.

        Raises:
            Refusal: `not-ready`, if the database does not answer or has not been migrated; `insufficient-storage`, if the
                disk is full.
        """
        with self._session(self._engine.execution_options(**{WRITES: True})) as session, session.begin():
            yield session

    def compile(self, statement: Select[Any]) -> tuple[str, tuple[str, ...] | None]:
        """Return a statement in the SQL of this database, and the names of its parameters if they are positional."""
        compiled = statement.compile(dialect=self._engine.dialect)
        names = getattr(compiled, "positiontup", None)
        return str(compiled), None if names is None else tuple(names)

    def fetch_quickly(self, sql: str, parameters: Mapping[str, Any] | Sequence[Any]) -> Any:
        """Return the first row of a query that `compile` has returned; None if there is none, or no answer."""
        try:
            if self.is_sqlite:
                with self._lock:
                    if self._reader is None:
                        self._reader = self._engine.raw_connection()
                    return _first(self._reader, sql, parameters)
            with closing(self._engine.raw_connection()) as connection:
                return _first(connection, sql, parameters)
        except (DBAPIError, self._engine.dialect.loaded_dbapi.Error):
            return None

    def repeat(self, work: Callable[[Session], T]) -> T:
        """Run `work` in a write transaction and return its result, repeating it if other transactions interfere.

        It is repeated after a deadlock, and after a row that it refers to was deleted before it was committed.

        Raises:
            Refusal: `not-ready`, as `write` does, and the refusals of `work`.
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
            with Session(engine, expire_on_commit=False, info={LIMITS: self._limits}) as session:
                yield session
        except (OperationalError, InterfaceError, ProgrammingError) as error:
            if getattr(error.orig, "sqlstate", None) in _DEADLOCKS:
                detail, hint = "Other requests changed the same data at the same time.", "Send the request again."
                raise Deadlock.of("not-ready", detail, hint=hint) from error
            if is_disk_full(error):
                raise no_space_left() from error
            detail = "The database does not answer, or answers with an error."
            hint = "The operator of the server should check GRADD_DATABASE_URL and run `gradd migrate`."
            raise Refusal.of("not-ready", detail, hint=hint) from error

    def migrate(self) -> None:
        """Migrate the tables to the schema of this version. Several processes may call it at the same time.

        Raises:
            Refusal: `not-ready`, as `refuse_unusable` does; `insufficient-storage`, if the disk is full.
        """
        if self.is_sqlite:
            prepare_file(self._engine)
        try:
            with self._engine.execution_options(**{WRITES: True}).begin() as connection:
                migration.run(connection)
        except DBAPIError as error:
            if is_disk_full(error):
                raise no_space_left() from error
            raise

    def schema_state(self) -> SchemaState | None:
        """Return how the tables relate to this version; None if the database does not answer.

        Raises:
            Refusal: `not-ready`, if the database has another encoding than UTF8.
        """
        try:
            with self._engine.connect() as connection:
                return migration.state_of(connection)
        except DBAPIError:
            return None

    def is_current(self) -> bool:
        """Return whether this version works with the tables. False if the database does not answer."""
        try:
            state = self.schema_state()
        except Refusal:
            return False
        return state is not None and state.is_usable

    def refuse_unusable(self) -> None:
        """Refuse a database that will not work with this version, however long it waits.

        Raises:
            Refusal: `not-ready`, if it has another encoding than UTF8, or was migrated by a newer version.
        """
        if self.is_sqlite and not Path(str(self.url.database)).exists():
            return
        state = self.schema_state()
        if state is not None:
            migration.refuse_newer(state)

    def run_pragma(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a statement of SQLite outside a transaction to its end, and return its rows.

        Raises:
            Refusal: `not-ready`, if the file is locked; `insufficient-storage`, if the disk is full.
        """
        try:
            with closing(self._engine.raw_connection()) as connection:
                cursor = connection.cursor()
                if "vacuum" in sql.lower() and sql != "PRAGMA auto_vacuum":
                    # It frees one page for each row, and `execute` fetches no rows of a statement without columns.
                    cursor.executescript(sql)
                    return []
                return list(cursor.execute(sql).fetchall())
        except sqlite3.Error as error:
            if is_disk_full(error):
                raise no_space_left() from error
            raise Refusal.of("not-ready", f"The database file is in use: {error}.", hint="Try again later.") from error

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            if self._reader is not None:
                self._reader.close()
                self._reader = None
        self._engine.dispose()


def _first(connection: PoolProxiedConnection, sql: str, parameters: Any) -> Any:
    """Return the first row of a query, after all rows have been read: SQLite then ends its read transaction."""
    cursor = connection.cursor()
    try:
        cursor.execute(sql, parameters)
        return next(iter(cursor.fetchall()), None)
    finally:
        cursor.close()
