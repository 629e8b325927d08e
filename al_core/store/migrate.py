"""Bring a database to the newest schema: under the lock, after a backup, in one transaction.

Each file in migrations/versions is one step; its name begins with its number. Alembic is imported only
when there is a step to take, as servers and workers nearly always find the newest schema.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from al_core.errors import StoreError
from al_core.store.engine import Database, uses_wal
from al_core.words import tr

FOLDER = Path(__file__).parent / "migrations"

# Two starters must not migrate one PostgreSQL database at once; any number will do, but the same for ever.
ADVISORY_LOCK = 4_209_381_177


def known_steps(folder: Path | None = None) -> list[str]:
    """Numbers of the steps that this program has, in order."""
    return sorted(path.stem.split("_")[0] for path in ((folder or FOLDER) / "versions").glob("[0-9]*.py"))


def migrate(db: Database, *, backups: Path | None = None) -> None:
    """Take the missing steps; quick where there are none.

    Raises:
        StoreError: a newer program made the database, or it is not ours, or it cannot be written.
    """
    if db.path is not None:
        _prepare_file(db)
    with db.read() as connection:
        if _steps_missing(db, connection) is False:
            return
    with db.exclusive():
        with db.read() as connection:
            before, missing = _step(connection), _steps_missing(db, connection)
        if not missing:
            return
        if before is not None and db.path is not None:
            _back_up(db, backups or db.path.parent / "backups", before)
        with db.transaction() as connection:
            if not db.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": ADVISORY_LOCK})
            if _steps_missing(db, connection):
                _upgrade(connection)


def _prepare_file(db: Database) -> None:
    """Make the folder, and choose the journal: a SQLite file remembers WAL, so it is set once."""
    path = db.path or Path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            tr(
                "the folder {parent} cannot be made ({reason}); set AL_HOME",
                parent=path.parent,
                reason=error.strerror,
            )
        ) from error
    wanted = "wal" if uses_wal() else "delete"
    # Through the writer's one connection: to leave WAL, SQLite wants to be alone with the file.
    with db.bare() as connection:
        connection.execute("PRAGMA schema_version")  # reads the file, before which the mode is not known
        if connection.execute("PRAGMA journal_mode").fetchone()[0] == wanted:
            return
    with db.exclusive(), db.bare() as connection:
        mode = connection.execute(f"PRAGMA journal_mode={wanted}").fetchone()[0]
        if mode != wanted:
            raise StoreError(
                tr(
                    "{path} keeps its journal as {mode}: close other programs that use it, then try again",
                    path=path,
                    mode=mode,
                )
            )


def _step(connection: Connection) -> str | None:
    """The last step that the database has taken; None for an empty one.

    Raises:
        StoreError: the tables are not ours.
    """
    tables = inspect(connection).get_table_names()
    if "alembic_version" in tables:
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if tables:
        raise StoreError(
            tr(
                "the database has tables that are not Askwell's ({tables}); use another",
                tables=", ".join(tables[:3]),
            )
        )
    return None


def _steps_missing(db: Database, connection: Connection) -> bool:
    step, known = _step(connection), known_steps()
    if step is not None and step not in known:
        raise StoreError(
            tr(
                "{db} was written by a newer Askwell (schema {step}; this one knows up to {known}): "
                "update Askwell, or set AL_HOME to another folder",
                db=db,
                step=step,
                known=known[-1],
            )
        )
    return step != known[-1]


def _back_up(db: Database, folder: Path, step: str) -> None:
    """A whole copy beside the database, named when it is complete."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        name = f"askwell-{step}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{os.getpid()}"
        part = folder / f"{name}.part"
        with db.bare() as connection:
            connection.execute("VACUUM INTO ?", (str(part),))
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.rename(folder / f"{name}.db")
    except OSError as error:
        raise StoreError(
            tr(
                "no backup could be written to {folder} ({reason}); nothing was changed",
                folder=folder,
                reason=error.strerror,
            )
        ) from error


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - 60 ms and 8 MB that only a migration needs
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
