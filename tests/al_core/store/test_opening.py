"""Opening: migrations, backups, refusals, and what a person reads when it cannot be done."""

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from al_core.config import ExperimentConfig
from al_core.errors import StoreError
from al_core.store import engine, migrate, open_store
from al_core.store.engine import Database
from al_core.store.schema import metadata
from tests.stores import KINDS, Place, chosen, hold_open, open_and_close

NEXT = """
import os
from alembic import op

revision = "{step}"
down_revision = "{last}"


def upgrade():
    op.execute("CREATE TABLE extra (x INTEGER)")
    {more}
"""


@pytest.fixture
def with_next_step(tmp_path, monkeypatch):
    """A program that knows one more migration, which also does `more`."""
    ours = migrate.FOLDER

    def install(more="pass"):
        folder = tmp_path / f"migrations {len(list(tmp_path.iterdir()))}"
        shutil.copytree(ours, folder, ignore=shutil.ignore_patterns("__pycache__"))
        last = migrate.known_steps(ours)[-1]
        step = f"{int(last) + 1:04d}"
        (folder / "versions" / f"{step}_next.py").write_text(NEXT.format(more=more, step=step, last=last))
        monkeypatch.setattr(migrate, "FOLDER", folder)

    return install


@pytest.fixture(params=KINDS)
def empty(request, tmp_path):
    """A place where no store has been yet."""
    with chosen(request.param):
        if request.param == "postgres":
            with request.getfixturevalue("postgres").database(empty=True) as url:
                yield Place("postgres", url)
        else:
            yield Place(request.param, f"sqlite:///{tmp_path / 'new' / 'askwell.db'}")


def test_the_tables_are_those_of_the_newest_migration(store):
    with store._db.read() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    assert differences == []


def test_six_programs_that_start_at_once_make_one_store(empty, children):
    ends = []
    for _ in range(6):
        results, child_end = children.Pipe(duplex=False)
        child = children.Process(target=open_and_close, args=(empty, child_end))
        child.start()
        child_end.close()
        ends.append((child, results))
    assert [results.recv() for _, results in ends] == ["opened"] * 6
    for child, results in ends:
        child.join()
        results.close()
    store = empty.open()
    assert store.experiments() == []
    store.close()


def test_opening_an_up_to_date_store_is_quick_and_needs_no_alembic(place):
    place.open().close()
    begun = time.perf_counter()
    place.open().close()
    assert time.perf_counter() - begun < 0.15
    code = (
        "import sys; from tests.stores import Place; from al_core.store import open_store;"
        f"open_store({place.url!r}).experiments();"
        "print(sorted({'alembic', 'pandas', 'torch', 'streamlit'} & set(sys.modules)))"
    )
    if place.kind != "journal":  # a new process would choose the write-ahead log
        code = code.replace("from tests.stores import Place; ", "")
        shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert shown.stdout.strip() == "[]"


def test_sqlite_keeps_its_journal_as_its_version_allows(tmp_path):
    for kind, journal, synchronous in (("wal", "wal", 2), ("journal", "delete", 3)):
        with chosen(kind):
            store = open_store(f"sqlite:///{tmp_path / kind}.db")
            with store._db.read() as connection:
                assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == journal
                assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == synchronous
                assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
            store.close()
    assert (engine.WAL_SINCE, engine.uses_wal()) == (
        (3, 51, 3),
        engine.sqlite.sqlite_version_info >= (3, 51, 3),
    )


def test_an_older_sqlite_takes_a_store_over_once_no_newer_one_uses_it(migrated_file, children, tmp_path):
    """The newer one in a process of its own: a process's two SQLites do not see each other's locks."""
    with chosen("wal"):
        url = migrated_file("wal", tmp_path / "askwell.db")
    ours, theirs = children.Pipe()
    child = children.Process(target=hold_open, args=(Place("wal", url), theirs))
    child.start()
    made = ours.recv()
    with chosen("journal"):
        with pytest.raises(StoreError, match="held by another program"):
            open_store(url)
        ours.send("close")
        child.join()
        store = open_store(url)
        assert store.experiment(made).id == made
        with store._db.read() as connection:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "delete"
        store.close()
    ours.close()
    theirs.close()


def test_an_older_store_is_backed_up_whole_then_migrated(settings, with_next_step):
    store = open_store(settings)
    made = store.create_experiment(ExperimentConfig(name="before"))
    store.close()
    assert not (settings.home / "backups").exists()
    migrate_folder = migrate.FOLDER
    with_next_step()
    store = open_store(settings)
    assert store.experiment(made.id) == made
    store.close()
    (backup,) = (settings.home / "backups").iterdir()
    step = migrate.known_steps(migrate_folder)[-1]
    assert backup.name.startswith(f"askwell-{step}-")
    copy = sqlite3.connect(backup)
    assert copy.execute("SELECT name FROM experiment").fetchall() == [("before",)]
    assert copy.execute("SELECT version_num FROM alembic_version").fetchall() == [(step,)]
    copy.close()


def test_a_store_of_the_first_schema_keeps_its_experiments_and_learns_studies(
    settings, tmp_path, monkeypatch
):
    """The step from 0001: what was there reads as it was, and belongs to no study."""
    newest, first = migrate.FOLDER, tmp_path / "first"
    shutil.copytree(newest, first, ignore=shutil.ignore_patterns("__pycache__", "000[2-9]*"))
    monkeypatch.setattr(migrate, "FOLDER", first)
    with closing(Database(settings.database_url)) as db:
        migrate.migrate(db)
        with db.write() as connection:
            connection.execute(
                text(
                    "INSERT INTO experiment (id, name, config, status, ghost, created_at, updated_at, "
                    "version, label_rev, label_head, deleting) "
                    "VALUES ('abc', 'old', :config, 'new', FALSE, 1, 1, 1, 0, '', FALSE)"
                ),
                {"config": ExperimentConfig(name="old").to_json()},
            )
    monkeypatch.setattr(migrate, "FOLDER", newest)
    store = open_store(settings)
    (old,) = store.experiments()
    assert (old.id, old.name, old.study_id, old.cell) == ("abc", "old", None, None)
    study = store.create_study("s", "{}")
    cell = store.create_experiment(ExperimentConfig(), study_id=study.id, cell=0)
    assert store.study_experiments(study.id) == [cell]
    store.close()


def test_a_migration_that_fails_leaves_the_store_as_it_was(store, place, experiment, with_next_step):
    store.close()
    with_next_step('op.execute("CREATE TABLE experiment (x INTEGER)")')
    with pytest.raises(StoreError, match="already exists"):
        place.open()
    with_next_step()
    again = place.open()
    assert again.experiment(experiment).id == experiment
    again.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_migration_that_is_killed_leaves_the_store_as_it_was(store, place, experiment, with_next_step):
    store.close()
    with_next_step("os._exit(9)")
    child = os.fork()
    if child == 0:
        place.open()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    with_next_step()
    again = place.open()
    assert again.experiment(experiment).id == experiment
    assert again.check() == []
    again.close()


def test_a_store_of_a_newer_program_is_refused_untouched(store, place, experiment):
    with store._db.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))
    store.close()
    with pytest.raises(StoreError, match=r"newer Askwell \(schema 0999; this one knows up to"):
        place.open()


def test_tables_of_another_program_are_refused(tmp_path):
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE photos (x)")
    other.close()
    with pytest.raises(StoreError, match=r"not Askwell's \(photos\)"):
        open_store(f"sqlite:///{path}")


def test_a_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "askwell.db"
    path.write_bytes(b"not a database at all, but long enough to have a header " * 50)
    with pytest.raises(StoreError, match="is not a database"):
        open_store(f"sqlite:///{path}")
    assert path.read_bytes().startswith(b"not a database")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "cannot be read"),
        ("askwell.db", "cannot be read"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("mysql://root:secret@host/db", "not a database that Askwell"),
    ],
)
def test_an_address_that_cannot_serve_is_refused_with_the_ones_that_can(url, words):
    with pytest.raises(StoreError, match=words) as refusal:
        open_store(url)
    assert "sqlite:///FILE or postgresql://" in str(refusal.value)
    assert "secret" not in str(refusal.value)


def test_a_postgres_that_does_not_answer_is_named_without_its_password(tmp_path):
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    with pytest.raises(StoreError, match="see that PostgreSQL runs") as refusal:
        open_store(f"postgresql://me:secret@/askwell?host={tmp_path}")
    assert "secret" not in str(refusal.value)


def test_the_database_url_of_the_settings_is_used(settings, tmp_path):
    elsewhere = replace(settings, database_url=f"sqlite:///{tmp_path / 'else where' / 'ü.db'}")
    open_store(elsewhere).close()
    assert (tmp_path / "else where" / "ü.db").exists()
