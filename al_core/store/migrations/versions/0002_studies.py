"""Studies, and the experiments that are their cells."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "study",
        sa.Column("seq", SERIAL, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("config", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text()),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_study"),
        sa.UniqueConstraint("id", name="uq_study_id"),
        sa.UniqueConstraint("idempotency_key", name="uq_study_idempotency_key"),
        sqlite_autoincrement=True,
    )
    # one column a statement, with its reference beside it: SQLite adds no constraint to a table that exists
    op.execute("ALTER TABLE experiment ADD COLUMN study_id TEXT CONSTRAINT fk_experiment_study_id REFERENCES study (id)")
    op.add_column("experiment", sa.Column("cell", sa.Integer()))
    op.create_index("ix_experiment_study_id", "experiment", ["study_id"])
