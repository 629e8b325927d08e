"""The tables, as the newest migration leaves them (a test compares the two).

    experiment 1-* label_event      the log: append-only, hashes chained within an experiment
               1-* label_current    sample -> its winning event; follows from the log
               1-* label_client     client -> its highest number; follows from the log
               1-* seat             who is at the session, and until when
               1-* item_lease       which images of the query are whose to answer
               1-* round, epoch     what training reported
               1-* query 1-* query_item
               1-* job              (a "prepare" job has no experiment)
    worker
    study 1-* experiment         (its cells)

`seq` columns give the order of creation. Times are seconds since 1970.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    text,
)

from al_core.store.columns import Json, Real, Serial

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = MetaData(naming_convention=NAMES)


def _experiment_key() -> Column[str]:
    return Column("experiment_id", Text, ForeignKey("experiment.id"), primary_key=True)


experiment = Table(
    "experiment",
    metadata,
    Column("seq", Serial, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("config", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("dataset_key", Text),
    Column("fingerprint", Text),
    Column("split_hash", Text),
    Column("stop_reason", Text),
    Column("parent_id", Text, ForeignKey("experiment.id"), index=True),
    Column("study_id", Text, ForeignKey("study.id"), index=True),
    Column("cell", Integer),
    Column("ghost", Boolean, nullable=False),
    Column("idempotency_key", Text, unique=True),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    Column("version", BigInteger, nullable=False),
    # The end of the label log: its last event's id and hash, so that a shortened log is seen.
    Column("label_rev", BigInteger, nullable=False),
    Column("label_head", Text, nullable=False),
    # The log's triggers let events go only while this is set, within the transaction that deletes all.
    Column("deleting", Boolean, nullable=False),
    sqlite_autoincrement=True,
)

study = Table(
    "study",
    metadata,
    Column("seq", Serial, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("config", Text, nullable=False),
    Column("idempotency_key", Text, unique=True),
    Column("created_at", Double, nullable=False),
    sqlite_autoincrement=True,
)

label_event = Table(
    "label_event",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("experiment_id", Text, ForeignKey("experiment.id"), nullable=False),
    Column("sample_id", BigInteger, nullable=False),
    Column("value", Integer, nullable=False),
    Column("source", Text, nullable=False),
    Column("annotator", Text, nullable=False),
    Column("round", Integer, nullable=False),
    Column("client", Text, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("at", Double, nullable=False),
    Column("milliseconds", BigInteger),
    Column("chain", Text, nullable=False),
    Column("mark", Text),  # set: this is no answer, `value` says whether the mark is on
    Column("detail", Text),  # JSON; chained as it stands
    Index(None, "experiment_id", "id"),
    Index(None, "experiment_id", "sample_id"),
    Index(
        "ix_label_event_marks",
        "experiment_id",
        "id",
        sqlite_where=text("mark IS NOT NULL"),
        postgresql_where=text("mark IS NOT NULL"),
    ),
    sqlite_autoincrement=True,
)

label_current = Table(
    "label_current",
    metadata,
    _experiment_key(),
    Column("sample_id", BigInteger, primary_key=True, autoincrement=False),
    Column("value", Integer, nullable=False),
    Column("event_id", BigInteger, nullable=False),
    Index(None, "experiment_id", "value"),
    sqlite_with_rowid=False,
)

label_client = Table(
    "label_client",
    metadata,
    _experiment_key(),
    Column("client", Text, primary_key=True),
    Column("last_n", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

seat = Table(
    "seat",
    metadata,
    _experiment_key(),
    Column("annotator", Text, primary_key=True),
    Column("round", Integer, nullable=False),
    Column("since", Double, nullable=False),
    Column("until", Double, nullable=False),
    Column("pace", Integer),
    Column("browser", Text, nullable=False),
    Column("twin_until", Double, nullable=False),
    sqlite_with_rowid=False,
)

# A lease holds while its annotator's seat does: renewing one row renews them all.
item_lease = Table(
    "item_lease",
    metadata,
    _experiment_key(),
    Column("sample_id", BigInteger, primary_key=True, autoincrement=False),
    Column("annotator", Text, primary_key=True),
    Column("round", Integer, nullable=False),
    Column("second", Boolean, nullable=False),
    sqlite_with_rowid=False,
)

epoch = Table(
    "epoch",
    metadata,
    _experiment_key(),
    Column("round", Integer, primary_key=True, autoincrement=False),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("steps", BigInteger, nullable=False),
    Column("train_loss", Real, nullable=False),
    Column("train_accuracy", Real, nullable=False),
    Column("learning_rate", Real, nullable=False),
    Column("seconds", Real, nullable=False),
    Column("validation_loss", Real),
    Column("validation_accuracy", Real),
    sqlite_with_rowid=False,
)

round_ = Table(
    "round",
    metadata,
    _experiment_key(),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("num_labeled", BigInteger, nullable=False),
    Column("label_event_id", BigInteger, nullable=False),
    Column("metrics", Json, nullable=False),
    Column("confusion", Json),
    Column("class_counts", Json, nullable=False),
    Column("seconds", Json, nullable=False),
    Column("artefacts", Json, nullable=False),
    Column("manifest", Json, nullable=False),
    Column("at", Real, nullable=False),
)

query = Table(
    "query",
    metadata,
    _experiment_key(),
    Column("round", Integer, primary_key=True, autoincrement=False),
    Column("strategy", Text, nullable=False),
    Column("num_candidates", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
    Column("at", Real, nullable=False),
)

query_item = Table(
    "query_item",
    metadata,
    _experiment_key(),
    Column("round", Integer, primary_key=True, autoincrement=False),
    Column("rank", Integer, primary_key=True, autoincrement=False),
    Column("sample_id", BigInteger, nullable=False),
    Column("score", Real),
    Column("guesses", Text, nullable=False),  # JSON, coded by rounds.py outside the transaction
    Column("ahead", Boolean),  # true: may be labeled while the next round trains; null: asked
    sqlite_with_rowid=False,
)

ACTIVE = "state IN ('queued', 'running')"

job = Table(
    "job",
    metadata,
    Column("seq", Serial, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("experiment_id", Text, ForeignKey("experiment.id"), index=True),
    Column("spec", Json, nullable=False),
    # What one active job may exist for: the experiment, or the hash of the spec where there is none.
    Column("target", Text, nullable=False),
    Column("idempotency_key", Text, unique=True),
    Column("state", Text, nullable=False, index=True),
    Column("priority", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("lost", Integer, nullable=False),  # attempts that fell silent since the last finished round
    Column("token", Text),
    Column("control", Text, nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("progress", Json, nullable=False),
    Column("error_kind", Text),
    Column("error_text", Text),
    Column("traceback", Text),
    Column("worker", Text),
    Column("heartbeat_at", Double),
    Column("created_at", Double, nullable=False),
    Column("started_at", Double),
    Column("ended_at", Double),
    Index(
        "uq_job_active",
        "kind",
        "target",
        unique=True,
        sqlite_where=text(ACTIVE),
        postgresql_where=text(ACTIVE),
    ),
    sqlite_autoincrement=True,
)

worker = Table(
    "worker",
    metadata,
    Column("id", Text, primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", BigInteger, nullable=False),
    Column("pid_start", Double, nullable=False),
    Column("device", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("heartbeat_at", Double, nullable=False),
    Column("info", Json, nullable=False),
)
