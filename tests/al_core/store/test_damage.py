"""What the database itself refuses, and what check() sees when someone goes around it."""

import ast
from pathlib import Path

import pytest
from sqlalchemy import text

from al_core import store as store_package
from al_core.errors import StoreError
from al_core.records import LabelOp, LabelSource

STORE = Path(store_package.__file__).parent


@pytest.fixture
def labeled(store, experiment):
    ops = [LabelOp(n, n, n % 3) for n in range(1, 6)]
    store.add_labels(experiment, ops, client="tab", source=LabelSource.HUMAN, round=0)
    return experiment


def tamper(store, *statements):
    """Write past the store's rules, as somebody with the file in hand could."""
    with store._db.write() as connection:
        if store._db.is_sqlite:
            connection.execute(text("DROP TRIGGER label_event_keep_values"))
            connection.execute(text("DROP TRIGGER label_event_keep_rows"))
        else:
            connection.execute(text("ALTER TABLE label_event DISABLE TRIGGER USER"))
        for statement in statements:
            assert connection.execute(text(statement)).rowcount > 0


@pytest.mark.parametrize(
    "statement", ["UPDATE label_event SET value = 9 WHERE n = 2", "DELETE FROM label_event WHERE n = 2"]
)
def test_the_database_refuses_to_change_or_remove_a_label_event(store, labeled, statement):
    with pytest.raises(StoreError, match="append-only"), store._db.write() as connection:
        connection.execute(text(statement))
    assert len(store.label_events(labeled)) == 5
    assert store.check() == []


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE label_event SET value = 9 WHERE n = 2", "label event 2 does not fit"),
        ("UPDATE label_event SET annotator = 'Eve' WHERE n = 4", "label event 4 does not fit"),
        ("DELETE FROM label_event WHERE n = 3", "label event 4 does not fit"),
        ("DELETE FROM label_event WHERE n = 5", "ends at event 4"),
        ("UPDATE label_event SET id = 77 WHERE n = 5", "label event 77 does not fit"),
        ("UPDATE label_current SET value = 9 WHERE sample_id = 2", "current label of image 2"),
        ("DELETE FROM label_current WHERE sample_id = 2", "current label of image 2"),
        ("UPDATE label_event SET mark = 'flag' WHERE n = 3", "label event 3 does not fit"),
        ("UPDATE label_event SET detail = '{}' WHERE n = 3", "label event 3 does not fit"),
        ("UPDATE label_client SET last_n = 99", "last number of client tab"),
    ],
)
def test_check_finds_what_was_changed_behind_its_back(store, labeled, statement, words):
    tamper(store, statement)
    found = store.check()
    assert any(words in line for line in found), found
    assert all(labeled in line for line in found)


def test_a_reader_cannot_write(store, labeled):
    with pytest.raises(StoreError), store._db.read() as connection:
        connection.execute(text("UPDATE experiment SET name = 'x'"))
    assert store.experiment(labeled).name == "run"


def test_a_write_that_fails_in_the_middle_leaves_nothing(store, labeled):
    before = store.experiment(labeled)

    def write_half():
        with store._db.write() as connection:
            connection.execute(text("UPDATE experiment SET name = 'x', version = 99"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert store.experiment(labeled) == before


# -- there is no other way to write: seen in the source --------------------------------------------------


def sources(folder):
    for path in sorted(folder.rglob("*.py")):
        yield path, ast.parse(path.read_text())


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").split(".")[0]


def test_only_the_store_talks_to_a_database():
    drivers = {"sqlalchemy", "alembic", "sqlite3", "pysqlite3", "psycopg"}
    for folder in (STORE.parent, STORE.parent.parent / "state", STORE.parent.parent / "pages"):
        for path, tree in sources(folder):
            if not path.is_relative_to(STORE):
                assert not drivers & set(imported(tree)), path


def test_only_the_engine_opens_connections_and_transactions():
    ways = {
        "create_engine",
        "connect",
        "begin",
        "begin_nested",
        "raw_connection",
        "commit",
        "driver_connection",
    }
    steps = {"exclusive", "transaction", "bare"}  # a migration's, which are more than one transaction
    for path, tree in sources(STORE):
        used = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
        used |= {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
        if path.name != "engine.py":
            assert not ways & used, path
        if path.name not in ("engine.py", "migrate.py"):
            assert not steps & used, path
