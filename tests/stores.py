"""Stores to test: SQLite with a write-ahead log, SQLite with a rollback journal, PostgreSQL.

The PostgreSQL server is a private one from the machine's binaries, on a socket in a temporary folder.
"""

import contextlib
import os
import pwd
import shutil
import sqlite3
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from al_core.config import ExperimentConfig
from al_core.records import LabelOp, LabelSource
from al_core.store import engine, open_store
from al_core.store.migrate import known_steps
from al_core.store.schema import metadata

KINDS = ("wal", "journal", "postgres")


@dataclass(frozen=True)
class Place:
    """A database to open, here or in a child process."""

    kind: str
    url: str

    def open(self):
        choose(self.kind)
        return open_store(self.url)


def choose(kind):
    """Make this process use the SQLite that the kind is about."""
    if kind == "journal":
        engine.sqlite, engine.WAL_SINCE = sqlite3, (99,)


@contextlib.contextmanager
def chosen(kind):
    """`choose` for the length of a test."""
    before = engine.sqlite, engine.WAL_SINCE
    try:
        choose(kind)
        if kind == "wal" and not engine.uses_wal():
            pytest.skip(f"SQLite {engine.sqlite.sqlite_version} is too old for a write-ahead log")
        yield
    finally:
        engine.sqlite, engine.WAL_SINCE = before


INTACT = """
SELECT (SELECT version_num FROM alembic_version) = %s
   AND (SELECT count(*) FROM pg_tables WHERE schemaname = 'public') = %s
   AND NOT EXISTS (SELECT 1 FROM pg_trigger WHERE tgenabled <> 'O')
"""


class Postgres:
    """A private server; `database()` gives an empty, migrated database, a used one if it can be emptied."""

    def __init__(self, folder):
        self.folder, self.count, self.free = folder, 0, []

    def url(self, name):
        return f"postgresql:///{name}?host={self.folder}&user=postgres"

    @contextlib.contextmanager
    def database(self, *, empty=False):
        name = (
            self.free.pop() if self.free and not empty else self.create("template0" if empty else "migrated")
        )
        yield self.url(name)
        if not empty and self.emptied(name):
            self.free.append(name)
        else:
            self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def create(self, template):
        self.count += 1
        self.run(f"CREATE DATABASE test{self.count} TEMPLATE {template}")
        return f"test{self.count}"

    def emptied(self, name):
        """Empty it, unless a test has changed more than rows."""
        tables = ", ".join(f'"{table}"' for table in metadata.tables)
        with self.connect(name) as database:
            (intact,) = database.execute(INTACT, (known_steps()[-1], len(metadata.tables) + 1)).fetchone()
            if intact:
                # This role runs no triggers: the label log would refuse.
                database.execute("SET session_replication_role = replica")
                database.execute(f"TRUNCATE {tables} RESTART IDENTITY")
        return intact

    def run(self, statement):
        with self.connect("postgres") as server:
            server.execute(statement)

    def connect(self, name):
        psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed")
        return psycopg.connect(host=self.folder, user="postgres", dbname=name, autocommit=True)


def binaries():
    """Where initdb and pg_ctl are, newest first."""
    found = shutil.which("initdb")
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name), reverse=True
    )
    return next((f for f in folders if (f / "initdb").exists()), Path(found).parent if found else None)


@pytest.fixture(scope="session")
def postgres():
    """The server, or a skip that says why there is none."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    programs = binaries()
    if programs is None:
        pytest.skip("PostgreSQL's initdb is not on this machine")
    other_user = {}
    if os.getuid() == 0:
        try:
            other_user = {"user": pwd.getpwnam("postgres").pw_uid, "group": pwd.getpwnam("postgres").pw_gid}
        except KeyError:
            pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
    # A socket's path must be short, so not pytest's folder.
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        if other_user:
            os.chown(folder, other_user["user"], other_user["group"])

        def call(program, *arguments):
            command = [programs / program, "-D", f"{folder}/data", *arguments]
            subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL, **other_user)

        call("initdb", "-A", "trust", "-U", "postgres", "--no-sync")
        call(
            "pg_ctl",
            "-w",
            "-l",
            f"{folder}/log",
            "-o",
            f"-k {folder} -c listen_addresses= -c fsync=off",
            "start",
        )
        try:
            server = Postgres(folder)
            server.run("CREATE DATABASE migrated TEMPLATE template0")
            open_store(server.url("migrated")).close()
            yield server
        finally:
            call("pg_ctl", "-m", "immediate", "stop")


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory):
    """A function that copies a migrated SQLite file of a kind to a path: quicker than migrating anew."""
    templates = {}

    def copy(kind, path):
        if kind not in templates:
            templates[kind] = tmp_path_factory.mktemp("templates") / f"{kind}.db"
            open_store(f"sqlite:///{templates[kind]}").close()
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(templates[kind], path)
        return f"sqlite:///{path}"

    return copy


@pytest.fixture(params=KINDS)
def place(request, tmp_path, migrated_file):
    """A migrated, empty database of each kind."""
    with chosen(request.param):
        if request.param == "postgres":
            with request.getfixturevalue("postgres").database() as url:
                yield Place("postgres", url)
        else:
            yield Place(request.param, migrated_file(request.param, tmp_path / "askwell.db"))


@pytest.fixture
def store(place):
    """An open store of each kind."""
    opened = place.open()
    yield opened
    opened.close()


# -- what child processes do (they are started by multiprocessing's forkserver) --------------------------


def label_for_ever(place, experiment_id, first, acks):
    """Add labels in bursts of 1 to 3 until killed, telling each number that was acknowledged."""
    store = place.open()
    n = first
    while True:
        ops = [LabelOp(n + i, (n + i) % 50, (n + i) % 10) for i in range(1 + n % 3)]
        ack = store.add_labels(experiment_id, ops, client="child", source=LabelSource.HUMAN, round=0)
        acks.send(ack.n)
        n = ack.n + 1


def label_a_while(place, experiment_id, client, count, results):
    """Add labels one by one; tell how long each took, or what went wrong."""
    try:
        store = place.open()
        seconds = []
        for n in range(1, count + 1):
            begun = time.perf_counter()
            store.add_labels(
                experiment_id, [LabelOp(n, n, 1)], client=client, source=LabelSource.HUMAN, round=0
            )
            seconds.append(time.perf_counter() - begun)
        store.close()
        results.send(seconds)
    except Exception as error:  # whatever it is, the test is to show it
        results.send(repr(error))


def open_and_close(place, results):
    """Open the store once, as a starting program does."""
    try:
        place.open().close()
        results.send("opened")
    except Exception as error:  # whatever it is, the test is to show it
        results.send(repr(error))


def hold_open(place, pipe):
    """Make an experiment, tell its id, and keep the store open until told otherwise."""
    store = place.open()
    pipe.send(store.create_experiment(ExperimentConfig()).id)
    pipe.recv()
    store.close()
