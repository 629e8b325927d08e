"""The first schema: experiments, the label log, rounds, queries, jobs, workers."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NARROW = {"sqlite_with_rowid": False}
COUNTED = {"sqlite_autoincrement": True}

# Label events may go only with their whole experiment: it is marked `deleting` in the same transaction.
SQLITE_TRIGGERS = """
CREATE TRIGGER label_event_keep_values BEFORE UPDATE ON label_event
BEGIN SELECT RAISE(ABORT, 'label events are append-only'); END;
CREATE TRIGGER label_event_keep_rows BEFORE DELETE ON label_event
WHEN NOT EXISTS (SELECT 1 FROM experiment WHERE id = OLD.experiment_id AND deleting)
BEGIN SELECT RAISE(ABORT, 'label events are append-only'); END;
"""

POSTGRES_TRIGGERS = """
CREATE FUNCTION label_event_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND EXISTS (SELECT 1 FROM experiment WHERE id = OLD.experiment_id AND deleting) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'label events are append-only';
END $$;;
CREATE TRIGGER label_event_keep_rows BEFORE UPDATE OR DELETE ON label_event
FOR EACH ROW EXECUTE FUNCTION label_event_keep();;
CREATE TRIGGER label_event_keep_table BEFORE TRUNCATE ON label_event
FOR EACH STATEMENT EXECUTE FUNCTION label_event_keep();;
"""


def text(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Text(), nullable=nullable)


def real(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Double(), nullable=nullable)


def big(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def small(name: str) -> sa.Column:
    return sa.Column(name, sa.Integer(), nullable=False, autoincrement=False)


def flag(name: str) -> sa.Column:
    return sa.Column(name, sa.Boolean(), nullable=False)


def belongs_to_experiment(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["experiment_id"], ["experiment.id"], name=f"fk_{table}_experiment_id")


def key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_{table}")


def unique(table: str, column: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(column, name=f"uq_{table}_{column}")


def upgrade() -> None:
    experiments()
    labels()
    rounds()
    queries()
    jobs()
    triggers()


def experiments() -> None:
    op.create_table(
        "experiment",
        sa.Column("seq", SERIAL, nullable=False),
        text("id"),
        text("name"),
        text("config"),
        text("status"),
        text("dataset_key", nullable=True),
        text("fingerprint", nullable=True),
        text("split_hash", nullable=True),
        text("stop_reason", nullable=True),
        text("parent_id", nullable=True),
        flag("ghost"),
        text("idempotency_key", nullable=True),
        real("created_at"),
        real("updated_at"),
        big("version"),
        big("label_rev"),
        text("label_head"),
        flag("deleting"),
        sa.ForeignKeyConstraint(["parent_id"], ["experiment.id"], name="fk_experiment_parent_id"),
        key("experiment", "seq"),
        unique("experiment", "id"),
        unique("experiment", "idempotency_key"),
        **COUNTED,
    )
    op.create_index("ix_experiment_parent_id", "experiment", ["parent_id"])


def labels() -> None:
    op.create_table(
        "label_event",
        sa.Column("id", SERIAL, nullable=False),
        text("experiment_id"),
        big("sample_id"),
        small("value"),
        text("source"),
        text("annotator"),
        small("round"),
        text("client"),
        big("n"),
        real("at"),
        big("milliseconds", nullable=True),
        text("chain"),
        belongs_to_experiment("label_event"),
        key("label_event", "id"),
        **COUNTED,
    )
    op.create_index("ix_label_event_experiment_id_id", "label_event", ["experiment_id", "id"])
    op.create_table(
        "label_current",
        text("experiment_id"),
        big("sample_id"),
        small("value"),
        big("event_id"),
        belongs_to_experiment("label_current"),
        key("label_current", "experiment_id", "sample_id"),
        **NARROW,
    )
    op.create_index("ix_label_current_experiment_id_value", "label_current", ["experiment_id", "value"])
    op.create_table(
        "label_client",
        text("experiment_id"),
        text("client"),
        big("last_n"),
        belongs_to_experiment("label_client"),
        key("label_client", "experiment_id", "client"),
        **NARROW,
    )


def rounds() -> None:
    op.create_table(
        "epoch",
        text("experiment_id"),
        small("round"),
        small("epoch"),
        big("steps"),
        real("train_loss"),
        real("train_accuracy"),
        real("learning_rate"),
        real("seconds"),
        real("validation_loss", nullable=True),
        real("validation_accuracy", nullable=True),
        belongs_to_experiment("epoch"),
        key("epoch", "experiment_id", "round", "epoch"),
        **NARROW,
    )
    op.create_table(
        "round",
        text("experiment_id"),
        small("number"),
        big("num_labeled"),
        big("label_event_id"),
        text("metrics"),
        text("confusion", nullable=True),
        text("class_counts"),
        text("seconds"),
        text("artefacts"),
        text("manifest"),
        real("at"),
        belongs_to_experiment("round"),
        key("round", "experiment_id", "number"),
    )


def queries() -> None:
    op.create_table(
        "query",
        text("experiment_id"),
        small("round"),
        text("strategy"),
        big("num_candidates"),
        text("hash"),
        real("at"),
        belongs_to_experiment("query"),
        key("query", "experiment_id", "round"),
    )
    op.create_table(
        "query_item",
        text("experiment_id"),
        small("round"),
        small("rank"),
        big("sample_id"),
        real("score", nullable=True),
        text("guesses"),
        belongs_to_experiment("query_item"),
        key("query_item", "experiment_id", "round", "rank"),
        **NARROW,
    )


def jobs() -> None:
    op.create_table(
        "job",
        sa.Column("seq", SERIAL, nullable=False),
        text("id"),
        text("kind"),
        text("experiment_id", nullable=True),
        text("spec"),
        text("target"),
        text("idempotency_key", nullable=True),
        text("state"),
        small("priority"),
        small("attempt"),
        small("lost"),
        text("token", nullable=True),
        text("control"),
        flag("paused"),
        text("progress"),
        text("error_kind", nullable=True),
        text("error_text", nullable=True),
        text("traceback", nullable=True),
        text("worker", nullable=True),
        real("heartbeat_at", nullable=True),
        real("created_at"),
        real("started_at", nullable=True),
        real("ended_at", nullable=True),
        belongs_to_experiment("job"),
        key("job", "seq"),
        unique("job", "id"),
        unique("job", "idempotency_key"),
        **COUNTED,
    )
    op.create_index("ix_job_experiment_id", "job", ["experiment_id"])
    op.create_index("ix_job_state", "job", ["state"])
    active = sa.text("state IN ('queued', 'running')")
    op.create_index(
        "uq_job_active", "job", ["kind", "target"], unique=True, sqlite_where=active, postgresql_where=active
    )
    op.create_table(
        "worker",
        text("id"),
        text("host"),
        big("pid"),
        real("pid_start"),
        text("device"),
        text("state"),
        real("heartbeat_at"),
        text("info"),
        key("worker", "id"),
    )


def triggers() -> None:
    if op.get_bind().dialect.name == "sqlite":
        statements = [f"{part}END" for part in SQLITE_TRIGGERS.split("END;") if part.strip()]
    else:
        statements = [part for part in POSTGRES_TRIGGERS.split(";;") if part.strip()]
    for statement in statements:
        op.execute(statement)
