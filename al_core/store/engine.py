"""The one way to the database: `read()` and `write()`. No other module opens a transaction.

SQLite: every write is BEGIN IMMEDIATE behind the writer lock, so that "database is locked" cannot come
of two transactions that both read and then want to write. Readers cannot write at all (query_only).
A commit is on the disk when it returns: WAL with synchronous=FULL from SQLite 3.51.3 on; older versions
have a bug that can damage a WAL (the reset race), so there a rollback journal with synchronous=EXTRA.
PostgreSQL: ordinary transactions; writers lock the rows that they decide upon.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final, TypeVarTuple

from sqlalchemy import URL, Connection, Engine, Select, Table, create_engine, event, func, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from al_core.errors import StoreError
from al_core.store.lock import WriterLock
from al_core.words import noted, tr

Ts = TypeVarTuple("Ts")

WAL_SINCE = (3, 51, 3)
PATIENCE_MS = 30_000


def _driver() -> Any:
    """The newest SQLite at hand: pysqlite3 brings its own, newer than most systems'."""
    try:
        return import_module("pysqlite3.dbapi2")
    except ImportError:
        return sqlite3


sqlite = _driver()


class Database:
    """A SQLite file or a PostgreSQL database. One per process; threads share it."""

    def __init__(self, url: str) -> None:
        self.url = _parse(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.path = Path(self.url.database or "") if self.is_sqlite else None
        self._lock = WriterLock(Path(f"{self.path}.lock")) if self.is_sqlite else None
        self._inherited: list[tuple[Engine, Engine]] = []
        self._start()
        self._upserts: dict[str, Any] = {}
        # An upsert is spelled alike by both dialects, but is not in SQLAlchemy's common part.
        self.insert = import_module(f"sqlalchemy.dialects.{self.url.get_backend_name()}").insert

    def __str__(self) -> str:
        return str(self.path) if self.is_sqlite else self.url.render_as_string(hide_password=True)

    def _start(self) -> None:
        self._process = os.getpid()
        self._reader, self._writer = _engine(self.url, writes=False), _engine(self.url, writes=True)

    def _check_process(self) -> None:
        """A forked child gets its own connections and lock; the parent's stay open, and untouched."""
        if self._process != os.getpid():
            self._inherited.append((self._reader, self._writer))
            if self._lock is not None:
                self._lock = WriterLock(Path(f"{self.path}.lock"))
            self._start()

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view; a write through it fails."""
        self._check_process()
        with self._in_words(), self._reader.connect() as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: committed when the block ends, undone when it raises."""
        with self.exclusive(), self.transaction() as connection:
            yield connection

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep every other writer of a SQLite file out (migration wants several steps)."""
        self._check_process()
        with self._lock or contextlib.nullcontext():
            yield

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Connection]:
        """The transaction of `write()`, for one who holds `exclusive()`."""
        with self._in_words(), self._writer.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def bare(self) -> Iterator[Any]:
        """SQLite's own connection outside any transaction; to write, hold `exclusive()`."""
        try:
            with contextlib.closing(self._writer.raw_connection()) as connection:
                yield connection.driver_connection
        except sqlite.Error as error:
            self._writer.dispose()
            raise StoreError(_words(str(self), error)) from error

    @contextlib.contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            # After a failed write the connection's state is the driver's guess: take a fresh one.
            self._writer.dispose()
            raise StoreError(_words(str(self), error.orig or error)) from error
        except PoolTimeout as error:
            raise StoreError(tr("{place} has no free connection for 30 s; try again", place=self)) from error
        except (SQLAlchemyError, UnicodeEncodeError, OverflowError) as error:
            raise StoreError(
                tr("{place} refuses: {error}; nothing was written", place=self, error=error)
            ) from error

    def now(self, connection: Connection) -> float:
        """The database's clock. SQLite runs in this process, so there it is this machine's."""
        if self.is_sqlite:
            return time.time()
        return float(connection.execute(select(func.extract("epoch", func.clock_timestamp()))).scalar_one())

    def locked(self, statement: Select[*Ts], *, skip_locked: bool = False) -> Select[*Ts]:
        """Lock the selected rows until the transaction ends (a SQLite writer is alone anyway)."""
        if self.is_sqlite:
            return statement
        return statement.with_for_update(key_share=True, skip_locked=skip_locked)

    def upsert(self, table: Table) -> Any:
        """Insert rows, or replace those of the same primary key; built once, as building costs 0.2 ms."""
        if table.name not in self._upserts:
            new = self.insert(table)
            keys = [column.name for column in table.primary_key]
            rest = {column.name: new.excluded[column.name] for column in table.c if column.name not in keys}
            self._upserts[table.name] = new.on_conflict_do_update(index_elements=keys, set_=rest)
        return self._upserts[table.name]

    def close(self) -> None:
        """Close the connections; using the database again opens new ones."""
        self._reader.dispose()
        self._writer.dispose()
        if self._lock is not None:
            self._lock.close()


def _parse(text: str) -> URL:
    allowed = tr("use sqlite:///FILE or postgresql://USER@HOST/NAME (DATABASE_URL)")
    try:
        url = make_url(text)
        backend = url.get_backend_name()
    except (ArgumentError, ValueError) as error:
        raise StoreError(tr("the database's address cannot be read; {allowed}", allowed=allowed)) from error
    if backend in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise StoreError(
            tr(
                "{backend} is not a database that Askwell writes to; {allowed}",
                backend=backend,
                allowed=allowed,
            )
        )
    if url.database in (None, "", ":memory:") or str(url.database).startswith("file:"):
        raise StoreError(
            tr("a SQLite store needs a file, as server and worker share it; {allowed}", allowed=allowed)
        )
    return url.set(
        drivername="sqlite+pysqlite", database=str(Path(str(url.database)).expanduser().absolute())
    )


def _engine(url: URL, *, writes: bool) -> Engine:
    if url.get_backend_name() == "sqlite":
        return _sqlite_engine(url, writes=writes)
    try:
        # A server may restart between two uses: pool_pre_ping notices and connects again.
        engine = create_engine(url, pool_pre_ping=True, pool_size=5, max_overflow=15)
    except ModuleNotFoundError as error:
        raise StoreError(tr("PostgreSQL needs a driver: pip install 'psycopg[binary]'")) from error
    return engine if writes else engine.execution_options(postgresql_readonly=True)


def _sqlite_engine(url: URL, *, writes: bool) -> Engine:
    # The writer lock lets one thread through at a time, so one connection serves all writers.
    size, overflow = (1, 0) if writes else (5, 35)
    engine = create_engine(url, module=sqlite, pool_size=size, max_overflow=overflow)

    @event.listens_for(engine, "connect")
    def connect(connection: Any, record: object) -> None:
        connection.isolation_level = None  # transactions begin where `begin` below says, not by guesswork
        connection.execute(f"PRAGMA busy_timeout={PATIENCE_MS}")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute(f"PRAGMA synchronous={'FULL' if uses_wal() else 'EXTRA'}")
        if not writes:
            connection.execute("PRAGMA query_only=ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def uses_wal() -> bool:
    """Whether the SQLite at hand is new enough for a write-ahead log (see the module's text)."""
    return tuple(sqlite.sqlite_version_info) >= WAL_SINCE


_MEANINGS: Final = (
    (
        "readonly",
        noted(
            "{place} is read-only: make the file and its folder writable, or set AL_HOME to another "
            "folder [{text}]. Nothing was written."
        ),
    ),
    (
        "disk is full",
        noted(
            "{place} could not be written, the disk is full: free some space, then try again [{text}]. "
            "Nothing was written."
        ),
    ),
    (
        "disk i/o",
        noted(
            "{place} could not be written or read (disk full, quota or a failing disk): check it, then "
            "try again [{text}]. Nothing was written."
        ),
    ),
    (
        "unable to open",
        noted(
            "{place} cannot be opened: see that its folder exists and can be written, or set AL_HOME "
            "[{text}]. Nothing was written."
        ),
    ),
    (
        "locked",
        noted("{place} is held by another program: close it, then try again [{text}]. Nothing was written."),
    ),
    (
        "malformed",
        noted(
            "{place} is damaged: run `python -m al_core doctor`, or take a copy from backups/ "
            "[{text}]. Nothing was written."
        ),
    ),
    (
        "not a database",
        noted("{place} is not a database: move the file away, or set AL_HOME [{text}]. Nothing was written."),
    ),
    (
        "append-only",
        noted(
            "{place} keeps its label log as it is: label events are never changed or removed [{text}]. "
            "Nothing was written."
        ),
    ),
    (
        "connection",
        noted(
            "{place} does not answer: see that PostgreSQL runs and DATABASE_URL is right [{text}]. "
            "Nothing was written."
        ),
    ),
)
"""What a driver says, in part, and what that means."""
_UNKNOWN: Final = noted("{place} refuses: {text}. Nothing was written.")


def _words(place: str, error: BaseException) -> str:
    """What the driver's error means for a person, and the way out."""
    text = str(error).strip()
    meant = next((meaning for sign, meaning in _MEANINGS if sign in text.lower()), _UNKNOWN)
    return tr(meant, place=place, text=text)
